/**
 * Samples of kind 38630.
 * @module
 */
import type { Manifest } from './38630-manifest.ts'
import type { BadSample, GoodSample } from './spec.ts'

const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const payload = 'a3a9ebd1a3e1c1a6f3cf1ea2c4b6f1b6cf1c5f9b4e0d6c7c8c24b3a2c1f0e9d8'
const salt = '5f'.repeat(32)
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

export const good: readonly GoodSample<Manifest>[] = [
  {
    says: 'A public text of one chunk.',
    value: { payload: sha256, bytes: 5, sha256, chunks: 1, chunkBytes: 30_720, type: 'text/plain' },
  },
  {
    says: 'Ten megabytes for one reader, signed by a key of one use for somebody.',
    value: {
      payload,
      to: key,
      expiresAt: 1_800_003_600,
      ...{ bytes: 10_485_760, sha256, salt, chunks: 342, chunkBytes: 30_720, type: 'application/octet-stream' },
      ...{ signer: payload, owner: key },
    },
  },
]

const d = ['d', sha256]
const said = { bytes: 5, sha256, chunks: 1, chunkBytes: 30_720, type: 'text/plain' }
const content = JSON.stringify(said)
const instead = (change: Readonly<Record<string, unknown>>): string => JSON.stringify({ ...said, ...change })

export const bad: readonly BadSample[] = [
  { breaks: 'd', says: 'Of nothing.', tags: [], content },
  { breaks: 'p', says: 'Two readers.', tags: [d, ['p', key], ['p', payload]], content },
  { breaks: 'expiration', says: 'A date in words.', tags: [d, ['expiration', 'soon']], content },
  { breaks: 'content', says: 'No JSON.', tags: [d], content: 'hello' },
  { breaks: 'content', says: 'Nothing in it.', tags: [d], content: instead({ bytes: 0, chunks: 0 }) },
  { breaks: 'content', says: 'Half a byte.', tags: [d], content: instead({ bytes: 4.5 }) },
  { breaks: 'content', says: 'Chunks that no relay takes.', tags: [d], content: instead({ chunkBytes: 30_721 }) },
  {
    breaks: 'content',
    says: 'More chunks than anybody fetches.',
    tags: [d],
    content: instead({ bytes: 100_001, chunks: 100_001, chunkBytes: 1 }),
  },
  { breaks: 'content', says: 'No digest.', tags: [d], content: instead({ sha256: 'abc' }) },
  { breaks: 'content', says: 'Salt that is none.', tags: [d], content: instead({ salt: 7 }) },
  { breaks: 'content', says: 'A signer that is no key.', tags: [d], content: instead({ signer: 'me' }) },
  { breaks: 'content', says: 'An owner that is no key.', tags: [d], content: instead({ owner: 'me' }) },
  { breaks: 'content', says: 'No media type.', tags: [d], content: instead({ type: '' }) },
  { breaks: 'count', says: 'A chunk too many.', tags: [d], content: instead({ chunks: 2 }) },
  { breaks: 'digest', says: 'Named by another digest.', tags: [['d', payload]], content },
]
