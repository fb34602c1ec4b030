/**
 * One key that asks, with what it hears.
 * @module
 */
import { type Event, ephemeralWrap, jobIdOf } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Keys } from '../keys.ts'
import { openSeal, type Seal } from '../seal.ts'
import { answersTo, type Ear, earsOf, type Hearing, listenFor, unwrap } from './hearing.ts'

export interface Identity {
  readonly kind: 'one-job' | 'own'
  readonly secret: Uint8Array
  readonly pubkey: string
  readonly seal: Seal
  readonly hear: Hearing
  /** Nobody asks with it any more. */
  drop(): void
}

/** Brings what came for a key, bare or in a wrap, to the ear of its job. */
export function deliver(keys: Keys, seal: Seal, jobs: ReadonlyMap<string, Ear>, event: Event): void {
  const wrapped = event.kind === ephemeralWrap.number
  const inner = wrapped ? unwrap(keys, seal, event) : event
  if (inner) jobs.get(jobIdOf(inner) ?? '')?.(inner, wrapped)
}

/** A key that listens for itself. */
export function aloneWith({ relays, keys }: { relays: Relays; keys: Keys }, secret: Uint8Array): Identity {
  const pubkey = keys.publicKey(secret)
  const seal = openSeal({ keys, secret, cacheSize: 4 })
  return {
    ...{ kind: 'one-job', secret, pubkey, seal, drop() {} },
    hear(heard) {
      const jobs = new Map<string, Ear>()
      const standing = relays.listen(answersTo([pubkey]), {
        onEvent: event => deliver(keys, seal, jobs, event),
      })
      const listening = listenFor(relays, heard, { live: standing.live, hear: earsOf(jobs) })
      return {
        live: Promise.all([standing.live, listening.live]).then(() => {}),
        close() {
          listening.close()
          standing.close()
        },
      }
    },
  }
}
