/**
 * lnd's invoices and payments as rows and states of ours.
 * @module
 */
import { readInvoice } from '../../../src/payments/bolt11.ts'
import { proves } from '../../../src/payments/hash.ts'
import type { BillState, Held, PayState, Transaction } from '../../../src/payments/payment.ts'
import { type Fields, listOf, textOf, toHex, wholeOf } from './rest.ts'

/** lnd gives held money back this many blocks before the HTLC runs out (`invoices.holdexpirydelta`). */
export const HOLD_EXPIRY_BLOCKS = 18

/** What an invoice is to its payee. `now` is unix seconds. */
export function billStateOf(invoice: Fields, now: number): BillState {
  const expired = expiryOf(invoice) < now
  switch (textOf(invoice, 'state')) {
    case 'SETTLED': {
      const [preimage, hash] = [toHex(textOf(invoice, 'r_preimage')), toHex(textOf(invoice, 'r_hash'))]
      const at = Number(wholeOf(invoice, 'settle_date'))
      return { state: 'settled', msats: msatsOf(invoice), preimage: proves(preimage, hash) ? preimage : '', at }
    }
    case 'ACCEPTED': {
      const { hash: _, ...money } = heldOf(invoice)
      return { state: 'held', ...money }
    }
    case 'OPEN':
      return { state: expired ? 'expired' : 'pending' }
    case 'CANCELED':
      // lnd cancels by itself what nobody paid in time; what was ever held, or cancelled before its time, was decided.
      return { state: expired && listOf(invoice, 'htlcs').length === 0 ? 'expired' : 'failed' }
    default:
      return { state: 'unknown' }
  }
}

/** The money of an accepted invoice, and until when it waits. */
export function heldOf(invoice: Fields): Held {
  const parts = listOf(invoice, 'htlcs').filter(part => textOf(part, 'state') === 'ACCEPTED')
  const msats = parts.reduce((sum, part) => sum + wholeOf(part, 'amt_msat'), 0n)
  const first = Math.min(...parts.map(part => Number(wholeOf(part, 'expiry_height'))))
  const deadline = Number.isFinite(first) ? { settleDeadline: first - HOLD_EXPIRY_BLOCKS } : {}
  return { hash: toHex(textOf(invoice, 'r_hash')), msats, ...deadline }
}

/** An invoice as a row. The preimage is shown once it was earned: lnd itself tells it from the start. */
export function incomingRow(invoice: Fields, now: number): Transaction {
  const state = billStateOf(invoice, now)
  const settled = state.state === 'settled'
  const word = state.state === 'held' || state.state === 'unknown' ? 'pending' : state.state
  const descriptionHash = toHex(textOf(invoice, 'description_hash'))
  const description = textOf(invoice, 'memo')
  return {
    type: 'incoming',
    state: word,
    hash: toHex(textOf(invoice, 'r_hash')),
    bolt11: textOf(invoice, 'payment_request'),
    msats: msatsOf(invoice),
    feeMsats: 0n,
    createdAt: Number(wholeOf(invoice, 'creation_date')),
    expiresAt: expiryOf(invoice),
    ...(settled && { settledAt: state.at, preimage: state.preimage }),
    ...(descriptionHash ? { descriptionHash } : { description }),
  }
}

/** What a payment is to its payer; `undefined` while it is on its way. */
export function payEndOf(payment: Fields): Extract<PayState, { state: 'paid' | 'unproven' | 'failed' }> | undefined {
  const status = textOf(payment, 'status')
  if (status === 'SUCCEEDED') {
    const preimage = textOf(payment, 'payment_preimage')
    if (proves(preimage, textOf(payment, 'payment_hash')))
      return { state: 'paid', preimage, feeMsats: wholeOf(payment, 'fee_msat') }
    return { state: 'unproven', says: 'lnd says paid and shows no preimage that opens the hash.' }
  }
  if (status !== 'FAILED') return undefined
  const reason = textOf(payment, 'failure_reason').replace(/^FAILURE_REASON_/, '')
  const code = reason === 'INSUFFICIENT_BALANCE' ? reason : 'PAYMENT_FAILED'
  return { state: 'failed', code, says: `lnd gave up: ${reason.toLowerCase().replaceAll('_', ' ')}.` }
}

/** A payment as a row. What its invoice said is read from the invoice. */
export function outgoingRow(payment: Fields): Transaction {
  const end = payEndOf(payment)
  const state = end === undefined ? 'pending' : end.state === 'failed' ? 'failed' : 'settled'
  const bolt11 = textOf(payment, 'payment_request')
  const read = readInvoice(bolt11)
  const invoice = read.ok ? read.invoice : undefined
  const createdAt = Number(wholeOf(payment, 'creation_time_ns') / 1_000_000_000n)
  const ends = listOf(payment, 'htlcs').map(part => wholeOf(part, 'resolve_time_ns'))
  const last = ends.reduce((latest, one) => (one > latest ? one : latest), 0n)
  return {
    type: 'outgoing',
    state,
    hash: textOf(payment, 'payment_hash'),
    bolt11,
    msats: wholeOf(payment, 'value_msat'),
    feeMsats: wholeOf(payment, 'fee_msat'),
    createdAt,
    expiresAt: invoice?.expiresAt ?? createdAt,
    ...(state === 'settled' && { settledAt: Number(last / 1_000_000_000n) }),
    ...(end?.state === 'paid' && { preimage: end.preimage }),
    ...(invoice?.description !== undefined && { description: invoice.description }),
    ...(invoice?.descriptionHash !== undefined && { descriptionHash: invoice.descriptionHash }),
  }
}

const expiryOf = (invoice: Fields): number => Number(wholeOf(invoice, 'creation_date') + wholeOf(invoice, 'expiry'))

/** What came, where it came, because a payer may send up to twice the amount; what was asked for before. */
const msatsOf = (invoice: Fields): bigint => wholeOf(invoice, 'amt_paid_msat') || wholeOf(invoice, 'value_msat')
