/**
 * Samples of kind 10040.
 * @module
 */
import type { TrustedProviders } from './10040-trusted-providers.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const other = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'

export const good: readonly GoodSample<TrustedProviders>[] = [
  { says: 'Nobody.', value: { assertions: [], routers: [] } },
  {
    says: 'A scoring service and two routers.',
    value: {
      assertions: [{ what: '30382:rank', key, relay: 'wss://scores.example' }],
      routers: [
        { key, relay: 'wss://both.example' },
        { key: other, relay: '' },
      ],
    },
  },
]

export const dialects: readonly Dialect<TrustedProviders>[] = [
  {
    says: 'Another program of NIP-85: other tags, other kinds, no relay, one line twice.',
    tags: [
      ['30382:rank', key, 'wss://Scores.example/'],
      ['30382:rank', key, 'wss://other.example'],
      ['30382:zap_amt_sent', other],
      ['30383:rank', other, 'not a relay'],
      ['30382:rank', 'npub1'],
      ['30390:rank', key],
    ],
    value: {
      assertions: [
        { what: '30382:rank', key, relay: 'wss://scores.example' },
        { what: '30382:zap_amt_sent', key: other, relay: '' },
        { what: '30383:rank', key: other, relay: '' },
      ],
      routers: [],
    },
  },
  {
    says: 'A private part without an `encrypted` tag: the public part counts.',
    tags: [['router', key]],
    content: 'ciphertext',
    value: { assertions: [], routers: [{ key, relay: '' }] },
  },
]

export const bad: readonly BadSample[] = [
  { breaks: 'opened', says: 'Not a list of tags.', tags: [['encrypted']], opened: '[["router",1]]' },
]
