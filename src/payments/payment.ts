/**
 * The contract of this room: how money moves. A node is a `Payee`, a client a `Payer`, a router only a `Verifier`.
 * Money is bigint millisatoshis. Nobody here forwards anybody's funds.
 * @module
 */

/** An invoice that a payee made. `expiresAt` is unix seconds. */
export interface Bill {
  readonly bolt11: string
  readonly hash: string
  readonly msats: bigint
  readonly expiresAt: number
}

/** What to make an invoice for. Exactly one of `description` and `descriptionHash` (32 bytes hex). */
export interface BillAsk {
  /** Idempotency key, normally the job id: the same key and amount get the same bill again. */
  readonly key: string
  readonly msats: bigint
  readonly expirySeconds: number
  readonly description?: string
  readonly descriptionHash?: string
}

/** State of an invoice as its own wallet reports it. `expired` may still become `settled`: expiry is advisory on Lightning. */
export type BillState =
  | { readonly state: 'pending' | 'expired' | 'failed' | 'unknown' }
  /** Hold bills only: the money has arrived and waits for the decision. */
  | ({ readonly state: 'held' } & Omit<Held, 'hash'>)
  | { readonly state: 'settled'; readonly msats: bigint; readonly preimage: string; readonly at: number }

export interface Payee {
  /** Makes an invoice. The same key and amount give the same bill, expired or not. Rejects with `PaymentError`. */
  bill(ask: BillAsk, signal?: AbortSignal): Promise<Bill>
  /** Asks the own wallet. `unknown` when the wallet does not know the hash; rejects with `PaymentError` when it cannot be asked. */
  billState(hash: string, signal?: AbortSignal): Promise<BillState>
  /**
   * Calls `onSettled` at most once, when the invoice is settled: notified by the wallet and polled beside it.
   * Returns the way to stop. A stopped watch never calls.
   */
  watch(hash: string, onSettled: (settled: Extract<BillState, { state: 'settled' }>) => void): () => void
  /** What the wallet can hold money with, or `undefined` when it cannot. Rejects with `PaymentError` when it cannot be asked. */
  hold?(signal?: AbortSignal): Promise<HoldPayee | undefined>
  close(): Promise<void>
}

export interface HoldAsk extends BillAsk {
  /** Payment hash, 32 bytes hex. Whoever knows its preimage decides whether the money is earned. */
  readonly hash: string
  /** Blocks that the last hop leaves for the decision. Default: the wallet's. */
  readonly minFinalCltvDelta?: number
}

/** Money that has arrived and is neither settled nor given back. */
export interface Held {
  readonly hash: string
  readonly msats: bigint
  /** Block height at which the wallet gives the money back by itself, where it tells. */
  readonly settleDeadline?: number
}

/** A wallet that can hold: a bill for a chosen payment hash, decided on after its money came (NIP-47 hold invoices). */
export interface HoldPayee {
  /** Makes a bill that only `settle` turns into money. Idempotent like `bill`; rejects with `PaymentError`. */
  holdBill(ask: HoldAsk, signal?: AbortSignal): Promise<Bill>
  /** Calls `onHeld` at most once, when the money of a hold bill has arrived: told and polled, like `watch`. */
  watchHeld(hash: string, onHeld: (held: Held) => void): () => void
  /** Takes the money. Resolves only once it is settled, again for a settled one; rejects with `PaymentError` when nothing (more) is held. */
  settle(preimage: string, signal?: AbortSignal): Promise<Extract<BillState, { state: 'settled' }>>
  /** Gives the money back and lets nobody pay this bill any more. Idempotent; rejects with `PaymentError` for an unknown or settled bill. */
  cancel(hash: string, signal?: AbortSignal): Promise<void>
}

export interface PayOrder {
  readonly bolt11: string
  /** Payment hash, already read from the invoice by the guard. */
  readonly hash: string
  readonly msats: bigint
  /** A process before this one may have sent it: the wallet's books are asked before anything leaves. */
  readonly again?: boolean
}

/**
 * Outcome of a payment. `failed` is said only when nothing left and nothing will; everything else that is not `paid`
 * is `unknown`: ask `payState`, never pay another invoice. `preimage` was checked against the hash; a wallet that
 * settled without showing a true preimage gives `unproven`.
 */
export type PayState =
  | { readonly state: 'paid'; readonly preimage: string; readonly feeMsats: bigint }
  | { readonly state: 'unproven'; readonly says: string }
  | { readonly state: 'failed'; readonly code: string; readonly says: string }
  | { readonly state: 'pending' }
  | { readonly state: 'unknown'; readonly says: string }
  /** Only from `payState`: the wallet has never heard of this hash. */
  | { readonly state: 'unsent' }

export interface Payer {
  /** Pays one invoice once: repeating the call with the same hash never debits twice. Never rejects. */
  pay(order: PayOrder, signal?: AbortSignal): Promise<PayState>
  /** Asks the own wallet what became of a payment. Never rejects. */
  payState(hash: string, signal?: AbortSignal): Promise<PayState>
  /** Spendable msats. Rejects with `PaymentError`. */
  balance(signal?: AbortSignal): Promise<bigint>
  close(): Promise<void>
}

/** Bitcoin network as bolt11 prefixes name it. */
export type Network = 'mainnet' | 'testnet' | 'signet' | 'regtest' | 'simnet'

export interface WalletInfo {
  readonly alias: string
  /** Lightning node key (33 bytes hex) where the wallet tells it. */
  readonly nodeKey?: string
  readonly network: Network
  readonly methods: readonly string[]
}

/** One row of a wallet's history, incoming or outgoing. Times are unix seconds. */
export interface Transaction {
  readonly type: 'incoming' | 'outgoing'
  readonly state: 'pending' | 'settled' | 'failed' | 'expired'
  readonly hash: string
  readonly bolt11: string
  readonly msats: bigint
  readonly feeMsats: bigint
  readonly createdAt: number
  readonly expiresAt: number
  readonly settledAt?: number
  readonly preimage?: string
  readonly description?: string
  readonly descriptionHash?: string
}

/** A whole wallet: what a rail gives, and what the NIP-47 service serves to others. */
export interface Wallet extends Payee, Payer {
  info(signal?: AbortSignal): Promise<WalletInfo>
  /** One row, or `undefined`; incoming before outgoing where both exist. */
  transaction(hash: string, signal?: AbortSignal): Promise<Transaction | undefined>
  /** Newest first; 20 settled rows where nothing else is asked for. */
  transactions(options?: {
    limit?: number
    offset?: number
    unpaid?: boolean
    type?: 'incoming' | 'outgoing'
  }): Promise<readonly Transaction[]>
  /** Calls on every settled incoming or outgoing payment, told by the wallet or found by polling; returns the way to stop. */
  onSettled(listener: (transaction: Transaction) => void): () => void
}

/** What a stranger claims to prove that a job was paid. */
export interface Evidence {
  readonly bolt11: string
  readonly preimage: string
  /** What the invoice had to say, where known. */
  readonly msats?: bigint
  readonly network?: Network
  readonly descriptionHash?: string
}

/** One reason code per failed check; empty when everything held. */
export interface Verdict {
  readonly ok: boolean
  readonly reasons: readonly string[]
}

/** Judges evidence and can hold nothing. */
export interface Verifier {
  judge(evidence: Evidence): Verdict
}

/** A wallet said no, or cannot be reached. `code` is NIP-47's word where the wallet gave one. */
export class PaymentError extends Error {
  override readonly name = 'PaymentError'
  readonly code: string
  constructor(code: string, says: string, options?: ErrorOptions) {
    super(says, options)
    this.code = code
  }
}
