/**
 * Looks at a quoted invoice before any money leaves: the payer pays only what it asked for. Pure; caps over time and the
 * memory of paid hashes belong to whoever calls it.
 * @module
 */
import { type Invoice, readInvoice } from './bolt11.ts'
import type { Network, PayOrder } from './payment.ts'

/** What was quoted and what the payer agreed to. Keys are hex, times unix seconds. */
export interface QuoteTerms {
  /** Key that signed the quote. */
  readonly quotedBy: string
  /** Key of the node that the job was given to, where one was chosen. */
  readonly chosen?: string
  readonly bolt11?: string
  /** Amount that the quote names beside the invoice. */
  readonly msats?: bigint
  /** Most that this payment may cost, whatever was bid. */
  readonly capMsats: bigint
  readonly bidMsats?: bigint
  readonly network: Network
  readonly now: number
  /** True for a payment hash that was ever ordered before. */
  readonly seenHashes: (hash: string) => boolean
  readonly expected?: {
    /** Lightning node keys that the chosen node announced; an empty list means that it announced none. */
    readonly nodeKeys?: readonly string[]
    /** Hash of the payer's own zap request. */
    readonly descriptionHash?: string
  }
  /** Most blocks that the last hop may lock the money for. */
  readonly maxCltv?: number
}

export type QuoteRule =
  | 'not-chosen'
  | 'no-invoice'
  | 'bad-invoice'
  | 'wrong-network'
  | 'amountless'
  | 'amount-mismatch'
  | 'over-bid'
  | 'over-cap'
  | 'expired'
  | 'cltv'
  | 'payee-not-announced'
  | 'description-hash'
  | 'hash-seen'

export type QuoteVerdict =
  | { readonly ok: true; readonly order: PayOrder; readonly invoice: Invoice }
  | { readonly ok: false; readonly rule: QuoteRule; readonly says: string }

/** A payment must have the time to arrive. */
const NEEDS_SECONDS = 5
/** Two days of blocks: more than any wallet asks for, less than what locks money for a week. */
const MAX_CLTV = 288

/**
 * Gives the order to pay, or the first rule that the quote breaks. An invoice for less than was quoted is paid as it
 * stands; one for more is refused.
 */
export function checkQuote(terms: QuoteTerms): QuoteVerdict {
  const { quotedBy, chosen, bolt11, msats: quoted, capMsats, bidMsats, network, now, seenHashes } = terms
  const { nodeKeys, descriptionHash } = terms.expected ?? {}
  const maxCltv = terms.maxCltv ?? MAX_CLTV
  if (chosen !== undefined && quotedBy !== chosen)
    return no('not-chosen', 'The quote is not from the node that was chosen: choose this node, or wait for the other.')
  if (bolt11 === undefined || bolt11 === '')
    return no(
      'no-invoice',
      'The quote has no invoice: ask the node for one, or choose a node that bills over Lightning.',
    )
  const read = readInvoice(bolt11)
  if (!read.ok) return no('bad-invoice', `${read.says} Ask the node for a new invoice.`)
  const { invoice } = read
  const { msats } = invoice
  if (invoice.network !== network)
    return no(
      'wrong-network',
      `The invoice is for ${invoice.network}, the wallet for ${network}: use a node on ${network}.`,
    )
  if (msats === undefined)
    return no('amountless', 'The invoice leaves the amount open: ask the node for one that names its price.')
  if (quoted !== undefined && msats > quoted)
    return no(
      'amount-mismatch',
      `The invoice asks for ${msats} msats where ${quoted} were quoted: ask for a new quote.`,
    )
  if (bidMsats !== undefined && msats > bidMsats)
    return no(
      'over-bid',
      `The price of ${msats} msats is over the bid of ${bidMsats}: bid more, or choose another node.`,
    )
  if (msats > capMsats)
    return no(
      'over-cap',
      `The price of ${msats} msats is over the cap of ${capMsats}: raise the cap, or choose another node.`,
    )
  if (invoice.expiresAt - now <= NEEDS_SECONDS)
    return no('expired', 'The invoice has expired or is about to: ask the node for a new one.')
  if (invoice.minFinalCltvDelta > maxCltv)
    return no(
      'cltv',
      `The invoice may lock the money for ${invoice.minFinalCltvDelta} blocks, over the limit of ${maxCltv}: raise the limit, or choose another node.`,
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
  if (seenHashes(invoice.hash))
    return no(
      'hash-seen',
      'An invoice of this payment hash was ordered before: look up that payment instead of paying again.',
    )
  return { ok: true, invoice, order: { bolt11: invoice.bolt11, hash: invoice.hash, msats } }
}

const no = (rule: QuoteRule, says: string): QuoteVerdict => ({ ok: false, rule, says })
