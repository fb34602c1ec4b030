/**
 * How much work a customer may get before it pays. The line grows with settled bills like the slow start of TCP and
 * halves with each default, so that nobody can take more on credit than it has paid.
 * @module
 */
import type { BillFact } from './ledger.ts'

/** What a payee grants. */
export interface CreditPolicy {
  /**
   * Line of a customer without history. Default 0: a stranger pays before. Whoever makes many keys gets a start many
   * times, twice over.
   */
  readonly startMsats: bigint
  /** Most that anybody gets. Default a thousand sats. */
  readonly maxMsats: bigint
  /** What was earned beyond the start halves for each such time without a settled bill. Default: it stays. */
  readonly idleSeconds?: number
}

export interface CreditLine {
  readonly lineMsats: bigint
  /** Delivered and neither paid nor given up. */
  readonly openMsats: bigint
  /** What may still be delivered before something is paid. */
  readonly freeMsats: bigint
}

const mostMsats = 1_000_000n

/**
 * Folds a customer's bills by the time of their end, in whatever order they are listed; `now` is unix seconds.
 *
 * Each settled bill adds half of its amount, whether it was paid before or after the work: strangers earn a line by
 * paying before, and who uses all of it and pays has more than doubled it after two bills. Each default halves it. A line
 * of L can be defaulted on for L, then L/2, then L/4: less than 2 L in all. So whoever defaults takes at most twice the
 * start more than it has paid, whenever it does so and however its bills overlap; from a start of 0 never more than it
 * paid.
 *
 * Without a start, the newest part of a history is safe to fold alone: what is left out was earned before what it
 * would have cost.
 */
export function creditLine(
  history: readonly BillFact[],
  policy: Partial<CreditPolicy> & { readonly now?: number } = {},
): CreditLine {
  const { startMsats = 0n, maxMsats = mostMsats, idleSeconds, now } = policy
  const within = (msats: bigint) => (msats < 0n ? 0n : msats > maxMsats ? maxMsats : msats)
  const start = within(startMsats)
  let line = start
  let open = 0n
  let paidAt: number | undefined
  for (const fact of history.toSorted((a, b) => endOf(a) - endOf(b) || rank[a.state] - rank[b.state])) {
    if (fact.msats <= 0n) continue
    if (fact.state === 'paid') {
      line = within(line + fact.msats / 2n)
      paidAt = endOf(fact)
    } else if (fact.state === 'defaulted') line = line / 2n
    else if (fact.state === 'open') open += fact.msats
  }
  if (now !== undefined && idleSeconds !== undefined && paidAt !== undefined && line > start) {
    const idle = line >> BigInt(Math.max(0, Math.floor((now - paidAt) / idleSeconds)))
    line = idle > start ? idle : start
  }
  return { lineMsats: line, openMsats: open, freeMsats: line > open ? line - open : 0n }
}

const endOf = ({ at, endedAt = at }: BillFact): number => endedAt

/** Within one second money counts first and default last, so that the order of a list does not matter. */
const rank = { open: 0, void: 0, paid: 1, defaulted: 2 } as const
