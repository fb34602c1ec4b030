/**
 * The contract of one engine: secp256k1 arithmetic on events whose shape and id are already proven. `keys.ts` does
 * the proving, so that no engine can forget it.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'

/** Native library, WebAssembly, JavaScript: fastest first. */
export type Engine = 'libsecp256k1' | 'nostr-wasm' | 'plain'

/** The unsigned event of an author; `chars` as in `holds`. Without side effects: it may be asked more than once. */
export type Draft = (pubkey: string) => { readonly event: Omit<Event, 'sig'>; readonly chars: number }

export interface Curve {
  readonly engine: Engine
  /** BIP-340: is `sig` a signature of `id` by `pubkey`? False for a key that is on no point of the curve. `chars` is the length of what the id was hashed from. */
  holds(event: Event, chars: number): boolean
  /**
   * Asks for the event that this author would publish and adds the BIP-340 signature of its id. `aux` (32 bytes) is
   * fresh randomness unless given; `nostr-wasm` ignores it.
   */
  sign(secret: Uint8Array, draft: Draft, aux?: Uint8Array): Event
  /** The x coordinate as 64 hex digits. `secret` is in range. */
  publicKey(secret: Uint8Array): string
  /** The x coordinate of the common point, not hashed. Throws `RangeError` when `pubkey` is on no point of the curve. */
  shared(secret: Uint8Array, pubkey: string): Uint8Array
}

export const noPoint = (): RangeError => new RangeError('this public key is on no point of secp256k1')

/** `size` bytes that nobody can guess. */
export const randomBytes = (size: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(size))
