/**
 * What a service asks for a standard job: the one reading of posted prices for customers, routers and the market table, so
 * that all of them compare by the same number and can recompute each other's.
 * @module
 */
import type { Announcement, NodeState, PostedPrice, PriceUnit } from '../../kinds/index.ts'
import { type Metered, meteredMsats } from './tariff.ts'

/** What a service says of its prices. `lease` are those of its lease: what it asks right now. */
export interface Asking {
  readonly prices?: readonly PostedPrice[] | undefined
  readonly lease?: readonly PostedPrice[] | undefined
  readonly priceMsats?: bigint | undefined
}

/** What a service says of its prices in its announcement and its lease. */
export const askingOf = (of: { readonly announcement: Announcement; readonly state?: NodeState }): Asking => ({
  prices: of.announcement.prices,
  priceMsats: of.announcement.priceMsats,
  lease: of.state?.prices,
})

/** Whose price is asked for. Without a model: the price of any model, of all jobs, or of the model that is named first. */
export interface StandardJob {
  readonly kind: number
  readonly model?: string | undefined
  /** Tokens of the answer at most. Default 500. */
  readonly maxTokens?: number | undefined
}

/** `msats` are for one `unit`; `job` is the standard job where `metered` says how tokens are counted. */
export interface AskedPrice {
  readonly msats: bigint
  readonly unit: PriceUnit
  readonly metered?: Metered
}

/** Tokens of a standard job, where nobody says how many. */
export const standardTokens = { prompt: 1_000, answer: 500 } as const

/**
 * The price of a service, or nothing where it says none. A row of the model goes before a row of any model, a lease before
 * an announcement; `1k-in` and `1k-out` are paid beside a price per job, `1k-tokens` in place of one.
 */
export function askedPrice(asking: Asking, job: StandardJob): AskedPrice | undefined {
  const { lease = [], prices = [], priceMsats } = asking
  const posted = [lease, prices].map(rows => rows.filter(({ kind }) => kind === job.kind))
  const of = (model: string | undefined) =>
    model === undefined ? [] : posted.map(rows => rows.filter(row => row.model === model))
  const ours = [...of(job.model || undefined), ...of('')]
  const flat = priceMsats === undefined ? undefined : { msats: priceMsats, unit: 'job' as const }
  const first = job.model ? undefined : posted.flat()[0]?.model
  return (
    firstOf(ours, rows => comparable(rows, job)) ??
    flat ??
    firstOf(of(first), rows => comparable(rows, job)) ??
    other([...ours, ...of(first)])
  )
}

/** What the standard job costs; nothing where no price can be compared with that of a job. */
export function askedMsats(asking: Asking, job: StandardJob): bigint | undefined {
  const found = askedPrice(asking, job)
  return found?.unit === 'job' ? found.msats : undefined
}

function comparable(rows: readonly PostedPrice[], { maxTokens = standardTokens.answer }: StandardJob) {
  const of = (unit: PriceUnit) => rows.find(row => row.unit === unit)?.msats
  const [flatMsats, prompt, answer] = [of('job'), of('1k-in'), of('1k-out')]
  const both = flatMsats === undefined && prompt === undefined && answer === undefined ? of('1k-tokens') : undefined
  if (prompt === undefined && answer === undefined && both === undefined)
    return flatMsats === undefined ? undefined : { msats: flatMsats, unit: 'job' as const }
  const metered: Metered = {
    flatMsats: flatMsats ?? 0n,
    promptMsatsPer1k: prompt ?? both ?? 0n,
    answerMsatsPer1k: answer ?? both ?? 0n,
  }
  return { msats: meteredMsats(metered, standardTokens.prompt, maxTokens), unit: 'job' as const, metered }
}

/** A price of a second or a megabyte is told as it is. */
function other(groups: readonly (readonly PostedPrice[])[]): AskedPrice | undefined {
  const row = groups.flat()[0]
  return row && { msats: row.msats, unit: row.unit }
}

const firstOf = <T, R>(list: readonly T[], read: (one: T) => R | undefined): R | undefined => {
  for (const one of list) {
    const found = read(one)
    if (found !== undefined) return found
  }
  return undefined
}
