/**
 * A wallet's rows in memory, newest last, under a bound: strangers cause bills.
 * @module
 */
import { PaymentError, type Transaction } from '../payment.ts'

/** Rows of one page when nothing is asked. */
const PAGE = 20

type Direction = Transaction['type']

export interface History {
  /** Adds a row as the newest. Throws `PaymentError` when every row is still open. */
  add(row: Transaction): void
  get(type: Direction, hash: string): Transaction | undefined
  /** Changes a row and returns it, or `undefined` where there is none. */
  change(type: Direction, hash: string, patch: Partial<Transaction>): Transaction | undefined
  /** Newest first. Without `unpaid` only what is settled (NIP-47 `list_transactions`). */
  list(options?: { limit?: number; offset?: number; unpaid?: boolean; type?: Direction }): readonly Transaction[]
}

/** Opens an empty history. Beyond `bound` the oldest row that can no longer become paid by our doing is forgotten, unless it is pinned. */
export function openHistory(options: {
  bound: number
  now: () => number
  pinned?: (row: Transaction) => boolean
  forgot?: (row: Transaction) => void
}): History {
  const { bound, now, pinned, forgot } = options
  const rows = new Map<string, Transaction>()
  const key = (type: Direction, hash: string): string => `${type} ${hash}`
  const seen = (row: Transaction): Transaction =>
    row.type === 'incoming' && row.state === 'pending' && row.expiresAt < now() ? { ...row, state: 'expired' } : row

  const makeRoom = (): void => {
    for (const [id, row] of rows) {
      if (rows.size < bound) return
      if (seen(row).state === 'pending' || pinned?.(row)) continue
      rows.delete(id)
      forgot?.(row)
    }
    if (rows.size >= bound)
      throw new PaymentError('QUOTA_EXCEEDED', `${bound} payments are open: wait until some are settled or expire`)
  }

  return {
    add(row) {
      rows.delete(key(row.type, row.hash))
      if (rows.size >= bound) makeRoom()
      rows.set(key(row.type, row.hash), row)
    },
    get(type, hash) {
      const row = rows.get(key(type, hash))
      return row && seen(row)
    },
    change(type, hash, patch) {
      const row = rows.get(key(type, hash))
      if (!row) return undefined
      const next = { ...row, ...patch }
      rows.set(key(type, hash), next)
      return next
    },
    list({ limit = PAGE, offset = 0, unpaid = false, type } = {}) {
      const wanted = [...rows.values()]
        .reverse()
        .map(seen)
        .filter(row => (type === undefined || row.type === type) && (unpaid || row.state === 'settled'))
      return wanted.slice(offset, offset + limit)
    },
  }
}
