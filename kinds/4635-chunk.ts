/**
 * Kind 4635: one piece of a payload that is too large for one event.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import type { Question } from './envelope.ts'
import { maybe, one } from './fields.ts'
import { hex, seconds, type Value } from './values.ts'

/** The most bytes that one chunk carries: 40,960 characters of base64, the most text that sealed stays within a 64 KiB event. */
export const CHUNK_BYTES = 30_720

/** The most chunks of one payload. */
export const MOST_CHUNKS = 100_000

/** One piece. `data` is base64; the manifest (38630) says how many there are and what they are together. */
export interface Chunk {
  /** The public name of the whole: `d` of its manifest. */
  readonly payload: string
  /** Its place, from 0. */
  readonly index: number
  /** Who can open it, where it is sealed. */
  readonly to?: string
  readonly expiresAt?: number
  readonly data: string
}

const NUMBER = 4635

/** The value of the tag by which relays find exactly one place of one payload. */
const placeOf = (payload: string, index: number): string => `${payload}:${index}`

const place: Value<{ payload: string; index: number }> = {
  form: '<payload>:<place>',
  read([said = '']) {
    const [, payload, digits] = /^([0-9a-f]{64}):(0|[1-9][0-9]{0,4})$/.exec(said) ?? []
    return payload === undefined ? undefined : { payload, index: Number(digits) }
  },
  write: ({ payload, index }) => [placeOf(payload, index)],
}

/** Exactly these places of a payload, by one signer (`#c`). Of a place that was said twice both come. */
export const chunksAt = (payload: string, signer: string, indexes: readonly number[]): Question => ({
  kinds: [NUMBER],
  authors: [signer],
  '#c': indexes.map(index => placeOf(payload, index)),
  limit: Math.min(500, indexes.length * 2),
})

/** Every chunk of a payload by one signer that is published from now on (`#d`). */
export const newChunksOf = (payload: string, signer: string, since: number): Question => ({
  kinds: [NUMBER],
  authors: [signer],
  '#d': [payload],
  since,
  limit: 0,
})

/** Which place of which payload an event claims to be, sealed or not; `undefined` for what is no chunk. */
export function claimedPlace(event: {
  kind: number
  tags: readonly (readonly string[])[]
}): { payload: string; index: number } | undefined {
  const said = event.kind === NUMBER ? event.tags.find(tag => tag[0] === 'c') : undefined
  return said && place.read(said.slice(1))
}

const payload = 'a3a9ebd1a3e1c1a6f3cf1ea2c4b6f1b6cf1c5f9b4e0d6c7c8c24b3a2c1f0e9d8'
const other = `b${payload.slice(1)}`
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const d = ['d', payload]
const c = ['c', `${payload}:0`]

/** Chunk (own kind 4635, regular). */
export const chunk = defineKind({
  number: NUMBER,
  name: 'payload chunk',
  says: 'A piece of something too large for one event. Every piece but the last has the size that the manifest says. Whoever misses pieces asks relays for exactly those by `c`, and for new ones by `d`.',
  source: 'gridstr',
  fields: {
    payload: one('d', hex('<payload>'), 'The whole that it is a part of.', 'A chunk belongs to exactly one payload.'),
    place: one(
      'c',
      place,
      'The payload and the place in it, from 0.',
      'A chunk has exactly one place: its payload, a colon, and a number of at most five digits.',
    ),
    to: maybe('p', hex('<reader pubkey>'), 'Who can open it.', 'At most one reader is named.'),
    expiresAt: maybe(
      'expiration',
      seconds,
      'After this nobody needs it (NIP-40).',
      'An expiration is unix seconds, said once.',
    ),
  },
  content: 'Base64 of at most 30,720 bytes, or its ciphertext.',
  rules: {
    place: 'The place is one of the payload that `d` names.',
    data: 'A chunk carries 1 to 30,720 bytes in base64 with padding.',
  },
  seal: 'content',
  read({ place: at, payload: whole, ...rest }, { content, refuse }) {
    if (at.payload !== whole) return refuse('place')
    const fits = content.length > 0 && content.length <= 40_960 && content.length % 4 === 0
    if (!fits || !/^[A-Za-z0-9+/]+={0,2}$/.test(content)) return refuse('data')
    return ok(present({ payload: whole, index: at.index, ...rest, data: content }))
  },
  write: ({ payload: whole, index, data, ...rest }: Chunk) => ({
    fields: { payload: whole, place: { payload: whole, index }, ...rest },
    content: data,
  }),
  good: [
    { says: 'The first of a public payload.', value: { payload, index: 0, data: 'aGVsbG8=' } },
    {
      says: 'One for a single reader, for a while.',
      value: { payload, index: 341, to: key, expiresAt: 1_800_003_600, data: 'AAEC' },
    },
  ],
  bad: [
    { breaks: 'd', says: 'A part of nothing.', tags: [c], content: 'AAEC' },
    { breaks: 'c', says: 'No place.', tags: [d], content: 'AAEC' },
    { breaks: 'c', says: 'A place before the first.', tags: [d, ['c', `${payload}:-1`]], content: 'AAEC' },
    { breaks: 'c', says: 'One place in two spellings.', tags: [d, ['c', `${payload}:01`]], content: 'AAEC' },
    { breaks: 'p', says: 'Two readers.', tags: [d, c, ['p', key], ['p', other]], content: 'AAEC' },
    { breaks: 'expiration', says: 'A date in words.', tags: [d, c, ['expiration', 'soon']], content: 'AAEC' },
    { breaks: 'place', says: 'A place of another payload.', tags: [d, ['c', `${other}:0`]], content: 'AAEC' },
    { breaks: 'data', says: 'Nothing in it.', tags: [d, c] },
    { breaks: 'data', says: 'Plain text.', tags: [d, c], content: 'hello!!!' },
    { breaks: 'data', says: 'Too much at once.', tags: [d, c], content: 'A'.repeat(40_964) },
  ],
})
