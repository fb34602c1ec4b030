/**
 * SHA-256, HMAC and hex for every room: node:crypto where it is, plain JavaScript in a browser. Same bytes either way.
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 as plainSha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** node:crypto, or `undefined` in a browser. Found without an import so that bundlers leave it alone. */
export const nodeCrypto: typeof import('node:crypto') | undefined =
  globalThis.process?.getBuiltinModule?.('node:crypto') ?? undefined

/** Lower-case hex. */
export const toHex = (bytes: Uint8Array): string => bytesToHex(bytes)

/** Bytes of a hex string; throws for anything else. */
export const fromHex = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(hexToBytes(hex))

/** SHA-256 of bytes, 32 bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(plainSha256(bytes))

/** SHA-256 as 64 hex digits; a string is hashed as its UTF-8 bytes. */
export const sha256Hex: (data: Uint8Array | string) => string =
  typeof nodeCrypto?.hash === 'function'
    ? data => nodeCrypto.hash('sha256', data, 'hex')
    : data => bytesToHex(plainSha256(typeof data === 'string' ? utf8ToBytes(data) : data))

/** HMAC-SHA-256 of the parts, one after another, 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const mac = nodeCrypto ? nodeCrypto.createHmac('sha256', key) : hmac.create(plainSha256, key)
  for (const part of parts) mac.update(part)
  return new Uint8Array(mac.digest())
}
