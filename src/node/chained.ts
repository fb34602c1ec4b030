/**
 * Inputs that point elsewhere: the output of another job, or the content of an event. One step deep: what that job or
 * event points to in turn is not followed.
 * @module
 */
import {
  about,
  addressees,
  type Event,
  expirationOf,
  feedback,
  isSealed,
  type JobKind,
  jobIdOf,
  jobKind,
  type Refusal,
  type TextResult,
} from '../../kinds/index.ts'
import type { Filter, Relays } from '../../relays/relay.ts'
import { type Clock, seconds, timeLimit } from '../clock.ts'
import { copyEvent, freezeEvent } from '../keys/copy.ts'
import type { Keys } from '../keys.ts'
import { type Payloads, textOf, utf8Bytes } from '../payload/index.ts'

export interface ChainDoor {
  /** The node's own: relays that a stranger names are not connected to. */
  readonly relays: Relays
  readonly keys: Pick<Keys, 'verify'>
  readonly clock: Clock
  readonly payloads: Pick<Payloads, 'get'>
  /** Our own public key: answers of ours are opened from the other side. */
  readonly me: string
}

export interface ChainOptions {
  /** Who asks. A sealed answer is opened only for whoever asked for it. */
  readonly asker: string
  decrypt(peer: string, payload: string): string
  readonly mostBytes: number
  /** How long the other job may still take. Default 30,000. */
  readonly timeMs?: number
  readonly signal?: AbortSignal
}

/** The text that an input points to. */
export type Text = { readonly ok: true; readonly text: string } | Refusal

const no = (rule: string, says: string): Refusal => ({ ok: false, rule: `job-input.${rule}`, says })
const instead = 'or send its text as an input'

/** The text of `["i", <event id>, "event"]`. */
export async function resolveEventInput(id: string, door: ChainDoor, options: ChainOptions): Promise<Text> {
  const event = await byId(id, door, options.timeMs ?? 15_000, options.signal)
  if (!event) return no('missing', `The event of an input is not on our relays: publish it there, ${instead}.`)
  if (isSealed(event)) return no('sealed', `The event of an input is sealed: ${instead.slice(3)}.`)
  return bounded(event.content, options.mostBytes)
}

/** The text of `["i", <job id>, "job"]`: what the provider that the job names has answered, or answers in time. */
export async function resolveJobInput(id: string, door: ChainDoor, options: ChainOptions): Promise<Text> {
  const limit = timeLimit(door.clock, options.timeMs ?? 30_000, options.signal)
  try {
    const request = await byId(id, door, 15_000, limit.signal)
    if (!request) return no('missing', `The job of an input is not on our relays: publish it there, ${instead}.`)
    const kind = jobKind(request.kind)
    if (!kind)
      return no('kind', `The job of an input is of a kind whose answers this node does not read: ${instead.slice(3)}.`)
    const providers = addressees(request)
    if (providers.length === 0)
      return no(
        'provider',
        `The job of an input names no provider, so anybody could answer it: name the result by \`event\`, ${instead}.`,
      )
    const { result, says } = await answerTo(request, kind, providers, door, limit.signal)
    if (!result) return no('unanswered', `The job of an input has no answer${says}: ask again when it has, ${instead}.`)
    return await opened(request, kind, result, door, { ...options, signal: limit.signal })
  } finally {
    limit.stop()
  }
}

/** Fits within what a job may still bring. */
const bounded = (text: string, mostBytes: number): Text =>
  utf8Bytes(text) <= mostBytes
    ? { ok: true, text }
    : no('size', `What the inputs point to has more than the ${mostBytes} bytes that are taken: send less.`)

/** Listens until `take` is content, or the time is over. */
function until<T>(
  door: Pick<ChainDoor, 'relays' | 'keys'>,
  filters: Filter[],
  wanted: (event: Event) => boolean,
  take: (event: Event) => T | undefined,
  signal: AbortSignal,
): Promise<T | undefined> {
  return new Promise(resolve => {
    const end = (value?: T) => {
      listening.close()
      resolve(value)
    }
    const listening = door.relays.listen(
      filters,
      {
        admit(raw) {
          const event = copyEvent(raw)
          return event && wanted(event) && door.keys.verify(event) ? freezeEvent(event) : undefined
        },
        onEvent(event) {
          const value = take(event)
          if (value !== undefined) end(value)
        },
      },
      signal,
    )
    if (signal.aborted) end()
    else signal.addEventListener('abort', () => end(), { once: true })
  })
}

async function byId(id: string, door: ChainDoor, ms: number, signal?: AbortSignal): Promise<Event | undefined> {
  const limit = timeLimit(door.clock, ms, signal)
  const now = seconds(door.clock)
  const lives = (event: Event) => event.id === id && (expirationOf(event) ?? Number.POSITIVE_INFINITY) > now
  const found = await until(door, [{ ids: [id] }], lives, event => event, limit.signal)
  limit.stop()
  return found
}

/** The answer of a named provider, or what its last word was. Ends early when every one of them said that it failed. */
async function answerTo(
  request: Event,
  kind: JobKind,
  providers: readonly string[],
  door: ChainDoor,
  signal: AbortSignal,
): Promise<{ result?: Event; says: string }> {
  const failed = new Set<string>()
  const kinds = [kind.result.number, feedback.number]
  const found = await until(
    door,
    [about([request.id], kinds, { authors: [...providers] })],
    event => providers.includes(event.pubkey) && kinds.includes(event.kind) && jobIdOf(event) === request.id,
    event => {
      if (event.kind === kind.result.number) return event
      const read = isSealed(event) ? undefined : feedback.read(event)
      if (read?.ok && read.value.status === 'error') failed.add(event.pubkey)
      return failed.size === providers.length ? ('failed' as const) : undefined
    },
    signal,
  )
  if (found === 'failed') return { says: ', its provider says that it failed' }
  return found ? { result: found, says: '' } : { says: ' yet' }
}

async function opened(
  request: Event,
  kind: JobKind,
  event: Event,
  door: ChainDoor,
  options: ChainOptions,
): Promise<Text> {
  const closed = isSealed(event)
  const mine = no('sealed', `The answer to the job of an input is sealed to somebody else: ${instead.slice(3)}.`)
  if (closed && request.pubkey !== options.asker) return mine
  // What we sealed ourselves opens from the other side.
  const decrypt: ChainOptions['decrypt'] = (peer, text) =>
    options.decrypt(peer === door.me ? request.pubkey : peer, text)
  let plain: string | undefined
  try {
    plain = closed ? decrypt(event.pubkey, event.content) : undefined
  } catch {
    return mine
  }
  const read = kind.result.read(event, plain)
  if (!read.ok) return read
  if (read.value.sealedUnder !== undefined) return mine
  return whole(read.value, event.pubkey, closed, door, { ...options, decrypt })
}

/** The text of an answer, fetched where it is in chunks. */
async function whole(
  { text, chunked }: TextResult,
  author: string,
  closed: boolean,
  { payloads }: ChainDoor,
  { mostBytes, decrypt, signal }: ChainOptions,
): Promise<Text> {
  if (chunked === undefined) return bounded(text, mostBytes)
  const got = await payloads.get(chunked, {
    ...{ mostBytes, author },
    ...(closed ? { decrypt } : {}),
    ...(signal === undefined ? {} : { signal }),
  })
  if (!got.ok) return got
  const said = textOf(got.bytes)
  return said === undefined
    ? no('text', 'The answer to the job of an input is no text: send one.')
    : { ok: true, text: said }
}
