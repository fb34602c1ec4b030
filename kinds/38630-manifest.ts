/**
 * Kind 38630: what the chunks (4635) of a large payload are together.
 * @module
 */

import { CHUNK_BYTES, MOST_CHUNKS } from './4635-chunk.ts'
import { bad, good } from './38630-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { maybe, one } from './fields.ts'
import { isHex } from './hex.ts'
import { isRecord, parseJson } from './json.ts'
import { hex, seconds } from './values.ts'

/** What a payload is. Its bytes are proven by `sha256`, and its public name by that or by HMAC-SHA256 under `salt`. */
export interface Manifest {
  /** The public name: sha256 of the bytes, or their HMAC-SHA256 under `salt`. */
  readonly payload: string
  /** Who can open it, where it is sealed. */
  readonly to?: string
  readonly expiresAt?: number
  readonly bytes: number
  readonly sha256: string
  /** 32 bytes in hex, only where the payload is sealed: a plain digest in public would confirm a guess. */
  readonly salt?: string
  readonly chunks: number
  /** Size of every chunk but the last. */
  readonly chunkBytes: number
  /** Media type, such as `text/plain`. */
  readonly type: string
  /** Who signs the chunks, where it is not the author. */
  readonly signer?: string
  /** For whom the author speaks, where it is a key of one use: whoever refers to this payload must be that one. */
  readonly owner?: string
}

const count = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most
const digest = (value: unknown): value is string => typeof value === 'string' && isHex(value, 64)
const maybeDigest = (value: unknown): value is string | undefined => value === undefined || digest(value)

type Inside = Omit<Manifest, 'payload' | 'to' | 'expiresAt'>

function readInside(content: string): Inside | undefined {
  const said = parseJson(content, { chars: 2_048, depth: 1, nodes: 32 })
  if (!isRecord(said)) return undefined
  const { bytes, sha256, salt, chunks, chunkBytes, type, signer, owner } = said
  if (!count(bytes, CHUNK_BYTES * MOST_CHUNKS) || !count(chunks, MOST_CHUNKS) || !count(chunkBytes, CHUNK_BYTES))
    return undefined
  if (!digest(sha256) || !maybeDigest(salt) || !maybeDigest(signer) || !maybeDigest(owner)) return undefined
  if (typeof type !== 'string' || type.length === 0 || type.length > 128) return undefined
  return present({ bytes, sha256, salt, chunks, chunkBytes, type, signer, owner })
}

/** Manifest of a payload (own kind 38630, addressable). */
export const manifest = defineKind({
  number: 38_630,
  name: 'payload manifest',
  says: 'Says how large a payload is, how it is cut into chunks (4635) and what proves it whole. Requests name it in an input with the marker `chunked`, results in the tag `chunked`.',
  source: 'gridstr',
  fields: {
    payload: one(
      'd',
      hex('<payload>'),
      'The public name: sha256 of the bytes, or HMAC-SHA256 of them under the salt.',
      'A manifest is of exactly one payload.',
    ),
    to: maybe('p', hex('<reader pubkey>'), 'Who can open it.', 'At most one reader is named.'),
    expiresAt: maybe(
      'expiration',
      seconds,
      'After this the payload is gone (NIP-40).',
      'An expiration is unix seconds, said once.',
    ),
  },
  content:
    'JSON, or its ciphertext: `bytes`, `sha256`, `chunks`, `chunkBytes`, `type`, and where it applies `salt` (32 bytes in hex), `signer` (who signs the chunks) and `owner` (for whom a key of one use speaks).',
  rules: {
    content: 'The content is JSON with whole numbers above 0, digests of 64 hex digits and a media type.',
    count: 'The number of chunks is the size divided by that of a chunk, rounded up.',
    digest: 'Without a salt the payload is named by the sha256 of its bytes.',
  },
  seal: 'content',
  alt: 'A large payload',
  read(found, { content, refuse }) {
    const inside = readInside(content)
    if (!inside) return refuse('content')
    if (inside.chunks !== Math.ceil(inside.bytes / inside.chunkBytes)) return refuse('count')
    if (inside.salt === undefined && inside.sha256 !== found.payload) return refuse('digest')
    return ok(present({ ...found, ...inside }))
  },
  write: ({ payload, to, expiresAt, ...inside }: Manifest) => ({
    fields: { payload, to, expiresAt },
    content: JSON.stringify(inside),
  }),
  good,
  bad,
})
