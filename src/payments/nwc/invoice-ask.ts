/**
 * What a NIP-47 client wants an invoice for.
 * @module
 */
import { isHash } from '../hash.ts'
import { type BillAsk, PaymentError } from '../payment.ts'
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
