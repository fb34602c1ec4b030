/**
 * Calendar periods in which a budget renews, in UTC.
 * @module
 */

/** NIP-47 `renewal_period`, as Alby's `get_budget` says it. */
export type Renewal = 'daily' | 'weekly' | 'monthly' | 'yearly' | 'never'

export interface Period {
  /** Unix seconds, included. */
  readonly from: number
  /** Unix seconds, not included; `undefined` when the period never ends. */
  readonly until: number | undefined
}

const DAY = 86_400

/** The period that a time (unix seconds) lies in. Weeks begin on Monday. */
export function periodOf(renewal: Renewal, at: number): Period {
  const day = Math.floor(at / DAY)
  const date = new Date(day * DAY * 1_000)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  switch (renewal) {
    case 'daily':
      return { from: day * DAY, until: (day + 1) * DAY }
    case 'weekly': {
      // 1970-01-01 was a Thursday.
      const monday = day - ((((day + 3) % 7) + 7) % 7)
      return { from: monday * DAY, until: (monday + 7) * DAY }
    }
    case 'monthly':
      return { from: Date.UTC(year, month) / 1_000, until: Date.UTC(year, month + 1) / 1_000 }
    case 'yearly':
      return { from: Date.UTC(year, 0) / 1_000, until: Date.UTC(year + 1, 0) / 1_000 }
    default:
      return { from: Number.NEGATIVE_INFINITY, until: undefined }
  }
}
