/**
 * How long a request for quotes may wait.
 * @module
 */
import type { QuoteRequest } from '../../kinds/index.ts'

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
