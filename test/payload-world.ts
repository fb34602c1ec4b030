/** A sender and a reader of large payloads over one relay in memory, and payloads to send. */
import { type Event, manifest } from '../kinds/index.ts'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import type { Relays } from '../relays/relay.ts'
import { type Clock, wallClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { type Keys, openKeys } from '../src/keys.ts'
import { openPayloads, type PayloadLimits, type Payloads, type PayloadsOptions } from '../src/payload/index.ts'
import { openSeal, type Seal } from '../src/seal.ts'

export { memoryJournal }

export const clock = wallClock({ keepAlive: false })
export const expiresAt = Math.floor(Date.now() / 1000) + 3_600

/** Waits that cost a test no time, and chunks that cost no work. */
export const quick: Partial<PayloadLimits> = { pauseMs: [5, 20], pageMs: 500, page: 8, chunkBytes: 64 }

export interface Person {
  readonly secret: Uint8Array
  readonly pubkey: string
  readonly seal: Seal
  readonly relays: Relays
  readonly payloads: Payloads
}

export interface PayloadWorld {
  readonly keys: Keys
  readonly hub: MemoryHub
  /** Every event that the relay was offered. */
  readonly seen: Event[]
  person(options?: Partial<PayloadsOptions>): Person
}

export async function payloadWorld(time: Clock = clock, limits: Partial<PayloadLimits> = quick): Promise<PayloadWorld> {
  const keys = await openKeys()
  const hub = memoryHub({ clock: time, verify: event => keys.verify(event) })
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  return {
    keys,
    hub,
    seen,
    person(options = {}) {
      const secret = keys.newSecret()
      // Its own door lets nothing in: payloads have one of their own.
      const relays = hub.connect({ admit: () => undefined })
      return {
        secret,
        pubkey: keys.publicKey(secret),
        seal: openSeal({ keys, secret }),
        relays,
        payloads: openPayloads({ relays, keys, clock: time, limits, ...options }),
      }
    },
  }
}

/** Bytes that repeat nowhere, the same each time. */
export function noise(bytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(bytes)
  let state = seed >>> 0 || 1
  for (let at = 0; at < bytes; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    made[at] = state
  }
  return made
}

/** True for events that are a manifest. */
export const isManifest = (event: Event): boolean => event.kind === manifest.number
