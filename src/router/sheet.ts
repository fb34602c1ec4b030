/**
 * The price sheet: what nodes ask, what was settled, and how far demand lifts the price. Pure, but for its publisher.
 * @module
 */
import {
  type Event,
  type PriceRow,
  type PriceSheet,
  type PriceUnit,
  priceSheet,
  type Template,
} from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import type { Entry } from '../ledger/directory.ts'

/**
 * How far demand lifts a price, in thousandths: 1,000 while at most half of the seats are taken, then in proportion to
 * jobs per seat, `2,000 × (busy + queued) / total`, up to 5,000. Without seats there is no pressure to be seen: 1,000.
 */
export function surgeOf(total: number, taken: number): number {
  if (total <= 0) return 1_000
  return Math.min(5_000, Math.max(1_000, Math.round((2_000 * taken) / total)))
}

/** Medians of what was settled for whole jobs, from the last 101 jobs of each market. */
export interface Settlements {
  /** One attested payment; several for one job add up. */
  settled(job: string, kind: number, model: string, msats: bigint): void
  median(kind: number, model: string): bigint | undefined
}

const mostMarkets = 4_096
const mostJobs = 101
const mostRows = 256
const mostPerNode = 64

export function openSettlements(): Settlements {
  const markets = bounded<string, Map<string, bigint>>(mostMarkets)
  return {
    settled(job, kind, model, msats) {
      const name = `${kind}:${model}`
      const jobs = markets.get(name) ?? new Map<string, bigint>()
      jobs.set(job, (jobs.get(job) ?? 0n) + msats)
      for (const [oldest] of jobs) {
        if (jobs.size <= mostJobs) break
        jobs.delete(oldest)
      }
      markets.set(name, jobs)
    },
    median(kind, model) {
      const jobs = markets.get(`${kind}:${model}`)
      return jobs && middle([...jobs.values()])
    },
  }
}

/** Lower median. */
const middle = (values: readonly bigint[]): bigint | undefined =>
  values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))[(values.length - 1) >>> 1]

interface Group {
  readonly kind: number
  readonly model: string
  readonly unit: PriceUnit
  readonly msats: bigint[]
  total: number
  taken: number
}

/** The rows of a sheet: one for each kind, model and unit that a node that is alive offers; the most offered 256. */
export function rowsOf(entries: Iterable<Entry>, settled: Settlements['median']): PriceRow[] {
  const groups = new Map<string, Group>()
  for (const entry of entries) {
    if (entry.status !== 'alive') continue
    const { slots } = entry.state ?? {}
    for (const { kind, model, unit, msats } of pricesOf(entry)) {
      const name = `${kind}:${unit}:${model}`
      const group = groups.get(name) ?? { kind, model, unit, msats: [], total: 0, taken: 0 }
      groups.set(name, group)
      group.msats.push(msats)
      group.total += slots?.total ?? 0
      group.taken += slots ? slots.busy + slots.queued : 0
    }
  }
  return [...groups.values()]
    .sort((a, b) => b.msats.length - a.msats.length || before(a, b))
    .slice(0, mostRows)
    .sort(before)
    .map(({ kind, model, unit, msats, total, taken }) => {
      const sorted = msats.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      const [lowMsats = 0n, highMsats = 0n] = [sorted[0], sorted.at(-1)]
      const paid = unit === 'job' ? settled(kind, model) : undefined
      return {
        ...{ kind, model, unit, lowMsats, medianMsats: middle(sorted) ?? 0n, highMsats },
        ...(paid === undefined ? {} : { settledMsats: paid }),
        ...{ nodes: sorted.length, surge: surgeOf(total, taken) },
      }
    })
}

const before = (a: Group, b: Group): number =>
  a.kind - b.kind || (a.model < b.model ? -1 : a.model > b.model ? 1 : 0) || (a.unit < b.unit ? -1 : 1)

/** What one node asks, one price for each kind, model and unit. The lease says what counts now, else the announcement. */
function pricesOf({ announcement, state }: Entry) {
  const names = announcement.models.length > 0 ? announcement.models.map(({ name }) => name) : ['']
  const kinds = new Set(state?.kinds ?? announcement.kinds)
  const posted = [...(state?.prices ?? []), ...(announcement.prices ?? [])].filter(({ kind }) => kinds.has(kind))
  const found = new Map<string, { kind: number; model: string; unit: PriceUnit; msats: bigint }>()
  const add = (kind: number, model: string, unit: PriceUnit, msats: bigint) => {
    const name = `${kind}:${unit}:${model}`
    if (!found.has(name) && found.size < mostPerNode) found.set(name, { kind, model, unit, msats })
  }
  for (const { kind, model, unit, msats } of posted) if (model !== '') add(kind, model, unit, msats)
  for (const { kind, model, unit, msats } of posted)
    if (model === '') for (const name of names) add(kind, name, unit, msats)
  const { priceMsats } = announcement
  if (priceMsats !== undefined)
    for (const kind of kinds)
      if (!posted.some(one => one.kind === kind)) for (const name of names) add(kind, name, 'job', priceMsats)
  return found.values()
}

export interface SheetOptions {
  readonly id: string
  readonly feeMsats: bigint
  readonly policy: string
  readonly params: string
  readonly service: string
  readonly relays: readonly string[]
  rows(): PriceRow[]
  position(): { readonly seq: number; readonly commit: string }
  publish(template: Template): Event
  /** Unix seconds. */
  now(): number
}

/** Seconds that a sheet is good for, and between two that differ. */
const lifeSeconds = 3_600
const leastSeconds = 60

/** Publishes a sheet when it differs from the last one, or when half of its life is over; called now and then. */
export function openSheet(options: SheetOptions): { tick(): void } {
  const { rows, position, publish, now, ...fixed } = options
  let said = ''
  let saidAt = Number.NEGATIVE_INFINITY
  return {
    tick() {
      const at = now()
      if (at - saidAt < leastSeconds) return
      const fresh = rows()
      const text = JSON.stringify(fresh, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
      if (text === said && at - saidAt < lifeSeconds / 2) return
      const { seq, commit: hash } = position()
      const sheet: PriceSheet = { ...fixed, rows: fresh, commit: { seq, hash }, expiresAt: at + lifeSeconds }
      publish(priceSheet.write(sheet, at))
      said = text
      saidAt = at
    },
  }
}
