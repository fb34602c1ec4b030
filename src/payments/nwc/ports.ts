/**
 * What NIP-47 needs from outside this room to sign and to seal.
 * @module
 */
import type { Event, Template } from '../../../kinds/kind.ts'

/** How a body is sealed: NIP-44 v2, or NIP-04 for wallets that know nothing else. */
export type Scheme = 'nip44' | 'nip04'

/** Signing and verifying, as `src/keys.ts` gives them. */
export interface NwcKeys {
  verify(event: Event): boolean
  sign(template: Template, secret: Uint8Array): Event
  publicKey(secret: Uint8Array): string
}

/** One secret's sealing, as `src/seal.ts` gives it. Both throw on what cannot be done. */
export interface NwcSeal {
  encrypt(peer: string, text: string, scheme?: Scheme): string
  decrypt(peer: string, payload: string): string
}

/** NIP-47's words for the schemes. */
export const CIPHERS = { nip44: 'nip44_v2', nip04: 'nip04' } as const
