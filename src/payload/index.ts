/**
 * The door of this room: large payloads over relays, both ways.
 * @module
 */
import type { Relays } from '../../relays/relay.ts'
import { type Clock, timeLimit } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import { fetch } from './fetch.ts'
import { LOOK_MS, look } from './look.ts'
import { PAYLOAD_LIMITS, type PayloadLimits, type Payloads } from './payload.ts'
import { put } from './put.ts'

export { type Carried, jsonBytes, MOST_INDEXED_BYTES, MOST_INLINE_BYTES, textOf, utf8Bytes } from './inline.ts'
export {
  type Fetched,
  type FetchOptions,
  type Found,
  type LookOptions,
  no,
  PAYLOAD_LIMITS,
  type PayloadLimits,
  type Payloads,
  type Progress,
  type PutDone,
  type PutOptions,
} from './payload.ts'

export interface PayloadsOptions {
  /** Ours: chunks come through a door of this room, whatever door the relays have. */
  readonly relays: Relays
  readonly keys: Pick<Keys, 'sign' | 'verify' | 'shared' | 'publicKey'>
  readonly clock: Clock
  /** Lets a put go on after a restart. Without it the same put offers everything again. */
  readonly journal?: Pick<Journal, 'shelf'>
  readonly limits?: Partial<PayloadLimits>
}

/** Opens nothing and holds nothing: each call lives by itself. */
export function openPayloads(options: PayloadsOptions): Payloads {
  const door = { ...options, limits: { ...PAYLOAD_LIMITS, ...options.limits } }
  return {
    put: (bytes, how) => put(door, bytes, how),
    look: (id, how) => look(door, id, how),
    fetch: (found, how) => fetch(door, found, how),
    async get(id, how) {
      const limit = timeLimit(door.clock, how.timeMs ?? 600_000, how.signal)
      try {
        const found = await look(door, id, { ...how, timeMs: LOOK_MS, signal: limit.signal })
        return found.ok ? await fetch(door, found.value, { ...how, signal: limit.signal }) : found
      } finally {
        limit.stop()
      }
    },
  }
}
