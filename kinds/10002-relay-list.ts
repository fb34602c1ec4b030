/**
 * Kind 10002: where somebody writes and where they read.
 * @module
 */
import { defineKind, ok } from './define.ts'
import type { Field } from './fields.ts'
import { relayUrl } from './values.ts'

/** NIP-65. A relay for both is in both lists. */
export interface RelayList {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

const relays: Field<RelayList> = {
  id: 'r',
  form: '["r", "<wss://…>", "<read|write?>"]',
  count: '0..n',
  says: 'A relay; without a third element for both. What is no relay is left out; the first 20 of each list are used.',
  read(tags) {
    const of = (use: string) => {
      const urls = tags.flatMap(tag =>
        tag[0] === 'r' && (!tag[2] || tag[2] === use) ? (relayUrl(tag[1] ?? '') ?? []) : [],
      )
      return [...new Set(urls)].slice(0, 20)
    }
    return { read: of('read'), write: of('write') }
  },
  write({ read, write }) {
    const both = read.filter(url => write.includes(url)).map(url => ['r', url])
    const only = (urls: readonly string[], others: readonly string[], use: string) =>
      urls.filter(url => !others.includes(url)).map(url => ['r', url, use])
    return [...both, ...only(read, write, 'read'), ...only(write, read, 'write')]
  },
}

/** Relay list metadata (NIP-65 kind 10002, replaceable). */
export const relayList = defineKind({
  number: 10_002,
  name: 'relay list',
  says: 'Jobs for a provider go to the relays where it reads; answers to a customer go to the relays where it reads.',
  source: 'NIP-65',
  fields: { relays },
  content: 'Empty.',
  rules: { r: 'A relay list names at least one relay.' },
  read: (found, { refuse }) =>
    found.relays.read.length + found.relays.write.length === 0 ? refuse('r') : ok(found.relays),
  write: (value: RelayList) => ({ fields: { relays: value } }),
  good: [
    {
      says: 'One for both, one for each.',
      value: { read: ['wss://both.example', 'wss://in.example'], write: ['wss://both.example', 'wss://out.example'] },
    },
  ],
  dialects: [
    {
      says: 'Two spellings of one relay are one; a word that is no url is left out.',
      tags: [
        ['r', 'wss://A.example/'],
        ['r', 'wss://a.example'],
        ['r', 'relay'],
      ],
      value: { read: ['wss://a.example'], write: ['wss://a.example'] },
    },
  ],
  bad: [{ breaks: 'r', says: 'No relay.', tags: [['r', 'https://a.example']] }],
})
