/**
 * What evidence of a payment is worth: one word, and the checks that it passed and failed. Pure: whoever holds the same
 * signed events gets the same word.
 * @module
 */
import { acknowledgement, type Event, usageReceipt, zapReceipt } from '../../kinds/index.ts'
import { readInvoice } from '../payments/bolt11.ts'
import { proves } from '../payments/hash.ts'
import { type ReceiptContext, verifyReceipt } from '../payments/zap.ts'

/**
 * `settled`: node and customer both say so, and the preimage is there. `receipt-valid`: all but the node's own word in
 * public. `invoice-only`: no preimage. `amount-mismatch`: paid, asked and billed differ. `duplicate`: the payment was attested
 * for another job. `forged`: anything else.
 */
export type PaymentLabel = 'settled' | 'receipt-valid' | 'invoice-only' | 'amount-mismatch' | 'duplicate' | 'forged'

export interface Judgement {
  readonly label: PaymentLabel
  /** Names of checks, see `checks`. What could not be tried is in neither list. */
  readonly passed: readonly string[]
  readonly failed: readonly string[]
  /** One word for each thing that is wrong: `receiptReasons`, `proofReasons`. */
  readonly reasons: readonly string[]
  readonly hash?: string
  readonly msats?: bigint
}

/** A zap receipt, or a customer's acknowledgement with the usage receipt of the node that it answers and one hash of both. */
export type PaymentEvidence =
  | { readonly zap: Event }
  | { readonly acknowledgement: Event; readonly usage: Event; readonly hash: string }

/** What the judge knows besides. A zap receipt also needs what was announced; see `ReceiptContext`. */
export type JudgeContext = ReceiptContext
type ProofContext = Pick<JudgeContext, 'job' | 'node' | 'bidMsats' | 'attestedFor' | 'verify' | 'now'>

/** Each check with the reasons that `verifyReceipt` gives against it, after the list V1 to V14 of attested payments. */
export const checks: { readonly [name: string]: readonly string[] } = {
  receipt: ['receipt-signature', 'receipt-repeats'],
  zapper: ['zapper-not-announced', 'zapper-mismatch'],
  request: ['request-signature'],
  payee: ['recipient', 'request-recipient'],
  payer: ['sender', 'payer-not-customer', 'self-zap'],
  job: ['job-signature', 'job-binding', 'request-job'],
  invoice: ['bad-invoice', 'network', 'amountless'],
  amount: ['amount-request', 'amount-offer', 'over-bid'],
  description: ['description-hash'],
  preimage: ['no-preimage', 'preimage'],
  unused: ['hash-attested'],
  time: [
    ...['future', 'back-dated', 'receipt-before-invoice', 'receipt-after-expiry'],
    ...['request-before-job', 'invoice-before-request'],
  ],
  'node-key': ['payee-not-announced'],
  confirmed: ['no-offer', 'offer-signature', 'offer-author', 'offer-unreadable', 'offer-job', 'invoice-not-offered'],
}

/** What is looked at when both sides say that a payment was made; reasons have the names that they have for receipts. */
const proofChecks: { readonly [name: string]: readonly string[] } = {
  acknowledgement: ['ack-signature', 'ack-unreadable', 'ack-job', 'ack-node'],
  payer: ['payer-not-customer', 'self-zap'],
  job: ['job-signature'],
  amount: ['amount-offer', 'over-bid'],
  preimage: ['no-preimage', 'preimage'],
  unused: ['hash-attested'],
  time: ['future'],
  confirmed: ['offer-signature', 'offer-author', 'offer-unreadable', 'offer-job', 'invoice-not-offered'],
}

/** Every reason against an acknowledged payment. */
export const proofReasons: readonly string[] = Object.values(proofChecks).flat()

const SKEW_SECONDS = 60
const mismatches: ReadonlySet<string> = new Set(['amount-offer', 'amount-request', 'over-bid', 'amountless'])
/** What leaves the rest of a judgement standing. */
const mild: ReadonlySet<string> = new Set([...mismatches, 'hash-attested', 'no-preimage', 'no-offer'])

/** Judges one piece of evidence. Never throws. */
export function judge(evidence: PaymentEvidence, context: JudgeContext): Judgement {
  return 'zap' in evidence ? judgeZap(evidence.zap, context) : judgeProof(evidence, context)
}

/** The word that a list of reasons comes to. */
export function labelOf(reasons: readonly string[]): PaymentLabel {
  if (reasons.some(reason => !mild.has(reason))) return 'forged'
  if (reasons.includes('hash-attested')) return 'duplicate'
  if (reasons.some(reason => mismatches.has(reason))) return 'amount-mismatch'
  if (reasons.includes('no-preimage')) return 'invoice-only'
  return reasons.includes('no-offer') ? 'receipt-valid' : 'settled'
}

function judgeZap(zap: Event, context: JudgeContext): Judgement {
  // Anybody can sign a receipt for anything: what nobody announced is not looked at, for reading an invoice is dear.
  if (!context.zappers.includes(zap.pubkey))
    return { label: 'forged', passed: [], failed: ['zapper'], reasons: ['zapper-not-announced'] }
  // A node whose wallet does not tell its key announces none: then there is nothing to compare the invoice with.
  const keyless = context.nodeKeys.length === 0
  const reasons = verifyReceipt(zap, context).reasons.filter(one => !(keyless && one === 'payee-not-announced'))
  const read = zapReceipt.read(zap)
  const paid = read.ok ? readInvoice(read.value.bolt11) : undefined
  const untried = new Set<string>()
  const skip = (when: boolean, ...names: string[]) => {
    if (when) for (const name of names) untried.add(name)
  }
  // A receipt that cannot be read has said nothing that could be right.
  skip(!read.ok, ...Object.keys(checks))
  skip(keyless, 'node-key')
  skip(!paid?.ok, 'node-key', 'description', 'preimage', 'unused', 'amount', 'time')
  // Its request could not be read.
  const unread = reasons.some(one => one.startsWith('request-') && !Object.values(checks).flat().includes(one))
  skip(unread, 'request', 'description', 'amount', 'payee', 'payer', 'zapper', 'time')
  skip(reasons.includes('no-offer') || reasons.includes('offer-unreadable'), 'amount')
  const invoice = paid?.ok ? paid.invoice : undefined
  return {
    ...verdictOf(checks, reasons, untried),
    ...(invoice ? { hash: invoice.hash } : {}),
    ...(invoice?.msats === undefined ? {} : { msats: invoice.msats }),
  }
}

function judgeProof(proof: Exclude<PaymentEvidence, { zap: Event }>, context: ProofContext): Judgement {
  const { acknowledgement: ack, usage, hash } = proof
  const { job, node, bidMsats, attestedFor, verify, now } = context
  const reasons: string[] = []
  const unless = (holds: boolean, reason: string) => void (holds || reasons.push(reason))
  const said = acknowledgement.read(ack)
  const metered = usageReceipt.read(usage)
  unless(verify(ack), 'ack-signature')
  unless(verify(usage), 'offer-signature')
  unless(verify(job), 'job-signature')
  unless(usage.pubkey === node, 'offer-author')
  unless(ack.pubkey === job.pubkey, 'payer-not-customer')
  unless(ack.pubkey !== node, 'self-zap')
  unless(ack.created_at <= now + SKEW_SECONDS && usage.created_at <= now + SKEW_SECONDS, 'future')
  unless(said.ok, 'ack-unreadable')
  unless(metered.ok, 'offer-unreadable')
  const untried = new Set(said.ok && metered.ok ? [] : ['unused', 'amount', 'preimage', 'confirmed'])
  if (said.ok) {
    unless(said.value.job === job.id, 'ack-job')
    unless(said.value.node === node, 'ack-node')
  }
  if (metered.ok) {
    unless(metered.value.job === job.id && metered.value.customer === job.pubkey, 'offer-job')
    unless(bidMsats === undefined || metered.value.msats <= bidMsats, 'over-bid')
  }
  const payment = metered.ok ? metered.value.payments.find(one => one.hash === hash) : undefined
  if (said.ok && metered.ok) {
    const shown = said.value.payments.find(one => one.hash === hash)
    unless(shown !== undefined && payment !== undefined, 'invoice-not-offered')
    if (shown?.preimage === undefined) reasons.push('no-preimage')
    else unless(proves(shown.preimage, hash), 'preimage')
    unless((attestedFor?.(hash) ?? job.id) === job.id, 'hash-attested')
    // The customer counts every receiver of the job, the node only what came to it.
    const both = metered.value.payments.filter(one => said.value.payments.some(other => other.hash === one.hash))
    unless(both.reduce((sum, one) => sum + one.msats, 0n) <= said.value.msats, 'amount-offer')
  }
  return {
    ...verdictOf(proofChecks, reasons, untried),
    hash,
    ...(payment ? { msats: payment.msats } : {}),
  }
}

function verdictOf(
  table: { readonly [name: string]: readonly string[] },
  reasons: readonly string[],
  untried: ReadonlySet<string>,
): Pick<Judgement, 'label' | 'passed' | 'failed' | 'reasons'> {
  const wrong = new Set(reasons)
  const failed = Object.keys(table).filter(name => table[name]?.some(reason => wrong.has(reason)))
  const passed = Object.keys(table).filter(name => !failed.includes(name) && !untried.has(name))
  return { label: labelOf(reasons), passed, failed, reasons }
}
