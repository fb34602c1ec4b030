/**
 * Kind 0: who somebody is, and where money for it may go.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { isRecord, parseJson } from './json.ts'

/** What of a profile is used here. */
export interface Profile {
  readonly name: string
  /** Lightning address (LUD-16). */
  readonly lud16?: string
}

const limits = { chars: 65_536, depth: 10, nodes: 8_192 }

/** A Lightning address, or `undefined` for what does not look like one. */
export const lightningAddress = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 320 && /^[a-z0-9._+-]{1,64}@[a-z0-9.:-]{1,255}$/i.test(value)
    ? value
    : undefined

/** User metadata (NIP-01 kind 0, replaceable). */
export const profile = defineKind({
  number: 0,
  name: 'profile',
  says: 'Somebody says who it is. Read for one thing: the Lightning address of whoever has no other way to be paid.',
  source: 'NIP-01; NIP-57',
  fields: {},
  content: 'JSON object: `name`, `lud16` (a Lightning address); everything else is passed over.',
  rules: { content: 'The content is a JSON object of at most 65,536 characters.' },
  read(_found, { content, refuse }) {
    const said = parseJson(content, limits)
    if (!isRecord(said)) return refuse('content')
    const { name, lud16 } = said
    return ok(present({ name: typeof name === 'string' ? name.slice(0, 256) : '', lud16: lightningAddress(lud16) }))
  },
  write: (value: Profile) => ({ fields: {}, content: JSON.stringify(present({ ...value })) }),
  good: [
    { says: 'Takes money.', value: { name: 'Nano', lud16: 'nano@wallet.example.com' } },
    { says: 'Takes none.', value: { name: 'Nano' } },
  ],
  dialects: [
    {
      says: 'A name that is none, an address that is a web page, and much else.',
      tags: [['alt', 'User profile']],
      content: '{"name":7,"lud16":"https://a.example/pay","nip05":"_@a.example","about":"x"}',
      value: { name: '' },
    },
  ],
  bad: [
    { breaks: 'content', says: 'No JSON.', content: 'Nano', tags: [] },
    { breaks: 'content', says: 'A list.', content: '["Nano"]', tags: [] },
  ],
})
