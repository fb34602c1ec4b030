/**
 * Writes what the wallet knows of own invoices and payments into the journal. Those of jobs are left to the roles that
 * own them, which decide what late money means.
 * @module
 */
import { seconds } from '../../../clock.ts'
import type { Bills, Journal, Orders } from '../../../journal/journal.ts'
import { PaymentError, type Wallet } from '../../../payments/payment.ts'
import { allBills, allOrders } from './pages.ts'
import { strayUntil } from './pay-guard.ts'
import type { Desk } from './verb.ts'

/** Wallets that allow 60 questions a minute drop the rest; the newest are asked for. */
const MAX_ASKED = 40

type OrderEnd = Parameters<Orders['end']>
type BillEnd = Parameters<Bills['end']>

/** Own invoices whose money may have come since they were written. */
export const openBills = (journal: Journal) =>
  [...allBills(journal)].filter(bill => bill.purpose === 'own' && bill.state !== 'paid')

/** Gives how many rows changed. Rejects with `PaymentError` when the wallet cannot be asked. */
export async function updateOwn(desk: Desk, wallet: Wallet): Promise<number> {
  const { io } = desk
  const { bills, orders } = await desk.read('own', journals => ({
    bills: journals.flatMap(openBills).slice(0, MAX_ASKED),
    orders: journals
      .flatMap(journal => [...allOrders(journal)])
      .filter(({ purpose, state }) => purpose === 'own' && (state === 'planned' || state === 'unproven'))
      .slice(0, MAX_ASKED),
  }))
  const orderEnds: OrderEnd[] = []
  const billEnds: BillEnd[] = []
  for (const order of orders) {
    const said = await wallet.payState(order.hash, io.signal)
    const at = seconds(io.clock)
    if (said.state === 'paid') orderEnds.push([order.hash, { ...said, at }])
    else if (order.state === 'unproven') continue
    else if (said.state === 'unproven') orderEnds.push([order.hash, { state: 'unproven', at }])
    else if ((said.state === 'failed' || said.state === 'unsent') && at > strayUntil(order))
      orderEnds.push([order.hash, { state: 'failed', at }])
  }
  for (const { hash, state } of bills) {
    const said = await wallet.billState(hash, io.signal).catch(unlessSilent)
    if (said.state === 'settled') {
      const { msats, at, preimage } = said
      billEnds.push([hash, { state: 'paid', msats, at, ...(preimage === '' ? {} : { preimage }) }])
    } else if (state === 'open' && (said.state === 'expired' || said.state === 'failed'))
      billEnds.push([hash, { state: 'void', at: seconds(io.clock) }])
  }
  if (orderEnds.length + billEnds.length === 0) return 0
  await desk.write(journal =>
    journal.atomically(() => {
      for (const end of orderEnds) journal.orders.end(...end)
      for (const end of billEnds) journal.bills.end(...end)
    }, 'money'),
  )
  return orderEnds.length + billEnds.length
}

/** A wallet that knows an invoice no more says so by code; one that does not answer ends the whole. */
function unlessSilent(error: unknown): { readonly state: 'unknown' } {
  if (error instanceof PaymentError && error.code === 'NOT_FOUND') return { state: 'unknown' }
  throw error
}
