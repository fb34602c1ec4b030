/**
 * Samples of kind 4631.
 * @module
 */
import type { Routing } from './4631-routing-event.ts'
import type { Tag } from './fields.ts'
import type { Event } from './kind.ts'
import type { RoutedCandidate } from './routed.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const request = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const to = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const other = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const router = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'

const asked: Event = {
  id: request,
  pubkey: to,
  created_at: 1_800_000_000,
  kind: 26_803,
  tags: [
    ['k', '5050'],
    ['model', 'nano'],
    ['bid', '2000'],
    ['expiration', '1800000030'],
  ],
  content: '',
  sig: 'c'.repeat(128),
}

const decision = {
  policy: 'default',
  params: other,
  lane: 'proven',
  at: 1_800_000_001,
  seq: 12,
  prev: router,
  seed: request,
  commit: other,
  median: 1_250,
  start: 0.309375,
  refused: {},
  via: [],
} as const

const candidate: RoutedCandidate = {
  node,
  service: 'text',
  msats: 1_000n,
  terms: ['before'],
  score: 0.612345,
  factors: { R: 0.9, V: 1, Q: 0.95, T: 0.8, K: 1, L: 0.994531 },
  stage: 'proven',
  log: 11,
  announcement: other,
  firm: false,
  reasons: ['drawn'],
}

const refused: Routing = {
  ...{ ...decision, request, to, lane: 'bootstrap', seq: 0, prev: '', sample: [], candidates: [] },
  refusal: { code: 'over-cap', says: 'The cheapest asks 900 msats, the request caps at 500.' },
  refused: { 'over-cap': 3, region: 1 },
}

const plain: Routing = {
  ...{ ...decision, request, to },
  sample: [{ node, msats: 1_000, score: 0.612345, inflight: 0 }],
  candidates: [candidate],
}

export const good: readonly GoodSample<Routing>[] = [
  { says: 'Refused.', value: refused },
  { says: 'One candidate of one.', value: plain },
  {
    says: 'Two candidates, one named by another router, and a fee.',
    value: {
      ...{ ...plain, asked },
      sample: [
        ...plain.sample,
        { node: other, msats: 1_500.5, score: 0, inflight: 3, firstMs: 212.5, own: true, K: 1.04, L: 0.913 },
      ],
      candidates: [
        {
          ...{ ...candidate, model: 'nano', quote: request, firm: true, quoteExpiresAt: 1_800_000_030 },
          ...{ firstMs: 212.5, p95FirstMs: 480, rttMs: 31, reasons: ['drawn', 'firm quote'] },
        },
        { ...candidate, node: other, service: '', msats: 1_500n, terms: [], stage: 'new', log: -1, via: router },
      ],
      refused: { stale: 2 },
      fee: { msats: 10n, bolt11: 'lnbc100p1pexampleexampleexample' },
      via: [router],
    },
  },
]

const said = {
  ...{ ...decision, sample: plain.sample },
  candidates: [{ ...candidate, msats: '1000' }],
}
const tags: readonly Tag[] = [
  ['e', request],
  ['p', to],
  ['p', node],
]
const content = JSON.stringify(said)
const but = (change: object): string => JSON.stringify({ ...said, ...change })
const embedded = (change: object): Tag => ['request', JSON.stringify({ ...asked, ...change })]

export const dialects: readonly Dialect<Routing>[] = [
  { says: 'Members that nobody knows are left out.', tags, content: but({ mood: 'fine' }), value: plain },
]

export const bad: readonly BadSample[] = [
  { breaks: 'e', says: 'An answer to nothing.', tags: tags.slice(1), content },
  { breaks: 'p', says: 'Nobody asked.', tags: tags.slice(0, 1), content },
  { breaks: 'request', says: 'No event.', tags: [...tags, ['request', '{}']], content },
  { breaks: 'content', says: 'No JSON.', tags, content: 'You get node seven.' },
  {
    breaks: 'content',
    says: 'Money as a JSON number.',
    tags,
    content: but({ candidates: [{ ...candidate, msats: 1_000 }] }),
  },
  {
    breaks: 'content',
    says: 'A score in words.',
    tags,
    content: but({ sample: [{ ...plain.sample[0], score: 'high' }] }),
  },
  { breaks: 'content', says: 'A seed of a few digits.', tags, content: but({ seed: 'abc' }) },
  {
    breaks: 'content',
    says: 'A sample of 65.',
    tags,
    content: but({ sample: Array.from({ length: 65 }, () => plain.sample[0]) }),
  },
  {
    breaks: 'content',
    says: 'Nested beyond reason.',
    tags,
    content: but({ x: JSON.parse(`${'['.repeat(9)}${']'.repeat(9)}`) }),
  },
  { breaks: 'candidates', says: 'Another one is named outside.', tags: [...tags.slice(0, 2), ['p', other]], content },
  { breaks: 'refusal', says: 'Nobody, and no reason.', tags: tags.slice(0, 2), content: but({ candidates: [] }) },
  { breaks: 'refusal', says: 'Refused, and somebody.', tags, content: but({ refusal: { code: 'full', says: '' } }) },
  { breaks: 'about', says: 'Another request is embedded.', tags: [...tags, embedded({ id: other })], content },
  { breaks: 'about', says: 'Somebody else asked.', tags: [...tags, embedded({ pubkey: other })], content },
]
