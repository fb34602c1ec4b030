/**
 * One list out of what several routers name: the place that each router gave a node, and what this client measured of the
 * way to it, which counts for this client alone.
 * @module
 */
import { defaultParams } from '../ledger/index.ts'
import type { Vouched } from './routing-check.ts'

/** What one router named, best first, and the routing event that says so. */
export interface Named {
  readonly router: string
  readonly routing: string
  readonly vouched: readonly Vouched[]
}

/** One node, the routers that named it, and the best of their words. */
export interface Merged extends Vouched {
  readonly routing: string
  readonly routers: readonly string[]
  /** 0 to 1: mean place, times the own latency factor. */
  readonly points: number
}

const places = 6
/** The score's own latency factor: 1 for no way at all, its floor for one that never ends; neutral at the median. */
function latency(rttMs: number | undefined, medianMs: number): number {
  const floor = defaultParams.latencyFloor
  const way = rttMs === undefined || medianMs === 0 ? 1 : rttMs / medianMs
  return floor + (1 - floor) / (1 + way)
}

/** Merges what routers named; who is named by more of them stands higher. `rttMs` is this client's own measurement. */
export function merge(named: readonly Named[], rttMs: (node: string) => number | undefined): readonly Merged[] {
  const nodes = new Map<string, { best: Vouched; at: number; routing: string; routers: string[]; sum: number }>()
  for (const { router, routing, vouched } of named)
    for (const [at, one] of vouched.entries()) {
      const { node } = one.candidate
      const known = nodes.get(node)
      const sum = (known?.sum ?? 0) + (places - Math.min(at, places - 1)) / places
      const routers = [...(known?.routers ?? []), router]
      // Its own signed price decides between two words of it.
      const better = !known || one.msats < known.best.msats || (one.msats === known.best.msats && at < known.at)
      nodes.set(node, better ? { best: one, at, routing, routers, sum } : { ...known, routers, sum })
    }
  const ways = [...nodes.keys()].flatMap(node => rttMs(node) ?? []).sort((a, b) => a - b)
  const median = ways[Math.floor((ways.length - 1) / 2)] ?? 0
  return [...nodes]
    .map(([node, { best, routing, routers, sum }]) => {
      const points = (sum / Math.max(1, named.length)) * latency(rttMs(node), median)
      return { ...best, routing, routers, points }
    })
    .sort((a, b) => b.points - a.points || (a.candidate.node < b.candidate.node ? -1 : 1))
}
