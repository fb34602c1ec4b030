/**
 * Prices as nodes post them and routers sum them up: always for one job kind, one model or any, and one unit.
 * @module
 */
import { money, record, type Shape, string, whole, word } from './shapes.ts'
import { integer, msats, type Value } from './values.ts'

/**
 * What a price is for: a whole job, a thousand tokens of prompt and answer, of the prompt alone (`1k-in`) or of the answer
 * alone (`1k-out`), a second, or a million bytes.
 */
export type PriceUnit = 'job' | '1k-tokens' | '1k-in' | '1k-out' | 'second' | 'MB'

/** One posted price. An empty `model` is any model. */
export interface PostedPrice {
  readonly kind: number
  readonly model: string
  readonly msats: bigint
  readonly unit: PriceUnit
}

/** One line of a price sheet. An empty `model` is any model. */
export interface PriceRow {
  readonly kind: number
  readonly model: string
  readonly unit: PriceUnit
  readonly lowMsats: bigint
  readonly medianMsats: bigint
  readonly highMsats: bigint
  /** Median of the settlements that the router saw proof of. */
  readonly settledMsats?: bigint
  /** Nodes alive that offer this. */
  readonly nodes: number
  /** Thousandths: 1,000 is no surge. */
  readonly surge: number
}

const units: readonly PriceUnit[] = ['job', '1k-tokens', '1k-in', '1k-out', 'second', 'MB']
const unitOf = (said: string | undefined): PriceUnit | undefined => units.find(unit => unit === said)
const kind = integer('', 0, 65_535)
const count = integer('', 0, 1_000_000)
/** Longest model name, in characters. */
export const LONGEST_MODEL = 256

/** The `price` tag of a node. */
export const postedPrice: Value<PostedPrice> = {
  form: '<kind> <model or empty> <msats> <job|1k-tokens|1k-in|1k-out|second|MB>',
  read(said) {
    const [, model = '', , unit] = said
    const found = { kind: kind.read(said), model, msats: msats.read(said.slice(2)), unit: unitOf(unit) }
    return found.kind === undefined || found.msats === undefined || !found.unit || model.length > LONGEST_MODEL
      ? undefined
      : { kind: found.kind, model, msats: found.msats, unit: found.unit }
  },
  write: price => [String(price.kind), price.model, String(price.msats), price.unit],
}

/** The same as JSON, msats in a string: at most 64 of an announcement, unreadable ones are left out. */
export const postedPrices = (value: unknown): PostedPrice[] =>
  Array.isArray(value) ? value.slice(0, 64).flatMap(item => pricing(item) ?? []) : []

const pricing: Shape<PostedPrice> = record(
  { kind: whole(0, 65_535), model: string(LONGEST_MODEL), msats: money, unit: word(...units) },
  {},
)

/** The `price` tag of a sheet. */
export const priceRow: Value<PriceRow> = {
  form: '<kind> <model or empty> <job|1k-tokens|1k-in|1k-out|second|MB> <low> <median> <high msats> <settled msats or empty> <nodes> <surge in thousandths>',
  read(said) {
    const [, model = '', third] = said
    const settled = said[6] === '' ? null : msats.read(said.slice(6))
    const [low, median, high] = [3, 4, 5].map(at => msats.read(said.slice(at)))
    const [of, unit, nodes, surge] = [
      kind.read(said),
      unitOf(third),
      count.read(said.slice(7)),
      count.read(said.slice(8)),
    ]
    if (of === undefined || unit === undefined || nodes === undefined || surge === undefined) return undefined
    if (low === undefined || median === undefined || high === undefined || settled === undefined) return undefined
    if (model.length > LONGEST_MODEL || low > median || median > high) return undefined
    return {
      ...{ kind: of, model, unit, lowMsats: low, medianMsats: median, highMsats: high },
      ...(settled === null ? {} : { settledMsats: settled }),
      ...{ nodes, surge },
    }
  },
  write: row => [
    ...[String(row.kind), row.model, row.unit],
    ...[row.lowMsats, row.medianMsats, row.highMsats].map(String),
    row.settledMsats === undefined ? '' : String(row.settledMsats),
    ...[String(row.nodes), String(row.surge)],
  ],
}
