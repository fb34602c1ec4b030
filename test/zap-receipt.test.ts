import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseEvent, type Template, zapRequest } from '../kinds/index.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { verifyReceipt } from '../src/payments/zap.ts'
import {
  customer,
  jobTemplate,
  keys,
  MSATS,
  NOW,
  node,
  PREIMAGE,
  pub,
  reasonsOf,
  stranger,
  type Twist,
  world,
  writeInvoiceFor,
  zapper,
} from './zap-world.ts'

type TagChange = (tag: readonly string[]) => readonly (readonly string[])[]
/** Changes the tags whose value is `value`, so that no tag name is spelled here. */
const retag =
  (value: (all: Template) => string | undefined, change: TagChange) =>
  (all: Template): Template => ({
    ...all,
    tags: all.tags.flatMap(tag => (tag[1] === value(all) ? change(tag) : [tag])),
  })
const say =
  (value: string, ...others: string[]) =>
  (all: Template): Template =>
    retag(
      () => value,
      tag => others.map(other => [tag[0] ?? '', other]),
    )(all)
const at =
  (created_at: number) =>
  (all: Template): Template => ({ ...all, created_at })
const other = sha256Hex('something else')

describe('zap receipts', () => {
  test('an honest receipt has nothing against it', () => {
    const { receipt, context } = world()
    expect(verifyReceipt(receipt, context)).toEqual({ ok: true, reasons: [] })
  })

  test('a node that signs its own receipts is honest too', () => {
    const twist: Twist = {
      request: say(pub(zapper)),
      receiptBy: node,
      context: { zappers: [pub(node)], attestedFor: () => undefined },
    }
    expect(reasonsOf(twist)).toEqual([])
  })

  const honest = world()
  const jobId = honest.context.job.id
  const noBill = keys.sign(jobTemplate, node)
  test.each<[string, string, Twist]>([
    ['is of another kind', 'receipt-kind', { receipt: all => ({ ...all, kind: 1 }) }],
    ['names two payees', 'receipt-p', { receipt: say(pub(node), pub(node), other) }],
    ['names two jobs', 'receipt-e', { receipt: say(jobId, jobId, other) }],
    [
      'has no description',
      'receipt-description',
      {
        receipt: retag(
          all => all.tags.find(t => t[1]?.startsWith('{'))?.[1],
          () => [],
        ),
      },
    ],
    ['has a description that is no event', 'receipt-request', { json: () => '{"kind":9734}' }],
    ['is tampered with', 'receipt-signature', { forged: { content: 'x' } }],
    ['is signed by a stranger', 'zapper-not-announced', { receiptBy: stranger, request: say(pub(zapper)) }],
    ['is signed by the customer', 'zapper-not-announced', { receiptBy: customer, request: say(pub(zapper)) }],
    ['has two preimages', 'receipt-repeats', { receipt: say(PREIMAGE, PREIMAGE, other) }],
    ['is for another payee', 'recipient', { receipt: say(pub(node), pub(stranger)) }],
    ['is for another job', 'job-binding', { receipt: say(jobId, other) }],
    ['names no job', 'job-binding', { receipt: say(jobId) }],
    ['comes with a forged job', 'job-signature', { job: { content: 'x' } }],
    ['is of the future', 'future', { context: { now: NOW - 60 } }],
    ['was made up afterwards', 'back-dated', { context: { firstSeen: NOW + 10 + 601 } }],
    ['has garbage for an invoice', 'bad-invoice', { bolt11: `lnbcrt210n1${'q'.repeat(200)}` }],
    ['is over mainnet money', 'network', { invoice: { network: 'mainnet' } }],
    ['is paid to an unannounced Lightning node', 'payee-not-announced', { invoice: { by: stranger } }],
    ['has no preimage', 'no-preimage', { receipt: say(PREIMAGE) }],
    ['has a wrong preimage', 'preimage', { receipt: say(PREIMAGE, other) }],
    ['is older than its invoice', 'receipt-before-invoice', { receipt: at(NOW - 59), context: { firstSeen: NOW } }],
    [
      'comes after expiry',
      'receipt-after-expiry',
      { receipt: at(NOW + 663), context: { now: NOW + 700, firstSeen: NOW + 663 } },
    ],
    ['was attested for another job', 'hash-attested', { context: { attestedFor: () => other } }],
    ['comes with a tampered bill', 'offer-signature', { offered: { content: 'x' } }],
    ['comes with the bill of another node', 'offer-author', { offerBy: stranger }],
    ['comes with something that is no bill', 'offer-unreadable', { context: { offer: noBill } }],
    ['comes with the bill for another job', 'offer-job', { offer: { job: other } }],
    ['has an invoice that was not offered', 'invoice-not-offered', { offer: { bolt11: writeInvoiceFor(1) } }],
    ['is for more than was offered', 'amount-offer', { offer: { msats: MSATS - 1n } }],
    ['is for more than was bid', 'over-bid', { context: { bidMsats: MSATS - 1n } }],
    ['has an altered request', 'request-signature', { json: json => json.replace('"content":""', '"content":"!"') }],
    ['has a request that names two jobs', 'request-e', { request: say(jobId, jobId, other) }],
    ['has a request that says its amount twice', 'request-repeats', { request: say('21000', '21000', '21000') }],
    ['has a request to another payee', 'recipient', { request: say(pub(node), pub(stranger)) }],
    ['has a request for another job', 'job-binding', { requestJob: other, receipt: say(other, jobId) }],
    ['has a request for another zapper', 'zapper-mismatch', { request: say(pub(zapper), pub(stranger)) }],
    ['has another payer', 'payer-not-customer', { payer: stranger }],
    ['names another sender', 'sender', { receipt: say(pub(customer), pub(stranger)) }],
    ['names no sender', 'sender', { receipt: say(pub(customer)) }],
    ['has a request for another amount', 'amount-request', { request: say('21000', '20000') }],
    ['has a request with a non-canonical amount', 'amount-request', { request: say('21000', '021000') }],
    ['has a request without an amount', 'amount-request', { request: say('21000') }],
    ['has a request older than the job', 'request-before-job', { request: at(NOW - 61) }],
    ['has an invoice older than the request', 'invoice-before-request', { invoice: { timestamp: NOW - 60 } }],
    ['has a description in place of its hash', 'description-hash', { description: 'zap' }],
    ['has a re-serialised request', 'description-hash', { invoice: { descriptionHash: other } }],
  ])('a receipt that %s: %s', (_what, reason, twist) => expect(reasonsOf(twist)).toEqual([reason]))

  test('an invoice without an amount proves no amount', () => {
    expect(reasonsOf({ open: true })).toEqual(['amountless'])
  })

  test('a customer that is the node pays itself', () => {
    const twist: Twist = { context: { zappers: [pub(zapper), pub(customer)] } }
    expect(reasonsOf(twist)).toEqual(['self-zap'])
  })

  test('reasons add up and are named once', () => {
    expect(reasonsOf({ receiptBy: stranger, invoice: { network: 'mainnet' } })).toEqual([
      'zapper-not-announced',
      'network',
      'zapper-mismatch',
    ])
  })

  test('one other character in what a receipt says, signed again by the zapper, is never let pass', {
    timeout: 60_000,
  }, () => {
    const { receipt, context } = honest
    fc.assert(
      fc.property(
        fc.nat(receipt.tags.length - 1),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (i, place, letter) => {
          const [name = '', value = ''] = receipt.tags[i] ?? []
          const at = place % value.length
          fc.pre(value[at] !== letter)
          const changed = value.slice(0, at) + letter + value.slice(at + 1)
          const tags = receipt.tags.map((tag, j) => (j === i ? [name, changed] : tag))
          const again = keys.sign({ kind: receipt.kind, created_at: receipt.created_at, tags, content: '' }, zapper)
          expect(verifyReceipt(again, context).ok).toBe(false)
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('real receipts of other services prove no job of ours, and are read without an error', () => {
    const lines = readFileSync(new URL('vectors/zap-receipts-real.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    for (const line of lines) {
      const { event } = JSON.parse(line) as { event: unknown }
      const receipt = parseEvent(JSON.stringify(event))
      if (!receipt) throw new Error('the receipt has the shape of an event')
      const context = { ...honest.context, firstSeen: receipt.created_at }
      const { ok, reasons } = verifyReceipt(receipt, context)
      expect(ok).toBe(false)
      expect(reasons).toContain('zapper-not-announced')
      // What is true of them: both signatures, and the invoice commits to the request.
      for (const wrong of ['receipt-signature', 'request-signature', 'description-hash', 'bad-invoice'])
        expect(reasons).not.toContain(wrong)
    }
  })
})

test('a zap request reads back what it was asked for', () => {
  const { json } = world()
  const event = parseEvent(json)
  if (!event) throw new Error('the request is an event')
  expect(zapRequest.read(event)).toMatchObject({
    ok: true,
    value: { recipient: pub(node), msats: MSATS, zapper: pub(zapper) },
  })
})
