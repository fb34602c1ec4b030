/**
 * The books of the simulated Lightning network: who has what, which bills are open, which payments are under way.
 * Every change of a balance happens here and in one step, so that money can neither appear nor vanish.
 * @module
 */

/** One bill and what became of it. Times are unix seconds. */
export interface SimBill {
  readonly payee: SimAccount
  readonly bolt11: string
  readonly hash: string
  /** Unknown to a hold bill until its payee shows it. */
  preimage?: string
  readonly msats: bigint
  readonly createdAt: number
  readonly expiresAt: number
  readonly description?: string
  readonly descriptionHash?: string
  readonly hold?: SimHold
  /** A payment for it is under way or done. */
  taken: boolean
  settledAt?: number
}

/** What a hold bill has beside a plain one. */
export interface SimHold {
  /** Blocks that its payee has to decide. */
  readonly deltaBlocks: number
  cancelled: boolean
  /** The money that has arrived and waits. */
  money?: { readonly payment: SimPayment; readonly deadline: number; readonly stop: () => void }
}

/** One payment and what became of it. `pending` holds the payer's money. */
export interface SimPayment {
  readonly payer: SimAccount
  readonly hash: string
  readonly bolt11: string
  readonly msats: bigint
  readonly createdAt: number
  readonly expiresAt: number
  readonly bill?: SimBill
  state: 'pending' | 'settled' | 'failed'
  settledAt?: number
  /** The payer never gets to see the preimage. */
  readonly withheld: boolean
  /** Why it failed: NIP-47 code and sentence. */
  code: string
  says: string
}

/** A payment that found its bill, so that money can be held for it. */
export type SimHeld = SimPayment & { readonly bill: SimBill }

export interface SimAccount {
  readonly alias: string
  readonly secretKey: Uint8Array
  msats: bigint
  /** By payment hash. */
  readonly bills: Map<string, SimBill>
  /** By idempotency key and amount. */
  readonly billsByKey: Map<string, SimBill>
  /** By payment hash. */
  readonly payments: Map<string, SimPayment>
}

/** A bill stays at most this long in the books after it expired unpaid, once there are many. */
const MAX_BILLS = 10_000

export class SimLedger {
  readonly #accounts: SimAccount[] = []
  #minted = 0n

  /** A new account with money out of nothing: the only place where money appears. */
  open(alias: string, secretKey: Uint8Array, msats: bigint): SimAccount {
    const account = { alias, secretKey, msats, bills: new Map(), billsByKey: new Map(), payments: new Map() }
    this.#accounts.push(account)
    this.#minted += msats
    return account
  }

  /** Puts a bill on the books; false when 10,000 bills are open. Expired unpaid bills make room. */
  enter(key: string, bill: SimBill): boolean {
    const { bills, billsByKey } = bill.payee
    if (bills.size >= MAX_BILLS) {
      for (const [known, old] of billsByKey) {
        if (old.taken || old.expiresAt >= bill.createdAt) continue
        billsByKey.delete(known)
        bills.delete(old.hash)
      }
      if (bills.size >= MAX_BILLS) return false
    }
    bills.set(bill.hash, bill)
    billsByKey.set(key, bill)
    return true
  }

  bill(hash: string): SimBill | undefined {
    for (const account of this.#accounts) {
      const bill = account.bills.get(hash)
      if (bill) return bill
    }
    return undefined
  }

  /** Takes the money out of the payer's hand and holds it. */
  hold(payment: SimHeld): void {
    const known = payment.payer.payments.get(payment.hash)
    if (known && known.state !== 'failed') throw new Error('A payment hash is paid once.')
    if (payment.bill.taken || payment.payer.msats < payment.msats) throw new Error('This payment cannot be held.')
    payment.payer.msats -= payment.msats
    payment.bill.taken = true
    payment.payer.payments.set(payment.hash, payment)
  }

  /** Gives held money to the payee. */
  settle(payment: SimPayment, at: number): void {
    if (payment.state !== 'pending' || payment.bill?.preimage === undefined)
      throw new Error('Only a pending payment settles, and only for its preimage.')
    landed(payment.bill)
    payment.state = 'settled'
    payment.settledAt = at
    payment.bill.settledAt = at
    payment.bill.payee.msats += payment.msats
  }

  /** Gives held money back to the payer. */
  release(payment: SimPayment, code: string, says: string): void {
    if (payment.state !== 'pending' || !payment.bill) throw new Error('Only a pending payment fails.')
    landed(payment.bill)
    payment.state = 'failed'
    payment.code = code
    payment.says = says
    payment.bill.taken = false
    payment.payer.msats += payment.msats
  }

  pending(hash: string): SimPayment | undefined {
    for (const account of this.#accounts) {
      const payment = account.payments.get(hash)
      if (payment?.state === 'pending') return payment
    }
    return undefined
  }

  /** True while balances and held money add up to what was ever given out, and nobody owes. */
  conserved(): boolean {
    let sum = 0n
    for (const account of this.#accounts) {
      if (account.msats < 0n) return false
      sum += account.msats
      for (const payment of account.payments.values()) if (payment.state === 'pending') sum += payment.msats
    }
    return sum === this.#minted
  }
}

/** Nothing waits for a decision any more. */
function landed({ hold }: SimBill): void {
  hold?.money?.stop()
  if (hold) delete hold.money
}
