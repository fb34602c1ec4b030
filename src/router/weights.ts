/**
 * What a customer's word weighs. One, for those who paid this router itself and those whom its operator trusts; for
 * everybody else what a walk over attested payments reaches from them. Payments alone make nobody heard: node and customer
 * can be one and pay in a circle for nothing.
 * @module
 */
import { bounded } from '../bounded.ts'
import type { Payers, Reach } from '../ledger/index.ts'

export interface WeightsOptions {
  readonly payers: Payers
  /** Customers that the operator trusts. */
  readonly trusted: readonly string[]
  nowMs(): number
}

export interface Weights {
  /** This customer paid the router's fee. */
  paidFee(customer: string): void
  /** 0 to 1, six decimals. */
  of(customer: string): number
}

/** Walks are far apart: what they find changes slowly, and with millions of payments each takes seconds. */
const walkMs = 600_000
const mostSeeds = 50_000

export function openWeights({ payers, trusted, nowMs }: WeightsOptions): Weights {
  const own = new Set(trusted)
  const paid = bounded<string, true>(mostSeeds)
  const order: string[] = []
  let reach: Reach | undefined
  let nextMs = 0

  const seeds = () => [...own, ...order.filter(seed => paid.has(seed))]

  return {
    paidFee(customer) {
      if (!paid.has(customer) && order.push(customer) > 2 * mostSeeds) order.splice(0, mostSeeds)
      paid.set(customer, true)
    },
    of(customer) {
      if (own.has(customer) || paid.has(customer)) return 1
      if (own.size + paid.size === 0 || payers.size === 0) return 0
      if (!reach || nowMs() >= nextMs) {
        const beganMs = nowMs()
        reach = payers.walk(seeds())
        nextMs = nowMs() + Math.max(walkMs, 20 * (nowMs() - beganMs))
      }
      return reach.weightOf(customer)
    },
  }
}
