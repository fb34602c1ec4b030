/**
 * The filters of one decision at work: who passes, who fell to what, and the sentence for a customer who gets nobody.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { filters } from './filters.ts'
import type { Screen } from './market.ts'
import type { Candidate, Filter, Policy, Refusal, RefusalCode, Wants } from './policy.ts'
import { trait, traitsOf } from './traits.ts'

export interface Sieve {
  /** What traits, price and score already say, of a stretch of many. */
  readonly screen: Screen
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

interface Test {
  /** Place of its filter among all of the decision. */
  readonly row: number
  readonly passes: (candidate: Candidate) => boolean
}

const never = Number.POSITIVE_INFINITY
const ranks: ReadonlyMap<RefusalCode, number> = new Map(filters.map(({ code }, index) => [code, index]))
/** Place among the filters; what only a policy asks comes after what nobody can help. */
const rankOf = ({ code }: Filter): number => ranks.get(code) ?? 3.5

/** The lowest bit that is set. */
const lowest = (bits: number): number => 31 - Math.clz32(bits & -bits)

/** What holds whatever is wanted, and which filter each of its bits belongs to. */
const fixed = { mask: 0, want: 0, rows: new Array<number>(32).fill(-1) }
for (const [row, { bits }] of filters.entries()) {
  if (!bits) continue
  fixed.mask |= bits.mask
  fixed.want |= bits.want
  fixed.rows[lowest(bits.mask)] = row
}
const asked = [...filters.entries()].filter(([, { bits, code }]) => !bits && code !== 'full')
const full = filters.findIndex(({ code }) => code === 'full')

/** The conditions of these wants and of this policy. */
export function openSieve(wants: Wants, policy: Pick<Policy, 'filters'>, params: Params): Sieve {
  const all = policy.filters ? [...filters, ...policy.filters] : filters
  const counts = new Array<number>(all.length).fill(0)
  const least = new Array<number>(all.length).fill(never)
  const tests: Test[] = []
  const rows = fixed.rows.slice()
  let { mask, want } = fixed
  let [leastScore, mostMsats, low, dear] = [-never, never, -1, -1]

  const take = (row: number, filter: Filter) => {
    const bits = filter.bits ?? filter.screen?.(wants)
    if (bits) {
      mask |= bits.mask
      want = (want & ~bits.mask) | bits.want
      for (let bit = lowest(bits.mask); bit < 32 && (bits.mask >>> bit) & 1; bit++) rows[bit] = row
    }
    const score = filter.leastScore?.(wants)
    if (score !== undefined && score > leastScore) [leastScore, low] = [score, row]
    const msats = filter.mostMsats?.(wants)
    if (msats !== undefined && msats < mostMsats) [mostMsats, dear] = [msats, row]
    const passes = filter.open?.(wants, params)
    if (passes) tests.push({ row, passes })
  }
  for (const [row, filter] of asked) take(row, filter)
  for (let row = filters.length; row < all.length; row++) {
    const filter = all[row]
    if (filter) take(row, filter)
  }

  const note = (row: number, distance: number): false => {
    counts[row] = (counts[row] ?? 0) + 1
    if (distance < (least[row] ?? 0)) least[row] = distance
    return false
  }
  const wrongs = new Int32Array(32)
  const screens = (traits: number, msats: number, score: number): boolean => {
    const wrong = (traits ^ want) & mask
    if (wrong !== 0) {
      const bit = lowest(wrong)
      wrongs[bit] = (wrongs[bit] ?? 0) + 1
      return false
    }
    if (score < leastScore) return note(low, -score)
    if (msats > mostMsats) return note(dear, msats)
    return (traits & trait.free) !== 0 || note(full, never)
  }
  /** Who fell by a bit is counted by bits, for that is most of a walk. */
  const settle = () => {
    for (const [bit, fallen] of wrongs.entries())
      if (fallen > 0) counts[rows[bit] ?? 0] = (counts[rows[bit] ?? 0] ?? 0) + fallen
    wrongs.fill(0)
  }
  const passes = (candidate: Candidate): boolean => {
    for (const test of tests)
      if (!test.passes(candidate)) return note(test.row, all[test.row]?.distance?.(candidate) ?? never)
    return true
  }
  const screen: Screen = (traits, msats, scores, from, end) => {
    let i = from
    while (i < end && !screens(traits[i] ?? 0, msats[i] ?? 0, scores[i] ?? 0)) i++
    return i
  }
  return {
    screen,
    passes,
    takes: one => screens(traitsOf(one), one.msats, one.score) && passes(one),
    mark() {
      settle()
      const [before, nearest] = [counts.slice(), least.slice()]
      return () => {
        wrongs.fill(0)
        for (let row = 0; row < all.length; row++) {
          counts[row] = before[row] ?? 0
          least[row] = nearest[row] ?? never
        }
      }
    },
    refused() {
      settle()
      const said: Record<string, number> = {}
      for (const [row, { code }] of all.entries()) if (counts[row]) said[code] = (said[code] ?? 0) + (counts[row] ?? 0)
      return said
    },
    refusal() {
      settle()
      let nearest: number | undefined
      let rank = -1
      for (const [row, filter] of all.entries())
        if (counts[row] && rankOf(filter) >= rank) [nearest, rank] = [row, rankOf(filter)]
      const filter = nearest === undefined ? undefined : all[nearest]
      if (nearest === undefined || !filter) return undefined
      return { code: filter.code, says: filter.says(counts[nearest] ?? 0, least[nearest] ?? 0, wants) }
    },
  }
}
