/**
 * Holds what the journals know against what the wallet knows. Where only one side knows of money, or they tell different
 * ends, money may be lost: that is what `wallet history` marks.
 * @module
 */
import type { Journal } from '../../../journal/journal.ts'
import { PaymentError, type Transaction, type Wallet } from '../../../payments/payment.ts'
import { newestFirst, ofBill, ofOrder, type Row } from './rows.ts'

/** Which side knows; `unasked` where no wallet answered or none needs to know. */
export type Known = 'both' | 'journal' | 'wallet' | 'unasked'

export interface Matched extends Row {
  readonly known: Known
  /** What is wrong, for its owner. */
  readonly alarm?: string
}

/** Wallets that allow 60 questions a minute drop the rest. */
const MAX_ASKED = 40

/** Rows of both sides, newest first, at most `limit`. Rejects with `PaymentError` when the wallet cannot be asked. */
export async function matched(
  rows: readonly Row[],
  journals: readonly Journal[],
  wallet: Wallet,
  { since, limit, signal }: { since: number; limit: number; signal: AbortSignal },
): Promise<Matched[]> {
  const told = (await wallet.transactions({ limit, unpaid: true })).filter(({ createdAt }) => createdAt >= since)
  const books = new Map(told.map(one => [keyOf(one.type === 'incoming' ? 'in' : 'out', one.hash), one]))
  const found: Matched[] = []
  let asked = 0
  for (const row of rows) {
    if (row.hash === undefined || row.direction === 'none') {
      found.push({ ...row, known: 'unasked' })
      continue
    }
    const listed = books.get(keyOf(row.direction, row.hash))
    const looked = listed ?? (asked++ < MAX_ASKED ? await lookUp(row.hash, row.direction, wallet, signal) : 'unasked')
    found.push(judged(row, looked, journals))
  }
  const shown = new Set(found.map(row => keyOf(row.direction, row.hash)))
  for (const [key, one] of books) if (!shown.has(key)) found.push(...walletRow(one, journals))
  return found.sort(newestFirst).slice(0, limit)
}

type Books = Pick<Transaction, 'state' | 'msats'>

async function lookUp(
  hash: string,
  direction: 'in' | 'out',
  wallet: Wallet,
  signal: AbortSignal,
): Promise<Books | 'none' | 'unasked'> {
  if (direction === 'out') {
    const state = await wallet.payState(hash, signal)
    if (state.state === 'unsent') return 'none'
    if (state.state === 'unknown') return 'unasked'
    const settled = state.state === 'paid' || state.state === 'unproven'
    return { state: settled ? 'settled' : state.state === 'failed' ? 'failed' : 'pending', msats: 0n }
  }
  try {
    const state = await wallet.billState(hash, signal)
    if (state.state === 'unknown') return 'none'
    if (state.state === 'settled') return { state: 'settled', msats: state.msats }
    return { state: state.state === 'held' ? 'pending' : state.state, msats: 0n }
  } catch (error) {
    if (error instanceof PaymentError) return 'unasked'
    throw error
  }
}

function judged(row: Row, books: Books | 'none' | 'unasked', journals: readonly Journal[]): Matched {
  if (books === 'unasked') return { ...row, known: 'unasked' }
  const alarm = row.direction === 'out' ? orderAlarm(row, books) : billAlarm(row, books, journals)
  const known = books === 'none' ? ('journal' as const) : ('both' as const)
  return { ...row, known, ...(alarm === undefined ? {} : { alarm }) }
}

/** What is wrong between an order of ours and the wallet's books. */
export function orderAlarm(row: Pick<Row, 'state' | 'msats'>, books: Books | 'none'): string | undefined {
  const spent = row.state === 'paid' || row.state === 'unproven'
  if (books === 'none') {
    if (spent) return 'paid, says the journal; this wallet never heard of it: was it another wallet?'
    return row.state === 'planned' ? 'ordered, and this wallet never heard of it: it may have never left' : undefined
  }
  if (books.state === 'settled') {
    if (row.state === 'failed')
      return 'PAID, says the wallet; failed, says the journal: ask the payee for what it bought'
    if (row.state === 'planned') return 'paid, says the wallet; the journal does not know it yet'
    if (books.msats > 0n && books.msats !== row.msats)
      return `the wallet says ${books.msats} msats, the journal ${row.msats}`
    return undefined
  }
  if (spent) return `paid, says the journal; ${books.state}, says the wallet`
  return row.state === 'planned' && books.state !== 'pending' ? `ordered; ${books.state}, says the wallet` : undefined
}

/** What is wrong between an invoice of ours and the wallet's books. Late money that is kept as credit is in order. */
export function billAlarm(row: Row, books: Books | 'none', journals: readonly Journal[]): string | undefined {
  if (books === 'none')
    return row.state === 'paid'
      ? 'paid, says the journal; this wallet never heard of it: was it another wallet?'
      : undefined
  if (books.state !== 'settled')
    return row.state === 'paid' ? `paid, says the journal; ${books.state}, says the wallet` : undefined
  if (row.state === 'paid')
    return books.msats > 0n && books.msats !== row.msats
      ? `the wallet says ${books.msats} msats, the journal ${row.msats}`
      : undefined
  if (
    journals.some(({ bills }) =>
      bills.credits(row.job === undefined ? {} : { job: row.job }).some(({ id }) => id === row.hash),
    )
  )
    return undefined
  if (row.purpose === 'own') return 'paid, says the wallet: --update writes it into the journal'
  return `money came, says the wallet; ${row.state}, says the journal`
}

/** A row that only the wallet told of: known to a journal that was not read so far, or to none. */
function walletRow(one: Transaction, journals: readonly Journal[]): Matched[] {
  const direction = one.type === 'incoming' ? 'in' : 'out'
  for (const journal of journals) {
    const order = direction === 'out' ? journal.orders.get(one.hash) : undefined
    const bill = direction === 'in' ? journal.bills.get(one.hash) : undefined
    if (order) return [judged(ofOrder(order, journal), one, journals)]
    if (bill) return [judged(ofBill(bill, journal), one, journals)]
  }
  // Nobody paid an invoice, or nothing left: no money moved that a journal should know.
  if (one.state !== 'settled' && !(one.state === 'pending' && direction === 'out')) return []
  const { hash, bolt11, msats, feeMsats, createdAt, settledAt, preimage, description, state } = one
  const row: Row = {
    ...{ what: 'wallet', direction, at: createdAt, purpose: 'unknown', msats, feeMsats, hash, bolt11, state },
    ...(settledAt === undefined ? {} : { endedAt: settledAt }),
    ...(preimage === undefined ? {} : { preimage }),
    ...(description === undefined ? {} : { description }),
  }
  return [{ ...row, known: 'wallet', alarm: 'only the wallet knows of it: another program, or money without a job' }]
}

const keyOf = (direction: string, hash: string | undefined): string => `${direction} ${hash}`
