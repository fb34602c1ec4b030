/**
 * Reading a NIP-47 wallet's books: one row by its hash, one direction of it, or the whole history page by page.
 * @module
 */
import { PaymentError } from '../payment.ts'
import { type Fields, isFields, type Row, readRow } from './body.ts'

/** Asks the wallet; rejects with `PaymentError`. */
export type Ask = (method: string, params: Fields, signal?: AbortSignal) => Promise<Fields>

export interface Books {
  /** The row that the wallet shows for a hash, `undefined` when it knows none. */
  lookup(hash: string, signal?: AbortSignal): Promise<Row | undefined>
  /** The row of one direction: a wallet that paid its own invoice has two under one hash and `lookup_invoice` shows one. */
  find(hash: string, type: 'incoming' | 'outgoing', signal?: AbortSignal): Promise<Row | undefined>
  /** Up to `max` rows, each once, until there are no new ones: some wallets do not know `offset`. */
  history(params: Fields, start: number, max: number, signal?: AbortSignal): AsyncGenerator<Row>
}

/** NIP-47 asks for pages of at most 20 rows. */
export const PAGE = 20
/** How far a history is read. */
export const MAX_ROWS = 1_000

/** The books behind `ask`. */
export function nwcBooks(ask: Ask): Books {
  async function lookup(hash: string, signal?: AbortSignal): Promise<Row | undefined> {
    try {
      const row = readRow(await ask('lookup_invoice', { payment_hash: hash }, signal))
      if (row.hash !== '' && row.hash !== hash) throw new PaymentError('INTERNAL', 'The wallet showed another invoice.')
      return { ...row, hash }
    } catch (error) {
      if (error instanceof PaymentError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  async function find(hash: string, type: 'incoming' | 'outgoing', signal?: AbortSignal): Promise<Row | undefined> {
    const row = await lookup(hash, signal)
    if (!row || (row.type ?? type) === type) return row
    let rows = 0
    for await (const other of history({ type, unpaid: true }, 0, MAX_ROWS, signal)) {
      if (other.hash === hash && (other.type ?? type) === type) return other
      rows++
    }
    if (rows < MAX_ROWS) return undefined
    throw new PaymentError('OTHER', 'The wallet has more rows than are looked through.')
  }

  async function* history(params: Fields, start: number, max: number, signal?: AbortSignal): AsyncGenerator<Row> {
    const seen = new Set<string>()
    for (let offset = 0, before = -1; offset < max && seen.size > before; ) {
      before = seen.size
      const limit = Math.min(PAGE, max - offset)
      const { transactions } = await ask('list_transactions', { ...params, limit, offset: start + offset }, signal)
      const rows = Array.isArray(transactions) ? transactions.slice(0, limit).filter(isFields).map(readRow) : []
      offset += rows.length
      for (const row of rows) {
        const key = `${row.type} ${row.hash}`
        if (seen.has(key)) continue
        seen.add(key)
        yield row
      }
    }
  }

  return { lookup, find, history }
}
