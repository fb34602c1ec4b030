/**
 * Whom somebody trusts (kind 10040): read for oneself to know which routers to ask, and written anew as a whole.
 * @module
 */
import {
  type Event,
  isSealed,
  ofKinds,
  priceSheet,
  type TrustedProviders,
  trustedProviders,
} from '../../kinds/index.ts'
import { type Published, query, type Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { openSeal } from '../seal.ts'

export interface TrustOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly clock: Clock
  /** Whose list it is. */
  readonly secret: Uint8Array
}

export interface TrustList {
  readonly value: TrustedProviders
  /** When it was written, unix seconds; 0 where there is none. */
  readonly at: number
  /** There is one, and it cannot be read: writing would lose what is in it. */
  readonly unreadable: boolean
}

const empty: TrustedProviders = { assertions: [], routers: [] }

/** The newest list on the relays, sealed or not. */
export async function readTrusted(options: TrustOptions, signal?: AbortSignal): Promise<TrustList> {
  const { relays, keys, secret } = options
  const pubkey = keys.publicKey(secret)
  const events = await query(relays, [ofKinds([trustedProviders.number], { authors: [pubkey] })], signal)
  const [newest] = events.filter(event => event.pubkey === pubkey)
  if (!newest) return { value: empty, at: 0, unreadable: false }
  const read = trustedProviders.read(newest, isSealed(newest) ? opened(newest, options) : undefined)
  return { value: read.ok ? read.value : empty, at: newest.created_at, unreadable: !read.ok }
}

function opened(event: Event, { keys, secret }: TrustOptions): string | undefined {
  try {
    return openSeal({ keys, secret }).decrypt(event.pubkey, event.content)
  } catch {
    return undefined
  }
}

/** Publishes a list in place of every earlier one; sealed to oneself unless `open`. `after`: when the last one was written. */
export async function writeTrusted(
  options: TrustOptions,
  value: TrustedProviders,
  how: { readonly after: number; readonly open: boolean },
): Promise<{ readonly event: Event; readonly published: Published }> {
  const { relays, keys, clock, secret } = options
  const seal = openSeal({ keys, secret })
  const pubkey = keys.publicKey(secret)
  // Of two lists of one second relays keep the one with the lower id.
  const now = Math.max(seconds(clock), how.after + 1)
  const template = trustedProviders.write(value, now, how.open ? undefined : plain => seal.encrypt(pubkey, plain))
  const event = keys.sign(template, secret)
  return { event, published: await relays.publish(event) }
}

/** The keys that routers sign their scores with, by their price sheets. */
export async function serviceKeys(
  relays: Relays,
  routers: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  if (routers.length === 0) return new Map()
  const events = await query(relays, [ofKinds([priceSheet.number], { authors: [...routers] })], signal)
  const found = new Map<string, string>()
  for (const event of events) {
    const read = priceSheet.read(event)
    if (read.ok && !found.has(event.pubkey)) found.set(event.pubkey, read.value.service)
  }
  return found
}
