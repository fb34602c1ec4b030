/**
 * Reads the money rows of a journal page by page, so that a long one is not held at once by whoever sums it up.
 * @module
 */
import type { BillEnd, Billed, CreditRow, Journal, Order, OrderState } from '../../../journal/journal.ts'

const PAGE = 500

/** Orders, newest first. Another process may write meanwhile: a row that moves to the next page is given once. */
export const allOrders = (
  { orders }: Journal,
  query: { since?: number; until?: number; state?: OrderState } = {},
): Generator<Order> =>
  pages(
    offset => orders.list({ ...query, limit: PAGE, offset }),
    order => order.hash,
  )

/** Invoices of ours, newest first. */
export const allBills = (
  { bills }: Journal,
  query: { since?: number; until?: number; state?: BillEnd } = {},
): Generator<Billed> =>
  pages(
    offset => bills.list({ ...query, limit: PAGE, offset }),
    bill => bill.hash,
  )

/** Changes of what is kept for customers. */
export const allCredits = ({ bills }: Journal): Generator<CreditRow> =>
  pages(
    offset => bills.credits({ limit: PAGE, offset }),
    credit => credit.id,
  )

function* pages<T>(read: (offset: number) => readonly T[], key: (row: T) => string): Generator<T> {
  let last = new Set<string>()
  for (let offset = 0; ; offset += PAGE) {
    const rows = read(offset)
    for (const row of rows) if (!last.has(key(row))) yield row
    if (rows.length < PAGE) return
    last = new Set(rows.map(key))
  }
}
