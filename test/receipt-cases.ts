/**
 * Dishonest receipts: what each changes in an honest paid job, and what is said against it. The first table is what is
 * known to be tried, the second what else a check is for.
 * @module
 */
import type { Event, Template } from '../kinds/index.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import type { receiptReasons } from '../src/payments/zap.ts'
import {
  at,
  customer,
  jobTemplate,
  keys,
  MSATS,
  NOW,
  node,
  PREIMAGE,
  pub,
  retag,
  say,
  stranger,
  type Twist,
  world,
  writeInvoiceFor,
  zapper,
} from './zap-world.ts'

export type Reason = (typeof receiptReasons)[number]
export type Case = readonly [what: string, reasons: readonly Reason[], twist: Twist]

const other = sha256Hex('something else')
const jobId = world().context.job.id
const bolt11Of = (all: Template) => all.tags.find(([, value]) => value?.startsWith('lnbcrt'))?.[1]
const descriptionOf = (all: Template) => all.tags.find(([, value]) => value?.startsWith('{'))?.[1]
const twice = (tag: readonly string[]) => [tag, [tag[0] ?? '', `${tag[1]} `]]

/** Payments of the reference list: everything that was tried against receipts elsewhere. */
export const tried: readonly Case[] = [
  // Who signs.
  ['a stranger signs', ['zapper-not-announced'], { receiptBy: stranger, request: say(pub(zapper)) }],
  ['the customer signs', ['zapper-not-announced'], { receiptBy: customer, request: say(pub(zapper)) }],
  ['a copy is tampered with after signing', ['receipt-signature'], { forged: { content: 'x' } }],
  // What it says, how often.
  ['no preimage', ['no-preimage'], { receipt: say(PREIMAGE) }],
  ['a wrong preimage', ['preimage'], { receipt: say(PREIMAGE, other) }],
  ['two preimages', ['receipt-repeats'], { receipt: say(PREIMAGE, PREIMAGE, other) }],
  ['two invoices', ['receipt-bolt11'], { receipt: retag(bolt11Of, twice) }],
  ['two payees', ['receipt-p'], { receipt: say(pub(node), pub(node), other) }],
  ['two descriptions', ['receipt-description'], { receipt: retag(descriptionOf, twice) }],
  ['another kind', ['receipt-kind'], { receipt: all => ({ ...all, kind: 1 }) }],
  // The request inside.
  ['an altered request', ['request-signature'], { json: json => json.replace('"content":""', '"content":"!"') }],
  [
    'a request in other JSON than the invoice commits to',
    ['description-hash'],
    {
      receipt: all => say(descriptionOf(all) ?? '', JSON.stringify(JSON.parse(descriptionOf(all) ?? ''), null, 1))(all),
    },
  ],
  ['a request in URL encoding', ['receipt-request'], { json: encodeURIComponent }],
  ['a request that is no JSON', ['receipt-request'], { json: () => 'paid, honestly' }],
  ['a request of another payer', ['payer-not-customer'], { payer: stranger }],
  ['a node that pays itself', ['self-zap'], { jobBy: node, payer: node }],
  ['a request for less', ['amount-request'], { request: say('21000', '20000') }],
  ['a request in non-canonical digits', ['request-amount'], { request: say('21000', '021000') }],
  ['a request for two jobs', ['request-e'], { request: say(jobId, jobId, other) }],
  ['a request for a zapper of somebody else', ['zapper-mismatch'], { request: say(pub(zapper), pub(stranger)) }],
  ['a request for another job', ['request-job'], { requestJob: other, receipt: say(other, jobId) }],
  ['a request from before the job', ['request-before-job'], { request: at(NOW - 61) }],
  // The money.
  ['a payment attested for another job', ['hash-attested'], { context: { attestedFor: () => other } }],
  ['the bill of another invoice', ['invoice-not-offered'], { offer: { bolt11: writeInvoiceFor(1) } }],
  [
    'another invoice of the same node than it billed',
    ['invoice-not-offered'],
    {
      offer: { bolt11: world().receipt.tags.find(([, value]) => value?.startsWith('lnbcrt'))?.[1] ?? '' },
      invoice: { expirySeconds: 601 },
    },
  ],
  [
    "an invoice and a preimage of one's own making",
    ['payee-not-announced', 'invoice-not-offered'],
    { offer: { bolt11: writeInvoiceFor(1) }, invoice: { by: stranger } },
  ],
  ['more than was billed', ['amount-offer'], { offer: { msats: MSATS - 1n } }],
  ['more than was bid', ['over-bid'], { context: { bidMsats: MSATS - 1n } }],
  ['a description in place of its hash', ['description-hash'], { description: 'zap' }],
  ['an invoice without an amount', ['amountless'], { open: true }],
  ['coins of a test network', ['network'], { invoice: { network: 'testnet' } }],
  ['garbage for an invoice', ['bad-invoice'], { bolt11: `lnbcrt210n1${'q'.repeat(200)}` }],
  // The papers around it.
  ['the bill of another node', ['offer-author'], { offerBy: stranger }],
  ['the bill for another job', ['offer-job'], { offer: { job: other } }],
  ['a forged job', ['job-signature'], { job: { content: 'x' } }],
  // The time.
  ['dated back', ['back-dated'], { context: { firstSeen: NOW + 10 + 601 } }],
  ['older than its invoice', ['receipt-before-invoice'], { receipt: at(NOW - 59), context: { firstSeen: NOW } }],
  [
    'after the invoice expired',
    ['receipt-after-expiry'],
    { receipt: at(NOW + 663), context: { now: NOW + 700, firstSeen: NOW + 663 } },
  ],
  ['of the future', ['future'], { context: { now: NOW - 60 } }],
  // What it names, changed and signed again.
  ['another sender', ['sender'], { receipt: say(pub(customer), pub(stranger)) }],
  ['another job', ['job-binding'], { receipt: say(jobId, other) }],
  ['another payee', ['recipient'], { receipt: say(pub(node), pub(stranger)) }],
]

/** The other side of each check. */
export const further: readonly Case[] = [
  ['two jobs', ['receipt-e'], { receipt: say(jobId, jobId, other) }],
  ['two senders', ['receipt-P'], { receipt: say(pub(customer), pub(customer), other) }],
  ['the same job twice', ['receipt-repeats'], { receipt: say(jobId, jobId, jobId) }],
  ['no description', ['receipt-description'], { receipt: retag(descriptionOf, () => []) }],
  ['a description that is no event', ['receipt-request'], { json: () => '{"kind":9734}' }],
  ['a description that is another event', ['receipt-request'], { request: all => ({ ...all, kind: 1 }) }],
  ['no job', ['job-binding'], { receipt: say(jobId) }],
  ['no sender', ['sender'], { receipt: say(pub(customer)) }],
  ['a preimage in capitals', ['no-preimage'], { receipt: say(PREIMAGE, PREIMAGE.toUpperCase()) }],
  ['a payee that was not announced', ['payee-not-announced'], { invoice: { by: stranger } }],
  ['mainnet where regtest was agreed', ['network'], { invoice: { network: 'mainnet' } }],
  ['an invoice from before the request', ['invoice-before-request'], { invoice: { timestamp: NOW - 60 } }],
  ['a hash that commits to something else', ['description-hash'], { invoice: { descriptionHash: other } }],
  ['no bill that anybody may read', ['no-offer'], { context: { offer: undefined } }],
  ['a tampered bill', ['offer-signature'], { offered: { content: 'x' } }],
  ['a job in place of a bill', ['offer-unreadable'], { context: { offer: keys.sign(jobTemplate, node) } }],
  ['a bill that says no price', ['invoice-not-offered', 'amount-offer', 'over-bid'], { offered: unpriced() }],
  ['a customer that is the zapper', ['self-zap'], { context: { zappers: [pub(zapper), pub(customer)] } }],
  ['a request that nobody receives', ['request-p'], { request: say(pub(node)) }],
  ['a request for two zappers', ['request-P'], { request: say(pub(zapper), pub(zapper), other) }],
  ['a request for an amount in words', ['request-amount'], { request: say('21000', 'all') }],
  [
    'a non-canonical amount beside a canonical decoy',
    ['request-amount'],
    {
      request: all => ({ ...say('21000', '021000')(all), tags: [...say('21000', '021000')(all).tags, ['x', '21000']] }),
    },
  ],
  ['a request without an amount', ['amount-request'], { request: say('21000') }],
  ['a request that says its amount twice', ['request-repeats'], { request: say('21000', '21000', '21000') }],
  [
    'a request to another payee',
    ['request-recipient'],
    { request: say(pub(node), pub(stranger)), receipt: say(pub(stranger), pub(node)) },
  ],
  ['a request without a job', ['request-job'], { request: say(jobId) }],
  [
    'signed by a stranger for coins of another network',
    ['zapper-not-announced', 'network', 'zapper-mismatch'],
    { receiptBy: stranger, invoice: { network: 'mainnet' } },
  ],
]

/** A bill of the node for this job that is signed and names nothing to pay. */
function unpriced(): Partial<Event> {
  const { offer } = world()
  const tags = offer.tags.filter(tag => tag[1] !== String(MSATS))
  return keys.sign(
    { kind: offer.kind, created_at: offer.created_at, tags: tags.map(tag => [...tag]), content: '' },
    node,
  )
}
