/**
 * What a job costs at this moment: the announced price, or more of it while a node whose operator wants that is busy,
 * and never more than was quoted for it.
 * @module
 */
import type { Split, TextRequest } from '../../kinds/index.ts'
import type { Why } from '../job.ts'
import { maxReceivers, shareOf } from '../payments/split.ts'
import type { Slots } from './load.ts'

export interface PricingOptions {
  /** Of the whole job, as announced. */
  readonly priceMsats: bigint
  /** With it the price grows with the seats that are taken, up to twice the announced one. */
  readonly surge: boolean
  readonly splits?: readonly Split[]
  readonly node: string
  slots(): Slots
}

export interface Pricing {
  /** Of the whole job, as announced. */
  readonly announcedMsats: bigint
  /** Of the whole job, now. */
  nowMsats(): bigint
  /** What this node itself bills of a whole price; the others who share in it are paid beside it. */
  ownOf(msats: bigint): bigint
  /** What a job is billed here, and why not at all where its bid is below that. `quotedMsats` is the price of a firm quote. */
  ofJob(request: Pick<TextRequest, 'bidMsats'>, quotedMsats: bigint | undefined): { msats: bigint; why?: Why }
}

/** Throws for shares that nobody could pay. */
export function openPricing(options: PricingOptions): Pricing {
  const { priceMsats, surge, splits = [], node, slots } = options
  const keys = new Set(splits.map(split => split.pubkey))
  const whole = splits.every(({ weight }) => Number.isSafeInteger(weight) && weight > 0)
  if (splits.length > maxReceivers || keys.size < splits.length || !whole)
    throw new Error(`The price is shared by at most ${maxReceivers}, each named once with a whole number above 0.`)
  const ownOf = (msats: bigint) => shareOf(msats, splits, node)

  function nowMsats(): bigint {
    if (!surge) return priceMsats
    const { total, busy, queued } = slots()
    const taken = BigInt(Math.min(total, busy + queued))
    return priceMsats + (priceMsats * taken) / BigInt(total)
  }

  return {
    announcedMsats: priceMsats,
    nowMsats,
    ownOf,
    ofJob({ bidMsats }, quotedMsats) {
      const now = nowMsats()
      const price = quotedMsats !== undefined && quotedMsats < now ? quotedMsats : now
      const msats = ownOf(price)
      if (bidMsats === undefined || bidMsats >= msats) return { msats }
      if (price > priceMsats && bidMsats >= ownOf(priceMsats))
        return { msats, why: { code: 'surge', says: surged(price) } }
      return { msats, why: { code: 'underbid', says: `The price is ${msats} msats, the bid is ${bidMsats}.` } }
    },
  }
}

const surged = (msats: bigint): string =>
  `This node is busy and asks ${msats} msats now. Ask for a quote, name it in the job and bid so much, or come back later.`
