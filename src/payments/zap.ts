/**
 * Zaps inside Nostr, without any HTTP server (NIP-57): the customer signs a zap request for its job, the node's invoice
 * commits to the bytes of it, the node or the zapper it announced signs the receipt.
 * @module
 */
import { parseEvent, type Template, zapReceipt, zapRequest } from '../../kinds/index.ts'

export { checkZapRequest, descriptionHashOf, type ZapAsk, type ZapExpectation, zapRequestFor } from './zap-request.ts'
export { type ReceiptContext, receiptReasons, verifyReceipt } from './zap-verdict.ts'

/** The receipt that a node or its zapper signs once the invoice is paid. Throws `TypeError` for a request never checked. */
export function receiptFor(paid: {
  readonly zapRequestJson: string
  readonly bolt11: string
  /** Left out where it opens what was paid for, and that is for the payer alone. */
  readonly preimage?: string
  readonly paidAt: number
}): Template {
  const event = parseEvent(paid.zapRequestJson)
  const read = event && zapRequest.read(event)
  if (!event || !read?.ok)
    throw new TypeError('A receipt needs the JSON of a zap request that checkZapRequest let pass.')
  const { recipient, event: job } = read.value
  const { bolt11, preimage, zapRequestJson: description } = paid
  return zapReceipt.write(
    {
      ...{ recipient, sender: event.pubkey, bolt11, description, zapRequest: event },
      ...(preimage === undefined ? {} : { preimage }),
      ...(job === undefined ? {} : { event: job }),
    },
    paid.paidAt,
  )
}
