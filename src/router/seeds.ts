/**
 * What a router derives from its one secret: a seed for each entry of its log, which the entry before commits to, and
 * the key that signs the scores of one set of parameters (NIP-85: a service key per algorithm).
 * @module
 */
import { fromHex, hmacSha256, sha256Hex, toHex } from '../hash.ts'

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Seed of entry `seq`, 32 bytes hex: known to nobody else before the entry reveals it. */
export const seedOf = (secret: Uint8Array, seq: number): string =>
  toHex(hmacSha256(secret, utf8(`gridstr seed ${seq}`)))

/** What the entry before entry `seq` commits to: SHA-256 of the 32 bytes of its seed, hex. */
export const commitTo = (seed: string): string => sha256Hex(fromHex(seed))

/** The secret of the service key: HKDF-SHA256 of the router's secret, salt "gridstr service", info the hash of the parameters. */
export const serviceSecret = (secret: Uint8Array, paramsHash: string): Uint8Array =>
  hmacSha256(hmacSha256(utf8('gridstr service'), secret), utf8(paramsHash), Uint8Array.of(1))
