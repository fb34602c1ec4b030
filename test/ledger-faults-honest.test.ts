/** Slander: whatever is picked out of what honest people and liars signed, nothing is proven against the honest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { faultRules } from '../src/ledger/index.ts'
import { keyOf, pool, sealedOnes, stories, wellInformed } from './faults-honest.ts'
import { proven } from './faults-proven.ts'
import {
  digest,
  hashOf,
  jobOf,
  judge,
  keys,
  labelOf,
  NOW,
  preimageOf,
  pub,
  resultOf,
  usageOf,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'
import { further, tried } from './receipt-cases.ts'
import { pub as pubOf, world, zapper } from './zap-world.ts'

const rules = [...faultRules.keys()]
const honest = [pub('node'), pub('router'), pubOf(zapper)]
/** Checked once: the same frozen object is the same event. */
const known = new WeakSet<Event>(pool.filter(keys.verify))
const tools = { ...wellInformed, verify: (event: Event) => known.has(event) || keys.verify(event) }
const opening = Object.fromEntries(sealedOnes.map(event => [event.id, keyOf(event)]))

test('everything in the stories is signed, and what is sealed opens', () => {
  expect(pool.filter(event => !known.has(event)).length).toBeLessThan(20)
  expect(
    sealedOnes.filter(event => tools.openConversation(opening[event.id] ?? '', event.content)).length,
  ).toBeGreaterThan(10)
  expect(pool.length).toBeGreaterThan(200)
})

describe('no story proves anything against an honest node or router', () => {
  const signed = (events: readonly Event[]) => events.filter(event => known.has(event))
  test.each(rules)('%s, whole stories', async rule => {
    for (const story of stories)
      for (const accused of honest)
        for (const preimage of [preimageOf('hold'), preimageOf('one')]) {
          const finding = await judge(rule, signed(story), { accused, keys: opening, preimage }, tools)
          expect([rule, finding.ok, finding.checks]).toEqual([rule, false, finding.checks])
        }
  })

  test('any part of any stories, with any keys', async () => {
    const picks = fc.tuple(
      fc.constantFrom(...rules),
      fc.constantFrom(...honest),
      fc.uniqueArray(fc.nat(stories.length - 1), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 16 }),
      fc.boolean(),
      fc.constantFrom(preimageOf('hold'), preimageOf('one'), preimageOf('job 1'), undefined),
    )
    let judged = 0
    await fc.assert(
      fc.asyncProperty(picks, async ([rule, accused, which, places, right, preimage]) => {
        const all = signed(which.flatMap(at => stories[at] ?? []))
        const events = [...new Set(places.flatMap(at => all[at % all.length] ?? []))]
        const shown = right ? opening : Object.fromEntries(sealedOnes.map(({ id }) => [id, digest(id)]))
        const change = { accused, keys: shown, ...(preimage === undefined ? {} : { preimage }) }
        const finding = await judge(rule, events, change, tools)
        if (finding.checks.length > 1) judged++
        expect(finding).toMatchObject({ ok: false })
      }),
      { numRuns: 6_000 },
    )
    expect(judged).toBeGreaterThan(4_000)
  })

  test('not even beside the proven fault of somebody else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...proven), fc.nat(stories.length - 1), async ({ rule, events, change }, at) => {
        const mixed = [...events, ...signed(stories[at] ?? [])].slice(0, 16)
        const accused = change?.accused === pub('router') ? pub('node') : pub('router')
        const finding = await judge(rule, mixed, { ...change, accused, keys: { ...opening, ...change?.keys } }, tools)
        expect(finding.ok).toBe(false)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('what is a matter of opinion cannot be proven', () => {
  const job = jobOf()
  const opinions: readonly (readonly [string, Event[]])[] = [
    ['a bad answer', [job, resultOf(job.id, { text: 'asdf asdf asdf' })]],
    ['an empty answer', [job, resultOf(job.id, { text: '' })]],
    [
      'a slow answer',
      [job, resultOf(job.id, {}, { at: NOW + 86_400 }), usageOf(job.id, { ms: 86_400_000, firstMs: 80_000_000 })],
    ],
    ['a dispute', [wordOfCustomer(job.id, { verdict: 'dispute', code: 'rude' }), resultOf(job.id)]],
    ['a failed audit', [labelOf(job.id, { topic: 'audit', label: 'failed' }), resultOf(job.id)]],
    ['one job without an answer', [wordOfCustomer(job.id, { verdict: 'failed' })]],
    ['work that broke off', [wordOf(job.id, { code: 'runner' })]],
    ['somebody missing in a sample', stories.at(-1)?.slice(0, 1) ?? []],
  ]
  test.each(opinions)('%s', async (_, events) => {
    for (const rule of [...rules, 'quality', 'slow'])
      for (const accused of honest) expect((await judge(rule, [...events], { accused }, tools)).ok).toBe(false)
  })
})

describe('payments that were attested', () => {
  const about = { node: world().context.node, seq: 4, prev: digest('before') }
  const router = { accused: pub('router') }
  // What only the judge of that hour could know: announcements, bills, clocks, other payments.
  const elsewhere = new Set([
    ...['zapper-not-announced', 'payee-not-announced', 'network', 'future', 'back-dated', 'hash-attested'],
    ...['job-signature', 'payer-not-customer', 'request-before-job', 'no-offer', 'invoice-not-offered', 'amount-offer'],
    ...[
      'offer-signature',
      'offer-author',
      'offer-job',
      'offer-unreadable',
      'over-bid',
      'receipt-signature',
      'self-zap',
    ],
  ])
  test.each([...tried, ...further])(
    'calling it settled is a lie that its bytes show, or that they cannot show: %s',
    async (_, reasons, twist) => {
      const { receipt, context } = world(twist)
      const label = labelOf(context.job.id, { ...about, evidence: [receipt.id] })
      const finding = await judge('E8', [receipt, label], router, tools)
      // Whoever paid cannot be who says that it was paid, whatever was announced.
      const self = [receipt.pubkey, context.node].includes(context.job.pubkey)
      const shows = (self || reasons.some(reason => !elsewhere.has(reason))) && keys.verify(receipt)
      expect([finding.ok, reasons]).toEqual([shows, reasons])
    },
  )

  test('an honest one is no fault, for who zapped or who acknowledged', async () => {
    const { receipt, context } = world()
    const label = labelOf(context.job.id, { ...about, evidence: [receipt.id], msats: 21_000n })
    expect((await judge('E8', [receipt, label], router, tools)).ok).toBe(false)
    const word = wordOfCustomer(jobOf().id)
    const usage = usageOf(jobOf().id)
    const both = labelOf(jobOf().id, { evidence: [word.id, usage.id], hash: hashOf('one'), msats: 1_000n })
    expect((await judge('E8', [word, usage, both], router, tools)).ok).toBe(false)
  })
})
