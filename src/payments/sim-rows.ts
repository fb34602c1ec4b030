/**
 * Rows of the simulated books as the payments contract shows them.
 * @module
 */
import type { Bill, BillState, Held, Transaction } from './payment.ts'
import type { SimBill, SimPayment } from './sim-ledger.ts'

/** A bill as its payee hands it out. */
export const billOf = ({ bolt11, hash, msats, expiresAt }: SimBill): Bill => ({ bolt11, hash, msats, expiresAt })

/** Where a bill stands. */
export function billStateOf(bill: SimBill, now: number): BillState {
  const { hold, preimage, settledAt, msats } = bill
  if (settledAt !== undefined && preimage !== undefined) return { state: 'settled', msats, preimage, at: settledAt }
  if (hold?.cancelled) return { state: 'failed' }
  if (hold?.money) return { state: 'held', msats, settleDeadline: hold.money.deadline }
  return { state: now > bill.expiresAt ? 'expired' : 'pending' }
}

/** What waits at a hold bill. */
export const heldOf = ({ hash, msats, hold }: SimBill): Held | undefined =>
  hold?.money && { hash, msats, settleDeadline: hold.money.deadline }

/** A bill as one row of its payee's history. */
export function incoming(bill: SimBill, now: number): Transaction {
  const { state } = billStateOf(bill, now)
  return {
    type: 'incoming',
    ...describe(bill, state === 'held' || state === 'unknown' ? 'pending' : state),
    ...(state === 'settled' && bill.preimage !== undefined ? { preimage: bill.preimage } : {}),
    ...(bill.description === undefined ? {} : { description: bill.description }),
    ...(bill.descriptionHash === undefined ? {} : { descriptionHash: bill.descriptionHash }),
  }
}

const describe = <S extends Transaction['state']>(row: SimBill | SimPayment, state: S) => ({
  state,
  hash: row.hash,
  bolt11: row.bolt11,
  msats: row.msats,
  feeMsats: 0n,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
  ...(row.settledAt === undefined ? {} : { settledAt: row.settledAt }),
})

/** A payment as one row of its payer's history. */
export function outgoing(payment: SimPayment): Transaction {
  const proven = payment.state === 'settled' && !payment.withheld
  return {
    type: 'outgoing',
    ...describe(payment, payment.state),
    ...(proven && payment.bill?.preimage !== undefined ? { preimage: payment.bill.preimage } : {}),
  }
}
