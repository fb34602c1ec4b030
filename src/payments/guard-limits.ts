/**
 * The limits of one payment: what the job may cost by its price, its bid and its terms, and what the payer lets go in an
 * hour, a day and to one peer.
 * @module
 */
import type { BilledTerms, WishedTerms } from '../../kinds/index.ts'
import type { EarlierOrder, QuoteRefusal, QuoteRule } from './guard.ts'

/** Most that may be spent, in msats, fees of earlier payments included. A cap left out does not limit. */
export interface Caps {
  readonly jobMsats: bigint
  readonly hourMsats?: bigint
  readonly dayMsats?: bigint
  /** To the key that signed the quote, in a day. */
  readonly peerDayMsats?: bigint
}

/** What was spent already, counting everything that has not failed: for this job ever, else within the time named. */
export interface Spent {
  readonly jobMsats: bigint
  readonly hourMsats: bigint
  readonly dayMsats: bigint
  readonly peerDayMsats: bigint
}

/** The numbers that a price is held against. Prices are of the whole job: its parts together cost no more. */
export interface Limits {
  readonly caps: Caps
  readonly spent: Spent
  /** All orders of this job so far. */
  readonly orders: readonly EarlierOrder[]
  readonly bidMsats?: bigint
  /** Price that the chosen node announced. */
  readonly announcedMsats?: bigint
  readonly terms?: BilledTerms
  /** Of parts, how many were bought elsewhere. */
  readonly wished?: WishedTerms
}

/** Parts that a customer does not want to buy once more. */
export const boughtElsewhere = (wished: WishedTerms | undefined): number =>
  wished?.word === 'parts' ? (wished.from ?? 0) : 0

/** Against cap, announced price, bid, and what is due after so many parts. */
export function overPrice(msats: bigint, limits: Limits): QuoteRefusal | undefined {
  const { caps, announcedMsats, bidMsats, terms, orders, wished } = limits
  if (msats > caps.jobMsats) return no('over-cap', overCap(msats, caps.jobMsats))
  const before = orders.reduce((sum, order) => (order.state === 'failed' ? sum : sum + order.msats), 0n)
  const whole = msats + before
  if (announcedMsats !== undefined && whole > announcedMsats)
    return no(
      'over-announced',
      `The node asks for ${whole} msats and announced ${announcedMsats}: ask again to see its price of today, or choose another node with --to.`,
    )
  if (bidMsats !== undefined && whole > bidMsats)
    return no(
      'over-bid',
      `The price of ${whole} msats is over the bid of ${bidMsats}: bid more, or choose another node.`,
    )
  if (terms?.word !== 'parts') return undefined
  const parts = BigInt(terms.parts)
  const from = Math.min(boughtElsewhere(wished), terms.parts - 1)
  // A price is divided by all parts; what may be spent by those that are still to be bought.
  const share = least(
    upwards(caps.jobMsats, parts - BigInt(from)),
    announcedMsats === undefined ? undefined : upwards(announcedMsats, parts),
    bidMsats === undefined ? undefined : upwards(bidMsats, parts),
  )
  const due = share * BigInt(Math.max(0, terms.part - from))
  if (whole <= due) return undefined
  return no(
    'over-part',
    `After part ${terms.part} of ${parts} the job would have cost ${whole} msats where ${due} are due by then: ask the node for even parts, or choose another.`,
  )
}

/** Against what was spent before. */
export function overCaps(msats: bigint, { caps, spent }: Limits): QuoteRefusal | undefined {
  const scopes = [
    ['over-job', 'for this job', caps.jobMsats, spent.jobMsats, 'raise the cap of a job'],
    ['over-hour', 'within an hour', caps.hourMsats, spent.hourMsats, 'wait, or raise the cap of an hour'],
    ['over-day', 'within a day', caps.dayMsats, spent.dayMsats, 'wait, or raise the cap of a day'],
    [
      'over-peer',
      'to this node within a day',
      caps.peerDayMsats,
      spent.peerDayMsats,
      'choose another node, or raise the cap of a peer',
    ],
  ] as const
  for (const [rule, scope, cap, before, wayOut] of scopes)
    if (cap !== undefined && before + msats > cap)
      return no(rule, `With ${msats} msats it would be ${before + msats} ${scope}, over the cap of ${cap}: ${wayOut}.`)
  return undefined
}

/** Says a price that was not allowed, and how to allow it. */
export function overCap(msats: bigint, capMsats: bigint): string {
  const allowed = capMsats === 0n ? 'only free answers were allowed' : `${capMsats} msats were allowed`
  return `The price is ${msats} msats and ${allowed}: allow it with --max-sats ${(msats + 999n) / 1000n}.`
}

const upwards = (msats: bigint, parts: bigint): bigint => (msats + parts - 1n) / parts

const least = (first: bigint, ...others: readonly (bigint | undefined)[]): bigint =>
  others.reduce<bigint>((low, other) => (other !== undefined && other < low ? other : low), first)

const no = (rule: QuoteRule, says: string): QuoteRefusal => ({ ok: false, rule, says })
