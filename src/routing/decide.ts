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
  /** Who passed the filters, in ring order from `start`, before them the newcomer of an exploration; at most `params.ring`. */
  readonly sample: readonly Sampled[]
  /** Public keys, best first, at most six; empty when refused. */
  readonly order: readonly string[]
  /** How many of those that were looked at fell to which filter; `unseen`: how many were not looked at when the walk ended. */
  readonly refused: Readonly<Record<string, number>>
  readonly refusal?: Refusal
  /** Candidates that were looked at, and whether the walk ended before it had its sample and before it had seen all. */
  readonly walked: number
  readonly cut: boolean
}

/** Most candidates that one walk looks at, so that conditions that nobody keeps cost less than a millisecond. */
export const mostWalked = 32_768
/** What it costs, in candidates looked at, when one falls only when it is looked at closely. */
const closely = 16
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
  let newcomer: Candidate | undefined
  let passed: readonly Candidate[]

  if (wants.allow.length > 0) {
    passed = walk.named(wants.allow, params.ring)
    if (!passed.some(isProven)) lane = 'bootstrap'
  } else {
    if (market.proven > 0 && wants.explore && lot < params.explore)
      newcomer = walk.ring('cohort', 1, one => isCheap(one, median))[0]
    if (newcomer) lane = 'exploration'
    passed = walk.ring('proven', params.ring - (newcomer ? 1 : 0))
    if (passed.length === 0 && !newcomer && mayBegin(market, wants, sieve)) {
      lane = 'bootstrap'
      const forget = sieve.mark()
      passed = walk.ring('cohort', params.ring)
      // A cohort that can fill a draw keeps its jobs to itself: spread over everybody they would prove nobody.
      if (market.proven === 0 && passed.length < params.draw) {
        forget()
        passed = joined(passed, walk.ring('others', params.ring), start, params.ring)
      }
    }
  }
  const names = new Set(policy.own)
  if (policy.own) {
    const mine = policy.own.filter(node => wants.allow.length === 0 || wants.allow.includes(node))
    const forget = sieve.mark()
    const own = walk.named(mine, params.ring - 1).filter(one => one !== newcomer)
    // They fell on their ring already, if they fell.
    forget()
    passed = joined(own, passed, start, params.ring - (newcomer ? 1 : 0))
  }

  const sample = passed.map(one => sampled(one, names.size > 0 && names.has(one.node)))
  if (newcomer) sample.unshift(sampled(newcomer, names.has(newcomer.node)))
  const order = orderOf(sample, lane, wants, median, policy, dice, params)
  const decision = { lane, start, median, sample, order, refused: walk.refused(), ...walk.seen() }
  return order.length > 0 ? decision : { ...decision, refusal: refusalOf(market, wants, sieve, decision) }
}

/** Whether unproven nodes may do what no proven one does: nobody is proven, or none of them is there for anybody. */
function mayBegin(market: Market, wants: Wants, sieve: Sieve): boolean {
  if (market.proven === 0) return true
  return wants.explore && Object.keys(sieve.refused()).every(code => absent.has(code))
}

function openWalk(market: Market, sieve: Sieve, start: number) {
  let walked = 0
  let unseen = 0
  return {
    /** The first `most` of a ring who are meant and pass. */
    ring(ring: Ring, most: number, meant: (one: Candidate) => boolean = () => true): Candidate[] {
      const found: Candidate[] = []
      let falls = Math.floor(mostWalked / closely)
      const looked = market.walk(ring, start, mostWalked, sieve.screen, one => {
        if (!meant(one)) return true
        if (sieve.passes(one)) found.push(one)
        else falls--
        return found.length < most && falls > 0
      })
      walked += looked
      if (found.length < most) unseen += market.count(ring) - looked
      return found
    },
    /** Those of some nodes who are here and pass, in ring order. */
    named(nodes: readonly string[], most: number): Candidate[] {
      const found: Candidate[] = []
      for (const node of new Set(nodes)) {
        const one = market.get(node)
        if (!one) continue
        walked++
        if (sieve.takes(one)) found.push(one)
      }
      return found.sort((a, b) => inRingOrder(a.node, b.node, start)).slice(0, most)
    },
    seen: () => ({ walked, cut: unseen > 0 }),
    refused: (): Record<string, number> => (unseen > 0 ? { ...sieve.refused(), unseen } : sieve.refused()),
  }
}

/** Both in ring order, each node once; where there are too many, the `first` stay. */
function joined(first: readonly Candidate[], more: readonly Candidate[], start: number, most: number) {
  if (first.length === 0) return more
  const here = new Set(first.map(one => one.node))
  return [...first, ...more.filter(one => !here.has(one.node))]
    .slice(0, most)
    .sort((a, b) => inRingOrder(a.node, b.node, start))
}

function sampled({ node, msats, score, inflight, firstMs }: Candidate, own: boolean): Sampled {
  const plain = firstMs === undefined ? { node, msats, score, inflight } : { node, msats, score, inflight, firstMs }
  return own ? { ...plain, own } : plain
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
