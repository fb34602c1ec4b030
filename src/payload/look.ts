/**
 * Finding a manifest: by the id that somebody signed for, so that its author cannot exchange it.
 * @module
 */
import { type Event, expirationOf, isSealed, manifest, type Refusal } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds, timeLimit } from '../clock.ts'
import { copyEvent, freezeEvent } from '../keys/copy.ts'
import type { Keys } from '../keys.ts'
import { type Found, type LookOptions, no } from './payload.ts'

export interface Looking {
  readonly relays: Relays
  readonly keys: Pick<Keys, 'verify'>
  readonly clock: Clock
}

/** How long relays are asked for a manifest. */
export const LOOK_MS = 15_000

/** No event of ours is larger on any relay. */
export const MOST_EVENT_CHARS = 65_536

/** A frozen copy of what a stranger signed, where `wanted` (cheap questions) says so and the signature holds. */
export function admitted(
  raw: unknown,
  keys: Pick<Keys, 'verify'>,
  wanted: (event: Event) => boolean,
): Event | undefined {
  const event = copyEvent(raw)
  if (!event || event.content.length > MOST_EVENT_CHARS || !wanted(event) || !keys.verify(event)) return undefined
  return freezeEvent(event)
}

export async function look(
  { relays, keys, clock }: Looking,
  id: string,
  options: LookOptions,
): Promise<{ readonly ok: true; readonly value: Found } | Refusal> {
  const { signal, stop } = timeLimit(clock, options.timeMs ?? LOOK_MS, options.signal)
  const event = await new Promise<Event | undefined>(resolve => {
    const end = (found?: Event) => {
      listening.close()
      resolve(found)
    }
    const listening = relays.listen(
      [{ ids: [id] }],
      { admit: raw => admitted(raw, keys, one => one.id === id), onEvent: end },
      signal,
    )
    if (signal.aborted) end()
    else signal.addEventListener('abort', () => end(), { once: true })
  })
  stop()
  if (!event)
    return no('manifest', 'No relay that is asked has this manifest: publish it there and name the job again.')
  return judge(event, options, seconds(clock))
}

function judge(
  event: Event,
  { mostBytes, author, decrypt }: LookOptions,
  now: number,
): { readonly ok: true; readonly value: Found } | Refusal {
  if ((expirationOf(event) ?? Number.POSITIVE_INFINITY) <= now)
    return no('expired', 'The payload has expired: put it again with a later time.')
  const closed = isSealed(event)
  let opened: string | undefined
  try {
    opened = closed ? decrypt?.(event.pubkey, event.content) : undefined
  } catch {
    opened = undefined
  }
  if (closed && opened === undefined)
    return no('sealed', 'The manifest cannot be opened with the key that was asked: seal it to that key.')
  const read = manifest.read(event, opened)
  if (!read.ok) return read
  const { value } = read
  // Anybody can name what another has put: only its author may have it opened.
  if (author !== undefined && event.pubkey !== author && !(closed && value.owner === author))
    return no('author', 'The payload is of somebody else: put it under the key that refers to it.')
  if (value.bytes > mostBytes)
    return no(
      'size',
      `The payload has ${value.bytes} bytes, at most ${mostBytes} are fetched: send less, or in several jobs.`,
    )
  return { ok: true, value: { id: event.id, author: event.pubkey, isSealed: closed, value } }
}
