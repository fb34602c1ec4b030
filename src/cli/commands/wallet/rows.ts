/**
 * What the journals know of money, as rows of one shape: orders (out), bills (in), credits, and jobs without either.
 * @module
 */
import { present, zapReceipt } from '../../../../kinds/index.ts'
import type { Billed, CreditRow, Journal, Order, Side } from '../../../journal/journal.ts'
import { readInvoice } from '../../../payments/bolt11.ts'
import { allBills, allOrders } from './pages.ts'

export interface Row {
  readonly what: 'order' | 'bill' | 'credit' | 'job' | 'wallet'
  readonly direction: 'in' | 'out' | 'none'
  /** When it was ordered, billed or written, unix seconds. */
  readonly at: number
  readonly endedAt?: number
  readonly purpose: string
  /** Nostr key of the other side. */
  readonly peer?: string
  readonly job?: string
  readonly msats: bigint
  readonly feeMsats: bigint
  readonly hash?: string
  readonly preimage?: string
  readonly bolt11?: string
  /** Words of the invoice: a stranger's. */
  readonly description?: string
  readonly receipt?: string
  readonly state: string
}

export function ofOrder(order: Order, journal?: Journal): Row {
  const { at, endedAt, purpose, peer, job, msats, feeMsats = 0n, hash, preimage, bolt11, state } = order
  const described = present({ description: descriptionOf(bolt11), receipt: receiptOf(hash, job, journal) })
  const known = present({ endedAt, peer, job, preimage })
  return { what: 'order', direction: 'out', at, purpose, msats, feeMsats, hash, bolt11, state, ...known, ...described }
}

/** A paid bill counts what came, which may be more than was asked. */
export function ofBill(bill: Billed, journal?: Journal): Row {
  const { at, endedAt, purpose, customer: peer, job, hash, preimage, bolt11, state } = bill
  const msats = state === 'paid' ? (bill.paidMsats ?? bill.msats) : bill.msats
  const described = present({ description: descriptionOf(bolt11), receipt: receiptOf(hash, job, journal) })
  const known = present({ endedAt, peer, job, preimage })
  return {
    what: 'bill',
    direction: 'in',
    at,
    purpose,
    msats,
    feeMsats: 0n,
    hash,
    bolt11,
    state,
    ...known,
    ...described,
  }
}

/** A change of what is kept for a customer: above 0 it is owed, below 0 it was used or paid back. */
export const ofCredit = ({ at, customer, job, msats, why }: CreditRow): Row => ({
  ...{ what: 'credit', direction: 'none', at, purpose: 'credit', peer: customer, job, msats, feeMsats: 0n },
  ...{ description: why, state: msats < 0n ? 'used' : 'kept' },
})

/** Everything since then, newest first; at most `limit` of each sort and journal are read. */
export function recentRows(journals: readonly Journal[], since: number, limit: number): Row[] {
  const rows = journals.flatMap(journal => {
    const orders = journal.orders.list({ since, limit }).map(order => ofOrder(order, journal))
    const bills = journal.bills.list({ since, limit }).map(bill => ofBill(bill, journal))
    const credits = journal.bills.credits({ limit }).map(ofCredit)
    const named = new Set([...orders, ...bills].map(row => row.job))
    const jobs = (['client', 'node'] as const).flatMap(side => openJobs(journal, side, named))
    return [...orders, ...bills, ...[...credits, ...jobs].filter(row => row.at >= since)]
  })
  return rows.sort(newestFirst).slice(0, limit)
}

/** Jobs under way that no row of money names. */
const openJobs = (journal: Journal, side: Side, named: ReadonlySet<string | undefined>): Row[] =>
  journal.jobs
    .unfinished(side)
    .filter(({ id }) => !named.has(id))
    .map(({ id, at }) => ({
      ...{ what: 'job', direction: 'none', at, purpose: side === 'client' ? 'asked' : 'sold', job: id },
      ...{ msats: 0n, feeMsats: 0n, state: 'open' },
    }))

/** Every movement of money that settled in that time, oldest first, each once however many journals tell of it. */
export function settledRows(journals: readonly Journal[], since: number, until: number): Row[] {
  const found = new Map<string, Row>()
  const take = (row: Row) => {
    const at = row.endedAt ?? row.at
    if (at < since || at > until) return
    const key = `${row.direction} ${row.hash}`
    if (!found.has(key)) found.set(key, { ...row, at })
  }
  for (const journal of journals) {
    // By when it ended, which the journal cannot be asked for: what began before may have ended since.
    for (const state of ['paid', 'unproven'] as const)
      for (const order of allOrders(journal, { state, until })) take(ofOrder(order, journal))
    for (const bill of allBills(journal, { state: 'paid', until })) take(ofBill(bill, journal))
  }
  return [...found.values()].sort((a, b) => -newestFirst(a, b))
}

/** The same rows always come in the same order. */
export function newestFirst(a: Row, b: Row): number {
  if (a.at !== b.at) return b.at - a.at
  const [x, y] = [a, b].map(row => `${row.direction} ${row.hash ?? ''} ${row.what} ${row.job ?? ''} ${row.msats}`)
  return (x ?? '') < (y ?? '') ? -1 : x === y ? 0 : 1
}

function descriptionOf(bolt11: string): string | undefined {
  const read = readInvoice(bolt11)
  return read.ok ? read.invoice.description : undefined
}

/** The zap receipt that a node of ours signed for this payment. */
const receiptOf = (hash: string, job: string | undefined, journal: Journal | undefined): string | undefined =>
  journal?.outbox.of(job ?? '').find(({ event, slot }) => event.kind === zapReceipt.number && slot.endsWith(`:${hash}`))
    ?.event.id
