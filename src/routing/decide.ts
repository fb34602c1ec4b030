/**
 * One decision: the dice choose lane and point of the ring, the first who pass the filters are the sample, and the policy
 * orders it. What is returned is what a routing event (4631) publishes, so that `redecide` can do it again.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { thousands } from './filters.ts'
import { inRingOrder, type Market, type Ring } from './market.ts'
import { orderOf } from './order.ts'
import type { Candidate, Dice, Policy, Refusal, RefusalCode, Sampled, Wants } from './policy.ts'
import { openSieve, type Sieve } from './sieve.ts'

/**
 * Who the sample was taken from: `proven` nodes; `exploration`: a newcomer first, proven ones as fail-over; `bootstrap`:
 * no proven node can do it, so everybody who passes.
 */
export type Lane = 'proven' | 'exploration' | 'bootstrap'

export interface Decision {
  readonly lane: Lane
  /** Point of the ring, 0 to 1. */
  readonly start: number
  /** Price that others are compared with, msats; 0 without any. */
  readonly median: number
  /** Who passed the filters, in ring order from `start`, newcomers before; at most `params.ring`. */
  readonly sample: readonly Sampled[]
  /** Public keys, best first, at most six; empty when refused. */
  readonly order: readonly string[]
  /** How many fell to which filter, among those that were looked at. */
  readonly refused: Readonly<Record<string, number>>
  readonly refusal?: Refusal
  /** Candidates that were looked at, and whether the walk ended before it had its sample or had seen all. */
  readonly walked: number
  readonly cut: boolean
}

/** Most candidates that one decision looks at, so that a filter that nobody passes costs no more than a millisecond. */
export const mostWalked = 4096
/** Most newcomers in the sample of an exploration. */
const mostNewcomers = 16
/** A newcomer that asks more than so many medians is not explored. */
const newcomerPrice = 2
/** Whoever falls to these is not there for anybody: the customer asked for nothing unusual. */
const absent: ReadonlySet<string> = new Set<RefusalCode>(['banned', 'ejected', 'stale', 'over-credit', 'full'])

/** Decides for one request. Reads the market and the dice, changes nothing else; never throws. */
export function decide(market: Market, wants: Wants, policy: Policy, dice: Dice, params: Params): Decision {
  const lot = dice.next()
  const start = dice.next()
  const median = market.median
  const sieve = openSieve(wants, policy, params)
  const walk = openWalk(market, sieve, start)
  let lane: Lane = 'proven'
  let newcomers: readonly Candidate[] = []
  let passed: readonly Candidate[]

  if (wants.allow.length > 0) {
    passed = walk.named(wants.allow, params.ring)
    if (!passed.some(isProven)) lane = 'bootstrap'
  } else {
    if (market.proven > 0 && wants.explore && lot < params.explore)
      newcomers = walk.ring('cohort', Math.min(mostNewcomers, params.ring), one => isCheap(one, median))
    if (newcomers.length > 0) lane = 'exploration'
    passed = walk.ring('proven', params.ring - newcomers.length)
    if (passed.length + newcomers.length === 0 && mayBegin(market, wants, sieve)) {
      lane = 'bootstrap'
      passed = walk.ring('cohort', params.ring)
      // A cohort that can fill a draw keeps its jobs to itself: spread over everybody they would prove nobody.
      if (market.proven === 0 && passed.length < params.draw)
        passed = joined(
          passed,
          walk.ring('others', params.ring, one => one.cohort !== true),
          start,
          params.ring,
        )
    }
    if (policy.own) passed = joined(walk.named(policy.own, params.ring), passed, start, params.ring - newcomers.length)
  }

  const sample = [...newcomers.map(one => sampled(one, true)), ...passed.map(one => sampled(one, false))]
  const order = orderOf(sample, lane, wants, median, policy, dice, params)
  const decision = { lane, start, median, sample, order, refused: sieve.refused(), ...walk.seen() }
  return order.length > 0 ? decision : { ...decision, refusal: refusalOf(market, wants, sieve, decision) }
}

/** Whether unproven nodes may do what no proven one does: nobody is proven, or none of them is there for anybody. */
function mayBegin(market: Market, wants: Wants, sieve: Sieve): boolean {
  if (market.proven === 0) return true
  return wants.explore && Object.keys(sieve.refused()).every(code => absent.has(code))
}

function openWalk(market: Market, sieve: Sieve, start: number) {
  let walked = 0
  let cut = false
  return {
    /** The first `most` of a ring who are meant and pass. */
    ring(ring: Ring, most: number, meant: (one: Candidate) => boolean = () => true): Candidate[] {
      const found: Candidate[] = []
      let looked = 0
      if (most > 0)
        market.walk(ring, start, one => {
          if (looked === mostWalked) {
            cut = true
            return false
          }
          looked++
          if (meant(one) && sieve.passes(one)) found.push(one)
          return found.length < most
        })
      walked += looked
      return found
    },
    /** Those of some nodes who are here and pass, in ring order. */
    named(nodes: readonly string[], most: number): Candidate[] {
      const found: Candidate[] = []
      const names = new Set(nodes)
      for (const node of names) {
        const one = market.get(node)
        if (!one) continue
        walked++
        if (sieve.passes(one)) found.push(one)
      }
      return found.sort((a, b) => inRingOrder(a.node, b.node, start)).slice(0, most)
    },
    seen: () => ({ walked, cut }),
  }
}

/** Both in ring order, each node once; where there are too many, the `first` stay. */
function joined(first: readonly Candidate[], more: readonly Candidate[], start: number, most: number): Candidate[] {
  const here = new Set(first.map(one => one.node))
  return [...first, ...more.filter(one => !here.has(one.node))]
    .slice(0, most)
    .sort((a, b) => inRingOrder(a.node, b.node, start))
}

function sampled({ node, msats, score, inflight, firstMs }: Candidate, newcomer: boolean): Sampled {
  const plain = firstMs === undefined ? { node, msats, score, inflight } : { node, msats, score, inflight, firstMs }
  return newcomer ? { ...plain, newcomer } : plain
}

const isProven = (one: Candidate): boolean => one.stage === 'proven'
const isCheap = (one: Candidate, median: number): boolean => median === 0 || one.msats <= newcomerPrice * median

function refusalOf(
  market: Market,
  wants: Wants,
  sieve: Sieve,
  { walked, cut }: Pick<Decision, 'walked' | 'cut'>,
): Refusal {
  const fallen = sieve.refusal()
  if (fallen && !cut) return fallen
  if (fallen) return { ...fallen, says: `${fallen.says} (among ${thousands(walked)} that were looked at)` }
  if (market.size > 0 && wants.allow.length > 0)
    return { code: 'not-allowed', says: `none of the ${wants.allow.length} nodes that you allow offers this` }
  const what = `jobs of kind ${wants.kind}`
  return wants.model === undefined
    ? { code: 'no-node', says: `nobody is known who takes ${what}` }
    : { code: 'no-model', says: `nobody is known who takes ${what} with model ${wants.model}` }
}
