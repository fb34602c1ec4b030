/**
 * The times of one job, as its usage receipt tells them.
 * @module
 */
import type { Clock } from '../clock.ts'

export interface Timing {
  /** Milliseconds to the first word of the model; absent where none was seen in this life of the process. */
  readonly firstMs?: number
  readonly ms: number
}

export interface Meter {
  /** Work begins; only the first time counts. */
  begin(): void
  /** The model said something; only the first time counts. */
  first(): void
  /** The answer leaves; only the first time counts. */
  end(): void
  timing(): Timing
}

/** Counts from the first `begin`, which follows the first payment, or from its own making. */
export function openMeter(clock: Clock): Meter {
  const made = clock.now()
  let began: number | undefined
  let first: number | undefined
  let ended: number | undefined
  const since = (at: number) => Math.max(0, Math.round(at - (began ?? made)))
  return {
    begin() {
      began ??= clock.now()
    },
    first() {
      first ??= clock.now()
    },
    end() {
      ended ??= clock.now()
    },
    timing: () => ({ ...(first === undefined ? {} : { firstMs: since(first) }), ms: since(ended ?? clock.now()) }),
  }
}
