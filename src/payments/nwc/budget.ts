/**
 * How much one connection may still spend: reserved before a payment, given back only when the payment surely failed.
 * @module
 */

/** What was spent or reserved, msats by payment hash. A `Map` will do; one that survives restarts keeps the budget across them. */
export interface Spent {
  get(hash: string): bigint | undefined
  set(hash: string, msats: bigint): unknown
  delete(hash: string): unknown
  values(): Iterable<bigint>
  readonly size: number
}

export interface Budget {
  readonly totalMsats: bigint
  used(): bigint
  /** False when it would go over the budget. The same hash is reserved once. */
  reserve(hash: string, msats: bigint): boolean
  /** Nothing left and nothing will. */
  release(hash: string): void
  /** Amount and fee, once both are known. */
  settle(hash: string, msats: bigint): void
}

/** Payments of one connection that are accounted for one by one. */
const MAX_PAYMENTS = 100_000

/** A budget over `spent`, which only this budget writes from now on. */
export function nwcBudget(totalMsats: bigint, spent: Spent = new Map<string, bigint>()): Budget {
  let used = 0n
  for (const msats of spent.values()) used += msats
  const settle = (hash: string, msats: bigint) => {
    used += msats - (spent.get(hash) ?? 0n)
    spent.set(hash, msats)
  }
  return {
    totalMsats,
    used: () => used,
    reserve(hash, msats) {
      if (spent.get(hash) !== undefined) return true
      if (msats <= 0n || used + msats > totalMsats || spent.size >= MAX_PAYMENTS) return false
      settle(hash, msats)
      return true
    },
    release(hash) {
      used -= spent.get(hash) ?? 0n
      spent.delete(hash)
    },
    settle,
  }
}
