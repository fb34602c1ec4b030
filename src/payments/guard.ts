/**
 * Judges a bill before any money leaves: the payer pays only what it asked for. One pure function over plain values, one
 * reason code for each refusal; what was spent and ordered before is handed in by whoever keeps it.
 * @module
 */
import type { BilledTerms, WishedTerms } from '../../kinds/index.ts'
import { type Invoice, readInvoice } from './bolt11.ts'
import { boughtElsewhere, type Limits, overCaps, overPrice } from './guard-limits.ts'
import type { Network, PayOrder } from './payment.ts'

export type { Caps, Spent } from './guard-limits.ts'

/** One order of the same job, whatever became of it. Only `failed` means that nothing left. */
export interface EarlierOrder {
  readonly hash: string
  readonly msats: bigint
  readonly state: 'planned' | 'paid' | 'unproven' | 'failed'
}

/** What was quoted and what the payer agreed to. Keys, ids and hashes are hex, times unix seconds. */
export interface QuoteTerms extends Limits {
  /** Key that signed the quote. */
  readonly quotedBy: string
  /** Key of the node that the job was given to; absent for a job that was open to all. */
  readonly chosen?: string
  /** Job that is to be paid, and the job that the signed quote names. */
  readonly job: string
  readonly quotedJob: string
  /** True for a job that this process asked for itself. */
  readonly ours: (job: string) => boolean
  /** Nostr keys that are our own: nobody pays itself. */
  readonly self?: readonly string[]
  readonly bolt11?: string
  /** Amount that the quote names beside the invoice. */
  readonly msats?: bigint
  /** Terms of the bill, and what the customer wished for. Absent is `before`. */
  readonly terms?: BilledTerms
  readonly wished?: WishedTerms
  /**
   * The wallet that would pay; absent where there is none. `nodeKey` is its own Lightning node, left out where a
   * custodian shares one among many.
   */
  readonly wallet?: { readonly network: Network; readonly nodeKey?: string }
  readonly now: number
  /** True for a payment hash that was ever ordered before, for whatever job. */
  readonly seenHashes: (hash: string) => boolean
  readonly expected?: {
    /** Lightning node keys that the chosen node announced; an empty list means that it announced none. */
    readonly nodeKeys?: readonly string[]
    /** Hash of the payer's own zap request. */
    readonly descriptionHash?: string
    /** Payment hash that a verifier holds the preimage of, or that the quote names beside its invoice. */
    readonly hash?: string
  }
  /** Most blocks that the last hop may lock the money for. */
  readonly maxCltv?: number
}

export type QuoteRule =
  | 'not-ours'
  | 'not-chosen'
  | 'self-pay'
  | 'not-agreed'
  | 'already-paying'
  | 'over-cap'
  | 'over-announced'
  | 'over-bid'
  | 'over-part'
  | 'no-wallet'
  | 'no-invoice'
  | 'bad-invoice'
  | 'wrong-network'
  | 'amountless'
  | 'amount-mismatch'
  | 'over-job'
  | 'over-hour'
  | 'over-day'
  | 'over-peer'
  | 'expired'
  | 'cltv'
  | 'payee-not-announced'
  | 'description-hash'
  | 'wrong-hash'
  | 'hash-seen'

export interface QuoteRefusal {
  readonly ok: false
  readonly rule: QuoteRule
  /** One sentence with the way out. */
  readonly says: string
}

export type QuoteVerdict = { readonly ok: true; readonly order: PayOrder; readonly invoice: Invoice } | QuoteRefusal

/** A payment must have the time to arrive. */
const NEEDS_SECONDS = 5
/** Two days of blocks: more than any wallet asks for, less than what locks money for a week. */
const MAX_CLTV = 288

/**
 * Gives the order to pay, or the first rule that the quote breaks. An ordinary NIP-90 bill (amount and invoice, nothing
 * else) is a quote. An invoice for less than was quoted is paid as it stands; one for more is refused. Never throws.
 */
export function checkQuote(terms: QuoteTerms): QuoteVerdict {
  const refusal =
    whoAsks(terms) ??
    (terms.msats === undefined ? undefined : overPrice(terms.msats, terms)) ??
    (terms.wallet ? undefined : no('no-wallet', 'The node wants money and no wallet was given: add --wallet.'))
  if (refusal) return refusal
  if (terms.bolt11 === undefined || terms.bolt11 === '')
    return no(
      'no-invoice',
      'The quote has no invoice: ask the node for one, or choose a node that bills over Lightning.',
    )
  const read = readInvoice(terms.bolt11)
  if (!read.ok) return no('bad-invoice', `${read.says} Ask the node for a new invoice.`)
  const { invoice } = read
  const { msats } = invoice
  const network = terms.wallet?.network
  if (invoice.network !== network)
    return no(
      'wrong-network',
      `The invoice is for ${invoice.network}, the wallet for ${network}: use a node on ${network}.`,
    )
  if (msats === undefined)
    return no('amountless', 'The invoice leaves the amount open: ask the node for one that names its price.')
  const wrong =
    wrongAmount(msats, terms) ?? overPrice(msats, terms) ?? overCaps(msats, terms) ?? wrongInvoice(invoice, terms)
  return wrong ?? { ok: true, invoice, order: { bolt11: invoice.bolt11, hash: invoice.hash, msats } }
}

/** Whose bill it is, for which job, and whether the job may have a bill at all now. */
function whoAsks({ job, quotedJob, ours, quotedBy, chosen, self, ...terms }: QuoteTerms): QuoteRefusal | undefined {
  if (quotedJob !== job || !ours(job))
    return no('not-ours', 'The quote is for a job that was not asked for here: pay only what you ask for yourself.')
  if (chosen !== undefined && quotedBy !== chosen)
    return no('not-chosen', 'The quote is not from the node that was chosen: choose this node, or wait for the other.')
  if (self?.includes(quotedBy))
    return no('self-pay', 'The quote is signed with your own key: choose another node, or use another key to ask.')
  const bill = terms.terms ?? { word: 'before' }
  const wished = terms.wished ?? { word: 'before' }
  if (!agrees(bill, wished))
    return no(
      'not-agreed',
      `The node bills on terms "${bill.word}" that were not asked for ("${wished.word}" was): ask for these terms, or choose another node.`,
    )
  return alreadyPaying(bill, terms.orders, boughtElsewhere(wished))
}

/** `before` may always stand in: a node that cannot do what is wished bills plainly. */
function agrees(bill: BilledTerms, wished: WishedTerms): boolean {
  if (bill.word === 'parts') return wished.word === 'parts' && bill.parts === wished.parts && isCount(bill.parts)
  if (bill.word === 'escrow') return wished.word === 'escrow' && bill.verifier === wished.verifier
  return bill.word === 'before' || bill.word === wished.word
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value > 0

function alreadyPaying(bill: BilledTerms, orders: readonly EarlierOrder[], from: number): QuoteRefusal | undefined {
  const left = orders.filter(({ state }) => state !== 'failed')
  if (left.some(({ state }) => state === 'planned') || (left.length > 0 && bill.word !== 'parts'))
    return no(
      'already-paying',
      'This job has an order that has not failed: ask the wallet what became of it instead of paying another.',
    )
  if (bill.word !== 'parts') return undefined
  const next = from + left.length + 1
  if (bill.part === next && next <= bill.parts) return undefined
  return no(
    'already-paying',
    next > bill.parts
      ? `All ${bill.parts} parts of this job are paid: ask the node for the rest of its work.`
      : `Part ${bill.part} of ${bill.parts} is billed where part ${next} is next: ask the node for the bill of that part.`,
  )
}

function wrongAmount(msats: bigint, { msats: quoted }: QuoteTerms): QuoteRefusal | undefined {
  if (quoted === undefined || msats <= quoted) return undefined
  return no('amount-mismatch', `The invoice asks for ${msats} msats where ${quoted} were quoted: ask for a new quote.`)
}

function wrongInvoice(invoice: Invoice, terms: QuoteTerms): QuoteRefusal | undefined {
  const { wallet, now, seenHashes, maxCltv = MAX_CLTV } = terms
  const { nodeKeys, descriptionHash, hash } = terms.expected ?? {}
  if (invoice.expiresAt - now <= NEEDS_SECONDS)
    return no('expired', 'The invoice has expired or is about to: ask the node for a new one.')
  if (invoice.minFinalCltvDelta > maxCltv)
    return no(
      'cltv',
      `The invoice may lock the money for ${invoice.minFinalCltvDelta} blocks, over the limit of ${maxCltv}: raise the limit, or choose another node.`,
    )
  if (wallet?.nodeKey !== undefined && invoice.payee === wallet.nodeKey)
    return no(
      'self-pay',
      'The invoice is of your own Lightning node: choose another node, or use another wallet to pay.',
    )
  if (nodeKeys !== undefined && !nodeKeys.includes(invoice.payee))
    return no(
      'payee-not-announced',
      'The invoice is of a Lightning node that the chosen node did not announce: choose another node.',
    )
  if (descriptionHash !== undefined && invoice.descriptionHash !== descriptionHash)
    return no(
      'description-hash',
      'The invoice does not commit to the zap request of this job: ask the node for one that does.',
    )
  if (hash !== undefined && invoice.hash !== hash)
    return no('wrong-hash', 'The invoice has another payment hash than was agreed: ask the node for one that has it.')
  if (seenHashes(invoice.hash) || terms.orders.some(order => order.hash === invoice.hash))
    return no(
      'hash-seen',
      'An invoice of this payment hash was ordered before: look up that payment instead of paying again.',
    )
  return undefined
}

const no = (rule: QuoteRule, says: string): QuoteRefusal => ({ ok: false, rule, says })
