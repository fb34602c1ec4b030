/**
 * SHA-256, HMAC and hex for this room, in a browser as in Node.
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as digest } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** SHA-256 of bytes, 32 bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(digest(bytes))

/** HMAC with SHA-256, 32 bytes. */
export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(hmac(digest, key, message))

/** SHA-256 as lower-case hex; a string is hashed as its UTF-8 bytes, which is how NIP-57 hashes a zap request. */
export const sha256Hex = (data: Uint8Array | string): string =>
  bytesToHex(digest(typeof data === 'string' ? utf8ToBytes(data) : data))

/** Lower-case hex. */
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes)

/** Bytes of a hex string; throws for anything else. */
export const fromHex = (hex: string): Uint8Array => hexToBytes(hex)

/** True for 32 bytes as lower-case hex. */
export const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** True when `preimage` (32 bytes hex) opens `hash`. False, never an error, for whatever else a stranger may send. */
export const proves = (preimage: unknown, hash: string): boolean =>
  isHash(preimage) && sha256Hex(hexToBytes(preimage)) === hash
