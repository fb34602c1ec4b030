/**
 * What a request for quotes wants, as the routing room asks it: the same words for the router that decides and for
 * whoever recomputes its decision.
 * @module
 */
import { present, type QuoteRequest } from '../../kinds/index.ts'
import type { Wants } from '../routing/policy.ts'

/** Who asks for a least score wants nobody without a record: no newcomer is tried out on such a request. `at`: unix seconds. */
export function wantsOf(request: QuoteRequest, at: number): Wants {
  const { kind, model, capMsats, deadlineMs, privacy, allow, deny, region, determinism, minScore, terms } = request
  return present({
    ...{ kind, model, deadlineMs, privacy, allow, deny, region, determinism, minScore, at, terms: terms?.word },
    capMsats: capMsats === undefined ? Number.POSITIVE_INFINITY : Number(capMsats),
    explore: minScore === undefined,
  })
}

/** An hour or a minute does not change what is wanted fast: an auction of an interactive job ends soon, a batch may wait. */
const interactive = { least: 250, most: 1_500 } as const
const batch = { least: 2_000, most: 5_000 } as const
const batchDeadlineMs = 60_000

/** Milliseconds for which quotes are collected; 0: the posted prices decide at once. */
export function auctionOf({ auctionMs, deadlineMs }: Pick<QuoteRequest, 'auctionMs' | 'deadlineMs'>): number {
  if (!(auctionMs > 0)) return 0
  const waits = auctionMs >= batch.least && (deadlineMs === undefined || deadlineMs >= batchDeadlineMs)
  const { least, most } = waits ? batch : interactive
  return Math.min(most, Math.max(least, auctionMs))
}
