import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseEvent, textResult, zapRequest } from '../kinds/index.ts'
import { type ReceiptContext, receiptReasons, verifyReceipt } from '../src/payments/zap.ts'
import { type Case, further, tried } from './receipt-cases.ts'
import { at, keys, MSATS, NOW, node, pub, reasonsOf, say, type Twist, world, zapper } from './zap-world.ts'

describe('honest receipts', () => {
  test.each<[string, Twist]>([
    ['of an announced zapper', {}],
    ['of a node that signs its own', { request: say(pub(zapper)), receiptBy: node, context: { zappers: [pub(node)] } }],
    ['of a payment that was attested for this very job', { context: { attestedFor: () => world().context.job.id } }],
    ['of a payment that was never attested', { context: { attestedFor: () => undefined } }],
    [
      'that turns up late, where nobody knows when it was first seen',
      { context: { now: NOW + 100_000, firstSeen: NOW } },
    ],
    [
      'signed when its invoice has expired by no more',
      { receipt: at(NOW + 662), context: { now: NOW + 700, firstSeen: NOW + 662 } },
    ],
    ['older than its invoice by no more', { receipt: at(NOW - 58), context: { firstSeen: NOW } }],
    ['first seen after ten minutes', { context: { now: NOW + 700, firstSeen: NOW + 610 } }],
    ['whose request is older than the job by no more', { request: at(NOW - 60) }],
    ['whose invoice is older than the request by no more', { invoice: { timestamp: NOW - 59 } }],
    ['dated to the second of what clocks may differ', { context: { now: NOW - 50 } }],
  ])('%s', (_what, twist) => {
    const { receipt, context } = world(twist)
    expect(verifyReceipt(receipt, context)).toEqual({ ok: true, reasons: [] })
  })

  test('where nobody bid and nobody watched', () => {
    const { receipt, context } = world()
    const { bidMsats: _bid, firstSeen: _seen, ...bare } = context
    expect(verifyReceipt(receipt, bare)).toEqual({ ok: true, reasons: [] })
  })

  test('of a bill that came with the answer', () => {
    const { receipt, context, bolt11 } = world()
    const bill = textResult.write(
      { job: context.job.id, customer: context.job.pubkey, text: 'Rayleigh', msats: MSATS, bolt11 },
      NOW + 2,
    )
    const offer = keys.sign(bill, node)
    expect(verifyReceipt(receipt, { ...context, offer })).toEqual({ ok: true, reasons: [] })
  })
})

describe('dishonest receipts', () => {
  test('all 42 that are known are here', () => expect(tried).toHaveLength(42))
  test.each(tried.map((row, i) => [i + 1, ...row] as const))('%i. %s: %j', (_n, _what, reasons, twist) =>
    expect(reasonsOf(twist)).toEqual(reasons),
  )
  test.each(further)('%s: %j', (_what, reasons, twist) => expect(reasonsOf(twist)).toEqual(reasons))

  test('without any one of its checks the judge would let a dishonest receipt pass', () => {
    const alone = new Set([...tried, ...further].flatMap(([, reasons]: Case) => (reasons.length === 1 ? reasons : [])))
    expect(receiptReasons.filter(reason => !alone.has(reason))).toEqual([])
    expect(new Set(receiptReasons).size).toBe(receiptReasons.length)
  })
})

describe('real receipts of other services', () => {
  const real = readFileSync(new URL('vectors/zap-receipts-real.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => {
      const { event } = JSON.parse(line) as { event: unknown }
      const receipt = parseEvent(JSON.stringify(event))
      if (!receipt) throw new Error('the receipt has the shape of an event')
      return receipt
    })
  const honest = world().context
  // Nobody asked for a job and nobody billed: what is left to judge is what the receipt says of itself.
  const papers = ['job-binding', 'offer-author', 'invoice-not-offered', 'request-job', 'payee-not-announced']
  const others = ['payer-not-customer', 'request-before-job']

  test.each([
    [0, ['sender']],
    [1, ['no-preimage', 'amount-request', 'amount-offer']],
  ])('number %i proves no job of ours, for these reasons and no other', (index, own) => {
    const receipt = real[index]
    const read = receipt && parseEvent(receipt.tags.find(([, value]) => value?.startsWith('{'))?.[1] ?? '')
    const asked = read && zapRequest.read(read)
    if (!receipt || !asked?.ok) throw new Error('the receipt has a request')
    const context: ReceiptContext = {
      ...honest,
      node: asked.value.recipient,
      zappers: [receipt.pubkey],
      network: 'mainnet',
      firstSeen: receipt.created_at,
    }
    const { ok, reasons } = verifyReceipt(receipt, context)
    expect(ok).toBe(false)
    expect(new Set(reasons)).toEqual(new Set([...papers, ...others, ...own]))
  })

  test('and held against a node of ours they are also of another zapper, payee and network', () => {
    for (const receipt of real) {
      const { reasons } = verifyReceipt(receipt, { ...honest, firstSeen: receipt.created_at })
      for (const wrong of ['zapper-not-announced', 'recipient', 'network']) expect(reasons).toContain(wrong)
      for (const right of ['receipt-signature', 'request-signature', 'description-hash', 'bad-invoice'])
        expect(reasons).not.toContain(right)
    }
  })
})

test('a zap request reads back what it was asked for', () => {
  const event = parseEvent(world().json)
  if (!event) throw new Error('the request is an event')
  expect(zapRequest.read(event)).toMatchObject({
    ok: true,
    value: { recipient: pub(node), msats: MSATS, zapper: pub(zapper) },
  })
})
