/** What evidence of a payment is worth: every honest one settled, no dishonest one, however dishonesty is combined. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, type UsageReceipt, usageReceipt } from '../kinds/index.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import { receiptReasons } from '../src/payments/zap.ts'
import { checks, judge, labelOf } from '../src/router/attest.ts'
import { keeps } from './promises.ts'
import { type Case, further, tried } from './receipt-cases.ts'
import { at, keys, MSATS, NOW, node, PREIMAGE, pub, say, type Twist, world, zapper } from './zap-world.ts'

const hash = sha256Hex(fromHex(PREIMAGE))

/** The usage receipt that the node signs for the job of a world. */
function metered(job: Event, twist: Partial<UsageReceipt> = {}, by = node): Event {
  const usage: UsageReceipt = {
    ...{ job: job.id, customer: job.pubkey, kind: job.kind, msats: MSATS, promptTokens: 6, outputTokens: 4, ms: 900 },
    ...{ payments: [{ hash, msats: MSATS }], seq: 0 },
    ...twist,
  }
  return keys.sign(usageReceipt.write(usage, NOW + 12), by)
}
const judged = (twist: Twist) => {
  const { receipt, context } = world(twist)
  return judge({ zap: receipt }, context)
}
/** The same world, where the node's word is its usage receipt, because its bill was sealed. */
const judgedByUsage = (twist: Twist) => {
  const { receipt, context } = world(twist)
  return judge({ zap: receipt }, { ...context, offer: metered(context.job) })
}

describe('honest zap receipts', () => {
  const honest: readonly [string, Twist][] = [
    ['of an announced zapper', {}],
    ['of a node that signs its own', { request: say(pub(zapper)), receiptBy: node, context: { zappers: [pub(node)] } }],
    ['attested for this very job', { context: { attestedFor: () => world().context.job.id } }],
    ['late, where nobody watched', { context: { now: NOW + 100_000, firstSeen: NOW } }],
    ['at the end of the invoice', { receipt: at(NOW + 662), context: { now: NOW + 700, firstSeen: NOW + 662 } }],
    ['older than the invoice by what clocks differ', { receipt: at(NOW - 58), context: { firstSeen: NOW } }],
    ['whose request is older than the job by no more', { request: at(NOW - 60) }],
    ['from a clock ahead by no more', { context: { now: NOW - 50 } }],
  ]
  test.each(honest)('%s: settled by the public bill, and by the usage receipt', (_what, twist) => {
    for (const one of [judged(twist), judgedByUsage(twist)]) {
      expect(one).toMatchObject({ label: 'settled', failed: [], reasons: [], hash, msats: MSATS })
      expect(one.passed).toEqual(Object.keys(checks))
    }
  })

  test('without the node’s word: valid, and what could not be tried is in neither list', () => {
    const one = judged({ context: { offer: undefined } })
    expect(one).toMatchObject({ label: 'receipt-valid', failed: ['confirmed'], reasons: ['no-offer'] })
    expect(one.passed).not.toContain('amount')
    expect(one.passed).toContain('preimage')
  })
})

describe('dishonest zap receipts', () => {
  const all: readonly Case[] = [...tried, ...further]
  keeps('attest.forged', 'all 42 that are known are here, and the other sides of the checks', () => {
    expect(tried).toHaveLength(42)
    expect(all.length).toBeGreaterThan(66)
  })

  test.each(all.map(row => [...row] as const))('%s: %j is not settled', (_what, reasons, twist) => {
    const one = judged(twist)
    expect(one.label).not.toBe('settled')
    expect(one.label).toBe(labelOf(reasons))
    // A receipt that anybody could have signed is not looked at further.
    expect(one.reasons).toEqual(reasons.includes('zapper-not-announced') ? ['zapper-not-announced'] : reasons)
    expect(one.passed.filter(name => one.failed.includes(name))).toEqual([])
  })

  test('what was done to other papers than the bill is seen under a usage receipt too', () => {
    const papers = all.filter(
      ([, , { offer, offerBy, offered, context }]) => !offer && !offerBy && !offered && !context?.offer,
    )
    expect(papers.length).toBeGreaterThan(50)
    // A missing bill is no fault once there is a usage receipt.
    for (const [what, reasons, twist] of papers)
      expect([what, judgedByUsage(twist).label === 'settled']).toEqual([what, reasons[0] === 'no-offer'])
  })

  test('the words: mismatch, duplicate, no preimage', () => {
    expect(judged({ offer: { msats: MSATS - 1n } }).label).toBe('amount-mismatch')
    expect(judged({ context: { attestedFor: () => hash } }).label).toBe('duplicate')
    expect(judged({ receipt: say(PREIMAGE) }).label).toBe('invoice-only')
    expect(judged({ receipt: say(PREIMAGE), context: { offer: undefined } }).label).toBe('invoice-only')
    expect(judged({ receiptBy: node, request: say(pub(zapper)) }).label).toBe('forged')
  })

  test('each reason belongs to one check, or to reading the event', () => {
    const known = Object.values(checks).flat()
    expect(new Set(known).size).toBe(known.length)
    const unread = receiptReasons.filter(reason => !known.includes(reason))
    for (const reason of unread) expect(reason).toMatch(/^(receipt|request)-/)
    expect(known.every(reason => receiptReasons.some(one => one === reason))).toBe(true)
  })
})

/** Two twists on one world: later ones win where both name the same thing, and what both do to an event is done twice. */
function both(a: Twist, b: Twist): Twist {
  const chained = (one?: Twist['request'], two?: Twist['request']) =>
    one && two ? (all: Parameters<typeof one>[0]) => two(one(all)) : (one ?? two)
  const request = chained(a.request, b.request)
  const receipt = chained(a.receipt, b.receipt)
  return {
    ...a,
    ...b,
    ...(request ? { request } : {}),
    ...(receipt ? { receipt } : {}),
    ...(a.job || b.job ? { job: { ...a.job, ...b.job } } : {}),
    ...(a.invoice || b.invoice ? { invoice: { ...a.invoice, ...b.invoice } } : {}),
    ...(a.offer || b.offer ? { offer: { ...a.offer, ...b.offer } } : {}),
    ...(a.forged || b.forged ? { forged: { ...a.forged, ...b.forged } } : {}),
    ...(a.context || b.context ? { context: { ...a.context, ...b.context } } : {}),
  }
}

/** Changes nothing but the bill, or which invoice for the same hash it was, and a usage receipt replaces both. */
const ofTheBill = (twist: Twist): boolean =>
  Object.entries(twist).every(([what, change]) =>
    what === 'context' || what === 'invoice'
      ? /^(offer|expirySeconds)$/.test(Object.keys(change ?? {}).join())
      : /^offer/.test(what),
  )

test('no combination of two to four forgeries is attested as settled, with or without a usage receipt: 2,000 runs', {
  timeout: 60_000,
}, () => {
  const several = fc.uniqueArray(fc.constantFrom(...tried, ...further), { minLength: 2, maxLength: 4 })
  let made = 0
  fc.assert(
    fc.property(several, fc.boolean(), (cases, usage) => {
      const twists = cases.map(([, , twist]) => twist)
      let one: ReturnType<typeof judge>
      try {
        const twist = twists.reduce(both)
        one = usage ? judgedByUsage(twist) : judged(twist)
      } catch (error) {
        // What nobody can write, such as other JSON of what is no JSON.
        if (error instanceof TypeError || error instanceof SyntaxError) return
        throw error
      }
      made++
      // A second late for its invoice, and the invoice lives a second longer: in time.
      const what = cases.map(([said]) => said)
      const inTime = what.includes('another invoice of the same node than it billed')
      const wrong = cases.filter(([said]) => !(inTime && said === 'after the invoice expired'))
      expect(one.label === 'settled').toBe(usage && wrong.every(([, , twist]) => ofTheBill(twist)))
      expect(one.passed.filter(name => one.failed.includes(name))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
  expect(made).toBeGreaterThan(1_500)
})
