/**
 * Judges a zap receipt for one job. A receipt alone proves nothing (NIP-57 says so); it is held against the signed job,
 * the node's signed bill, the customer's signed request and the preimage, and every failed check has its own reason.
 * @module
 */
import { type Event, feedback, textResult, usageReceipt, type ZapRequest, zapReceipt } from '../../kinds/index.ts'
import { type Invoice, readInvoice } from './bolt11.ts'
import { proves } from './hash.ts'
import type { Network, Verdict } from './payment.ts'
import { descriptionHashOf, readZapRequest, saysTwice } from './zap-request.ts'

/** What the judge knows besides the receipt. Times are unix seconds, keys and ids hex. */
export interface ReceiptContext {
  /** The customer's signed request. */
  readonly job: Event
  /** Bid of the job, where its kind says one. */
  readonly bidMsats?: bigint
  /**
   * The node's signed bill, feedback or result with amount and invoice; `offerOpened` is its content where it is sealed. Or
   * its usage receipt, which names hash and amount of each payment: third parties cannot open sealed bills.
   */
  readonly offer?: Event | undefined
  readonly offerOpened?: string
  /** What the node announced: its key, who signs its receipts, which Lightning nodes receive its money. */
  readonly node: string
  readonly zappers: readonly string[]
  readonly nodeKeys: readonly string[]
  readonly network: Network
  readonly now: number
  /** When the judge itself first saw the receipt. */
  readonly firstSeen?: number
  /** Id of the job for which a payment hash was attested before. */
  readonly attestedFor?: (hash: string) => string | undefined
  readonly verify: (event: Event) => boolean
}

/**
 * Every reason that `verifyReceipt` gives, one for each check. Beside them only `receipt-<rule>` and `request-<rule>` for
 * events that a reader of their kind refuses for its size or sealing.
 */
export const receiptReasons = [
  ...['receipt-kind', 'receipt-p', 'receipt-e', 'receipt-P', 'receipt-bolt11', 'receipt-description'],
  ...['receipt-request', 'receipt-repeats', 'receipt-signature', 'zapper-not-announced', 'recipient', 'job-binding'],
  ...['sender', 'future', 'back-dated', 'receipt-before-invoice', 'receipt-after-expiry'],
  ...['bad-invoice', 'network', 'amountless', 'payee-not-announced', 'no-preimage', 'preimage', 'hash-attested'],
  ...['description-hash', 'invoice-before-request', 'invoice-not-offered'],
  ...[
    'no-offer',
    'job-signature',
    'offer-signature',
    'offer-author',
    'offer-unreadable',
    'offer-job',
    'amount-offer',
    'over-bid',
  ],
  ...['request-p', 'request-e', 'request-P', 'request-amount', 'request-repeats', 'request-signature'],
  ...['request-recipient', 'request-job', 'zapper-mismatch', 'payer-not-customer', 'self-zap', 'amount-request'],
  ...['request-before-job'],
] as const

/** Clocks of honest parties differ by no more than this. */
const SKEW_SECONDS = 60
/** A receipt that turns up later than this after its own date was made up afterwards. */
const MAX_LAG_SECONDS = 600

/**
 * All reasons against a receipt; none when it holds. It then says: this customer asked for this job, this node billed
 * it, and somebody who knows the preimage says that the bill was paid. It does not say that the two are not one person.
 */
export function verifyReceipt(receipt: Event, context: ReceiptContext): Verdict {
  const { job, node, zappers, verify, now, firstSeen } = context
  const reasons: string[] = []
  const unless = (holds: boolean, reason: string) => void (holds || reasons.push(reason))
  const read = zapReceipt.read(receipt)
  if (!read.ok) return { ok: false, reasons: [`receipt-${read.rule.split('.').at(-1)}`] }
  const { recipient, event, sender, bolt11, description, preimage, zapRequest: signed } = read.value
  unless(verify(receipt), 'receipt-signature')
  unless(zappers.includes(receipt.pubkey), 'zapper-not-announced')
  unless(!saysTwice(receipt, zapReceipt), 'receipt-repeats')
  unless(recipient === node, 'recipient')
  unless(event === job.id, 'job-binding')
  unless(verify(job), 'job-signature')
  unless(receipt.created_at <= now + SKEW_SECONDS, 'future')
  unless(firstSeen === undefined || Math.abs(firstSeen - receipt.created_at) <= MAX_LAG_SECONDS, 'back-dated')
  const invoice = readInvoice(bolt11)
  if (!invoice.ok) reasons.push('bad-invoice')
  else reasons.push(...againstInvoice(invoice.invoice, receipt, preimage, context))
  reasons.push(...againstOffer(invoice.ok ? invoice.invoice : undefined, bolt11, context))
  const asked = readZapRequest(signed)
  if (!asked.ok) reasons.push(asked.reason)
  else {
    unless(sender === signed.pubkey, 'sender')
    unless(!invoice.ok || invoice.invoice.descriptionHash === descriptionHashOf(description), 'description-hash')
    const paid = invoice.ok ? invoice.invoice : undefined
    reasons.push(...againstRequest(asked.request, signed, receipt, paid, context))
  }
  return { ok: reasons.length === 0, reasons: [...new Set(reasons)] }
}

function* againstInvoice(
  invoice: Invoice,
  receipt: Event,
  preimage: string | undefined,
  { network, nodeKeys, job, attestedFor }: ReceiptContext,
): Generator<string> {
  if (invoice.network !== network) yield 'network'
  if (invoice.msats === undefined) yield 'amountless'
  if (!nodeKeys.includes(invoice.payee)) yield 'payee-not-announced'
  if (preimage === undefined) yield 'no-preimage'
  else if (!proves(preimage, invoice.hash)) yield 'preimage'
  if (receipt.created_at < invoice.timestamp - SKEW_SECONDS) yield 'receipt-before-invoice'
  if (receipt.created_at > invoice.expiresAt + SKEW_SECONDS) yield 'receipt-after-expiry'
  if ((attestedFor?.(invoice.hash) ?? job.id) !== job.id) yield 'hash-attested'
}

function* againstOffer(invoice: Invoice | undefined, bolt11: string, context: ReceiptContext): Generator<string> {
  const { offer, node, bidMsats, verify } = context
  if (!offer) {
    yield 'no-offer'
    return
  }
  if (!verify(offer)) yield 'offer-signature'
  if (offer.pubkey !== node) yield 'offer-author'
  const said = offer.kind === usageReceipt.number ? metered(offer, invoice, context) : billed(offer, bolt11, context)
  if (!said) {
    yield 'offer-unreadable'
    return
  }
  if (!said.ofJob) yield 'offer-job'
  if (!said.ofInvoice) yield 'invoice-not-offered'
  if (invoice?.msats !== undefined && said.msats !== invoice.msats) yield 'amount-offer'
  if (bidMsats !== undefined && (said.priceMsats === undefined || said.priceMsats > bidMsats)) yield 'over-bid'
}

/** What a node said in a bill or a usage receipt, held against one invoice. */
interface Said {
  readonly ofJob: boolean
  readonly ofInvoice: boolean
  /** Of this invoice. */
  readonly msats: bigint | undefined
  /** Of what the node asks for on the whole, as far as it says. */
  readonly priceMsats: bigint | undefined
}

function billed(offer: Event, bolt11: string, { job, offerOpened }: ReceiptContext): Said | undefined {
  const read = (offer.kind === textResult.number ? textResult : feedback).read(offer, offerOpened)
  if (!read.ok) return undefined
  const { msats } = read.value
  return { ofJob: read.value.job === job.id, ofInvoice: read.value.bolt11 === bolt11, msats, priceMsats: msats }
}

function metered(offer: Event, invoice: Invoice | undefined, { job }: ReceiptContext): Said | undefined {
  const read = usageReceipt.read(offer)
  if (!read.ok) return undefined
  const { value } = read
  const payment = value.payments.find(({ hash }) => hash === invoice?.hash)
  return {
    ofJob: value.job === job.id && value.customer === job.pubkey,
    ofInvoice: payment !== undefined,
    msats: payment?.msats,
    priceMsats: value.msats,
  }
}

function* againstRequest(
  request: ZapRequest,
  signed: Event,
  receipt: Event,
  invoice: Invoice | undefined,
  { job, node, zappers, verify }: ReceiptContext,
): Generator<string> {
  if (!verify(signed)) yield 'request-signature'
  if (request.recipient !== node) yield 'request-recipient'
  if (request.event !== job.id) yield 'request-job'
  if (request.zapper !== undefined && request.zapper !== receipt.pubkey) yield 'zapper-mismatch'
  if (signed.pubkey !== job.pubkey) yield 'payer-not-customer'
  if (signed.pubkey === node || zappers.includes(signed.pubkey)) yield 'self-zap'
  if (request.msats === undefined || (invoice?.msats !== undefined && request.msats !== invoice.msats))
    yield 'amount-request'
  if (signed.created_at < job.created_at - SKEW_SECONDS) yield 'request-before-job'
  if (invoice && invoice.timestamp < signed.created_at - SKEW_SECONDS) yield 'invoice-before-request'
}
