/**
 * Base64 of bytes, at the speed of the machine in Node and by the platform's letters in a browser.
 * @module
 */
import { nodeCrypto } from '../hash.ts'

/** Canonical base64 with padding. */
export const toBase64: (bytes: Uint8Array) => string = nodeCrypto
  ? bytes => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  : bytes => {
      let letters = ''
      for (let at = 0; at < bytes.length; at += 8_192) letters += String.fromCharCode(...bytes.subarray(at, at + 8_192))
      return btoa(letters)
    }

/** The bytes of what `toBase64` wrote; `undefined` for any other spelling. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = nodeCrypto
      ? Uint8Array.from(Buffer.from(text, 'base64'))
      : Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
    return toBase64(bytes) === text ? bytes : undefined
  } catch {
    return undefined
  }
}
