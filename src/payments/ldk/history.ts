/**
 * A wallet's rows in memory, newest last, under a bound: strangers cause bills.
 * @module
 */
import { type Held, PaymentError, type Transaction } from '../payment.ts'

/** Rows of one page when nothing is asked. */
const PAGE = 20

type Direction = Transaction['type']

/** A row and what only its own wallet knows about it. */
export interface Entry extends Transaction {
  /** Rows are listed by it, lowest first. */
  readonly place?: number
  /** Idempotency key of a bill, with its amount. */
  readonly key?: string
  /** A bill for somebody else's hash: its money waits for a decision. */
  readonly hold?: boolean
  /** The money that waits now. */
  readonly held?: Omit<Held, 'hash'>
  /** What a hold bill is being settled with. */
  readonly shown?: string
  /** Why a payment failed. */
  readonly failure?: { readonly code: string; readonly says: string }
}

export interface History {
  /** Adds a row as the newest. Throws `PaymentError` when every row is still open. */
  add(row: Entry): void
  get(type: Direction, hash: string): Entry | undefined
  /** The bill that was made for an idempotency key. */
  billOf(key: string): Entry | undefined
  /** Changes a row and returns it, or `undefined` where there is none. */
  change(type: Direction, hash: string, patch: { [K in keyof Entry]?: Entry[K] | undefined }): Entry | undefined
  /** Every row, oldest first. */
  rows(): IterableIterator<Entry>
  /** Newest first. Without `unpaid` only what is settled (NIP-47 `list_transactions`). */
  list(options?: { limit?: number; offset?: number; unpaid?: boolean; type?: Direction }): readonly Transaction[]
}

/**
 * Opens a history of `saved` rows. Beyond `bound` the oldest row that can no longer become paid by our
 * doing is forgotten, unless money is held for it. `changed` is told every row that is new, other or gone.
 */
export function openHistory(options: {
  bound: number
  now: () => number
  saved?: Iterable<Entry>
  changed?: (row: Entry, gone: boolean) => void
}): History {
  const { bound, now, changed } = options
  const rows = new Map<string, Entry>()
  const byKey = new Map<string, string>()
  let place = 0
  const name = (type: Direction, hash: string): string => `${type} ${hash}`
  const seen = (row: Entry): Entry =>
    row.type === 'incoming' && row.state === 'pending' && !row.held && row.expiresAt < now()
      ? { ...row, state: 'expired' }
      : row

  const put = (row: Entry): void => {
    rows.set(name(row.type, row.hash), row)
    if (row.key !== undefined) byKey.set(row.key, row.hash)
  }

  const makeRoom = (): void => {
    for (const [id, row] of rows) {
      if (rows.size < bound) return
      if (seen(row).state === 'pending') continue
      rows.delete(id)
      if (row.key !== undefined) byKey.delete(row.key)
      changed?.(row, true)
    }
    if (rows.size >= bound)
      throw new PaymentError('QUOTA_EXCEEDED', `${bound} payments are open: wait until some are settled or expire`)
  }

  for (const row of [...(options.saved ?? [])].sort((a, b) => (a.place ?? 0) - (b.place ?? 0))) {
    put(row)
    place = (row.place ?? 0) + 1
  }

  const history: History = {
    add(row) {
      const id = name(row.type, row.hash)
      // A row that is there already only becomes the newest.
      if (!rows.has(id) && rows.size >= bound) makeRoom()
      rows.delete(id)
      const placed = { ...row, place: place++ }
      put(placed)
      changed?.(placed, false)
    },
    get(type, hash) {
      const row = rows.get(name(type, hash))
      return row && seen(row)
    },
    billOf(key) {
      const hash = byKey.get(key)
      return hash === undefined ? undefined : history.get('incoming', hash)
    },
    change(type, hash, patch) {
      const row = rows.get(name(type, hash))
      if (!row) return undefined
      const next = { ...row, ...patch } as Entry
      rows.set(name(type, hash), next)
      changed?.(next, false)
      return next
    },
    rows: () => rows.values(),
    list({ limit = PAGE, offset = 0, unpaid = false, type } = {}) {
      const wanted: Transaction[] = []
      let skip = offset
      for (const row of [...rows.values()].reverse()) {
        if (wanted.length >= limit) break
        const { state } = seen(row)
        if ((type !== undefined && row.type !== type) || (!unpaid && state !== 'settled')) continue
        if (skip-- <= 0) wanted.push(shownRow(seen(row)))
      }
      return wanted
    },
  }
  return history
}

const MONEY: readonly string[] = ['msats', 'feeMsats']

/** A row as text. */
export const writeEntry = (row: Entry): string =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))

/** A row from its text. */
export const readEntry = (text: string): Entry =>
  JSON.parse(text, (key, value: unknown) =>
    MONEY.includes(key) && typeof value === 'string' ? BigInt(value) : value,
  ) as Entry

/** What others may see of a row. */
export function shownRow(entry: Entry): Transaction {
  const { place: _place, key: _key, hold: _hold, held: _held, shown: _shown, failure: _failure, ...row } = entry
  return row
}
