/**
 * A token bucket that may go below zero: the message is there already, so the debt is paid by waiting.
 * @module
 */
import type { Clock } from '../src/clock.ts'

export interface Bucket {
  /** Takes tokens and returns for how many milliseconds nothing more should be taken. */
  take(tokens: number): number
}

/** Starts full. */
export function openBucket(clock: Clock, perSecond: number, burst: number): Bucket {
  let tokens = burst
  let at = clock.now()
  return {
    take(count) {
      const now = clock.now()
      tokens = Math.min(burst, tokens + (Math.max(0, now - at) * perSecond) / 1000) - count
      at = now
      return tokens >= 0 ? 0 : Math.ceil((-tokens * 1000) / perSecond)
    },
  }
}
