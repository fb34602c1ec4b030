/**
 * The filters of one decision at work: who passes, who fell to what, and the sentence for a customer who gets nobody.
 * @module
 */
import type { Params } from '../ledger/params.ts'
import { filters } from './filters.ts'
import type { Candidate, Filter, Policy, Refusal, Wants } from './policy.ts'

export interface Sieve {
  passes(candidate: Candidate): boolean
  /** How many fell to which filter. */
  refused(): Record<string, number>
  /** The condition that the fallen came nearest to keeping; `undefined` when nobody fell. */
  refusal(): Refusal | undefined
}

interface Row {
  readonly filter: Filter
  readonly test: (candidate: Candidate) => boolean
  readonly distance: ((candidate: Candidate) => number) | undefined
  fallen: number
  least: number
}

const rowOf = (filter: Filter, test: Row['test']): Row => ({
  filter,
  test,
  distance: filter.distance,
  fallen: 0,
  least: Number.POSITIVE_INFINITY,
})

/** The conditions of these wants and of this policy. */
export function openSieve(wants: Wants, policy: Pick<Policy, 'filters'>, params: Params): Sieve {
  const rows: Row[] = []
  for (const filter of filters) {
    const test = filter.open(wants, params)
    if (test) rows.push(rowOf(filter, test))
  }
  for (const filter of policy.filters ?? []) {
    const test = filter.open(wants, params)
    if (test) rows.push(rowOf(filter, test))
  }
  return {
    passes(candidate) {
      for (const row of rows) {
        if (row.test(candidate)) continue
        row.fallen++
        if (row.distance) row.least = Math.min(row.least, row.distance(candidate))
        return false
      }
      return true
    },
    refused() {
      const counts: Record<string, number> = {}
      for (const { filter, fallen } of rows) if (fallen > 0) counts[filter.code] = (counts[filter.code] ?? 0) + fallen
      return counts
    },
    refusal() {
      const row = rows.findLast(({ fallen }) => fallen > 0)
      return row && { code: row.filter.code, says: row.filter.says(row.fallen, row.least, wants) }
    },
  }
}
