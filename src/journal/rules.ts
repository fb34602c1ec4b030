/**
 * What every journal does alike: which rows it takes, and what an order or a bill becomes. Pure.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import type { Billed, BillRow, Bills, CreditRow, JobRow, Order, OrderRow, Orders, Plain, Said } from './journal.ts'

/** Most msats that can exist: 21 million bitcoin. */
const ALL_MSATS = 2_100_000_000_000_000_000n
const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

/** Throws unless these are whole, not negative, exact seconds: anything else is a bug of the caller. */
export function checkSeconds(...times: readonly (number | undefined)[]): void {
  for (const at of times)
    if (at !== undefined && (!Number.isSafeInteger(at) || at < 0))
      throw new RangeError(`${at} is no time in unix seconds`)
}

/** Throws for a key that a database cannot tell from another one. */
export function checkKeys(...keys: readonly (string | undefined)[]): void {
  for (const key of keys)
    if (key !== undefined && (!key.isWellFormed() || key.includes('\0')))
      throw new RangeError(`${JSON.stringify(key)} is no key: it has a NUL or half a character`)
}

function checkMsats(...sums: readonly (bigint | undefined)[]): void {
  for (const msats of sums)
    if (msats !== undefined && (msats < -ALL_MSATS || msats > ALL_MSATS))
      throw new RangeError(`${msats} msats do not exist`)
}

function checkDebt(...sums: readonly (bigint | undefined)[]): void {
  checkMsats(...sums)
  for (const msats of sums) if (msats !== undefined && msats < 0n) throw new RangeError(`${msats} msats are below zero`)
}

const present = <T extends object>(row: T): T =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as T

export function checkJob(row: JobRow): void {
  checkKeys(row.id)
  checkSeconds(row.at)
}

export function checkSaid(said: Said): void {
  checkKeys(said.job, said.slot, said.event.id)
  checkSeconds(said.until)
}

/** The seven signed fields and nothing that clings to the object. */
export function bareEvent(event: Event): Event {
  const { id, pubkey, created_at, kind, tags, content, sig } = event
  return { id, pubkey, created_at, kind, tags: tags.map(tag => [...tag]), content, sig }
}

/** A planned order. Throws for money that cannot be. */
export function newOrder(row: OrderRow): Order {
  const { hash, job, peer, purpose, bolt11, msats, at } = row
  checkKeys(hash, job, peer)
  checkSeconds(at)
  checkDebt(msats)
  return present({ hash, job, peer, purpose, bolt11, msats, at, state: 'planned' } as Order)
}

/** What an order becomes, or itself when nothing changes: paid stays paid, and only gains what was not known. */
export function endedOrder(order: Order, end: Parameters<Orders['end']>[1]): Order {
  checkSeconds(end.at)
  checkDebt(end.feeMsats)
  const known = present({ preimage: end.preimage, feeMsats: end.feeMsats })
  if (order.state !== 'paid') return { ...order, ...known, state: end.state, endedAt: end.at } as Order
  return end.state === 'paid' ? ({ ...known, ...order } as Order) : order
}

/** What an order takes from the caps. */
export const spentOf = (order: Order): bigint => (order.state === 'failed' ? 0n : order.msats + (order.feeMsats ?? 0n))

/** An open bill. Throws for money that cannot be. */
export function newBill(row: BillRow): Billed {
  const { hash, job, customer, purpose, bolt11, msats, at, expiresAt, credit } = row
  checkKeys(hash, job, customer)
  checkSeconds(at, expiresAt)
  checkDebt(msats)
  return present({ hash, job, customer, purpose, bolt11, msats, at, expiresAt, credit, state: 'open' } as Billed)
}

/** What a bill becomes, or itself: the first end counts, except that any of them may still become paid. */
export function endedBill(bill: Billed, end: Parameters<Bills['end']>[1]): Billed {
  checkSeconds(end.at)
  checkDebt(end.msats)
  const known = present({ paidMsats: end.msats, preimage: end.preimage })
  if (bill.state === 'paid') return end.state === 'paid' ? ({ ...known, ...bill } as Billed) : bill
  if (bill.state !== 'open' && end.state !== 'paid') return bill
  return { ...bill, ...known, state: end.state, endedAt: end.at } as Billed
}

/** A credit row without what does not belong. Throws for money that cannot be. */
export function newCredit(row: CreditRow): CreditRow {
  const { id, customer, job, msats, why, at } = row
  checkKeys(id, customer, job)
  checkSeconds(at)
  checkMsats(msats)
  return { id, customer, job, msats, why, at }
}

/** How many rows to skip and to give. Throws for what is no count. */
export function pageOf(query: { readonly limit?: number; readonly offset?: number }): {
  limit: number
  offset: number
} {
  const { limit = DEFAULT_LIMIT, offset = 0 } = query
  for (const count of [limit, offset])
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${count} is no count of rows`)
  return { limit: Math.min(limit, MAX_LIMIT), offset }
}

/** The money of rows as one plain value. */
export const asPlain = (row: Order | Billed | CreditRow | Event): Plain => row as object as Plain

/** What a transaction gave. Throws for a promise: its writes would come after the end. */
export function checkOutcome<T>(value: T): T {
  if (value instanceof Promise) {
    value.catch(() => {})
    throw new TypeError('what is written together is written at once: hand `atomically` no async function')
  }
  return value
}
