/**
 * Markets as the desk draws from them: who offers a kind and model now, with price, load and score. Built when first
 * asked for; kept fresh by what changes, in small portions, so that no event costs more because there are more nodes.
 * @module
 */
import { privacyLevels } from '../../kinds/index.ts'
import type { Directory, Entry } from '../ledger/directory.ts'
import { askedMsats, askingOf, type Cohort, type Standing } from '../ledger/index.ts'
import { type Market, openMarket } from '../routing/market.ts'
import type { Candidate } from '../routing/policy.ts'

export interface ViewsOptions {
  readonly directory: Directory
  readonly cohort: Cohort
  standing(node: string, kind: number, model: string, at: number): Standing
  /** What a newcomer has at stake, which orders the queue of the cohort. */
  bondOf(node: string): number
  /** It owes more answers than it has slots. */
  isOver?(node: string, slots: number): boolean
  /** Gives its place in the cohort to others for now. */
  isAway?(node: string): boolean
  /** When it failed last, unix seconds: whoever failed queues anew. */
  failedAt?(node: string): number
  /** Unix seconds. */
  now(): number
}

export interface Views {
  market(kind: number, model?: string): Market
  /** Something about a node changed; looked at before the next question, or at the next tick. */
  changed(node: string, service?: string): void
  /** Looks at what changed, at leases that ran out, and at a share of all others, whose scores fade. */
  tick(): void
  /** The services of a node that were heard of, best first. */
  servicesOf(node: string): readonly Entry[]
  /** Everything anew, as after a restart. */
  rebuild(): void
}

interface Cached {
  readonly kind: number
  readonly model: string | undefined
  readonly market: Market
}

/** Markets that are kept; the one that was asked for longest ago goes. */
const mostMarkets = 128
const mostServices = 8
const perQuestion = 256
const perTick = 4_096
/** Leases are looked at in portions of so many seconds. */
const leaseSeconds = 8

export function openViews(options: ViewsOptions): Views {
  const { directory, cohort, standing, bondOf, isOver, isAway, failedAt, now } = options
  const markets = new Map<string, Cached>()
  const services = new Map<string, string[]>()
  const dirty = new Set<string>()
  const leases = new Map<number, Set<string>>()
  let round: IterableIterator<string> = services.keys()
  let leasesUntil = Math.floor(now() / leaseSeconds)

  function servicesOf(node: string): Entry[] {
    const names = services.get(node)
    const found = (names ?? []).flatMap(name => directory.get(node, name) ?? [])
    const other = found.length === 0 ? directory.get(node) : undefined
    if (other) found.push(other)
    if (found.length === 0) services.delete(node)
    return found.length < 2 ? found : found.sort((a, b) => Number(b.status === 'alive') - Number(a.status === 'alive'))
  }

  function watchLease({ node, leaseUntil }: Entry) {
    const slot = Math.floor(leaseUntil / leaseSeconds) + 1
    if (slot <= leasesUntil) return
    const nodes = leases.get(slot)
    if (nodes) nodes.add(node)
    else leases.set(slot, new Set([node]))
  }

  /** The candidate that a node is in a market, if it is one. */
  function candidateOf(entries: readonly Entry[], { kind, model }: Cached, at: number): Candidate | undefined {
    for (const entry of entries) {
      const { announcement, state, node } = entry
      if (!announcement.kinds.includes(kind) || (state && !state.kinds.includes(kind))) continue
      const { models } = announcement
      if (model !== undefined && models.length > 0 && !models.some(({ name }) => name === model)) continue
      const name = model ?? models[0]?.name ?? ''
      const asked = askedMsats(askingOf(entry), { kind, model: name })
      // Nobody can be compared by a price that it does not say.
      if (asked === undefined) continue
      const msats = Number(asked)
      const { score, factors, stage } = standing(node, kind, name, at)
      const slots = state?.slots.total ?? announcement.slots ?? Number.POSITIVE_INFINITY
      const speed = [...entry.measured, ...entry.claims].find(one => one.kind === kind && one.model === name)
      return {
        ...{ node, service: announcement.id, msats, score, factors, stage, status: entry.status },
        model: name || undefined,
        inflight: state ? state.slots.busy + state.slots.queued : 0,
        slots,
        overCredit: isOver?.(node, slots) === true,
        privacy: privacyLevels(announcement),
        region: announcement.region,
        determinism: announcement.determinism,
        terms: announcement.terms ?? [],
        firstMs: speed?.firstMs,
        p95FirstMs: speed?.p95FirstMs,
        cohort: cohort.has(node),
      }
    }
    return undefined
  }

  function place(node: string, into: Iterable<Cached>, at: number) {
    const entries = servicesOf(node)
    enrol(node, entries, at)
    for (const entry of entries) watchLease(entry)
    for (const cached of into) {
      const { market } = cached
      const fresh = candidateOf(entries, cached, at)
      const known = market.get(node)
      if (!fresh) {
        if (known) market.remove(node)
      } else if (!known || !same(known, fresh)) market.set(fresh)
    }
  }

  /** Newcomers queue for the few slots of the cohort; whoever is proven, banned or gone leaves it. */
  function enrol(node: string, entries: readonly Entry[], at: number) {
    const [best] = entries
    const kind = best?.announcement.kinds[0]
    if (!best || kind === undefined || best.status !== 'alive' || isAway?.(node)) return cohort.leave(node)
    const { stage, track } = standing(node, kind, best.announcement.models[0]?.name ?? '', at)
    if (stage !== 'new' && stage !== 'probation') return cohort.leave(node)
    const since = Math.max(best.announcedAt, track.ejectedAt, failedAt?.(node) ?? 0)
    cohort.ask({ node, bondUnits: bondOf(node), powBits: 0, at: since })
    return undefined
  }

  const minute = () => now() - (now() % 60)

  function look(most: number) {
    const at = minute()
    let left = most
    for (const node of dirty) {
      if (left-- <= 0) return
      dirty.delete(node)
      place(node, markets.values(), at)
    }
  }

  function openCached(kind: number, model: string | undefined): Market {
    const cached: Cached = { kind, model, market: openMarket() }
    const offering = directory.offering(kind, model)
    // A name that nobody offers is not worth a place.
    if (offering.length === 0) return cached.market
    for (const entry of offering) remember(entry.node, entry.announcement.id)
    const at = minute()
    for (const node of new Set(offering.map(entry => entry.node))) place(node, [cached], at)
    markets.set(`${kind}:${model ?? ''}`, cached)
    if (markets.size > mostMarkets) for (const [oldest] of markets) return drop(oldest, cached.market)
    return cached.market
  }
  function drop(name: string, market: Market): Market {
    markets.delete(name)
    return market
  }

  function remember(node: string, service: string) {
    const known = services.get(node)
    if (!known) services.set(node, [service])
    else if (!known.includes(service)) {
      known.push(service)
      if (known.length > mostServices) known.shift()
    }
  }

  return {
    market(kind, model) {
      look(perQuestion)
      const name = `${kind}:${model ?? ''}`
      const cached = markets.get(name)
      if (!cached) return openCached(kind, model)
      markets.delete(name)
      markets.set(name, cached)
      return cached.market
    },
    changed(node, service) {
      if (service !== undefined) remember(node, service)
      dirty.add(node)
    },
    tick() {
      const slot = Math.floor(now() / leaseSeconds)
      for (; leasesUntil < slot; leasesUntil++) {
        for (const node of leases.get(leasesUntil + 1) ?? []) dirty.add(node)
        leases.delete(leasesUntil + 1)
      }
      for (let i = 0; i < perTick / 4; i++) {
        const next = round.next()
        if (next.done) {
          round = services.keys()
          break
        }
        dirty.add(next.value)
      }
      look(perTick)
    },
    servicesOf,
    rebuild() {
      const found = new Map<string, { begun: boolean; since: number }>()
      for (const { node, announcement, announcedAt } of directory.entries()) {
        remember(node, announcement.id)
        const [kind = 0] = announcement.kinds
        const { streak } = standing(node, kind, announcement.models[0]?.name ?? '', minute()).track
        found.set(node, { begun: streak > 0, since: Math.max(announcedAt, failedAt?.(node) ?? 0) })
      }
      // Newcomers that had begun to prove themselves go on first, then whoever waited longest.
      const order = [...found].sort(([, a], [, b]) => Number(b.begun) - Number(a.begun) || a.since - b.since)
      for (const [node] of order) dirty.add(node)
      look(Number.POSITIVE_INFINITY)
    },
  }
}

const same = (a: Candidate, b: Candidate): boolean =>
  a.score === b.score &&
  a.stage === b.stage &&
  a.status === b.status &&
  a.inflight === b.inflight &&
  a.msats === b.msats &&
  a.slots === b.slots &&
  a.overCredit === b.overCredit &&
  a.cohort === b.cohort &&
  a.service === b.service &&
  a.model === b.model &&
  a.firstMs === b.firstMs &&
  a.p95FirstMs === b.p95FirstMs &&
  a.region === b.region &&
  a.determinism === b.determinism &&
  a.terms.join() === b.terms.join() &&
  a.privacy.join() === b.privacy.join()
