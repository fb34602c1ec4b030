/**
 * What a standing subscription asks for, at first and again after an outage.
 * @module
 */
import { GiftWrap } from './embedded/matching.ts'
import type { Filter } from './relay.ts'

export interface Overlap {
  /** How far back behind the last sign of life an outage is asked for again: clocks differ, events travel. */
  readonly overlapSeconds: number
  /** The same for kinds whose `created_at` is back-dated on purpose (NIP-59: up to two days). */
  readonly backdatedOverlapSeconds: number
}

/**
 * The filters as they go out. `alive`: unix second at which the relay was last known to have sent everything;
 * `undefined` asks from the start. Taken from our clock, never from an event, so no far-future `created_at` moves it.
 * A `limit` is left out: it would cut the answer after an outage; `limit: 0` becomes "from now on".
 */
export function standingFilters(
  filters: readonly Filter[],
  now: number,
  alive: number | undefined,
  by: Overlap,
): Filter[] {
  return filters.map(({ limit, ...rest }) => {
    const from = alive ?? (limit === 0 ? now : undefined)
    if (from === undefined) return rest
    const overlap = isBackdated(rest) ? by.backdatedOverlapSeconds : by.overlapSeconds
    return { ...rest, since: Math.max(rest.since ?? 0, Math.min(from, now) - overlap, 0) }
  })
}

/** A filter that names no kind may match a gift wrap as well when it asks for somebody's mail. */
const isBackdated = (filter: Filter): boolean =>
  filter.kinds ? filter.kinds.includes(GiftWrap) : filter['#p'] !== undefined
