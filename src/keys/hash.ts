/**
 * SHA-256 and its HMAC: node:crypto where it is, plain JavaScript in a browser. Same bytes either way.
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** node:crypto, or `undefined` in a browser. Found without an import so that bundlers leave it alone. */
export const nodeCrypto: typeof import('node:crypto') | undefined =
  globalThis.process?.getBuiltinModule?.('node:crypto') ?? undefined

export { bytesToHex, hexToBytes }

const plainHex = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)))

/** SHA-256 of the UTF-8 bytes of `text`, as 64 hex digits. */
export const sha256Hex: (text: string) => string =
  typeof nodeCrypto?.hash === 'function' ? text => nodeCrypto.hash('sha256', text, 'hex') : plainHex

/** HMAC-SHA-256 of the parts, one after another. */
export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  if (nodeCrypto) {
    const mac = nodeCrypto.createHmac('sha256', key)
    for (const part of parts) mac.update(part)
    return new Uint8Array(mac.digest())
  }
  const mac = hmac.create(sha256, key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}
