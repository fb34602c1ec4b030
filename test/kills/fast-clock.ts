/**
 * Time that runs faster than the wall's, the same in every process that knows when it began: waiting for a wallet's
 * time-out takes moments and still happens in the same order.
 * @module
 */
import type { Clock } from '../../src/clock.ts'

export interface Pace {
  /** Milliseconds since 1970 at which the fast time left the wall's. */
  readonly beganMs: number
  readonly speed: number
}

export function fastClock({ beganMs, speed }: Pace): Clock {
  return {
    now: () => Math.floor(beganMs + (Date.now() - beganMs) * speed),
    after(ms, run) {
      const timer = setTimeout(run, ms / speed)
      return () => clearTimeout(timer)
    },
  }
}
