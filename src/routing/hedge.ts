/**
 * When to stop waiting for the first word and ask a second node as well: where 95 of 100 answers would have begun.
 * @module
 */

const leastMs = 250
const mostMs = 15_000
const unknownMs = 3_000
/** Of a node of which only the mean is known. */
const meanTimes = 3

/** Milliseconds to wait for the first word of a candidate before a second one is asked. */
export function hedgeAfterMs(candidate: {
  readonly firstMs?: number | undefined
  readonly p95FirstMs?: number | undefined
}): number {
  const { firstMs, p95FirstMs } = candidate
  const ms = p95FirstMs ?? (firstMs === undefined ? unknownMs : firstMs * meanTimes)
  return Math.min(mostMs, Math.max(leastMs, Math.round(Number.isFinite(ms) ? ms : unknownMs)))
}
