/**
 * What several routers said, as one order for one client: no router's order is turned round, prices count alike, and what
 * the client measured itself replaces what routers say of latency.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import type { Factors } from '../ledger/score.ts'
import { mostNamed } from './policy.ts'
import { priceRatio } from './utility.ts'

/** What is needed of a candidate of a routing event. */
export interface Advised {
  readonly node: string
  readonly msats: bigint
  readonly score: number
  readonly factors: Factors
}

/** One router's candidates, best first. */
export interface Advice<C extends Advised = Advised> {
  /** Public key of the router. */
  readonly router: string
  readonly candidates: readonly C[]
  /** It has something at stake, which decides ties and nothing else. */
  readonly bonded?: boolean
}

export interface Merged<C extends Advised = Advised> {
  readonly node: string
  /** As the router named first in `routers` said it. */
  readonly candidate: C
  /** Who named it, the one with the lowest price first. */
  readonly routers: readonly string[]
  /** What it was ordered by; comparable within one merge only. */
  readonly worth: number
}

/**
 * Joins advice, best first, at most `most`. A candidate is worth its score per price, but no more than whoever its router
 * put before it; named by several routers it is worth their mean, so that being named again adds nothing. Only the first
 * advice of a router counts. `rttMs`: what this client measured, by node. The order of the advice does not matter.
 */
export function merge<C extends Advised>(
  advice: readonly Advice<C>[],
  rttMs: ReadonlyMap<string, number>,
  params: Pick<Params, 'latencyFloor'>,
  most: number = mostNamed,
): Merged<C>[] {
  const byRouter = new Map<string, Advice<C>>()
  for (const one of advice) if (!byRouter.has(one.router)) byRouter.set(one.router, one)
  const heard = [...byRouter.values()].sort((a, b) => (a.router < b.router ? -1 : 1))
  const cheapest = new Map<string, number>()
  for (const { candidates } of heard)
    for (const { node, msats } of candidates) {
      const price = Number(msats)
      cheapest.set(node, Math.min(price, cheapest.get(node) ?? price))
    }
  const median = middle([...cheapest.values()])
  const medianRtt = middle([...cheapest.keys()].flatMap(node => rttMs.get(node) ?? []))
  const found = new Map<string, { candidate: C; routers: string[]; worths: number[]; best: number; bonded: boolean }>()

  for (const { router, candidates, bonded = false } of heard) {
    let before = Number.POSITIVE_INFINITY
    for (const [place, candidate] of candidates.entries()) {
      const { node, msats, score, factors } = candidate
      if (candidates.findIndex(other => other.node === node) !== place) continue
      before = Math.min(before, score / priceRatio(Number(msats), median))
      const worth = before * latencyOf(rttMs.get(node), medianRtt, factors.L, params)
      const known = found.get(node)
      if (!known) {
        found.set(node, { candidate, routers: [router], worths: [worth], best: place, bonded })
        continue
      }
      known.worths.push(worth)
      known.best = Math.min(known.best, place)
      known.bonded ||= bonded
      if (msats < known.candidate.msats) {
        known.candidate = candidate
        known.routers.unshift(router)
      } else known.routers.push(router)
    }
  }
  return [...found]
    .map(([node, { candidate, routers, worths, best, bonded }]) => ({
      ...{ node, candidate, routers, best, bonded },
      worth: worths.reduce((sum, worth) => sum + worth, 0) / worths.length,
    }))
    .sort(
      (a, b) =>
        b.worth - a.worth || a.best - b.best || Number(b.bonded) - Number(a.bonded) || (a.node < b.node ? -1 : 1),
    )
    .slice(0, most)
    .map(({ best: _, bonded: __, ...one }) => one)
}

/** What replaces a router's latency factor: the factor of the own measurement over the router's. */
function latencyOf(
  own: number | undefined,
  median: number,
  said: number,
  params: Pick<Params, 'latencyFloor'>,
): number {
  if (own === undefined || !(own >= 0) || !(median > 0) || !(said > 0)) return 1
  return (params.latencyFloor + (1 - params.latencyFloor) / (1 + own / median)) / said
}

/** Lower median; 0 of nothing. */
const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) >>> 1] ?? 0
