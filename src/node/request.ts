/**
 * A request as it comes in: opened, read, and turned into work or into the reason why not.
 * @module
 */
import type { AnyRequest, Encrypt, Event, Privacy } from '../../kinds/index.ts'
import { type Input, isSealed, jobIdOf, jobKind, resultKind, schemeOf } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { query } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Why } from '../job.ts'
import type { Runner, Work } from '../runners/runner.ts'
import type { Seal } from '../seal.ts'
import { divisible, formOf } from './form.ts'
import type { NodeEvent } from './node-event.ts'
import { type Came, refuseLevel } from './privacy.ts'

export interface ReadRequest {
  readonly request: AnyRequest
  readonly work: Work
  /** How answers are sealed: as the request was. */
  readonly seal: { readonly encrypt?: Encrypt }
  readonly came: Came
  /** In a wrap, but its customer wants answers where it asked before: worth something of known jobs only. */
  readonly repeats: boolean
  readonly refusal?: Why
}

export interface Door {
  readonly seal: Seal
  /** Levels of privacy that the node keeps. */
  readonly privacy: readonly Privacy[]
  readonly clock: Clock
}

/** `undefined` for a sealed request that our key does not open. */
export function readRequest(event: Event, { seal, privacy, clock }: Door, wrapped = false): ReadRequest | undefined {
  const sealed = isSealed(event)
  const opened = sealed ? attempt(() => seal.decrypt(event.pubkey, event.content)) : undefined
  if (sealed && opened === undefined) return undefined
  const scheme = schemeOf(event.content) === 'nip04' ? 'nip04' : 'nip44'
  const how = sealed ? { encrypt: (text: string) => seal.encrypt(event.pubkey, text, scheme) } : {}
  const came: Came = wrapped ? 'wrapped' : sealed ? 'sealed' : 'plain'
  const work = { id: event.id, kind: event.kind, messages: [] }
  const refuse = (why: Why) => ({ request: none, work, seal: how, came, repeats: false, refusal: why })
  const kind = jobKind(event.kind)
  if (!kind) return refuse({ code: 'kind', says: `This node reads no jobs of kind ${event.kind}.` })
  const read = kind.request.read(event, opened)
  if (!read.ok) return refuse({ code: read.rule, says: read.says })
  const asked = read.value
  // What points elsewhere is read once it is here.
  const form = asked.inputs.some(({ type }) => type === 'job' || type === 'event')
    ? { work: { messages: [] } }
    : formOf(event.kind, asked)
  const refusal = refuseLevel(asked.privacy, came, privacy) ?? form.why
  // A wish to pay in parts means nothing for an answer that is made in one piece.
  const { terms, ...rest } = asked
  const request = terms?.word === 'parts' && !divisible(event.kind, asked) ? rest : asked
  const late = seconds(clock) - event.created_at > repeatSeconds
  const repeats = wrapped && (asked.privacy === undefined ? late : asked.privacy < 2)
  return { request, work: { ...work, ...form.work }, seal: how, came, repeats, ...(refusal ? { refusal } : {}) }
}

/** The work of a request whose inputs were fetched. */
export function readInputs(
  event: Event,
  inputs: readonly Input[],
  { request, work }: ReadRequest,
): { work: Work; why?: Why } {
  const form = formOf(event.kind, { ...request, inputs })
  return { work: { ...work, ...form.work }, ...(form.why ? { why: form.why } : {}) }
}

/** The runner's word on the work, before anything is billed: how many tokens the answer has at most, or why not. */
export async function checkWork(
  runner: Runner,
  work: Work,
  tell: (event: NodeEvent) => void,
): Promise<{ readonly promptTokens: number; readonly maxTokens: number; readonly why?: Why }> {
  try {
    const estimate = await runner.check(work)
    if (estimate.ok) return { promptTokens: estimate.promptTokens, maxTokens: estimate.maxTokens }
    return { promptTokens: 0, maxTokens: 1, why: { code: estimate.rule, says: estimate.says } }
  } catch (error) {
    tell({ event: 'trouble', job: work.id, says: String(error) })
    const says = 'This node cannot look at the job now. Try again later or elsewhere.'
    return { promptTokens: 0, maxTokens: 1, why: { code: 'runner', says } }
  }
}

/**
 * Jobs that this key has delivered since then, as the relays remember them: a node that comes back hears the same
 * requests again and must not do them twice.
 */
export async function answeredBefore(
  relays: Relays,
  pubkey: string,
  kinds: readonly number[],
  since: number,
  signal?: AbortSignal,
): Promise<ReadonlySet<string>> {
  const results = kinds.flatMap(kind => resultKind(kind) ?? [])
  const events = await query(relays, [{ kinds: results, authors: [pubkey], since, limit: 500 }], signal)
  return new Set(events.flatMap(event => jobIdOf(event) ?? []))
}

/** Seconds after which a wrapped job that says no level was surely asked in the open before. */
const repeatSeconds = 10

const none: AnyRequest = { inputs: [], relays: [], providers: [], stream: false, receipt: false }

/** The value, or `undefined` where a stranger's bytes made it throw. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
