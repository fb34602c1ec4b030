/**
 * NIP-44 version 2 payloads. Two codecs with the same bytes: node:crypto wins on long texts, plain JavaScript (by
 * nostr-tools) on short ones and in browsers.
 * @module
 */
import { decrypt, encrypt } from 'nostr-tools/nip44'
import { hmacSha256, nodeCrypto } from '../hash.ts'
import { SealError } from './error.ts'

export interface Codec {
  /** `nonce` is 32 fresh random bytes. */
  seal(key: Uint8Array, text: string, nonce: Uint8Array): string
  /** Throws `SealError`. Decodes as UTF-8, leniently; a leading byte order mark is dropped. */
  open(key: Uint8Array, payload: string): string
}

/** From here on node:crypto is the faster one. */
const longBytes = 1024
/** Lengths from here on are written in four bytes after two zero bytes. */
const extendedFrom = 65_536
const overheadBytes = 1 + 32 + 32

/** HKDF-extract of the common point: the key of all texts between two people. */
export const conversationKey = (commonX: Uint8Array): Uint8Array =>
  hmacSha256(new TextEncoder().encode('nip44-v2'), commonX)

export interface MessageKeys {
  readonly chachaKey: Uint8Array
  readonly chachaNonce: Uint8Array
  readonly hmacKey: Uint8Array
}

/** HKDF-expand to the keys of one text. */
export function messageKeys(key: Uint8Array, nonce: Uint8Array): MessageKeys {
  const chain = new Uint8Array(96)
  let block: Uint8Array = new Uint8Array(0)
  for (let i = 0; i < 3; i++) {
    block = hmacSha256(key, block, nonce, Uint8Array.of(i + 1))
    chain.set(block, 32 * i)
  }
  return { chachaKey: chain.subarray(0, 32), chachaNonce: chain.subarray(32, 44), hmacKey: chain.subarray(44, 76) }
}

/** Length of a text of so many bytes after padding (NIP-44: steps of an eighth of the next power of two). */
export function paddedBytes(bytes: number): number {
  if (bytes <= 32) return 32
  const power = 2 ** (32 - Math.clz32(bytes - 1))
  const step = power <= 256 ? 32 : power / 8
  return Math.ceil(bytes / step) * step
}

/** Characters of the payload of a text of so many bytes. */
export const payloadChars = (bytes: number): number =>
  Math.ceil((overheadBytes + (bytes < extendedFrom ? 2 : 6) + paddedBytes(bytes)) / 3) * 4

/** By nostr-tools. */
export const plainCodec: Codec = {
  seal: (key, text, nonce) => encrypt(text, key, nonce),
  open(key, payload) {
    try {
      return decrypt(payload, key)
    } catch (error) {
      const says = error instanceof Error ? error.message : ''
      if (says.startsWith('unknown encryption version')) throw unknownVersion()
      if (says === 'invalid MAC') throw wrongMac()
      if (says === 'invalid padding') throw wrongPadding()
      throw malformed()
    }
  },
}

const unknownVersion = () => new SealError('version', 'the payload is not of NIP-44 version 2')
const wrongMac = () => new SealError('mac', 'the payload was altered or is meant for other keys')
const wrongPadding = () => new SealError('padding', 'the payload is padded wrongly')
const malformed = () => new SealError('malformed', 'the payload is no NIP-44 payload')

/** By node:crypto, or `undefined` where it is missing or has no bare ChaCha20. */
export const nodeCodec: Codec | undefined = openNode()

function openNode(): Codec | undefined {
  if (!nodeCrypto?.getCiphers().includes('chacha20')) return undefined
  const { createCipheriv, timingSafeEqual } = nodeCrypto
  const utf8 = new TextDecoder()
  // OpenSSL wants the block counter, zero, in front of the nonce.
  const cipherOf = (keys: MessageKeys) =>
    createCipheriv('chacha20', keys.chachaKey, Buffer.concat([Buffer.alloc(4), keys.chachaNonce]))
  return {
    seal(key, text, nonce) {
      const bytes = Buffer.byteLength(text)
      const prefix = bytes < extendedFrom ? 2 : 6
      const padded = Buffer.alloc(prefix + paddedBytes(bytes))
      if (prefix === 2) padded.writeUInt16BE(bytes)
      else padded.writeUInt32BE(bytes, 2)
      padded.write(text, prefix)
      const keys = messageKeys(key, nonce)
      const hidden = cipherOf(keys).update(padded)
      return Buffer.concat([Uint8Array.of(2), nonce, hidden, hmacSha256(keys.hmacKey, nonce, hidden)]).toString(
        'base64',
      )
    },
    open(key, payload) {
      if (payload.length < 132) throw malformed()
      if (payload.startsWith('#')) throw unknownVersion()
      const data = Buffer.from(payload, 'base64')
      // Node skips over what is no base64; only what comes out again as it went in was clean.
      if (data.length < 99 || data.toString('base64') !== payload) throw malformed()
      if (data[0] !== 2) throw unknownVersion()
      const nonce = data.subarray(1, 33)
      const hidden = data.subarray(33, -32)
      const keys = messageKeys(key, nonce)
      if (!timingSafeEqual(hmacSha256(keys.hmacKey, nonce, hidden), data.subarray(-32))) throw wrongMac()
      const padded = cipherOf(keys).update(hidden)
      const extended = padded.readUInt16BE(0) === 0
      const prefix = extended ? 6 : 2
      const bytes = extended ? padded.readUInt32BE(2) : padded.readUInt16BE(0)
      if (extended && bytes < extendedFrom) throw wrongPadding()
      if (padded.length !== prefix + paddedBytes(bytes)) throw wrongPadding()
      return utf8.decode(padded.subarray(prefix, prefix + bytes))
    },
  }
}

/** The codec that is faster for so many bytes of text. */
export const codecFor = (bytes: number): Codec => (bytes > longBytes && nodeCodec ? nodeCodec : plainCodec)
