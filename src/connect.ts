/**
 * The usual way to relays: a pool whose door lets in every kind of ours that its author signed; the parts behind it ask
 * the rest.
 * @module
 */
import { kinds } from '../kinds/index.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import type { Clock } from './clock.ts'
import { openIntake } from './intake.ts'
import type { Keys } from './keys.ts'

export interface ConnectOptions {
  /** `wss://…` or `ws://…`; two or three are better than one. */
  readonly urls: readonly string[]
  readonly keys: Keys
  readonly clock: Clock
  /** Signs in to relays that ask who we are (NIP-42). */
  readonly secret?: Uint8Array
}

/** Connects, and reconnects for ever until closed. Throws for what is no relay address. */
export function connectRelays({ urls, keys, clock, secret }: ConnectOptions): Relays {
  const { admit } = openIntake({
    verify: keys.signed,
    clock,
    kinds: kinds.map(kind => kind.number),
    windowSeconds: { past: Number.POSITIVE_INFINITY, ahead: 900 },
    // The pool remembers what it has handed on; queries may see an event again.
    seenMax: 0,
  })
  return openPool({ urls, clock, admit, ...(secret ? { sign: template => keys.sign(template, secret) } : {}) })
}
