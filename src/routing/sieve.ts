/**
 * The filters of one decision at work: who passes, who fell to what, and the sentence for a customer who gets nobody.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { filters } from './filters.ts'
import type { Candidate, Filter, Policy, Refusal, RefusalCode, Wants } from './policy.ts'
import { trait, traitsOf } from './traits.ts'

export interface Sieve {
  /** What traits, price and score already say. */
  screens(traits: number, msats: number, score: number): boolean
  /** Everything else, of one that was screened. */
  passes(candidate: Candidate): boolean
  /** Both, for one that was looked up. */
  takes(candidate: Candidate): boolean
  /** Remembers who has fallen by now; what is returned forgets who fell after. */
  mark(): () => void
  /** How many fell to which filter. */
  refused(): Record<string, number>
  /** The condition that the fallen came nearest to keeping; `undefined` when nobody fell. */
  refusal(): Refusal | undefined
}

interface Fall {
  readonly filter: Filter
  count: number
  least: number
}

interface Test {
  readonly fall: Fall
  readonly passes: (candidate: Candidate) => boolean
}

const ranks: ReadonlyMap<RefusalCode, number> = new Map(filters.map(({ code }, index) => [code, index]))

/** The conditions of these wants and of this policy. */
export function openSieve(wants: Wants, policy: Pick<Policy, 'filters'>, params: Params): Sieve {
  const falls: Fall[] = []
  const tests: Test[] = []
  const byBit: (Fall | undefined)[] = []
  let [mask, want] = [0, 0]
  let [leastScore, mostMsats] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  let [low, dear, full]: (Fall | undefined)[] = []

  const take = (filter: Filter) => {
    const fall: Fall = { filter, count: 0, least: Number.POSITIVE_INFINITY }
    falls.push(fall)
    const bits = filter.screen?.(wants)
    if (bits) {
      mask |= bits.mask
      want = (want & ~bits.mask) | bits.want
      for (let bit = 31 - Math.clz32(bits.mask & -bits.mask); bit < 32 && (bits.mask >>> bit) & 1; bit++)
        byBit[bit] = fall
    }
    const score = filter.leastScore?.(wants)
    if (score !== undefined && score > leastScore) [leastScore, low] = [score, fall]
    const msats = filter.mostMsats?.(wants)
    if (msats !== undefined && msats < mostMsats) [mostMsats, dear] = [msats, fall]
    if (filter.code === 'full') full = fall
    const passes = filter.code === 'full' ? undefined : filter.open?.(wants, params)
    if (passes) tests.push({ fall, passes })
  }
  for (const filter of filters) take(filter)
  for (const filter of policy.filters ?? []) take(filter)

  const note = (fall: Fall | undefined, distance: number): false => {
    if (!fall) return false
    fall.count++
    if (distance < fall.least) fall.least = distance
    return false
  }
  const sieve: Sieve = {
    screens(traits, msats, score) {
      const wrong = (traits ^ want) & mask
      if (wrong !== 0) return note(byBit[31 - Math.clz32(wrong & -wrong)], Number.POSITIVE_INFINITY)
      if (score < leastScore) return note(low, -score)
      if (msats > mostMsats) return note(dear, msats)
      return (traits & trait.free) !== 0 || note(full, Number.POSITIVE_INFINITY)
    },
    passes(candidate) {
      for (const { fall, passes } of tests)
        if (!passes(candidate)) return note(fall, fall.filter.distance?.(candidate) ?? Number.POSITIVE_INFINITY)
      return true
    },
    takes: one => sieve.screens(traitsOf(one), one.msats, one.score) && sieve.passes(one),
    mark() {
      const before = falls.map(({ count, least }) => [count, least] as const)
      return () => {
        for (const [i, fall] of falls.entries()) [fall.count, fall.least] = before[i] ?? [0, Number.POSITIVE_INFINITY]
      }
    },
    refused() {
      const counts: Record<string, number> = {}
      for (const { filter, count } of falls) if (count > 0) counts[filter.code] = (counts[filter.code] ?? 0) + count
      return counts
    },
    refusal() {
      let nearest: Fall | undefined
      for (const fall of falls) if (fall.count > 0 && (!nearest || rank(fall) >= rank(nearest))) nearest = fall
      return nearest && { code: nearest.filter.code, says: nearest.filter.says(nearest.count, nearest.least, wants) }
    },
  }
  return sieve
}

/** Place among the filters; what only a policy asks comes after what nobody can help. */
const rank = ({ filter }: Fall): number => ranks.get(filter.code) ?? 3.5
