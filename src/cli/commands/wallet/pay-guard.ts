/**
 * The payer guard over an invoice that its owner pays without a job: no node was chosen, so nobody has to be matched.
 * @module
 */
import type { Journal, Order } from '../../../journal/journal.ts'
import { type Caps, checkQuote, type Spent } from '../../../payments/guard.ts'
import type { PayOrder, WalletInfo } from '../../../payments/payment.ts'
import { DAY_SECONDS, HOUR_SECONDS, spentBefore } from './caps.ts'
import { inSats } from './words.ts'

/** So long after its intent a request may still lie before the wallet: the payment's time-out, and clocks apart. */
const STRAY_SECONDS = 180

/** Until when (unix seconds) a wallet that denies an order, or calls it failed, may still run a request for it. */
export const strayUntil = ({ at, endedAt = 0 }: Pick<Order, 'at' | 'endedAt'>): number =>
  Math.max(at, endedAt) + STRAY_SECONDS

export type Judged =
  | { readonly ok: true; readonly order: PayOrder }
  | { readonly ok: false; readonly rule: string; readonly says: string }

export interface Reading {
  readonly bolt11: string
  readonly caps: Caps
  readonly spent: Omit<Spent, 'jobMsats'>
  readonly info: Pick<WalletInfo, 'network' | 'nodeKey'>
  readonly now: number
}

/** The order, or the first rule that the invoice breaks. Hashes that were ordered before are looked up by the caller. */
export function judge({ bolt11, caps, spent, info, now }: Reading): Judged {
  const verdict = checkQuote({
    quotedBy: '',
    job: '',
    quotedJob: '',
    ours: () => true,
    orders: [],
    bolt11,
    caps,
    spent: { jobMsats: 0n, ...spent },
    wallet: { network: info.network, ...(info.nodeKey === undefined ? {} : { nodeKey: info.nodeKey }) },
    now,
    seenHashes: () => false,
  })
  if (verdict.ok) return { ok: true, order: verdict.order }
  return { ...verdict, says: ownWords(verdict.rule, caps) ?? verdict.says }
}

/** The guard speaks of nodes and quotes where there is only an invoice. */
function ownWords(rule: string, { jobMsats, hourMsats = 0n, dayMsats = 0n }: Caps): string | undefined {
  const raise = 'wait, or raise it with "gridstr wallet budget'
  switch (rule) {
    case 'over-cap':
      return `The invoice asks for more than the ${inSats(jobMsats)} of --max-sats: raise that if the price is right.`
    case 'over-hour':
      return `With this it would be more than the ${inSats(hourMsats)} that may be spent in an hour: ${raise} --set-hour-sats N".`
    case 'over-day':
      return `With this it would be more than the ${inSats(dayMsats)} that may be spent in a day: ${raise} --set-day-sats N".`
    case 'amountless':
      return 'The invoice leaves the amount open: ask for one that names it.'
    case 'expired':
      return 'The invoice has expired or is about to: ask for a new one.'
    case 'self-pay':
      return 'The invoice is of your own Lightning node: use another wallet to pay it.'
  }
  return undefined
}

/** What was spent, less an earlier try of the same order, which would otherwise count against itself. */
export function spentBesides(journals: readonly Journal[], now: number, own?: Order): Omit<Spent, 'jobMsats'> {
  const { hourMsats, dayMsats, peerDayMsats } = spentBefore(journals, now)
  const counts = (seconds: number) =>
    own && own.state !== 'failed' && own.at >= now - seconds ? own.msats + (own.feeMsats ?? 0n) : 0n
  return { hourMsats: hourMsats - counts(HOUR_SECONDS), dayMsats: dayMsats - counts(DAY_SECONDS), peerDayMsats }
}
