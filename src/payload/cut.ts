/**
 * A payload as signed events, made one at a time and the same ones each time: a put that was interrupted goes on with
 * the very events that relays have, without a copy of them on the disk.
 * @module
 */
import { chunk, type Event, type Manifest, MOST_CHUNKS, manifest, present } from '../../kinds/index.ts'
import { hmacSha256, sha256Hex, toHex } from '../hash.ts'
import type { Keys } from '../keys.ts'
import { codecFor, conversationKey } from '../seal/nip44.ts'
import { toBase64 } from './base64.ts'

export interface CutOptions {
  readonly keys: Pick<Keys, 'sign' | 'shared' | 'publicKey'>
  readonly secret: Uint8Array
  readonly to?: string
  readonly owner?: string
  readonly type: string
  readonly at: number
  readonly expiresAt: number
  readonly chunkBytes: number
}

export interface Cut {
  readonly value: Manifest
  readonly manifest: Event
  /** Signs the chunk of this place. */
  chunk(index: number): Event
  /** Bytes of the chunk of this place. */
  size(index: number): number
}

const utf8 = new TextEncoder()

/** Bytes of the chunk of a place, as a manifest has it. */
export const chunkSize = ({ bytes, chunkBytes }: Pick<Manifest, 'bytes' | 'chunkBytes'>, index: number): number =>
  Math.min(chunkBytes, bytes - index * chunkBytes)

/** Throws `TypeError` for nothing, `RangeError` for more than chunks can carry. */
export function cut(bytes: Uint8Array, options: CutOptions): Cut {
  const { keys, secret, to, owner, type, at, expiresAt, chunkBytes } = options
  if (bytes.length === 0) throw new TypeError('an empty payload needs no chunks: say it in the event')
  if (bytes.length > chunkBytes * MOST_CHUNKS)
    throw new RangeError(`a payload has at most ${chunkBytes * MOST_CHUNKS} bytes: send it in several`)
  const sha256 = sha256Hex(bytes)
  // Nobody without the key can tell this from 32 random bytes, and after a restart it is the same again.
  const salt =
    to === undefined ? undefined : hmacSha256(secret, utf8.encode(`payload salt ${sha256} ${to} ${at} ${expiresAt}`))
  const payload = salt ? toHex(hmacSha256(salt, bytes)) : sha256
  const common = present({ payload, to, expiresAt })
  const value: Manifest = {
    ...common,
    ...present({ salt: salt && toHex(salt), owner: to === undefined ? undefined : owner }),
    bytes: bytes.length,
    sha256,
    chunks: Math.ceil(bytes.length / chunkBytes),
    chunkBytes,
    type,
  }

  const conversation = to === undefined ? undefined : conversationKey(keys.shared(secret, to))
  /** A nonce of what it hides: another text under the same key gets another one, the same text the same. */
  const encryptFor = (place: string) =>
    salt &&
    conversation &&
    ((text: string) => {
      const plain = utf8.encode(text)
      return codecFor(plain.length).seal(conversation, text, hmacSha256(salt, utf8.encode(`${place} `), plain))
    })

  return {
    value,
    manifest: keys.sign(manifest.write(value, at, encryptFor('manifest')), secret),
    size: index => chunkSize(value, index),
    chunk(index) {
      const data = toBase64(bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes))
      return keys.sign(chunk.write({ ...common, index, data }, at, encryptFor(String(index))), secret)
    },
  }
}
