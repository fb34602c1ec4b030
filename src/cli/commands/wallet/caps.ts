/**
 * What was spent against the caps of the home folder, read from journals.
 * @module
 */
import type { Journal } from '../../../journal/journal.ts'
import type { Spent } from '../../../payments/guard.ts'

export const HOUR_SECONDS = 3_600
export const DAY_SECONDS = 86_400

/** Everything that has not failed, fees included: within the last hour, the last 24 hours, and those to one peer. */
export function spentBefore(journals: readonly Journal[], now: number, peer?: string): Omit<Spent, 'jobMsats'> {
  const since = (seconds: number, of?: string) =>
    journals.reduce(
      (sum, { orders }) => sum + orders.spentMsats({ since: now - seconds, ...(of === undefined ? {} : { peer: of }) }),
      0n,
    )
  return {
    hourMsats: since(HOUR_SECONDS),
    dayMsats: since(DAY_SECONDS),
    peerDayMsats: peer === undefined ? 0n : since(DAY_SECONDS, peer),
  }
}
