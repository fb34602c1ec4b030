/** Rows for journal tests: short to write, true in shape. */
import type { Event } from '../kinds/index.ts'
import type { BillRow, CreditRow, Journal, OrderRow, Plain } from '../src/journal/index.ts'

/** 64 hex digits that end in `n`. */
export const hex = (n: number): string => n.toString(16).padStart(64, '0')

export const event = (n: number, more: Partial<Event> = {}): Event => ({
  id: hex(n),
  pubkey: hex(7),
  created_at: 1_800_000_000 + n,
  kind: 1,
  tags: [['t', 'x']],
  content: `word ${n}`,
  sig: hex(n) + hex(n),
  ...more,
})

export const order = (n: number, more: Partial<OrderRow> = {}): OrderRow => ({
  hash: hex(n),
  purpose: 'job',
  bolt11: `lnbcrt${n}`,
  msats: 1000n,
  at: 100 + n,
  ...more,
})

export const bill = (n: number, more: Partial<BillRow> = {}): BillRow => ({
  ...order(n),
  expiresAt: 700 + n,
  ...more,
})

export const credit = (id: string, msats: bigint, more: Partial<CreditRow> = {}): CreditRow => ({
  id,
  customer: hex(3),
  job: hex(4),
  msats,
  why: 'came late',
  at: 100,
  ...more,
})

/** Everything that a journal says, for comparing. Jobs, words and shelves by the names given. */
export function everything(journal: Journal, names: { jobs: readonly string[]; shelves: readonly string[] }) {
  const jobs = names.jobs.flatMap(id => [journal.jobs.find('client', id), journal.jobs.find('node', id)])
  const orders = journal.orders.list({ limit: 10_000 })
  const bills = journal.bills.list({ limit: 10_000 })
  const customers = new Set(journal.bills.credits({ limit: 10_000 }).map(row => row.customer))
  return {
    jobs,
    unfinished: [journal.jobs.unfinished('client'), journal.jobs.unfinished('node')],
    words: names.jobs.map(id => journal.outbox.of(id)),
    pending: journal.outbox.pending(0),
    orders,
    eachOrder: orders.map(one => journal.orders.get(one.hash)),
    planned: journal.orders.list({ state: 'planned', limit: 10_000 }),
    spent: journal.orders.spentMsats({ since: 0 }),
    bills,
    eachBill: bills.map(one => journal.bills.get(one.hash)),
    credits: journal.bills.credits({ limit: 10_000 }),
    kept: [...customers].map(customer => journal.bills.creditMsats(customer)),
    shelves: names.shelves.map((name): [number, (readonly [string, Plain])[]] => [
      journal.shelf(name).size,
      [...journal.shelf(name).entries()],
    ]),
  }
}
