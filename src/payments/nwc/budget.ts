/**
 * How much one connection may still spend: reserved before a payment, given back only when the payment surely failed, and
 * kept where a restart finds it.
 * @module
 */
import { isFields } from './body.ts'
import { type Period, periodOf, type Renewal } from './period.ts'
import type { Kept, NwcStore } from './store.ts'

export interface BudgetOptions {
  readonly totalMsats: bigint
  /** When it begins anew. Default `never`. */
  readonly renewal?: Renewal
  readonly store: NwcStore
  /** Set aside beside an amount until the fee is known. Default nothing, so that fees may go over the budget. */
  readonly feeReserveMsats?: (msats: bigint) => bigint
}

/** A fold over the payments of one connection. Times are unix seconds. A payment counts in the period of its reservation. */
export interface Budget {
  readonly totalMsats: bigint
  readonly renewal: Renewal
  used(now: number): bigint
  /** When the budget begins anew. */
  renewsAt(now: number): number | undefined
  /**
   * False when it would go over the budget. One hash is reserved once; a greater amount for it raises the reservation.
   * What was settled is not reserved again: a wallet debits a hash once.
   */
  reserve(hash: string, msats: bigint, now: number): boolean
  /** Nothing left and nothing will. A settled payment stays spent. */
  release(hash: string): void
  /** The payment settled: the amount and the fee are spent. */
  settle(hash: string, feeMsats: bigint): void
  /** Hashes that are reserved and neither settled nor released. */
  reserved(): string[]
  /** Forgets what memory holds beside the store, after a write that was undone. */
  reload(): void
}

interface Spent {
  readonly msats: bigint
  /** Set aside for the fee. */
  readonly fee: bigint
  readonly at: number
  readonly settled: boolean
}

/** Payments of one connection that are accounted for one by one; settled ones of earlier periods make room. */
const MAX_PAYMENTS = 100_000
const PREFIX = 'spent '

/** A budget over what the store knows. */
export function nwcBudget(options: BudgetOptions): Budget {
  const { totalMsats, renewal = 'never', store, feeReserveMsats = () => 0n } = options
  const { shelf } = store
  const rows = new Map<string, Spent>()
  let period: Period = periodOf(renewal, 0)
  let used = 0n
  reload()

  function reload(): void {
    rows.clear()
    for (const [key, value] of shelf.entries(PREFIX)) {
      const row = spentOf(value)
      if (row) rows.set(key.slice(PREFIX.length), row)
    }
    sum()
  }

  function sum(): void {
    used = 0n
    for (const row of rows.values()) used += counted(row)
  }

  function counted(row: Spent | undefined): bigint {
    return row && row.at >= period.from ? row.msats + row.fee : 0n
  }

  /** A clock that goes back begins no period twice. */
  function turn(now: number): void {
    if (period.until === undefined || now < period.until) return
    period = periodOf(renewal, now)
    sum()
  }

  function write(hash: string, row: Spent | undefined): void {
    if (row) shelf.set(`${PREFIX}${hash}`, keptOf(row), 'money')
    else shelf.delete(`${PREFIX}${hash}`)
    used += counted(row) - counted(rows.get(hash))
    if (row) rows.set(hash, row)
    else rows.delete(hash)
  }

  function makeRoom(): boolean {
    if (rows.size < MAX_PAYMENTS) return true
    for (const [hash, row] of rows) {
      if (!row.settled || row.at >= period.from) continue
      write(hash, undefined)
      return true
    }
    return false
  }

  return {
    totalMsats,
    renewal,
    used(now) {
      turn(now)
      return used
    },
    renewsAt(now) {
      turn(now)
      return period.until
    },
    reserve(hash, msats, now) {
      turn(now)
      const row = rows.get(hash)
      if (row && (row.settled || msats <= row.msats)) return true
      const fee = feeReserveMsats(msats)
      const next = {
        msats,
        fee,
        at: Math.max(period.from, row && row.at >= period.from ? row.at : now),
        settled: false,
      }
      if (msats <= 0n || fee < 0n || used - counted(row) + counted(next) > totalMsats) return false
      if (!row && !makeRoom()) return false
      write(hash, next)
      return true
    },
    release(hash) {
      const row = rows.get(hash)
      if (row && !row.settled) write(hash, undefined)
    },
    settle(hash, feeMsats) {
      const row = rows.get(hash)
      if (row && !row.settled) write(hash, { ...row, fee: feeMsats, settled: true })
    },
    reserved: () => [...rows].filter(([, row]) => !row.settled).map(([hash]) => hash),
    reload,
  }
}

const keptOf = ({ msats, fee, at, settled }: Spent): Kept => ({ msats, fee, at, settled })

function spentOf(value: unknown): Spent | undefined {
  if (!isFields(value)) return undefined
  const { msats, fee, at, settled } = value
  if (typeof msats !== 'bigint' || typeof fee !== 'bigint' || typeof at !== 'number') return undefined
  return { msats, fee, at, settled: settled === true }
}
