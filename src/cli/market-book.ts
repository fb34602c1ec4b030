/**
 * What `gridstr market` knows: the directory, the sheets of routers, and the scores that their service keys signed.
 * @module
 */
import { type Event, identifierOf, type NodeScore, nodeScore, type PriceSheet, priceSheet } from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import { type AskedPrice, askedPrice, askingOf, type Entry, openDirectory } from '../ledger/index.ts'

/** A sheet and who signed it. */
export interface Sheet {
  readonly router: string
  readonly at: number
  readonly sheet: PriceSheet
}

/** What one router says of a node. */
export interface Opinion {
  readonly router: string
  /** From 0 to 100. */
  readonly rank: number
}

/** One line of the table. */
export interface Listed {
  readonly entry: Entry
  readonly opinions: readonly Opinion[]
  /** The middle one of the opinions; the lower of two. */
  readonly score?: number
}

export interface MarketBook {
  /** Takes an admitted event; `now` in unix seconds. True where something may look different. */
  heard(event: Event, now: number): boolean
  /** Services that take the kind, best first: alive, then by score, by price, by key. */
  listed(now: number): Listed[]
  /** The newest sheet of each router that has not expired. */
  sheets(now: number): Sheet[]
}

const MOST_SHEETS = 256
const MOST_SCORES = 100_000

/** `kind` is the job kind shown, `routers` whose sheets and scores count; none: everybody's. */
export function openMarketBook(kind: number, routers: ReadonlySet<string>): MarketBook {
  const directory = openDirectory()
  const sheets = new Map<string, Sheet>()
  const scores = bounded<string, { readonly at: number; readonly rank: number }>(MOST_SCORES)

  function heardSheet(event: Event): boolean {
    const read = priceSheet.read(event)
    const key = `${event.pubkey}:${identifierOf(event)}`
    const known = sheets.get(key)
    if (!read.ok || (routers.size > 0 && !routers.has(event.pubkey))) return false
    if (known && known.at >= event.created_at) return false
    sheets.delete(key)
    sheets.set(key, { router: event.pubkey, at: event.created_at, sheet: read.value })
    for (const oldest of sheets.keys()) if (sheets.size > MOST_SHEETS) sheets.delete(oldest)
    return true
  }

  function heardScore(event: Event): boolean {
    const read = nodeScore.read(event)
    if (!read.ok) return false
    const key = `${event.pubkey}:${read.value.node}`
    if ((scores.get(key)?.at ?? 0) >= event.created_at) return false
    scores.set(key, { at: event.created_at, rank: rankIn(read.value, kind) })
    return true
  }

  const fresh = (now: number): Sheet[] =>
    [...sheets.values()]
      .filter(({ sheet }) => sheet.expiresAt > now)
      .sort((a, b) => (a.router < b.router ? -1 : a.router > b.router ? 1 : b.at - a.at))

  return {
    heard(event, now) {
      if (event.kind === priceSheet.number) return heardSheet(event)
      if (event.kind === nodeScore.number) return heardScore(event)
      return directory.heard(event, now)
    },
    listed(now) {
      directory.sweep(now)
      const services = new Map(fresh(now).map(({ router, sheet }) => [sheet.service, router]))
      return directory
        .offering(kind)
        .map(entry => {
          const opinions = [...services].flatMap(([service, router]) => {
            const known = scores.get(`${service}:${entry.node}`)
            return known ? [{ router, rank: known.rank }] : []
          })
          const score = opinions.map(({ rank }) => rank).sort((a, b) => a - b)[(opinions.length - 1) >> 1]
          return { entry, opinions, ...(score === undefined ? {} : { score }) }
        })
        .sort(better(kind))
    },
    sheets: fresh,
  }
}

/** The rank in the shown market where the service says one, else the overall rank. */
const rankIn = ({ rank, markets }: NodeScore, kind: number): number => {
  const ranks = markets.filter(market => market.kind === kind).map(market => market.rank)
  return ranks.length > 0 ? Math.max(...ranks) : rank
}

/** What the kind costs: of the model that is named first with a price of a whole job, else with any price. */
export function priceOf({ announcement, state }: Entry, kind: number): AskedPrice | undefined {
  const groups = [state?.prices ?? [], announcement.prices ?? []].map(rows => rows.filter(row => row.kind === kind))
  const rows = groups.find(({ length }) => length > 0) ?? []
  const { model } = rows.find(({ unit }) => unit === 'job') ?? rows[0] ?? {}
  return askedPrice(askingOf({ announcement, ...(state ? { state } : {}) }), { kind, model })
}

const better =
  (kind: number) =>
  (a: Listed, b: Listed): number => {
    if (a.entry.status !== b.entry.status) return a.entry.status === 'alive' ? -1 : 1
    if (a.score !== b.score) return (b.score ?? -1) - (a.score ?? -1)
    const [one, other] = [priceOf(a.entry, kind)?.msats, priceOf(b.entry, kind)?.msats]
    if (one !== other) return one === undefined ? 1 : other === undefined ? -1 : one < other ? -1 : 1
    return a.entry.node < b.entry.node ? -1 : a.entry.node > b.entry.node ? 1 : 0
  }
