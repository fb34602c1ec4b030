/**
 * Finding out who should be asked: routers where some are named, believed only after every check, and the own directory
 * where none of them helps.
 * @module
 */
import { type Event, type Factors, present } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import { defaultParams } from '../ledger/index.ts'
import { type Advice, merge } from '../routing/index.ts'
import type { Candidate } from './attempt.ts'
import type { ClientOptions } from './client.ts'
import type { Conditions } from './conditions.ts'
import type { Measurements } from './measured.ts'
import { ownRoute } from './own-route.ts'
import { askRouters, type FeeBill, type QuotesOptions } from './quotes.ts'
import { bondedRouters } from './router-bonds.ts'
import type { FeeEnd } from './router-fee.ts'
import { checkRouting, type Vouched } from './routing-check.ts'

/**
 * What one router did. `routed`: its candidates are used. `lied`: what it said contradicts itself or the nodes, and it is
 * not used any more. `silent` within its time.
 */
export interface RouterWord {
  readonly router: string
  readonly state: 'routed' | 'refused' | 'silent' | 'lied'
  /** Its routing event. */
  readonly id?: string
  readonly code?: string
  readonly says?: string
  readonly feeMsats: bigint
  /** It has a bond in force; without one it is in probation. */
  readonly bonded: boolean
  readonly ms?: number
}

/** A candidate with what speaks for it. */
export interface RouteCandidate extends Candidate {
  readonly score: number
  readonly factors?: Factors
  readonly stage?: string
  readonly reasons: readonly string[]
  /** Routers that named it. */
  readonly routers: readonly string[]
}

export interface Route {
  /** Who chose: routers, or this client itself. */
  readonly by: 'routers' | 'own'
  readonly candidates: readonly RouteCandidate[]
  readonly routers: readonly RouterWord[]
  /** Paid, or perhaps paid, to routers. */
  readonly feeMsats: bigint
  /** Events of the routers that are relied on. */
  readonly events: readonly Event[]
  /** Events of routers that are not believed. */
  readonly lies: readonly Event[]
  /** Why there is nobody. */
  readonly refusal?: { readonly code: string; readonly says: string }
}

export interface RouteOptions
  extends Pick<ClientOptions, 'relays' | 'keys' | 'clock' | 'secret'>,
    Pick<QuotesOptions, 'seal' | 'auctionMs' | 'slackMs'> {
  readonly routers: readonly string[]
  /** Policy of the own choice. */
  readonly policy?: string
  readonly measured: Measurements
  /** Routers that lied, in this process. */
  readonly liars: Set<string>
  pay(bill: FeeBill): Promise<FeeEnd>
}

/** Refusals that say what the customer's own conditions rule out: no other choice would help. */
const binding: ReadonlySet<string> = new Set([
  ...['over-cap', 'denied', 'not-allowed', 'privacy', 'region', 'determinism', 'min-score', 'terms', 'deadline'],
])

/** Resolves with somebody to ask, or with why there is nobody. Never rejects for what others do. */
export async function routeQuestion(
  options: RouteOptions,
  conditions: Conditions,
  signal?: AbortSignal,
): Promise<Route> {
  const { measured, liars } = options
  const asked = options.routers.filter(router => !liars.has(router))
  const lied = options.routers.filter(router => liars.has(router)).map(router => distrusted(router))
  const found = asked.length === 0 ? none : await fromRouters({ ...options, routers: asked }, conditions, signal)
  const words = [...found.words, ...lied]
  const feeMsats = words.reduce((sum, word) => sum + word.feeMsats, 0n)
  const about = { routers: words, feeMsats, lies: found.lies }
  if (found.candidates.length > 0)
    return { by: 'routers', ...about, candidates: found.candidates, events: found.events }
  const refused = words.filter(word => word.state === 'refused')
  const spoken = words.filter(({ state }) => state === 'refused' || state === 'routed')
  const bound = refused.length > 0 && spoken.every(({ state, code = '' }) => state === 'refused' && binding.has(code))
  const [first] = refused
  if (bound && first)
    return {
      by: 'routers',
      ...about,
      candidates: [],
      events: [],
      refusal: { code: first.code ?? '', says: first.says ?? '' },
    }
  const own = await ownRoute({ ...options, now: seconds(options.clock) }, conditions, signal)
  if (!own.ok) return { by: 'own', ...about, candidates: [], events: [], refusal: { code: own.code, says: own.says } }
  const candidates = own.candidates.map(({ node, announcement, msats, score }) => ({
    ...{ node, announcement, msats, score, terms: announcement.terms ?? ['before' as const] },
    ...{ speed: measured.of(node) ?? {}, reasons: ['own directory'], routers: [] },
  }))
  return { by: 'own', ...about, candidates, events: [] }
}

interface Advised extends Vouched {
  readonly node: string
  readonly score: number
  readonly factors: Factors
  readonly routing: string
}

const none = { candidates: [], words: [], events: [], lies: [] }
const distrusted = (router: string): RouterWord => ({
  ...{ router, state: 'lied', code: 'distrusted', feeMsats: 0n, bonded: false },
  says: 'This router lied before and is not asked.',
})

async function fromRouters(
  options: RouteOptions,
  conditions: Conditions,
  signal?: AbortSignal,
): Promise<{ candidates: readonly RouteCandidate[]; words: readonly RouterWord[] } & Pick<Route, 'events' | 'lies'>> {
  const { relays, keys, clock, measured, liars } = options
  const fees = new Map<string, bigint>()
  const pay = async (bill: FeeBill) => {
    const end = await options.pay(bill)
    fees.set(bill.router, (fees.get(bill.router) ?? 0n) + end.msats)
    return end
  }
  const [{ request, answers }, bonded] = await Promise.all([
    askRouters({ ...options, pay }, conditions, signal),
    bondedRouters({ relays, clock, verify: keys.verify }, options.routers, signal),
  ])
  const checking = { relays, request, conditions, verify: keys.verify, now: seconds(clock) }
  const advice: Advice<Advised>[] = []
  const events: Event[] = []
  const lies: Event[] = []
  const words = await Promise.all(
    answers.map(async (answer): Promise<RouterWord> => {
      const { router } = answer
      const word = { router, feeMsats: fees.get(router) ?? 0n, bonded: bonded.has(router) }
      if (answer.state === 'silent') return { ...word, state: 'silent' }
      if (answer.state === 'refused') return { ...word, state: 'refused', code: answer.code, says: answer.says }
      const { routing, event, ms } = answer
      const about = { ...word, id: event.id, ms }
      const checked = await checkRouting(routing, { ...checking, saidAt: event.created_at }, signal)
      if (!checked.ok) {
        liars.add(router)
        lies.push(event)
        return { ...about, state: 'lied', code: checked.rule, says: checked.says }
      }
      if (routing.refusal) return { ...about, state: 'refused', ...routing.refusal }
      if (checked.vouched.length === 0)
        return { ...about, state: 'refused', code: 'stale', says: 'None of its candidates is on these relays.' }
      const candidates = checked.vouched.map(one => {
        const { node, score, factors } = one.candidate
        return { ...one, ...{ node, score, factors, routing: event.id } }
      })
      advice.push({ router, candidates, bonded: word.bonded })
      events.push(event)
      // A fee on credit is a debt: who does not pay it is not answered again.
      const { fee } = routing
      if (fee?.bolt11 !== undefined && word.feeMsats === 0n)
        await pay({ router, request: request.id, msats: fee.msats, bolt11: fee.bolt11 })
      return { ...about, state: 'routed', feeMsats: fees.get(router) ?? 0n }
    }),
  )
  const ways = new Map<string, number>()
  for (const { node } of advice.flatMap(one => one.candidates)) {
    const rttMs = measured.of(node)?.rttMs
    if (rttMs !== undefined) ways.set(node, rttMs)
  }
  const candidates = merge(advice, ways, defaultParams).map(({ candidate: one, routers }) => {
    const { node, score, factors, stage, reasons, firstMs, p95FirstMs } = one.candidate
    const told = present({ firstMs, p95FirstMs })
    return {
      ...{ node, announcement: one.announcement, msats: one.msats, terms: one.terms, routing: one.routing },
      ...present({ quote: one.quote }),
      ...{ speed: { ...told, ...measured.of(node) }, score, factors, stage, reasons, routers },
    }
  })
  return { candidates, words, events, lies }
}
