/**
 * One decision: the market as it stands, with the quotes of this request laid over it, drawn from with the seed of the
 * entry that will say it. Runs in one go, so that what is published is what was decided on.
 * @module
 */
import { type Event, present, type QuoteRequest, type RoutedCandidate, type Routing } from '../../kinds/index.ts'
import { sha256Hex } from '../hash.ts'
import { type Params, paramsHash } from '../ledger/index.ts'
import { type Decision, decide } from '../routing/decide.ts'
import { openDice } from '../routing/dice.ts'
import type { Market } from '../routing/market.ts'
import type { Candidate, Policy, Sampled } from '../routing/policy.ts'
import { wantsOf } from '../routing/wants.ts'
import type { Quoted } from './auction.ts'
import type { Book, Place } from './book-contract.ts'
import type { Load } from './load.ts'
import { reasonsOf } from './reasons.ts'

export interface DecidingOptions {
  readonly book: Book
  readonly policy: Policy
  readonly params: Params
  readonly load: Load
}

export interface Matter {
  /** The request as it was signed. */
  readonly asked: Event
  readonly request: QuoteRequest
  readonly quotes: readonly Quoted[]
}

/** What is known after a decision. Everything of a routing event but fee and other routers' candidates. */
export type Ruling = Omit<Routing, 'fee' | 'via'>

export interface Deciding {
  /** The decision with the dice of a seed (32 bytes hex). `now` is unix seconds. */
  look(matter: Matter, seed: string, now: number): Decision
  /** The decision as it is published at this place of the chain. */
  rule(matter: Matter, place: Place, now: number): Ruling
}

/** Candidates in one routing event. */
export const mostCandidates = 6
/** Times that a sample is drawn again because a score in it was not of this minute. */
const refreshes = 3

export function openDeciding({ book, policy, params, load }: DecidingOptions): Deciding {
  const hash = paramsHash(params)

  function decided(matter: Matter, seed: string, now: number): { decision: Decision; at: number; before: Overlay } {
    const { request, asked, quotes } = matter
    // Scores are of the minute, so that whoever recomputes them gets the same digits.
    const at = now - (now % 60)
    const market = book.market(request.kind, request.model)
    const over = overlay(market)
    const wants = wantsOf(request, now)
    const draw = () => decide(market, wants, policy, openDice(seed, asked.id), params)
    try {
      lay(over, quotes)
      let decision = draw()
      const seen = new Set<string>()
      for (let round = 0; round < refreshes && refresh(decision); round++) decision = draw()
      return { decision, at, before: over }

      function refresh({ sample }: Decision): boolean {
        let changed = false
        for (const { node } of sample) {
          const candidate = seen.has(node) ? undefined : market.get(node)
          if (!candidate) continue
          seen.add(node)
          const { score, factors, stage } = book.scored(node, request.kind, candidate.model ?? request.model ?? '', at)
          const inflight = busier(candidate, load.of(node))
          const same = score === candidate.score && stage === candidate.stage && inflight === candidate.inflight
          // Tiny scores round alike while their factors differ.
          over.set({ ...candidate, score, factors, stage, inflight })
          if (!same) changed = true
        }
        return changed
      }
    } catch (error) {
      over.restore()
      throw error
    }
  }

  return {
    look(matter, seed, now) {
      const { decision, before } = decided(matter, seed, now)
      before.restore()
      return decision
    },
    rule(matter, place, now) {
      const { decision, at, before } = decided(matter, place.seed, now)
      const { request, asked, quotes } = matter
      try {
        const { market } = before
        const named = decision.order.slice(0, mostCandidates).flatMap(node => market.get(node) ?? [])
        const cheapest = Math.min(...named.map(({ msats }) => msats))
        const candidates = named.flatMap(candidate => candidateOf(candidate, request, quotes, at, cheapest) ?? [])
        const { refusal, lane, median, start, refused, sample } = decision
        return present({
          ...{ request: asked.id, to: asked.pubkey, asked, policy: policy.name, params: hash, lane, at },
          ...place,
          ...{ median, start, refused: { ...refused }, candidates },
          sample: sample.map(one => (decision.order.includes(one.node) ? one : measured(one, market.get(one.node)))),
          refusal: candidates.length > 0 ? undefined : (refusal ?? nobody),
        })
      } finally {
        before.restore()
      }
    },
  }

  function candidateOf(
    candidate: Candidate,
    request: QuoteRequest,
    quotes: readonly Quoted[],
    at: number,
    cheapest: number,
  ): RoutedCandidate | undefined {
    const { node, service, model, msats, terms, score, factors } = candidate
    const entry = book.directory.get(node, service) ?? book.entryOf(node)
    if (!entry) return undefined
    const scored = book.scored(node, request.kind, model ?? request.model ?? '', at)
    const quoted = quotes.find(one => one.node === node)
    const measured = [...entry.measured, ...entry.claims].find(one => one.kind === request.kind && one.model === model)
    const rttMs = book.rttOf(node)
    return present({
      ...{ node, service, model: model || undefined, msats: BigInt(Math.ceil(msats)), terms: [...terms] },
      // As it was drawn: what is named is what was decided on.
      ...{ score, factors, stage: scored.stage, log: scored.log },
      ...{ announcement: entry.announcementId, quote: quoted?.id, firm: quoted?.firm === true },
      ...{ quoteExpiresAt: quoted?.expiresAt, firstMs: candidate.firstMs, p95FirstMs: measured?.p95FirstMs },
      rttMs: rttMs === undefined ? undefined : Math.round(rttMs),
      reasons: reasonsOf({
        candidate,
        scored,
        entry,
        quoted,
        cheapest: msats <= cheapest,
        at,
        params,
        kind: request.kind,
      }),
    })
  }
}

/** A line of a sample with the factors that no log holds; whoever is named has all of its factors there. */
function measured(one: Sampled, candidate: Candidate | undefined): Sampled {
  if (!candidate) return one
  const { K, L } = candidate.factors
  return K === 1 ? { ...one, L } : { ...one, K, L }
}

const nobody = { code: 'no-node', says: 'Nobody that this router knows takes this job now.' } as const

/** A guess of ours makes a node busier and never full: that it says itself. */
const busier = ({ inflight, slots }: Candidate, ours: number): number =>
  inflight >= slots ? inflight : Math.min(inflight + ours, Math.max(0, slots - 1))

interface Overlay {
  readonly market: Market
  set(candidate: Candidate): void
  restore(): void
}

/** Changes to a market that are taken back. */
function overlay(market: Market): Overlay {
  const before = new Map<string, Candidate>()
  const remember = (node: string) => {
    const candidate = market.get(node)
    if (candidate && !before.has(node)) before.set(node, { ...candidate })
  }
  return {
    market,
    set(candidate) {
      remember(candidate.node)
      market.set(candidate)
    },
    restore() {
      for (const candidate of before.values()) market.set(candidate)
      before.clear()
    },
  }
}

/** Lays quotes over posted prices. One that has expired is there too, for the filter that says so. */
function lay({ market, set }: Overlay, quotes: readonly Quoted[]) {
  for (const { node, id, msats, terms, free, firm, expiresAt } of quotes) {
    const candidate = market.get(node)
    if (!candidate) continue
    const inflight = Number.isFinite(candidate.slots)
      ? Math.max(candidate.inflight, candidate.slots - free, 0)
      : candidate.inflight
    const quote = { id, firm, expiresAt }
    set({ ...candidate, msats: Number(msats), inflight, quote, ...(terms.length > 0 ? { terms } : {}) })
  }
}

/** Dice that only this process knows, for a look before the seed of the entry is certain. */
export const anySeed = (): string => sha256Hex(crypto.getRandomValues(new Uint8Array(32)))
