/** Payments without a zap receipt: the customer shows the preimage, the node's usage receipt names the hash. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Acknowledgement, acknowledgement, type Event, type UsageReceipt, usageReceipt } from '../kinds/index.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import { type JudgeContext, judge, labelOf, type PaymentLabel, proofReasons } from '../src/router/attest.ts'
import { customer, keys, MSATS, NOW, node, PREIMAGE, pub, stranger, world } from './zap-world.ts'

const hash = sha256Hex(fromHex(PREIMAGE))
const other = sha256Hex('something else')

interface ProofTwist {
  usage?: Partial<UsageReceipt>
  usageBy?: Uint8Array
  ack?: Partial<Acknowledgement>
  ackBy?: Uint8Array
  /** After signing. */
  usageForged?: Partial<Event>
  ackForged?: Partial<Event>
  jobForged?: Partial<Event>
  context?: Partial<JudgeContext>
  hash?: string
}

function judged(twist: ProofTwist) {
  const { context } = world()
  const job: Event = { ...context.job, ...twist.jobForged }
  const metered: UsageReceipt = {
    ...{ job: job.id, customer: job.pubkey, kind: job.kind, msats: MSATS, promptTokens: 6, outputTokens: 4, ms: 900 },
    ...{ payments: [{ hash, msats: MSATS }], seq: 0 },
    ...twist.usage,
  }
  const usage = { ...keys.sign(usageReceipt.write(metered, NOW + 12), twist.usageBy ?? node), ...twist.usageForged }
  const said: Acknowledgement = {
    ...{ job: job.id, node: pub(node), receipt: usage.id, verdict: 'ok', msats: MSATS },
    payments: [{ hash, preimage: PREIMAGE }],
    ...twist.ack,
  }
  const ack = { ...keys.sign(acknowledgement.write(said, NOW + 13), twist.ackBy ?? customer), ...twist.ackForged }
  return judge({ acknowledgement: ack, usage, hash: twist.hash ?? hash }, { ...context, job, ...twist.context })
}

const two = (msats: bigint): ProofTwist => ({
  usage: {
    payments: [
      { hash, msats: MSATS },
      { hash: other, msats },
    ],
  },
})

describe('a payment that both sides name', () => {
  test.each<[string, ProofTwist]>([
    ['for the price', {}],
    ['acknowledged under another usage receipt', { ack: { receipt: other } }],
    ['where the customer is not content', { ack: { verdict: 'dispute' } }],
    ['as one part of two, the other not acknowledged yet', two(1n)],
    [
      'where the customer paid others too',
      { ack: { msats: MSATS * 2n, payments: [{ hash, preimage: PREIMAGE }, { hash: other }] } },
    ],
    ['that was attested for this very job', { context: { attestedFor: () => world().context.job.id } }],
    ['where nobody bid', { context: { bidMsats: MSATS } }],
  ])('%s: settled', (_what, twist) => {
    expect(judged(twist)).toMatchObject({ label: 'settled', failed: [], reasons: [], hash, msats: MSATS })
  })

  const cases: readonly (readonly [string, PaymentLabel, readonly string[], ProofTwist])[] = [
    ['an acknowledgement that was tampered with', 'forged', ['ack-signature'], { ackForged: { content: 'x' } }],
    ['an acknowledgement of another kind', 'forged', ['ack-signature', 'ack-unreadable'], { ackForged: { kind: 1 } }],
    ['of another job', 'forged', ['ack-job'], { ack: { job: other } }],
    ['for another node', 'forged', ['ack-node'], { ack: { node: pub(stranger) } }],
    ['by a stranger', 'forged', ['payer-not-customer'], { ackBy: stranger }],
    ['by the node', 'forged', ['payer-not-customer', 'self-zap'], { ackBy: node }],
    ['of a forged job', 'forged', ['job-signature'], { jobForged: { content: 'x' } }],
    ['a usage receipt that was tampered with', 'forged', ['offer-signature'], { usageForged: { content: 'x' } }],
    ['of another kind', 'forged', ['offer-signature', 'offer-unreadable'], { usageForged: { kind: 1 } }],
    ['by another node', 'forged', ['offer-author'], { usageBy: stranger }],
    ['of another job', 'forged', ['offer-job'], { usage: { job: other } }],
    ['for another customer', 'forged', ['offer-job'], { usage: { customer: pub(stranger) } }],
    [
      'a hash that the node does not name',
      'forged',
      ['invoice-not-offered'],
      { usage: { payments: [{ hash: other, msats: MSATS }] } },
    ],
    [
      'a hash that the customer does not name',
      'forged',
      ['invoice-not-offered', 'no-preimage'],
      { ack: { payments: [] } },
    ],
    ['no preimage', 'invoice-only', ['no-preimage'], { ack: { payments: [{ hash }] } }],
    ['a wrong preimage', 'forged', ['preimage'], { ack: { payments: [{ hash, preimage: other }] } }],
    ['more than the bid', 'amount-mismatch', ['over-bid'], { usage: { msats: MSATS + 1n } }],
    ['less than the node says', 'amount-mismatch', ['amount-offer'], { ack: { msats: MSATS - 1n } }],
    ['attested for another job', 'duplicate', ['hash-attested'], { context: { attestedFor: () => other } }],
    ['of the future', 'forged', ['future'], { context: { now: NOW - 60 } }],
  ]
  test.each(cases)('%s: %s', (_what, label, reasons, twist) => {
    const one = judged(twist)
    expect(one.reasons.toSorted()).toEqual(reasons.toSorted())
    expect(one.label).toBe(label)
    expect(one.passed.filter(name => one.failed.includes(name))).toEqual([])
  })

  test('each reason stands alone in a case, so that no check could be left out', () => {
    const together = new Set(['ack-unreadable', 'offer-unreadable', 'self-zap'])
    const alone = new Set(cases.flatMap(([, , reasons]) => (reasons.length === 1 ? reasons : [])))
    expect(proofReasons.filter(reason => !alone.has(reason) && !together.has(reason))).toEqual([])
  })
})

test('whatever events and hashes strangers hand in, the judge neither throws nor says settled: 2,000 runs', () => {
  const { context, receipt } = world()
  const text = fc.oneof(fc.constantFrom(hash, PREIMAGE, context.job.id, pub(node), 'ok', '1', ''), fc.string())
  const event: fc.Arbitrary<Event> = fc.record({
    ...{ id: fc.constant(receipt.id), sig: fc.constant(receipt.sig), content: text },
    pubkey: fc.constantFrom(pub(node), pub(customer), pub(stranger)),
    created_at: fc.nat(2 ** 31),
    kind: fc.constantFrom(usageReceipt.number, acknowledgement.number, receipt.kind, 1),
    tags: fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 8 }),
  })
  fc.assert(
    fc.property(event, event, text, fc.boolean(), (ack, usage, of, believed) => {
      const verify = () => believed
      for (const evidence of [{ acknowledgement: ack, usage, hash: of }, { zap: ack }])
        expect(judge(evidence, { ...context, verify }).label).not.toBe('settled')
    }),
    { numRuns: 2_000 },
  )
})

test('a label is a function of the worst reason', () => {
  expect(labelOf([])).toBe('settled')
  expect(labelOf(['no-offer'])).toBe('receipt-valid')
  expect(labelOf(['no-offer', 'no-preimage'])).toBe('invoice-only')
  expect(labelOf(['no-preimage', 'over-bid'])).toBe('amount-mismatch')
  expect(labelOf(['over-bid', 'hash-attested'])).toBe('duplicate')
  expect(labelOf(['hash-attested', 'anything unknown'])).toBe('forged')
})
