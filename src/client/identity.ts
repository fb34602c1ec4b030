/**
 * The keys that ask: the customer's own, or one for each job, which nobody can connect with another.
 * @module
 */
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { openSeal } from '../seal.ts'
import { openHearing } from './hearing.ts'
import { aloneWith, type Identity } from './one-key.ts'
import { openRing } from './ring.ts'

export interface Identities {
  readonly own: Identity
  /** A key that was never used. */
  fresh(): Identity
  /** The key that signed a job of an earlier process. */
  of(secret: Uint8Array): Identity
}

export interface IdentitiesOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  readonly secret: Uint8Array
  /** Keys of one job are held ready from the beginning. */
  readonly ready: boolean
}

export function openIdentities({ relays, keys, clock, secret, ready }: IdentitiesOptions): Identities {
  const pubkey = keys.publicKey(secret)
  const own: Identity = {
    ...{ kind: 'own', secret, pubkey, seal: openSeal({ keys, secret }) },
    ...{ hear: openHearing({ relays, clock, pubkey }), drop() {} },
  }
  const open = () => openRing({ relays, keys })
  let ring = ready ? open() : undefined
  return {
    own,
    fresh() {
      ring ??= open()
      return ring.take()
    },
    of: used => (keys.publicKey(used) === pubkey ? own : aloneWith({ relays, keys }, used)),
  }
}
