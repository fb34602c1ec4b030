/**
 * The one fold of a router's log. A router folds an entry at a time and a verifier folds them all, with the same code
 * and to the same digit: what a router believes is what its log says, and nothing else.
 * @module
 */
import type { Attestation, Routing } from '../../kinds/index.ts'
import { bounded } from '../bounded.ts'
import { fromHex, sha256Hex } from '../hash.ts'
import { isLetOff } from './ejections.ts'
import { type Median, openMedian } from './medians.ts'
import type { Params } from './params.ts'
import { openPayers, type Payers } from './payers.ts'
import { type Around, type Score, scoreOf } from './score.ts'
import { fold, isEjected, openTrack, type Stage, stageOf, type Track, type TrackFact } from './track.ts'

/** One entry of the chain. Labels (1985) are folded, routing events (4631) only hold it together. */
export interface LogEntry {
  readonly id: string
  readonly seq: number
  /** Id of the entry before, empty for the first. */
  readonly prev: string
  /** What the entry before committed to. */
  readonly seed?: string | undefined
  /** SHA-256 of the seed of the next entry. */
  readonly commit?: string | undefined
  readonly label?: Attestation | undefined
}

/** A label as an entry. The seed in a label is the beacon of an audit and none of the chain. */
export const labelEntry = (id: string, label: Attestation): LogEntry => ({
  id,
  seq: label.seq,
  prev: label.prev,
  commit: label.commit,
  label,
})

/** A routing event as an entry. */
export const routingEntry = (
  id: string,
  { seq, prev, seed, commit }: Pick<Routing, 'seq' | 'prev' | 'seed' | 'commit'>,
): LogEntry => ({ id, seq, prev, seed, commit })

/** Why an entry does not follow: another number, another predecessor, a seed that was not, or not so, committed to. */
export type ChainFault = 'seq' | 'prev' | 'uncommitted' | 'seed'

/** A node's standing in one market. `log` is the number of the last entry that was folded, -1 before the first. */
export interface Standing extends Score {
  readonly stage: Stage
  readonly log: number
  readonly track: Track
}

export interface Ledger {
  /** Takes the next entry, or says why it is not the next and takes nothing. */
  fold(entry: LogEntry): ChainFault | undefined
  /** Last entry that was folded. */
  readonly seq: number
  readonly id: string
  /** What is known of a node in a market; a node nobody worked with is an empty track that must not be folded into. */
  track(node: string, kind: number, model: string): Track
  /** Speeds of the nodes of a market, milliseconds, 0 when unknown. */
  medians(kind: number, model: string): { readonly firstMs: number; readonly perTokenMs: number }
  /** `now` is unix seconds. */
  stage(node: string, kind: number, model: string, now: number): Stage
  standing(
    node: string,
    kind: number,
    model: string,
    around: Omit<Around, 'medianFirstMs' | 'medianPerTokenMs'>,
  ): Standing
  /** Settled payments between customers and nodes, for the walk. */
  readonly payers: Payers
  /** Keys are `node:kind:model`. */
  tracks(): IterableIterator<[key: string, track: Track]>
  readonly size: number
}

interface Market {
  readonly first: Median
  readonly token: Median
  /** Tracks of this market, and those of them that were ejected and may still be, by node. */
  size: number
  readonly ejected: Map<string, Track>
  /** Size of `ejected` at which those are dropped whose time is over. */
  sweepAt: number
}

/** An empty ledger. At most `most` tracks are kept; the one that was folded longest ago goes first. */
export function openLedger(params: Params, most = 1_000_000): Ledger {
  const tracks = new Map<string, Track>()
  const markets = new Map<string, Market>()
  const faults = bounded<string, number>(100_000)
  const payers = openPayers(params)
  let last: LogEntry = { id: '', seq: -1, prev: '' }
  let newest = 0

  const marketOf = (name: string): Market => {
    const known = markets.get(name)
    if (known) return known
    const market = { first: openMedian(), token: openMedian(), size: 0, ejected: new Map(), sweepAt: 64 }
    markets.set(name, market)
    return market
  }

  const forget = (key: string, track: Track) => {
    const [node, name] = splitKey(key)
    const market = marketOf(name)
    market.first.change(track.firstUs, 0)
    market.token.change(track.tokenUs, 0)
    market.ejected.delete(node)
    if (--market.size === 0) markets.delete(name)
    tracks.delete(key)
  }

  /** Time moves on in the log alone, so that everybody forgets at the same entry. */
  const advance = (at: number) => {
    if (at <= newest) return
    const step = params.forgetSeconds / 3
    const due = Math.floor(at / step) > Math.floor(newest / step)
    newest = at
    if (!due) return
    for (const [key, track] of tracks) if (newest - track.at >= params.forgetSeconds) forget(key, track)
  }

  const open = (key: string, node: string, market: Market): Track => {
    const track = openTrack()
    market.size++
    const fault = faults.get(node)
    if (fault !== undefined) fold(track, { fact: 'fault', at: fault }, params)
    tracks.set(key, track)
    for (const [oldest, other] of tracks) {
      if (tracks.size <= most) break
      forget(oldest, other)
    }
    return track
  }

  const take = (label: Attestation) => {
    advance(label.at)
    const { node, customer, msats } = label
    if (label.topic === 'payment') {
      // What is settled may have been receipt-valid before: counted there too, the same money would count twice.
      if (label.label === 'settled' && customer !== undefined && msats !== undefined)
        payers.paid(customer, node, Number(msats), label.at)
      return
    }
    const fact = factOf(label)
    if (fact.fact === 'fault') {
      faults.set(node, Math.min(fact.at, faults.get(node) ?? fact.at))
      for (const [key, track] of tracks) if (key.startsWith(`${node}:`)) fold(track, fact, params)
    }
    const name = marketKey(label.kind, label.model)
    const key = `${node}:${name}`
    const market = marketOf(name)
    const known = tracks.get(key)
    const track = known ?? open(key, node, market)
    if (known) {
      tracks.delete(key)
      tracks.set(key, known)
    }
    const { firstUs, tokenUs, ejectedAt } = track
    fold(track, fact, params)
    market.first.change(firstUs, track.firstUs)
    market.token.change(tokenUs, track.tokenUs)
    if (track.ejectedAt !== ejectedAt) eject(market, node, track)
  }

  /** Last in the row, for the row is the order of ejection. */
  const eject = (market: Market, node: string, track: Track) => {
    const { ejected } = market
    ejected.delete(node)
    ejected.set(node, track)
    if (ejected.size < market.sweepAt) return
    for (const [other, out] of ejected) if (!isEjected(out, params, newest)) ejected.delete(other)
    market.sweepAt = Math.max(64, 2 * ejected.size)
  }

  const trackOf = (node: string, name: string): Track => tracks.get(`${node}:${name}`) ?? unknown(faults.get(node))

  const stageIn = (node: string, track: Track, market: Market | undefined, now: number): Stage => {
    const stage = stageOf(track, params, now)
    if (stage !== 'ejected' || !market || !isLetOff(node, market.ejected, market.size, params, now)) return stage
    return stageOf(track, params, now, true)
  }

  return {
    fold(entry) {
      if (entry.seq !== last.seq + 1) return 'seq'
      if (entry.prev !== last.id) return 'prev'
      if (entry.seed !== undefined && entry.seq > 0) {
        if (last.commit === undefined) return 'uncommitted'
        if (commitOf(entry.seed) !== last.commit) return 'seed'
      }
      if (entry.label) take(entry.label)
      last = { id: entry.id, seq: entry.seq, prev: entry.prev, commit: entry.commit }
      return undefined
    },
    get seq() {
      return last.seq
    },
    get id() {
      return last.id
    },
    track: (node, kind, model) => trackOf(node, marketKey(kind, model)),
    medians: (kind, model) => mediansOf(markets.get(marketKey(kind, model))),
    stage(node, kind, model, now) {
      const name = marketKey(kind, model)
      return stageIn(node, trackOf(node, name), markets.get(name), now)
    },
    standing(node, kind, model, around) {
      const name = marketKey(kind, model)
      const market = markets.get(name)
      const track = trackOf(node, name)
      const { firstMs, perTokenMs } = mediansOf(market)
      const score = scoreOf(track, { ...around, medianFirstMs: firstMs, medianPerTokenMs: perTokenMs }, params)
      return { ...score, stage: stageIn(node, track, market, around.at), log: last.seq, track }
    },
    payers,
    tracks: () => tracks.entries(),
    get size() {
      return tracks.size
    },
  }
}

/** Folds a whole log, listed by number. `broken` is the first entry that does not follow; nothing after it counts. */
export function foldLog(
  entries: Iterable<LogEntry>,
  params: Params,
): { readonly ledger: Ledger; readonly broken?: { readonly id: string; readonly fault: ChainFault } } {
  const ledger = openLedger(params)
  for (const entry of entries) {
    const fault = ledger.fold(entry)
    if (fault) return { ledger, broken: { id: entry.id, fault } }
  }
  return { ledger }
}

/** What a label about an outcome or an audit says of its node. A failed audit that names a fault rule (E1 to E11) is a proof. */
export function factOf(label: Attestation): TrackFact {
  const { at } = label
  if (label.topic === 'audit') {
    if (label.label === 'passed') return { fact: 'audit', at, passed: true }
    return /^E([1-9]|1[01])$/.test(label.code ?? '') ? { fact: 'fault', at } : { fact: 'audit', at, passed: false }
  }
  // Who writes no weight vouches for the customer.
  const weight = label.weight ?? 1
  if (label.label !== 'served') return { fact: label.label === 'failed' ? 'failed' : 'disputed', at, weight }
  const { firstMs, ms, outputTokens } = label
  const further = firstMs !== undefined && ms !== undefined && outputTokens !== undefined && outputTokens > 1
  return {
    fact: 'served',
    at,
    weight,
    firstMs,
    perTokenMs: further ? Math.max(0, ms - firstMs) / (outputTokens - 1) : undefined,
  }
}

const mediansOf = (market: Market | undefined) => ({
  firstMs: market?.first.ms ?? 0,
  perTokenMs: market?.token.ms ?? 0,
})

const marketKey = (kind: number, model: string): string => `${kind}:${model}`

/** Node and market of a key: pubkeys hold no colon. */
const splitKey = (key: string): [node: string, market: string] => {
  const colon = key.indexOf(':')
  return [key.slice(0, colon), key.slice(colon + 1)]
}

const unknown = (faultAt: number | undefined): Track => {
  const track = openTrack()
  if (faultAt !== undefined) track.faultAt = faultAt
  return track
}

const commitOf = (seed: string): string => sha256Hex(fromHex(seed))
