/** Receipts, labels, scores, bonds and faults: what is written is read back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Acknowledgement,
  type Attestation,
  acknowledgement,
  attestation,
  attestedLabels,
  type BondEntry,
  bond,
  bondEntry,
  type Event,
  faultEvidence,
  faultVerdict,
  jobIdOf,
  type Kind,
  MOST_EVIDENCE_EVENTS,
  nodeScore,
  relayUrl,
  trustedProviders,
  usageReceipt,
} from '../kinds/index.ts'
import { eventOf } from './suites/kinds.ts'

const runs = { numRuns: 1_000 }
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map(all => Buffer.from(all).toString('hex'))
const id = hex(32)
const words = fc.string({ minLength: 1, maxLength: 60, unit: 'binary' })
const says = fc.string({ maxLength: 1_024, unit: 'binary' })
const money = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000_000n })
const count = fc.nat(1_000_000_000)
const kind = fc.nat(65_535)
const time = fc.nat(4_000_000_000)
const share = fc.integer({ min: 0, max: 1_000_000 }).map(n => n / 1_000_000)
const url = fc
  .webUrl({ validSchemes: ['wss'] })
  .map(relayUrl)
  .filter(text => text !== undefined)
const plain = { noNullPrototype: true } as const
const some = <T>(item: fc.Arbitrary<T>, maxLength = 5) => fc.array(item, { maxLength })
const each = <T, U>(item: fc.Arbitrary<T>, selector: (one: T) => U) => fc.uniqueArray(item, { maxLength: 5, selector })
/** First in its chain, or somewhere behind another. */
const place = fc.oneof(
  fc.constant({ seq: 0 }),
  fc.record({ seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), prev: id }, plain),
)

const returns = <V>(of: Kind<V>, values: fc.Arbitrary<V>) =>
  fc.assert(
    fc.property(values, value => {
      const template = of.write(value, 1)
      expect(of.read(eventOf(of.number, template))).toStrictEqual({ ok: true, value })
      expect(template.tags.filter(tag => tag[0] === 'alt').length).toBe(1)
    }),
    runs,
  )

describe('what is written is read back', () => {
  test('usage receipts', () => {
    const fixed = { job: id, customer: id, kind, msats: money, promptTokens: count, outputTokens: count, ms: count }
    const payments = each(fc.record({ hash: id, msats: money }, plain), one => one.hash)
    const rest = { result: id, model: words, firstMs: count, routing: id }
    const value = fc.record(
      { ...fixed, payments, ...rest },
      { ...plain, requiredKeys: [...(Object.keys(fixed) as (keyof typeof fixed)[]), 'payments'] },
    )
    returns(
      usageReceipt,
      fc.tuple(value, place).map(([a, b]) => ({ ...a, ...b })),
    )
  })

  test('acknowledgements', () => {
    const payment = fc.record({ hash: id, preimage: id }, { ...plain, requiredKeys: ['hash'] })
    const value: fc.Arbitrary<Acknowledgement> = fc.record(
      {
        ...{ job: id, node: id, msats: money, payments: each(payment, one => one.hash) },
        verdict: fc.constantFrom('ok' as const, 'dispute' as const, 'failed' as const),
        ...{ receipt: id, code: words, firstMs: count, ms: count, outputTokens: count, routing: id },
      },
      { ...plain, requiredKeys: ['job', 'node', 'verdict', 'msats', 'payments'] },
    )
    returns(acknowledgement, value)
  })

  test('attestations', () => {
    const label = fc
      .constantFrom('payment' as const, 'outcome' as const, 'audit' as const)
      .chain(topic => fc.constantFrom(...attestedLabels[topic]).map(word => ({ topic, label: word })))
    const names = some(fc.stringMatching(/^[\w.:-]{1,20}$/))
    const fixed = {
      node: id,
      job: id,
      evidence: each(id, one => one),
      kind,
      checks: names,
      failed: names,
      at: time,
      says,
    }
    const model = fc.oneof(fc.constant(''), words)
    const spare = {
      customer: id,
      msats: money,
      hash: id,
      firstMs: count,
      ms: count,
      outputTokens: count,
      weight: share,
    }
    const value = fc.record(
      { ...fixed, model, ...spare, code: words, routing: id, seed: id, commit: id },
      { ...plain, requiredKeys: [...(Object.keys(fixed) as (keyof typeof fixed)[]), 'model'] },
    )
    const at = place.map(one => ({ prev: '', ...one }))
    const whole: fc.Arbitrary<Attestation> = fc.tuple(value, label, at).map(([a, b, c]) => ({ ...a, ...b, ...c }))
    returns(attestation, whole)
    fc.assert(
      fc.property(whole, one => jobIdOf(attestation.write(one, 1)) === one.job),
      runs,
    )
  })

  test('scores', () => {
    const factors = fc.record(
      { R: share, V: share, Q: share, T: share, K: share.map(n => 1 + n / 10), L: share },
      plain,
    )
    const sixth = (n: number) => Math.round(n * 1e6) / 1e6
    const market = fc.record(
      {
        ...{ kind, model: fc.oneof(fc.constant(''), words), rank: share.map(n => sixth(n * 100)) },
        factors: factors.map(all => ({ ...all, K: sixth(all.K) })),
        ...{ stage: fc.constantFrom('new', 'proven', 'banned'), jobs: share.map(n => sixth(n * 1e5)) },
      },
      plain,
    )
    const log = fc.record({ router: id, seq: fc.maxSafeNat(), id }, plain)
    returns(
      nodeScore,
      fc.record(
        { node: id, rank: fc.nat(100), markets: some(market), params: id, log },
        { ...plain, requiredKeys: ['node', 'rank', 'markets'] },
      ),
    )
  })

  test('trusted providers, public and sealed to oneself', () => {
    const relay = fc.oneof(fc.constant(''), url)
    const what = fc.stringMatching(/^3038[2-5]:[a-z0-9_]{1,20}$/)
    const value = fc.record(
      {
        assertions: each(fc.record({ what, key: id, relay }, plain), one => `${one.what} ${one.key}`),
        routers: each(fc.record({ key: id, relay }, plain), one => one.key),
      },
      plain,
    )
    returns(trustedProviders, value)
    fc.assert(
      fc.property(value, one => {
        const sealed = trustedProviders.write(one, 1, text => `sealed ${text}`)
        expect(JSON.stringify(sealed.tags)).toBe('[["encrypted"]]')
        const opened = sealed.content.slice('sealed '.length)
        expect(trustedProviders.read(eventOf(10_040, sealed), opened)).toStrictEqual({ ok: true, value: one })
      }),
      runs,
    )
  })

  test('bonds and what happens to them', () => {
    const units = fc.bigInt({ min: 0n, max: 9_999_999_999_999_999_999n })
    const term = fc.integer({ min: 1, max: 90 * 86_400 })
    const proof = fc.constantFrom('abstract' as const, 'custodian' as const, 'utxo' as const)
    const role = fc.constantFrom('node' as const, 'router' as const)
    const base = fc.record({ id: words, units, proof, lockedAt: time, role }, plain)
    returns(
      bond,
      fc.tuple(base, term).map(([one, seconds]) => ({ ...one, expiresAt: one.lockedAt + seconds })),
    )
    const act = fc.oneof(
      fc.constantFrom({ act: 'lock' as const }, { act: 'topup' as const }, { act: 'unlock' as const }),
      id.map(verdict => ({ act: 'slash' as const, verdict })),
    )
    const entry: fc.Arbitrary<BondEntry> = fc
      .tuple(fc.record({ bond: words, units, at: time }, plain), act, place)
      .map(([a, b, c]) => ({ ...a, ...b, ...c }))
    returns(bondEntry, entry)
  })

  const signed: fc.Arbitrary<Event> = fc.record(
    {
      ...{
        id,
        pubkey: id,
        created_at: time,
        kind,
        sig: hex(64),
        content: fc.string({ unit: 'binary', maxLength: 99 }),
      },
      tags: some(some(fc.string({ unit: 'binary', maxLength: 20 }))),
    },
    plain,
  )
  test('evidence and verdicts', () => {
    const rule = fc.integer({ min: 1, max: 11 }).map(n => `E${n}`)
    const events = fc.uniqueArray(signed, { minLength: 1, maxLength: 4, selector: one => one.id })
    const value = events.chain(all => {
      const one = fc.constantFrom(...all)
      const texts = <T>(text: fc.Arbitrary<T>, least: number) =>
        fc
          .uniqueArray(
            fc.tuple(
              one.map(event => event.id),
              text,
            ),
            { minLength: least, selector: ([at]) => at },
          )
          .map(pairs => Object.fromEntries(pairs))
      return fc.record(
        {
          ...{ rule, accused: one.map(event => event.pubkey), events: fc.constant(all), opened: texts(words, 0), says },
          ...{ keys: texts(id, 1), preimage: id },
        },
        { ...plain, requiredKeys: ['rule', 'accused', 'events', 'opened', 'says'] },
      )
    })
    returns(faultEvidence, value)
    const verdict = fc.record({ evidence: id, accused: id, rule, proven: fc.boolean(), penalty: money, says }, plain)
    returns(
      faultVerdict,
      verdict.map(one => (one.proven ? one : { ...one, penalty: 0n })),
    )
  })

  test('evidence that nobody could carry is refused before it is taken apart', () => {
    const one: Event = {
      id: 'a'.repeat(64),
      pubkey: 'b'.repeat(64),
      created_at: 1,
      kind: 1,
      tags: [],
      content: '',
      sig: 'c'.repeat(128),
    }
    const tags = [
      ['p', one.pubkey],
      ['rule', 'E1'],
      ['e', one.id],
    ]
    const read = (content: unknown) =>
      faultEvidence.read(
        eventOf(4_641, { tags, content: typeof content === 'string' ? content : JSON.stringify(content) }),
      )
    expect(read({ events: [one] }).ok).toBe(true)
    expect(read({ events: [{ ...one, content: 'x'.repeat(262_144) }] })).toMatchObject({ rule: '4641.content' })
    expect(read({ events: [{ ...one, tags: Array.from({ length: 1_999 }, () => Array(30).fill('')) }] })).toMatchObject(
      { rule: '4641.content' },
    )
    expect(read({ events: Array.from({ length: MOST_EVIDENCE_EVENTS + 1 }, () => one) })).toMatchObject({
      rule: '4641.events',
    })
    expect(read(`{"events":${JSON.stringify([one])},"opened":{"__proto__":"x"}}`).ok).toBe(true)
    expect(read({ events: [one], opened: { toString: 'x' } })).toMatchObject({ rule: '4641.content' })
  })
})
