/**
 * What a job costs at this moment: the announced price, or more of it while a node whose operator wants that is busy,
 * and never more than was quoted for it. Where tokens are counted, the price of all that the job may take.
 * @module
 */
import type { PostedPrice, Split, TextRequest } from '../../kinds/index.ts'
import type { MeteredPrice } from '../job/cost.ts'
import type { Why } from '../job.ts'
import { meteredMsats, standardTokens, type Tariff, tokensFor } from '../ledger/index.ts'
import { maxReceivers, shareOf } from '../payments/split.ts'
import type { Slots } from './load.ts'

export interface PricingOptions {
  /** Of the whole job, as announced; beside a tariff the part that is owed whatever the tokens are. */
  readonly priceMsats: bigint
  readonly tariff?: Tariff
  /** With it the price grows with the seats that are taken, up to twice the announced one. */
  readonly surge: boolean
  readonly splits?: readonly Split[]
  readonly node: string
  slots(): Slots
}

/** Tokens of a job before the work, as its runner counts them. */
export interface Expected {
  readonly promptTokens: number
  readonly maxTokens: number
}

export interface Priced {
  readonly msats: bigint
  /** Where tokens are counted: how, and how many of them the bid buys. */
  readonly metered?: MeteredPrice
  readonly why?: Why
}

export interface Pricing {
  /** Of the whole job, as announced; where tokens are counted of a standard job. */
  readonly announcedMsats: bigint
  /** Tokens are counted: what a job costs is known only once its prompt is. */
  readonly isMetered: boolean
  /** Of the whole job, now; where tokens are counted, of a standard prompt and at most so many tokens of an answer. */
  nowMsats(maxTokens?: number): bigint
  /** What is announced that a job of any kind and model costs (`announced`), or costs now. */
  posted(when: 'announced' | 'now'): readonly Pick<PostedPrice, 'msats' | 'unit'>[]
  /** What this node itself bills of a whole price; the others who share in it are paid beside it. */
  ownOf(msats: bigint): bigint
  /**
   * What a job is billed here, and why not at all where its bid is below that. `quotedMsats` is the price of a firm quote.
   * Without `expected` a price by tokens is looked at as far as it does not depend on them.
   */
  ofJob(request: Pick<TextRequest, 'bidMsats'>, quotedMsats: bigint | undefined, expected?: Expected): Priced
}

/** Throws for shares that nobody could pay, and for a tariff that cannot be kept. */
export function openPricing(options: PricingOptions): Pricing {
  const { priceMsats, tariff, surge, splits = [], node, slots } = options
  const keys = new Set(splits.map(split => split.pubkey))
  const whole = splits.every(({ weight }) => Number.isSafeInteger(weight) && weight > 0)
  if (splits.length > maxReceivers || keys.size < splits.length || !whole)
    throw new Error(`The price is shared by at most ${maxReceivers}, each named once with a whole number above 0.`)
  if (tariff && (tariff.promptMsatsPer1k < 0n || tariff.answerMsatsPer1k < 0n || priceMsats < 0n))
    throw new Error('Prices are 0 or more: give whole msats.')
  if (tariff && splits.length > 0)
    throw new Error(
      'A price by the token cannot be shared: leave out --split, or ask a price per answer (--price-msats).',
    )
  if (tariff && surge)
    throw new Error(
      'A price by the token does not surge: leave out --surge, or ask a price per answer (--price-msats).',
    )
  const ownOf = (msats: bigint) => shareOf(msats, splits, node)
  const metered = tariff && (tariff.promptMsatsPer1k > 0n || tariff.answerMsatsPer1k > 0n) ? tariff : undefined
  return metered ? byToken({ ...metered, flatMsats: priceMsats }) : byJob()

  function byJob(): Pricing {
    const nowMsats = () => {
      if (!surge) return priceMsats
      const { total, busy, queued } = slots()
      const taken = BigInt(Math.min(total, busy + queued))
      return priceMsats + (priceMsats * taken) / BigInt(total)
    }
    return {
      ...{ announcedMsats: priceMsats, isMetered: false, nowMsats, ownOf },
      posted: when => [{ msats: when === 'now' ? nowMsats() : priceMsats, unit: 'job' }],
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
}

/** Prices of tokens: before the work what the prompt and all that may follow cost, but no more than the bid. */
function byToken(price: Tariff & { readonly flatMsats: bigint }): Pricing {
  const { flatMsats, promptMsatsPer1k, answerMsatsPer1k } = price
  const nowMsats = (maxTokens: number = standardTokens.answer) => meteredMsats(price, standardTokens.prompt, maxTokens)
  return {
    ...{ announcedMsats: nowMsats(), isMetered: true, nowMsats },
    ownOf: msats => msats,
    posted: () => [
      ...(flatMsats > 0n ? [{ msats: flatMsats, unit: 'job' as const }] : []),
      { msats: promptMsatsPer1k, unit: '1k-in' },
      { msats: answerMsatsPer1k, unit: '1k-out' },
    ],
    ofJob({ bidMsats }, _, expected) {
      const { promptTokens, maxTokens } = expected ?? { promptTokens: 0, maxTokens: 0 }
      const bought = bidMsats === undefined ? maxTokens : tokensFor(price, promptTokens, maxTokens, bidMsats)
      const leastTokens = Math.min(1, maxTokens)
      if (bidMsats !== undefined && bought < leastTokens) {
        const msats = meteredMsats(price, promptTokens, leastTokens)
        return { msats, why: { code: 'underbid', says: tooLow(msats, promptTokens, bidMsats) } }
      }
      const msats = meteredMsats(price, promptTokens, bought)
      return { msats, metered: { ...price, promptTokens, maxTokens: bought } }
    },
  }
}

const tooLow = (msats: bigint, promptTokens: number, bidMsats: bigint): string =>
  `The prompt of ${promptTokens} tokens and one of the answer cost ${msats} msats, the bid is ${bidMsats}. Bid more, or ask something shorter.`
const surged = (msats: bigint): string =>
  `This node is busy and asks ${msats} msats now. Ask for a quote, name it in the job and bid so much, or come back later.`
