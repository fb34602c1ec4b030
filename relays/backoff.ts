/**
 * How long to wait before the next attempt: doubling, half of it random, from the start again after a stable time.
 * @module
 */
import type { Clock } from '../src/clock.ts'
import type { PoolLimits } from './pool-limits.ts'

export interface Backoff {
  /** What was attempted works since now. */
  started(): void
  /** Milliseconds to wait before the next attempt. */
  next(): number
}

/** `random`: from 0 to below 1. The random half keeps a thousand nodes from coming back in the same instant. */
export function openBackoff(
  clock: Clock,
  limits: Pick<PoolLimits, 'backoffMs' | 'stableMs'>,
  random: () => number,
): Backoff {
  const [first, longest] = limits.backoffMs
  let attempts = 0
  let since: number | undefined
  return {
    started() {
      since = clock.now()
    },
    next() {
      if (since !== undefined && clock.now() - since >= limits.stableMs) attempts = 0
      since = undefined
      const ms = Math.min(longest, first * 2 ** Math.min(attempts++, 30))
      return Math.round(ms / 2 + (random() * ms) / 2)
    },
  }
}
