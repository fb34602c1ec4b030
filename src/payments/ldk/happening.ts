/**
 * What LDK reports about payments and channels, as plain values.
 * @module
 */
import { toHex } from '../hash.ts'
import { type Event, isA, type Ldk, some } from './lib.ts'

/** Hashes and preimages are 32 bytes money is msats. */
export type Happening =
  /** Money has arrived and waits for a decision. `preimage` is known unless somebody else's hash was used. */
  | {
      readonly what: 'claimable'
      readonly hash: string
      readonly hashBytes: Uint8Array
      readonly msats: bigint
      readonly preimage?: string
      /** Block height at which LDK gives the money back by itself. */
      readonly deadline?: number
    }
  | { readonly what: 'claimed'; readonly hash: string; readonly msats: bigint; readonly preimage?: string }
  /** Money that had arrived has gone back. */
  | { readonly what: 'returned'; readonly hash: string }
  | { readonly what: 'sent'; readonly hash: string; readonly preimage: string; readonly feeMsats: bigint }
  /** Nothing left for good: every part was refused or came back. */
  | { readonly what: 'failed'; readonly hash: string; readonly reason: string }
  | { readonly what: 'closed'; readonly peer: string; readonly reason: string }

/** Reads an event, or `undefined` for one that nobody here acts on. */
export function readEvent(ldk: Ldk, event: Event): Happening | undefined {
  if (event instanceof ldk.Event_PaymentClaimable) {
    const preimage = some(event.purpose.preimage(), ldk.Option_ThirtyTwoBytesZ_Some)
    const deadline = some(event.claim_deadline, ldk.Option_u32Z_Some)
    return {
      what: 'claimable',
      hash: toHex(event.payment_hash),
      hashBytes: event.payment_hash,
      msats: event.amount_msat,
      ...(preimage && { preimage: toHex(preimage) }),
      ...(deadline !== undefined && { deadline }),
    }
  }
  if (event instanceof ldk.Event_PaymentClaimed) {
    const preimage = some(event.purpose.preimage(), ldk.Option_ThirtyTwoBytesZ_Some)
    return {
      what: 'claimed',
      hash: toHex(event.payment_hash),
      msats: event.amount_msat,
      ...(preimage && { preimage: toHex(preimage) }),
    }
  }
  if (event instanceof ldk.Event_PaymentSent)
    return {
      what: 'sent',
      hash: toHex(event.payment_hash),
      preimage: toHex(event.payment_preimage),
      feeMsats: some(event.fee_paid_msat, ldk.Option_u64Z_Some) ?? 0n,
    }
  if (event instanceof ldk.Event_PaymentFailed) {
    // Payments of ours are sent under their hash, so the id stands in where LDK has no hash to tell.
    const hash = some(event.payment_hash, ldk.Option_ThirtyTwoBytesZ_Some) ?? event.payment_id
    const code = some(event.reason, ldk.Option_PaymentFailureReasonZ_Some)
    return { what: 'failed', hash: toHex(hash), reason: code === undefined ? 'unknown' : failureWord(ldk, code) }
  }
  if (event instanceof ldk.Event_HTLCHandlingFailed) {
    const aim = event.failed_next_destination
    return isA(aim, ldk.HTLCDestination_FailedPayment) ? { what: 'returned', hash: toHex(aim.payment_hash) } : undefined
  }
  if (event instanceof ldk.Event_ChannelClosed)
    return { what: 'closed', peer: toHex(event.counterparty_node_id), reason: event.reason.constructor.name }
  return undefined
}

const failureWord = (ldk: Ldk, code: number): string =>
  String(ldk.PaymentFailureReason[code] ?? code).replace('LDKPaymentFailureReason_', '')
