/**
 * What a wallet that can hold money adds to `Payee`: a bill for somebody else's hash, decided on after the money came.
 * @module
 */
import type { Bill, BillAsk, BillState } from '../payment.ts'

export interface HoldAsk extends BillAsk {
  /** Payment hash, 32 bytes hex. Whoever knows its preimage decides whether the money is earned. */
  readonly hash: string
  /** Blocks that the last hop leaves for the decision. Default: LDK's 24. */
  readonly minFinalCltvDelta?: number
}

/** Money that has arrived and is neither settled nor given back. */
export interface Held {
  readonly hash: string
  readonly msats: bigint
  /** Block height at which the wallet gives the money back by itself. */
  readonly settleDeadline: number
}

export interface HoldPayee {
  /** Makes a bill that only `settle` turns into money. Idempotent like `bill`; rejects with `PaymentError`. */
  holdBill(ask: HoldAsk, signal?: AbortSignal): Promise<Bill>
  /** Calls when the money for a hold bill has arrived; returns the way to stop. */
  onAccepted(listener: (held: Held) => void): () => void
  /** What is held now. */
  held(): Promise<readonly Held[]>
  /** Takes the money. Resolves only once it is settled; rejects with `PaymentError` when nothing (more) is held. */
  settle(preimage: string, signal?: AbortSignal): Promise<Extract<BillState, { state: 'settled' }>>
  /** Gives the money back and lets nobody pay this bill any more. Rejects with `PaymentError` for an unknown or settled bill. */
  cancel(hash: string, signal?: AbortSignal): Promise<void>
}
