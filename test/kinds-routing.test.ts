/** Prices, quotes and routes on the wire: sizes, round trips of any value, and what a sealed job still shows. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Announcement,
  type Event,
  handler,
  nodeState,
  type PostedPrice,
  priceSheet,
  privacyLevels,
  quoteRequest,
  type RoutedCandidate,
  type Routing,
  routing,
  textRequest,
} from '../kinds/index.ts'
import { author, eventOf } from './suites/kinds.ts'

const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const keyAt = (at: number): string => at.toString(16).padStart(64, '0')
const share = fc.integer({ min: 0, max: 1_100_000 }).map(count => count / 1_000_000)
const price: fc.Arbitrary<PostedPrice> = fc.record({
  kind: fc.integer({ min: 0, max: 65_535 }),
  model: fc.string({ maxLength: 20 }),
  msats: fc.bigInt({ min: 0n, max: 10n ** 18n }),
  unit: fc.constantFrom('job', '1k-tokens', 'second', 'MB'),
})
const factors = fc.record({ R: share, V: share, Q: share, T: share, K: share, L: share })
const candidate: fc.Arbitrary<RoutedCandidate> = fc.record(
  {
    node: hex,
    service: fc.string({ maxLength: 20 }),
    model: fc.string({ minLength: 1, maxLength: 20 }),
    msats: fc.bigInt({ min: 0n, max: 10n ** 18n }),
    terms: fc.subarray(['before', 'after', 'parts', 'hold', 'escrow'] as const),
    score: share,
    factors,
    stage: fc.constantFrom('new', 'probation', 'proven'),
    log: fc.integer({ min: -1 }),
    announcement: hex,
    quote: hex,
    firm: fc.boolean(),
    quoteExpiresAt: fc.nat(),
    firstMs: fc.double({ min: 0, max: 86_400_000, noNaN: true }),
    p95FirstMs: fc.nat({ max: 86_400_000 }),
    rttMs: fc.nat({ max: 86_400_000 }),
    reasons: fc.array(fc.string({ maxLength: 30 }), { maxLength: 4 }),
    via: hex,
  },
  {
    requiredKeys: [
      'node',
      'service',
      'msats',
      'terms',
      'score',
      'factors',
      'stage',
      'log',
      'announcement',
      'firm',
      'reasons',
    ],
  },
)
const routed: fc.Arbitrary<Routing> = fc
  .record({
    request: hex,
    to: hex,
    policy: fc.string({ minLength: 1, maxLength: 64 }),
    params: hex,
    lane: fc.constantFrom('proven', 'exploration', 'bootstrap'),
    at: fc.nat(),
    seq: fc.nat(),
    prev: fc.oneof(fc.constant(''), hex),
    seed: hex,
    commit: hex,
    median: fc.double({ min: 0, max: 1e15, noNaN: true }),
    start: fc.double({ min: 0, max: 1, noNaN: true }),
    sample: fc.array(fc.record({ node: hex, msats: fc.nat(), score: share, inflight: fc.nat() }), { maxLength: 8 }),
    candidates: fc.uniqueArray(candidate, { maxLength: 6, selector: ({ node }) => node }),
    refused: fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), fc.nat(), { maxKeys: 8 }),
    via: fc.array(hex, { maxLength: 4 }),
  })
  .map(value =>
    value.candidates.length > 0 ? value : { ...value, refusal: { code: 'no-node', says: 'Nobody takes this.' } },
  )
// No member of an object may be named like what reaches a prototype.
const sound = (value: Routing): boolean =>
  !['__proto__', 'constructor', 'prototype'].some(key => Object.hasOwn(value.refused, key))
// JSON knows no negative zero.
const plus = (value: Routing): Routing => ({ ...value, median: value.median + 0, start: value.start + 0 })

test('any decision comes back from the wire as it was made, to the digit', () => {
  fc.assert(
    fc.property(routed.filter(sound).map(plus), value => {
      const read = routing.read(eventOf(routing.number, routing.write(value, 1)))
      expect(read).toEqual({ ok: true, value })
    }),
    { numRuns: 1000 },
  )
})

test('any prices of a state and of an announcement come back', () => {
  fc.assert(
    fc.property(fc.array(price, { minLength: 1, maxLength: 64 }), prices => {
      const state = {
        ...{ service: 'text', kinds: [5050], slots: { total: 1, busy: 0, queued: 0 }, prices },
        ...{ generation: 1, expiresAt: 2 },
      }
      expect(nodeState.read(eventOf(nodeState.number, nodeState.write(state, 1)))).toEqual({ ok: true, value: state })
      const said: Announcement = {
        ...{ id: 'text', kinds: [5050], topics: [], name: 'N', about: '', encrypted: true, models: [], nodeKeys: [] },
        ...{ zappers: [], custodial: false, relays: [], v: 1, prices },
      }
      expect(handler.read(eventOf(handler.number, handler.write(said, 1)))).toEqual({ ok: true, value: said })
    }),
    { numRuns: 1000 },
  )
})

test('the largest decision, of 64 sampled and 6 candidates for a request with every list full, fits into a relay', () => {
  const nodes = Array.from({ length: 64 }, (_, at) => keyAt(at + 1))
  const wanted = quoteRequest.write(
    {
      ...{ kind: 5050, model: 'm'.repeat(256), capMsats: 10n ** 18n, privacy: 3, region: 'r'.repeat(64) },
      ...{ allow: nodes, deny: nodes, to: nodes, determinism: 'd'.repeat(64), minScore: 100 },
      ...{ auctionMs: 5_000, deadlineMs: 86_400_000, maxTokens: 1_000_000, hops: 3, origin: keyAt(0) },
      ...{
        relays: Array.from({ length: 10 }, (_, at) => `wss://relay${at}.example/${'x'.repeat(60)}`),
        expiresAt: 2e9,
      },
    },
    1_800_000_000,
  )
  const asked: Event = { id: keyAt(7), pubkey: author, sig: 'f'.repeat(128), ...wanted }
  const value: Routing = {
    ...{ request: asked.id, to: author, asked, policy: 'p'.repeat(64), params: keyAt(1), lane: 'exploration' },
    ...{ at: 1_800_000_000, seq: 2 ** 40, prev: keyAt(2), seed: keyAt(3), commit: keyAt(4) },
    ...{ median: 1e15 + 0.5, start: 0.123_456_789_012_345_6, via: nodes.slice(0, 16) },
    refused: Object.fromEntries(Array.from({ length: 32 }, (_, at) => [`${'code-'.repeat(5)}${at}`, 100_000])),
    sample: nodes.map((node, at) => ({ node, msats: 1e15 + at, score: 0.123_456, inflight: 1_000 })),
    candidates: nodes.slice(0, 6).map(node => ({
      ...{ node, service: 's'.repeat(255), model: 'm'.repeat(256), msats: 10n ** 18n, score: 0.123_456 },
      terms: ['before', 'after', 'parts', 'hold', 'escrow'],
      factors: { R: 0.123_456, V: 0.123_456, Q: 0.123_456, T: 0.123_456, K: 1.123_456, L: 0.123_456 },
      ...{ stage: 'probation', log: 2 ** 40, announcement: node, quote: node, firm: true, quoteExpiresAt: 2e9 },
      ...{ firstMs: 12_345.678, p95FirstMs: 12_345.678, rttMs: 12_345.678, via: node },
      reasons: Array.from({ length: 8 }, () => 'r'.repeat(80)),
    })),
    fee: { msats: 10n ** 18n, bolt11: `lnbc${'1'.repeat(600)}` },
  }
  const template = routing.write(value, 1_800_000_000)
  const event = { ...eventOf(routing.number, template), id: keyAt(9) }
  expect(routing.read(event)).toEqual({ ok: true, value })
  expect(Buffer.byteLength(JSON.stringify(['EVENT', event]))).toBeLessThan(60_000)
})

test('what no relay would take is not written', () => {
  const value = routing.good[1]?.value as Routing
  const tags = Array.from({ length: 250 }, () => ['x', 'é'.repeat(40)])
  const asked: Event = { ...eventOf(quoteRequest.number, { tags }), id: value.request, pubkey: value.to }
  const [first] = value.candidates
  if (first === undefined) throw new Error('no candidate')
  const crowd = Array.from({ length: 6 }, (_, at) => ({
    ...{ ...first, node: keyAt(at + 1), reasons: Array.from({ length: 16 }, () => '"'.repeat(128)) },
  }))
  expect(() => routing.write({ ...value, asked, candidates: crowd }, 1)).toThrow('relays take')
})

test('a property order of an embedded request does not matter', () => {
  const value = routing.good[2]?.value as Routing
  const { sig, ...rest } = value.asked ?? eventOf(1, { tags: [] })
  const template = routing.write({ ...value, asked: { sig, ...rest } }, 1)
  expect(routing.read(eventOf(routing.number, template))).toEqual({ ok: true, value })
})

test('a sealed job shows which route and quote it follows, and nothing of its text', () => {
  const value = { inputs: [{ data: 'a secret', type: 'text' as const }], relays: [], providers: [author] }
  const job = { ...value, stream: false, receipt: false, routing: keyAt(1), quote: keyAt(2), bidMsats: 7n }
  const sealed = textRequest.write(job, 1, plain => Buffer.from(plain).toString('base64'))
  expect(sealed.tags).toEqual(
    expect.arrayContaining([
      ['routing', keyAt(1)],
      ['quote', keyAt(2)],
    ]),
  )
  expect(JSON.stringify(sealed.tags)).not.toContain('bid')
  const opened = Buffer.from(sealed.content, 'base64').toString()
  expect(opened).not.toContain(keyAt(1))
  expect(textRequest.read(eventOf(textRequest.number, sealed), opened)).toEqual({ ok: true, value: job })
})

test('a service that says nothing of privacy keeps what sealing gives', () => {
  const said = handler.good[0]?.value as Announcement
  const { privacy: _, ...silent } = said
  expect(privacyLevels({ ...silent, encrypted: true })).toEqual([0, 1])
  expect(privacyLevels({ ...silent, encrypted: false })).toEqual([0])
  expect(privacyLevels({ ...silent, encrypted: true, privacy: [1, 2] })).toEqual([1, 2])
})

test('a sheet names each of its kinds once for filters', () => {
  const sheet = priceSheet.good[1]?.value
  if (sheet === undefined) throw new Error('no sample')
  const tags = priceSheet.write(sheet as Parameters<typeof priceSheet.write>[0], 1).tags
  expect(tags.filter(tag => tag[0] === 'k')).toEqual([
    ['k', '5050'],
    ['k', '5001'],
  ])
})
