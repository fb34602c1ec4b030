/**
 * The promises of the relays room: each a name, a sentence, and a play that fails when it is broken. Every driver is
 * measured by the same plays, and the printed table comes from the same data.
 * @module
 */
import { outages } from './relays-outages.ts'
import { publishing } from './relays-publishing.ts'
import { reading } from './relays-reading.ts'
import { type Cast, play, type Stage } from './relays-stage.ts'

export interface RelayPromise {
  readonly name: string
  readonly says: string
  /** True when the play needs a relay that lies or counts. */
  readonly fake?: true
  play(stage: Stage): Promise<void>
}

/** In the order of the printed table. */
export const RELAY_PROMISES: readonly RelayPromise[] = [...outages, ...reading, ...publishing]

/** The promises that can be played in this world. */
export const playable = (cast: Cast): RelayPromise[] => RELAY_PROMISES.filter(one => !cast.relay || !one.fake)

export interface Finding {
  readonly promise: string
  readonly isKept: boolean
  /** What went wrong; empty when kept. */
  readonly says: string
  readonly ms: number
}

/** Plays one promise and says what happened. */
export async function measure(cast: Cast, promise: RelayPromise): Promise<Finding> {
  const from = performance.now()
  let says = ''
  try {
    await play(cast, stage => promise.play(stage))
  } catch (error) {
    says = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
  }
  return { promise: promise.name, isKept: says === '', says, ms: Math.round(performance.now() - from) }
}

/** Not a play: what the process that played all the others went through. */
export const NO_CRASH = {
  name: 'no-crash',
  says: 'no unhandled rejection and no uncaught error, whatever the relays do',
} as const
