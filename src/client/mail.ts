/**
 * How the events of one job leave: as they are, or each in a wrap of its own where relays may see neither who asks nor what;
 * and a memory of everything that really left.
 * @module
 */
import { chunk, type Event, ephemeralWrap, isSealed } from '../../kinds/index.ts'
import type { Published, Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { wrapEvent } from '../seal.ts'

type Send = Relays['publish']

/** Relays that remember what was published through them. */
export interface Noted {
  readonly relays: Relays
  /** Every event that was handed to the relays, once each, newest last. */
  said(): readonly Event[]
}

/** Different events of one job that are remembered; what comes later can only repeat. */
const mostSaid = 1_000

/** `before`: what was published for the same question earlier. */
export function noting(relays: Relays, before: readonly Event[] = []): Noted {
  const said = new Map<string, Event>(before.map(event => [event.id, event]))
  const publish: Send = (event, options) => {
    // Wraps are as many as there are repetitions, and all alike to whoever wants to know what was said openly.
    if (event.kind === ephemeralWrap.number) said.set('wrap', event)
    // So are the chunks of what one key has put.
    else if (event.kind === chunk.number) said.set(`chunk ${event.pubkey} ${isSealed(event)}`, event)
    else if (said.size < mostSaid) said.set(event.id, event)
    return relays.publish(event, options)
  }
  return { relays: { ...relays, publish }, said: () => [...said.values()] }
}

export interface MailOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  /** The only reader, where every event has to go in a wrap. */
  readonly hiddenFor?: string
}

/** Sends an event of a job to the relays, in the cover that the job has. A repetition is a fresh wrap. */
export function openMail({ relays, keys, clock, hiddenFor }: MailOptions): Send {
  if (hiddenFor === undefined) return (event, options) => relays.publish(event, options)
  return (event, options): Promise<Published> =>
    relays.publish(wrapEvent(keys, event, hiddenFor, seconds(clock)), options)
}
