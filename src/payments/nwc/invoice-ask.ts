/**
 * What a NIP-47 client wants an invoice for, and which invoice it wants paid.
 * @module
 */
import { readInvoice } from '../bolt11.ts'
import { isHash } from '../hash.ts'
import { type BillAsk, PaymentError, type PayOrder } from '../payment.ts'
import { amount, type Fields, text } from './body.ts'

const YEAR_SECONDS = 31_536_000

/** Reads the params of `make_invoice` and `make_hold_invoice`; `key` is left empty. Throws `PaymentError`. */
export function invoiceAsk(params: Fields): BillAsk {
  const msats = amount(params['amount'])
  if (!msats) throw new PaymentError('OTHER', 'amount must be msats, more than 0.')
  const expirySeconds = params['expiry'] ?? 3_600
  if (!Number.isSafeInteger(expirySeconds) || Number(expirySeconds) < 1 || Number(expirySeconds) > YEAR_SECONDS)
    throw new PaymentError('OTHER', 'expiry must be 1 to 31536000 seconds.')
  const descriptionHash = text(params['description_hash'])?.toLowerCase()
  if (descriptionHash && !isHash(descriptionHash))
    throw new PaymentError('OTHER', 'description_hash must be 64 hex digits.')
  const subject = descriptionHash ? { descriptionHash } : { description: text(params['description']) ?? '' }
  return { key: '', msats, expirySeconds: Number(expirySeconds), ...subject }
}

/** Reads the params of `pay_invoice`. Throws `PaymentError`. */
export function payOrder(params: Fields): PayOrder {
  const read = readInvoice(text(params['invoice']) ?? '')
  if (!read.ok) throw new PaymentError('OTHER', `This is no usable invoice: ${read.says}`)
  const { hash, bolt11, msats: named } = read.invoice
  const asked = params['amount'] === undefined || params['amount'] === null ? named : amount(params['amount'])
  if (!asked || (named !== undefined && asked !== named))
    throw new PaymentError('OTHER', 'amount must be given for an invoice without one, and equal to the one it has.')
  return { hash, bolt11, msats: asked }
}
