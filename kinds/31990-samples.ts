/**
 * Samples of kind 31990.
 * @module
 */
import type { Announcement } from './31990-announcement.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const other = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const bare = { topics: [], models: [], nodeKeys: [], zappers: [], custodial: false, relays: [], v: 0 }

export const good: readonly GoodSample<Announcement>[] = [
  {
    says: 'A text service with a fixed price.',
    value: {
      id: 'text',
      kinds: [5050],
      topics: ['llm', 'english'],
      name: 'Nano',
      about: 'A small model.',
      picture: 'https://example.com/nano.png',
      encrypted: true,
      priceMsats: 1_500n,
      models: [{ name: 'nano', contextTokens: 512, sha256: key }],
      nodeKeys: [`02${key}`],
      zappers: [key],
      custodial: false,
      relays: ['wss://relay.example'],
      v: 1,
      terms: ['before', 'hold', 'parts'],
      splits: [
        { pubkey: key, relay: 'wss://relay.example', weight: 9 },
        { pubkey: other, relay: '', weight: 1 },
      ],
    },
  },
  {
    says: 'Free, and little said.',
    value: { ...bare, id: 'x', kinds: [5000, 5001], name: '', about: '', encrypted: false, priceMsats: 0n, v: 1 },
  },
  {
    says: 'Price on request, paid to a Lightning address.',
    value: {
      ...{ ...bare, id: 'x', kinds: [5050], name: 'N', about: 'A', encrypted: true, custodial: true, v: 1 },
      lud16: 'n@wallet.example.com',
    },
  },
  {
    says: 'A service of several kinds of work.',
    value: {
      ...{ ...bare, id: 'x', kinds: [5050, 5080, 5081, 5082], name: 'N', about: 'A', encrypted: true, v: 1 },
      models: [
        { name: 'nano', contextTokens: 512, kinds: [5050] },
        { name: 'tiny', contextTokens: 256, kinds: [5080, 5081, 5082], dimensions: 384 },
      ],
    },
  },
  {
    says: 'What routers ask for: place, privacy, determinism, seats and prices.',
    value: {
      ...{ ...bare, id: 'x', kinds: [5050], name: 'N', about: 'A', encrypted: true, v: 1 },
      ...{ region: 'eu', privacy: [0, 1], determinism: 'bitwise', slots: 4, retentionSeconds: 86_400 },
      prices: [
        { kind: 5050, model: 'nano', msats: 1_500n, unit: 'job' },
        { kind: 5050, model: '', msats: 40n, unit: '1k-tokens' },
        { kind: 5050, model: 'nano', msats: 10n, unit: '1k-in' },
        { kind: 5050, model: 'nano', msats: 90n, unit: '1k-out' },
      ],
    },
  },
]

export const dialects: readonly Dialect<Announcement>[] = [
  {
    says: 'nostr-dvm: `amount` in sats.',
    tags: [
      ['k', '5050'],
      ['d', '87416eba5e31cfd6'],
    ],
    content:
      '{"name":"D","picture":"https://a.example/p","about":"B","supportsEncryption":true,"acceptsNutZaps":false,"amount":"21","nip90Params":{}}',
    value: {
      ...bare,
      id: '87416eba5e31cfd6',
      kinds: [5050],
      name: 'D',
      about: 'B',
      picture: 'https://a.example/p',
      encrypted: true,
      priceMsats: 21_000n,
    },
  },
  {
    says: 'The old spelling, with `image` and `encryptionSupported`, without `d`.',
    tags: [['k', '5100']],
    content:
      '{"name":"D","image":"https://a.example/p","about":"B","encryptionSupported":true,"cashuAccepted":true,"amount":"free"}',
    value: {
      ...bare,
      id: '',
      kinds: [5100],
      name: 'D',
      about: 'B',
      picture: 'https://a.example/p',
      encrypted: true,
      priceMsats: 0n,
    },
  },
  {
    says: 'A negotiable price, a picture that is no web address, a manifest of somebody else.',
    tags: [
      ['k', '5050'],
      ['d', 'a'],
    ],
    content:
      '{"name":7,"picture":"javascript:alert(1)","amount":"flexible","manifest":{"models":["x",{"name":"m","kinds":[5050,"5080",-1],"dimensions":0}],"nodeKeys":"02","__proto__":{"v":9}}}',
    value: {
      ...bare,
      id: 'a',
      kinds: [5050],
      name: '',
      about: '',
      encrypted: false,
      models: [{ name: 'm', contextTokens: 0, kinds: [5050] }],
    },
  },
  {
    says: 'Of places, levels, seats and prices only what can be read counts.',
    tags: [['k', '5050']],
    content:
      '{"manifest":{"region":7,"privacy":[1,9,"0"],"determinism":"","slots":-1,"retentionSeconds":"long","prices":[{"kind":5050,"model":"","msats":7,"unit":"job"},{"kind":5050,"model":"","msats":"7","unit":"job"},"x"]}}',
    value: {
      ...bare,
      ...{ id: '', kinds: [5050], name: '', about: '', encrypted: false, privacy: [1] },
      prices: [{ kind: 5050, model: '', msats: 7n, unit: 'job' }],
    },
  },
  {
    says: 'Splits without weights are equal; a receiver twice or without a key is left out, as are unknown terms.',
    tags: [
      ['k', '5050'],
      ['terms', 'before', 'barter', 'before'],
      ['zap', other, 'nonsense'],
      ['zap', key],
      ['zap', key, '', '7'],
      ['zap', 'npub1xyz', '', '7'],
    ],
    content: '{}',
    value: {
      ...bare,
      ...{ id: '', kinds: [5050], name: '', about: '', encrypted: false, terms: ['before'] },
      splits: [
        { pubkey: other, relay: '', weight: 1 },
        { pubkey: key, relay: '', weight: 1 },
      ],
    },
  },
  {
    says: 'Splits with a fraction count in millionths; beside weights, who has none gets nothing.',
    tags: [
      ['k', '5050'],
      ['zap', other, 'wss://relay.example', '0.5'],
      ['zap', key, '', '2'],
      ['zap', '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'],
    ],
    content: '{}',
    value: {
      ...bare,
      ...{ id: '', kinds: [5050], name: '', about: '', encrypted: false },
      splits: [
        { pubkey: other, relay: 'wss://relay.example', weight: 500_000 },
        { pubkey: key, relay: '', weight: 2_000_000 },
      ],
    },
  },
]

export const bad: readonly BadSample[] = [
  { breaks: 'k', says: 'No kind.', tags: [['d', 'a']], content: '{}' },
  {
    breaks: 'k',
    says: 'A kind in words.',
    tags: [
      ['d', 'a'],
      ['k', 'text'],
    ],
    content: '{}',
  },
  {
    breaks: 'content',
    says: 'No JSON.',
    tags: [
      ['d', 'a'],
      ['k', '5050'],
    ],
    content: 'hello',
  },
  {
    breaks: 'content',
    says: 'A list.',
    tags: [
      ['d', 'a'],
      ['k', '5050'],
    ],
    content: '[]',
  },
  {
    breaks: 'content',
    says: 'Nested beyond reason.',
    tags: [
      ['d', 'a'],
      ['k', '5050'],
    ],
    content: `{"a":${'['.repeat(40)}${']'.repeat(40)}}`,
  },
]
