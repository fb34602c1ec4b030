/**
 * Rows of the simulated books as the payments contract shows them.
 * @module
 */
import type { Bill, Transaction } from './payment.ts'
import type { SimBill, SimPayment } from './sim-ledger.ts'

/** A bill as its payee hands it out. */
export const billOf = ({ bolt11, hash, msats, expiresAt }: SimBill): Bill => ({ bolt11, hash, msats, expiresAt })

/** A bill as one row of its payee's history. */
export function incoming(bill: SimBill, now: number): Transaction {
  const open = now > bill.expiresAt ? 'expired' : 'pending'
  const settled = bill.settledAt !== undefined
  return {
    type: 'incoming',
    ...describe(bill, settled ? 'settled' : open),
    ...(settled ? { preimage: bill.preimage } : {}),
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
    ...(proven && payment.bill ? { preimage: payment.bill.preimage } : {}),
  }
}
