/**
 * Other routers: learned from their price sheets, asked when nobody here has room, believed only where their decision can
 * be made again from what they signed. Nothing that they say of a node becomes a word of ours.
 * @module
 */
import {
  type Event,
  type PriceSheet,
  priceSheet,
  type QuoteRequest,
  quoteRequest,
  type RoutedCandidate,
  type Routing,
  routing,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { bounded } from '../bounded.ts'
import { type Clock, patience, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'
import { passedOn } from './auction.ts'
import { vouchedFor } from './hearsay.ts'

export interface PeersOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** Routers that are asked before all others. */
  readonly named: readonly string[]
  /** Whether a fault of this router was proven: such a one is neither asked nor heard. */
  offends(router: string): boolean
  /** Whether the decision in a routing event is the one that its own inputs lead to. */
  agrees(routing: Routing, request: QuoteRequest): boolean
  onAsked(event: Event): void
}

/** What other routers answered: their candidates in their order, and the events that say so. */
export interface FromPeers {
  readonly candidates: readonly (RoutedCandidate & { readonly via: string })[]
  readonly via: readonly string[]
}

export interface Peers {
  /** Every price sheet. True for one that changed what is known. */
  heardSheet(event: Event): boolean
  /** Every routing event that names us. */
  heardRouting(event: Event): void
  /** Asks at most three routers; resolves when all have answered or after `ms`. Never rejects. */
  ask(request: QuoteRequest, asked: Event, ms: number, signal: AbortSignal): Promise<FromPeers>
  /** Whether a request with this origin was passed on by us: whoever brings it back would go in circles. */
  passed(origin: string): boolean
  /** Routers that are named or known by a sheet. */
  known(): readonly string[]
}

const mostAsked = 3
const mostKnown = 256
const mostPassed = 10_000
const spareSeconds = 5
export const nobodyElse: FromPeers = { candidates: [], via: [] }

export function openPeers(options: PeersOptions): Peers {
  const { relays, keys, secret, clock, named } = options
  const me = keys.publicKey(secret)
  const sheets = new Map<string, PriceSheet & { readonly at: number }>()
  const passed = bounded<string, true>(mostPassed)
  const open = new Map<string, { request: QuoteRequest; waited: Set<string>; answers: Answer[]; done(): void }>()

  /** Those without a fee, for a router buys nothing: named ones first, then who knows most nodes. */
  function chosen(request: QuoteRequest, asker: string): string[] {
    const now = seconds(clock)
    const nodesOf = ({ rows }: PriceSheet) =>
      rows.reduce((sum, row) => (meets(row, request) ? Math.max(sum, row.nodes) : sum), 0)
    const ranked = [...sheets]
      .filter(([, sheet]) => sheet.expiresAt > now && sheet.feeMsats === 0n && nodesOf(sheet) > 0)
      .toSorted(([a, one], [b, other]) => nodesOf(other) - nodesOf(one) || (a < b ? -1 : 1))
      .map(([peer]) => peer)
    const priced = (peer: string) => (sheets.get(peer)?.feeMsats ?? 0n) > 0n
    const all = new Set([...named.filter(peer => !priced(peer)), ...ranked])
    return [...all].filter(peer => peer !== me && peer !== asker && !options.offends(peer)).slice(0, mostAsked)
  }

  return {
    heardSheet(event) {
      const read = event.pubkey === me ? undefined : priceSheet.read(event)
      if (!read?.ok) return false
      const known = sheets.get(event.pubkey)
      if (known && known.at >= event.created_at) return false
      sheets.delete(event.pubkey)
      sheets.set(event.pubkey, { ...read.value, at: event.created_at })
      const now = seconds(clock)
      for (const [peer, sheet] of sheets) if (sheet.expiresAt <= now || sheets.size > mostKnown) sheets.delete(peer)
      return known === undefined
    },
    heardRouting(event) {
      const read = routing.read(event)
      if (!read.ok || read.value.to !== me) return
      const one = open.get(read.value.request)
      if (!one?.waited.delete(event.pubkey)) return
      const { asked, candidates } = read.value
      const ours = asked !== undefined && keys.verify(asked) && !options.offends(event.pubkey)
      if (ours && candidates.length > 0 && options.agrees(read.value, one.request))
        one.answers.push({ peer: event.pubkey, id: event.id, candidates })
      if (one.waited.size === 0) one.done()
    },
    async ask(request, asked, ms, signal) {
      // Nobody here can vouch for a score that another router gave.
      const may = request.hops > 0 && (request.minScore ?? 0) === 0
      const peers = may ? chosen(request, asked.pubkey) : []
      if (peers.length === 0 || signal.aborted) return nobodyElse
      const origin = request.origin ?? asked.id
      passed.set(origin, true)
      const now = seconds(clock)
      const value = passedOn(
        request,
        {
          ...{ to: peers, hops: request.hops - 1, origin, auctionMs: request.auctionMs, relays: [...relays.urls] },
          expiresAt: Math.min(request.expiresAt, now + Math.ceil(ms / 1_000) + spareSeconds),
        },
        request,
      )
      const question = keys.sign(quoteRequest.write(value, now), secret)
      const { over, end } = patience(clock, ms, signal)
      const one = { request: value, waited: new Set(peers), answers: [] as Answer[], done: end }
      open.set(question.id, one)
      options.onAsked(question)
      void relays.publish(question, { want: 1, keepMs: 0 })
      await over
      open.delete(question.id)
      const { candidates, via } = merged(one.answers, peers)
      return { candidates: await vouchedFor(candidates, request, seconds(clock), relays, signal), via }
    },
    passed: origin => passed.has(origin),
    known: () => [...new Set([...named, ...sheets.keys()])].filter(peer => peer !== me && !options.offends(peer)),
  }
}

interface Answer {
  readonly peer: string
  readonly id: string
  readonly candidates: readonly RoutedCandidate[]
}

const meets = (row: PriceSheet['rows'][number], { kind, model }: QuoteRequest): boolean =>
  row.kind === kind && (model === undefined || row.model === '' || row.model === model)

/** The first of each router, then the second of each: nobody knows yet whose are better. */
function merged(answers: readonly Answer[], peers: readonly string[]): FromPeers {
  const inTurn = answers.toSorted((a, b) => peers.indexOf(a.peer) - peers.indexOf(b.peer))
  const found = new Map<string, RoutedCandidate & { readonly via: string }>()
  for (let turn = 0; turn < 6; turn++)
    for (const { peer, candidates } of inTurn) {
      const one = candidates[turn]
      if (one && !found.has(one.node)) found.set(one.node, unjudged(one, peer))
    }
  return { candidates: [...found.values()], via: inTurn.map(({ id }) => id) }
}

/** What a candidate is to us: its price and terms by its router's word, and no score, for nothing of it was verified here. */
function unjudged(one: RoutedCandidate, via: string): RoutedCandidate & { readonly via: string } {
  const reasons = one.reasons.slice(0, 8).map(line => `${via.slice(0, 8)} says: ${line}`.slice(0, 128))
  return { ...one, ...nothingKnown, reasons, via }
}

const nothingKnown = { score: 0, factors: { R: 0, V: 0, Q: 0, T: 0, K: 0, L: 0 }, stage: 'new', log: -1 } as const
