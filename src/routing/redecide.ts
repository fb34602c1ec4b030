/**
 * A decision made again from what a routing event (4631) published: the same functions over the published sample, with the
 * revealed seed. It says what does not follow. Whether scores are true says the router's log, not this.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { type Factors, productOf } from '../ledger/score.ts'
import { inRingOrder } from './market.ts'
import { orderOf } from './order.ts'
import { type Dice, mostNamed, type Policy, type Sampled, type Wants } from './policy.ts'

/** What is needed of a routing event. */
export interface Published {
  readonly lane: 'proven' | 'exploration' | 'bootstrap'
  readonly start: number
  readonly median: number
  readonly sample: readonly Sampled[]
  /** Best first. Those that another router named have `via`; nobody draws them again. */
  readonly candidates: readonly {
    readonly node: string
    readonly msats: bigint
    readonly score: number
    readonly factors?: Factors
    readonly via?: string
  }[]
  readonly refusal?: { readonly code: string }
}

export interface Fault {
  readonly rule: 'start' | 'lane' | 'sample' | 'filter' | 'score' | 'order'
  readonly says: string
}

export interface Redecision {
  readonly start: number
  /** Public keys, best first. */
  readonly order: readonly string[]
  /** Whether the dice and the request allow the lane. That nobody proven was there (`bootstrap`) they cannot tell. */
  readonly laneAllowed: boolean
  /** Empty when everything follows. */
  readonly faults: readonly Fault[]
}

/** Decides again. The dice are fresh ones of the revealed seed and the request. Never throws. */
export function redecide(said: Published, wants: Wants, policy: Policy, dice: Dice, params: Params): Redecision {
  const { sample, lane, median } = said
  const faults: Fault[] = []
  const fault = (rule: Fault['rule'], says: string) => void faults.push({ rule, says })
  const lot = dice.next()
  const start = dice.next()
  const laneAllowed =
    lane !== 'exploration' || (wants.explore && lot < params.explore && wants.allow.length === 0 && sample.length > 0)
  if (start !== said.start) fault('start', `the dice point to ${start}, it began at ${said.start}`)
  if (!laneAllowed) fault('lane', 'the dice or the request sent nobody to a newcomer')

  const ring = lane === 'exploration' ? sample.slice(1) : sample
  const nodes = new Set(sample.map(({ node }) => node))
  if (nodes.size !== sample.length) fault('sample', 'a node stands in the sample twice')
  if (sample.length > params.ring) fault('sample', `the sample has ${sample.length} nodes, ${params.ring} are the most`)
  if (ring.some(({ node }, i) => i > 0 && inRingOrder(ring[i - 1]?.node ?? '', node, start) >= 0))
    fault('sample', 'the sample is not in ring order')
  for (const one of sample) {
    const code = fallsTo(one, wants)
    if (code) fault('filter', `${one.node.slice(0, 8)} is in the sample against "${code}"`)
  }

  const order = orderOf(sample, lane, wants, median, policy, dice, params)
  const named = said.candidates.filter(({ via }) => via === undefined)
  // What other routers named may have taken the last places.
  const whole = named.length === order.length || said.candidates.length === mostNamed
  if (!whole || named.some(({ node }, i) => node !== order[i])) fault('order', 'dice and sample give another order')
  if (said.refusal && said.candidates.length > 0) fault('order', 'it refuses and names candidates')
  for (const { node, msats, score, factors } of named) {
    const one = sample.find(other => other.node === node)
    if (!one) continue
    if (Number(msats) !== Math.ceil(one.msats) || score !== one.score)
      fault('score', `${node.slice(0, 8)} has another price or score in the sample`)
    if (factors && productOf(factors) !== score) fault('score', `the factors of ${node.slice(0, 8)} give another score`)
  }
  return { start, order, laneAllowed, faults }
}

/** The conditions that a published sample can be held to. */
function fallsTo({ node, msats, score }: Sampled, wants: Wants): string | undefined {
  if (msats > wants.capMsats) return 'over-cap'
  if (wants.deny.includes(node)) return 'denied'
  if (wants.allow.length > 0 && !wants.allow.includes(node)) return 'not-allowed'
  return wants.minScore !== undefined && score < wants.minScore / 100 ? 'min-score' : undefined
}
