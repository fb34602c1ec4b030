/**
 * A book in memory for the router's desk: announcements, leases and folded facts make markets; the chain is the real one.
 */
import type { Event } from '../kinds/index.ts'
import { type Entry, openDirectory } from '../src/ledger/directory.ts'
import { defaultParams, fold, openTrack, scoreOf, stageOf, type Track, type TrackFact } from '../src/ledger/index.ts'
import type { Book } from '../src/router/book-contract.ts'
import { openChain } from '../src/router/chain.ts'
import type { BookOpening } from '../src/router/router.ts'
import { type Candidate, type Market, openMarket } from '../src/routing/index.ts'

export interface DoubleBook extends Book {
  /** What the ledger would fold of a node. */
  learn(node: string, ...facts: TrackFact[]): void
  readonly heardOf: Event[]
  readonly payers: ReadonlySet<string>
  readonly entries: () => IterableIterator<{ readonly seq: number; readonly event: Event }>
}

export function doubleBook(opening: BookOpening): DoubleBook {
  const { clock, params } = opening
  const directory = openDirectory({ max: 1_000 })
  const tracks = new Map<string, Track>()
  const rtts = new Map<string, number>()
  const markets = new Map<string, Market>()
  const heardOf: Event[] = []
  const payers = new Set<string>()
  const chain = openChain({
    ...opening,
    onEntry: () => {},
    onTrouble: says => opening.tell({ event: 'trouble', request: '', says }),
  })
  const now = () => Math.floor(clock.now() / 1000)
  const trackOf = (node: string): Track => {
    const track = tracks.get(node) ?? openTrack()
    tracks.set(node, track)
    return track
  }
  const scored: Book['scored'] = (node, _kind, _model, at) => {
    const track = trackOf(node)
    const around = { at, medianFirstMs: 100, medianPerTokenMs: 10, stakeUnits: 0, stakeRef: 0, rttMs: rtts.get(node) }
    return {
      ...scoreOf(track, around, params),
      stage: stageOf(track, params, at),
      log: chain.position().seq - 1,
      track,
    }
  }
  const candidateOf = ({ node, announcement, state, status }: Entry): Candidate => {
    const { score, factors, stage } = scored(node, 5050, '', now())
    const { id, terms = [], models, privacy, region, priceMsats = 0n } = announcement
    const price = state?.prices[0]?.msats ?? priceMsats
    return {
      ...{
        node,
        service: id,
        model: models[0]?.name,
        msats: Number(price),
        score,
        factors,
        stage,
        status,
        terms,
        region,
      },
      privacy: privacy ?? [0, 1],
      inflight: state ? state.slots.busy + state.slots.queued : 0,
      slots: state?.slots.total ?? Number.POSITIVE_INFINITY,
    }
  }
  const marketOf = (model: string | undefined): Market => {
    const name = model ?? ''
    const market = markets.get(name) ?? openMarket()
    markets.set(name, market)
    return market
  }
  const refresh = (node: string) => {
    const entry = directory.get(node)
    if (!entry) return
    const candidate = candidateOf(entry)
    marketOf(undefined).set(candidate)
    for (const { name } of entry.announcement.models) marketOf(name).set(candidate)
  }
  const learn = (node: string, ...facts: TrackFact[]) => {
    for (const fact of facts) fold(trackOf(node), fact, defaultParams)
    refresh(node)
  }
  return {
    directory,
    heardOf,
    learn,
    heard(event) {
      heardOf.push(event)
      directory.heard(event, now())
      refresh(event.pubkey)
    },
    entryOf: node => directory.get(node),
    market: (_kind, model) => marketOf(model),
    scored,
    timed: (node, ms) => void rtts.set(node, ms),
    rttOf: node => rtts.get(node),
    paidFee: customer => void payers.add(customer),
    payers,
    offends: () => false,
    position: chain.position,
    append: chain.append,
    entries: () => chain.entries(0),
    close: chain.close,
  }
}
