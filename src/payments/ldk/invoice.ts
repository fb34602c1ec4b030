/**
 * An invoice between LDK and this house: made on a node, held against an order, handed to the router.
 * @module
 */
import { type Invoice, readInvoice } from '../bolt11.ts'
import { fromHex, isHash, toHex } from '../hash.ts'
import { type BillAsk, PaymentError, type PayOrder } from '../payment.ts'
import { done, isA, take } from './lib.ts'
import type { LightningNode } from './node.ts'

/** A fresh invoice. Times are unix seconds. */
export interface MadeInvoice {
  readonly bolt11: string
  readonly hash: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** One whole bitcoin supply: above it LDK's arithmetic is not meant to work. */
const MAX_MSATS = 21_000_000n * 100_000_000n * 1000n

/** Makes an invoice, for `paymentHash` where the preimage is somebody else's. Throws `PaymentError`. */
export function makeInvoice(
  node: LightningNode,
  ask: BillAsk,
  paymentHash?: string,
  minFinalCltv?: number,
): MadeInvoice {
  const { ldk } = node
  const { msats, expirySeconds, description, descriptionHash } = ask
  if (msats <= 0n || msats > MAX_MSATS) throw new PaymentError('OTHER', `an invoice over ${msats} msats cannot be made`)
  if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > 0xffffffff)
    throw new PaymentError('OTHER', `expirySeconds must be a whole number of seconds, not ${expirySeconds}`)
  for (const hash of [descriptionHash, paymentHash])
    if (hash !== undefined && !isHash(hash)) throw new PaymentError('OTHER', 'a hash must be 32 bytes of lowercase hex')

  const about =
    descriptionHash === undefined
      ? ldk.Bolt11InvoiceDescription.constructor_direct(
          take(
            ldk.Description.constructor_new(description ?? ''),
            ldk.Result_DescriptionCreationErrorZ_OK,
            'the description does not fit into an invoice',
          ),
        )
      : ldk.Bolt11InvoiceDescription.constructor_hash(ldk.Sha256.constructor_from_bytes(fromHex(descriptionHash)))
  const invoice = take(
    node.channelManager.create_bolt11_invoice(
      ldk.Option_u64Z.constructor_some(msats),
      about,
      ldk.Option_u32Z.constructor_some(expirySeconds),
      minFinalCltv === undefined ? ldk.Option_u16Z.constructor_none() : ldk.Option_u16Z.constructor_some(minFinalCltv),
      paymentHash === undefined
        ? ldk.Option_ThirtyTwoBytesZ.constructor_none()
        : ldk.Option_ThirtyTwoBytesZ.constructor_some(fromHex(paymentHash)),
    ),
    ldk.Result_Bolt11InvoiceSignOrCreationErrorZ_OK,
    'the node does not make this invoice',
  )
  const createdAt = Number(invoice.duration_since_epoch())
  return {
    bolt11: invoice.to_str(),
    hash: toHex(invoice.payment_hash()),
    createdAt,
    expiresAt: createdAt + expirySeconds,
  }
}

/** Why an order is not sent at all, or what its invoice says. */
export type OrderCheck =
  | { readonly ok: true; readonly invoice: Invoice }
  | { readonly ok: false; readonly says: string }

/** Reads an order's invoice and holds it against the order: hash, amount, network. */
export function checkOrder(order: PayOrder): OrderCheck {
  const refuse = (says: string): OrderCheck => ({ ok: false, says })
  const read = readInvoice(order.bolt11)
  if (!read.ok) return refuse(read.says)
  const { invoice } = read
  if (invoice.hash !== order.hash) return refuse('the invoice has another payment hash than the order')
  if (invoice.network !== 'regtest') return refuse(`this wallet pays on regtest, the invoice is for ${invoice.network}`)
  if (invoice.msats !== order.msats)
    return refuse(`the invoice asks ${invoice.msats ?? 'any number of'} msats, the order ${order.msats}`)
  return { ok: true, invoice }
}

/** Hands a payment to LDK under its hash as id, which makes LDK refuse a second one. Throws what LDK refuses. */
export function send(node: LightningNode, bolt11: string): 'sent' | 'duplicate' {
  const { ldk } = node
  const invoice = take(
    ldk.Bolt11Invoice.constructor_from_str(bolt11),
    ldk.Result_Bolt11InvoiceParseOrSemanticErrorZ_OK,
    'LDK does not read this invoice',
  )
  const route = take(
    ldk.UtilMethods.constructor_payment_parameters_from_invoice(invoice),
    ldk.Result_C3Tuple_ThirtyTwoBytesRecipientOnionFieldsRouteParametersZNoneZ_OK,
    'the invoice gives no way to pay it',
  )
  const hash = route.get_a()
  const attempts = ldk.Retry.constructor_attempts(3)
  const sent = node.channelManager.send_payment(hash, route.get_b(), hash, route.get_c(), attempts)
  if (sent instanceof ldk.Result_NoneRetryableSendFailureZ_Err) {
    if (sent.err === ldk.RetryableSendFailure.LDKRetryableSendFailure_DuplicatePayment) return 'duplicate'
    const word = String(ldk.RetryableSendFailure[sent.err]).replace('LDKRetryableSendFailure_', '')
    throw new PaymentError('PAYMENT_FAILED', `the node found no way to send it: ${word}`)
  }
  done(sent, 'the node does not send this payment')
  return 'sent'
}

/** What LDK remembers of a payment that it was handed: everything under way, and what ended a few minutes ago. */
export function fateOf(node: LightningNode, hash: string): 'under way' | 'fulfilled' | undefined {
  const { ldk } = node
  for (const one of node.channelManager.list_recent_payments()) {
    if (isA(one, ldk.RecentPaymentDetails_Fulfilled)) {
      if (toHex(one.payment_id) === hash) return 'fulfilled'
    } else if (isA(one, ldk.RecentPaymentDetails_Pending) || isA(one, ldk.RecentPaymentDetails_Abandoned))
      if (toHex(one.payment_id) === hash) return 'under way'
  }
  return undefined
}
