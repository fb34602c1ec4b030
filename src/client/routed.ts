/**
 * A question that finds its own way: routers are asked who should answer it, several nodes are tried under one cap, and
 * what came of each is said publicly.
 * @module
 */
import { present } from '../../kinds/index.ts'
import type { Why } from '../job.ts'
import type { Journal } from '../journal/journal.ts'
import { hedgeAfterMs } from '../routing/index.ts'
import { accuseRouter } from './accuse.ts'
import { acknowledge } from './acknowledge.ts'
import type { Attempt, Candidate, Start } from './attempt.ts'
import type { ClientOptions } from './client.ts'
import type { Conditions } from './conditions.ts'
import { type FailoverEvent, failover, type Tried } from './failover.ts'
import { readOpening } from './keeping.ts'
import { wrappedFrom } from './levels.ts'
import { type Measurements, openMeasurements } from './measured.ts'
import type { Identity } from './one-key.ts'
import type { Patience } from './patience.ts'
import { mergedPrivacy, type PrivacyReport } from './privacy-report.ts'
import { kindOf, type Outcome, type Question } from './question.ts'
import { type DeepCheck, isDrawn, recompute } from './recompute.ts'
import { type Route, routeQuestion } from './route.ts'
import { payRouter } from './router-fee.ts'

export type RoutedEvent =
  | FailoverEvent
  /** Who is going to be asked, best first, and what each router said. */
  | ({ readonly event: 'route' } & Omit<Route, 'events' | 'lies'>)
  /** A routing event was recomputed whole. A router that does not pass is not used any more. */
  | {
      readonly event: 'recomputed'
      readonly router: string
      readonly id: string
      readonly ok: boolean
      readonly says: string
    }

export interface RoutedQuestion extends Omit<Question, 'node' | 'onEvent' | 'begun' | 'routing' | 'quote'> {
  /** Keys of routers. None: this client chooses by itself. */
  readonly routers: readonly string[]
  /** A way that was found before: nobody is asked for another one. */
  readonly route?: Route
  /** Most that one router may cost. Default 0: routers that want a fee are not used. */
  readonly routerFeeMsats?: bigint
  /** Policy of the own choice, where no router helps. Default `default`. */
  readonly policy?: string
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly region?: string
  readonly determinism?: string
  /** 0 to 100. */
  readonly minScore?: number
  /** A newcomer that nobody has proven may be tried on this job. Default false: only while nobody is proven. */
  readonly explore?: boolean
  readonly deadlineMs?: number
  /** How long routers may collect quotes, and how much longer they are waited for. Defaults 500 and 2,000. */
  readonly auctionMs?: number
  readonly slackMs?: number
  /** Ask a second node where the first keeps silent. Default true. */
  readonly hedge?: boolean
  /** Say publicly what came of each job. Default: where a router chose. */
  readonly acknowledge?: boolean
  /** How long money is waited for that nodes keep which failed, before another one is asked or nobody is. Default 5,000. */
  readonly refundMs?: number
  /** Bounds of silence; by default from what is known of the node. */
  patience?(candidate: Candidate): Patience
  onEvent?(event: RoutedEvent): void
}

export interface RoutedOutcome {
  readonly ok: boolean
  /** The answer, or as much of it as was shown. */
  readonly text: string
  /** Paid to nodes for all attempts, shares of others included, less what came back. Routers' fees are beside it. */
  readonly msats: bigint
  readonly feeMsats: bigint
  readonly route: Route
  readonly attempts: readonly Attempt[]
  readonly hedges: number
  /** Of the node that answered. */
  readonly answered?: Outcome
  /** Who could read it, of all the nodes that were asked. Absent where none was. */
  readonly privacy?: PrivacyReport
  readonly code?: string
  readonly says?: string
  /** Ids of what was said publicly. */
  readonly acknowledged: readonly string[]
  readonly ms: number
  readonly firstTextMs?: number
}

export interface RoutedOptions extends ClientOptions {
  readonly journal: Journal
  readonly own: Identity
  /** The key that a question is asked with. */
  identityFor(question: Pick<Question, 'privacy'>): Identity
  start(...asking: [...Parameters<Start>, identity?: Identity]): ReturnType<Start>
}

export interface Routing {
  route(question: RoutedQuestion, signal?: AbortSignal): Promise<Route>
  ask(question: RoutedQuestion, signal?: AbortSignal): Promise<RoutedOutcome>
}

/** The routed way of one client: what it measured and whom it does not believe lives as long as it. */
export function openRouting(options: RoutedOptions & { readonly deepCheck?: DeepCheck }): Routing {
  const { relays, keys, clock, journal, own } = options
  const measured = openMeasurements({ journal, clock })
  const liars = new Set<string>()
  const luck = Array.from(crypto.getRandomValues(new Uint8Array(32)), byte => byte.toString(16).padStart(2, '0')).join(
    '',
  )

  async function route(
    question: RoutedQuestion,
    { secret, seal }: Identity,
    life: AbortSignal,
    signal?: AbortSignal,
  ): Promise<Route> {
    const fee = { ...options, pubkey: own.pubkey, feeCapMsats: question.routerFeeMsats ?? 0n, life }
    const found = await routeQuestion(
      {
        ...{ relays, keys, clock, secret, measured, liars, seal },
        ...{ routers: [...new Set(question.routers)].slice(0, mostRouters) },
        ...(question.policy === undefined ? {} : { policy: question.policy }),
        ...{ auctionMs: question.auctionMs ?? 500, slackMs: question.slackMs ?? 2_000 },
        pay: bill => payRouter(fee, bill, signal),
      },
      conditionsOf(question),
      signal,
    )
    const { events: _, lies: __, ...told } = found
    question.onEvent?.({ event: 'route', ...told })
    return found
  }

  /** The samples that this question draws; they do not hold it up. */
  async function trySamples({ events }: Route, question: RoutedQuestion, signal?: AbortSignal): Promise<void> {
    const deep = options.deepCheck ? { deep: options.deepCheck } : {}
    await Promise.all(
      events
        .filter(({ id }) => isDrawn(id, luck, options.recomputedShare))
        .map(async event => {
          const { ok, findings } = await recompute(event, { relays, keys, ...deep }, signal)
          if (!ok) liars.add(event.pubkey)
          const wrong = findings.find(finding => finding.ok === false)
          const says = wrong?.says ?? 'Everything that it says could be made again.'
          question.onEvent?.({ event: 'recomputed', router: event.pubkey, id: event.id, ok, says })
        }),
    )
  }

  /** Shows which routers chose otherwise than their own inputs choose, where we want that. */
  async function accuseLiars({ lies }: Route, question: RoutedQuestion, { secret }: Identity): Promise<void> {
    const { accuse: tools } = options
    if (!tools) return
    for (const event of lies) {
      const said = await accuseRouter({ relays, keys, clock, secret, tools }, event).catch(() => undefined)
      if (said) question.onEvent?.({ event: 'accused', ...said })
    }
  }

  return {
    async route(question, signal) {
      const life = new AbortController()
      const asker = askerOf(question)
      return route(question, asker, life.signal, signal).finally(() => {
        life.abort()
        asker.drop()
      })
    },
    async ask(question, signal) {
      const began = clock.now()
      const life = new AbortController()
      const asker = askerOf(question)
      // Who asked the routers also asks the first node: both are one question, and say so. In wraps nothing does.
      const first = asker !== own && (question.privacy ?? 1) < wrappedFrom ? [asker] : []
      let firstTextMs: number | undefined
      const tell = (event: FailoverEvent) => {
        if (event.event === 'chunk') firstTextMs ??= clock.now() - began
        question.onEvent?.(event)
      }
      try {
        const found = question.route ?? (await route(question, asker, life.signal, signal))
        const samples = Promise.all([trySamples(found, question, life.signal), accuseLiars(found, question, asker)])
        const tried = await failover(
          {
            ...{ clock, tell },
            start: (...asking) => options.start(...asking, first.splice(0, 1)[0]),
            hedgeAfter: candidate => (question.hedge === false ? undefined : hedgeAfterMs(candidate.speed)),
            measured: (node, speed) => measured.speed(node, speed),
            ...(question.patience ? { patience: question.patience } : {}),
            ...(question.refundMs === undefined ? {} : { refundMs: question.refundMs }),
          },
          found.candidates,
          question,
          signal,
        )
        note(measured, tried)
        const acknowledged = await sayAll(question, tried)
        await samples
        const whole = outcomeOf(found, tried, question, signal)
        return {
          ...whole,
          ...{ acknowledged, ms: clock.now() - began },
          ...(firstTextMs === undefined ? {} : { firstTextMs }),
        }
      } finally {
        life.abort()
        asker.drop()
      }
    },
  }

  /** Nobody hears of who chooses by itself, or knows the way. */
  function askerOf(question: RoutedQuestion): Identity {
    return question.route || question.routers.length === 0 ? own : options.identityFor(question)
  }

  async function sayAll(question: RoutedQuestion, { outcomes }: Tried): Promise<readonly string[]> {
    if (!(question.acknowledge ?? true)) return []
    const said = await Promise.all(
      outcomes.map(({ candidate: { routing }, attempt, outcome }) => {
        // What was not published is in no journal, and what was hidden stays so.
        const row = journal.jobs.find('client', outcome.request.id)
        const secret = row && readOpening(row.opening)?.secret
        if (routing === undefined || !secret || outcome.privacy.wanted >= wrappedFrom) return undefined
        return acknowledge({ relays, keys, clock, journal, secret, routing }, attempt, outcome)
      }),
    )
    return said.flatMap(event => event?.id ?? [])
  }
}

const mostRouters = 8

function conditionsOf(question: RoutedQuestion): Conditions {
  const { capMsats, privacy = 1, deny = [], own = [] } = question
  const named = question.allow ?? []
  const mine = own.filter(node => named.length === 0 || named.includes(node))
  const allow = privacy === 3 && mine.length > 0 ? mine : named
  const { model, region, determinism, minScore, explore, terms, maxTokens, deadlineMs } = question
  return {
    ...{ kind: kindOf(question).request.number, capMsats, privacy, allow, deny },
    ...present({ model, region, determinism, minScore, explore, terms, maxTokens, deadlineMs }),
  }
}

function note(measured: Measurements, { attempts }: Tried): void {
  for (const { node, state } of attempts)
    if (state === 'answered') measured.ended(node, true)
    else if (state === 'silent' || state === 'dead' || state === 'failed') measured.ended(node, false)
}

function outcomeOf(
  route: Route,
  tried: Tried,
  question: RoutedQuestion,
  signal: AbortSignal | undefined,
): Omit<RoutedOutcome, 'ms' | 'firstTextMs' | 'acknowledged'> {
  const { attempts, answered, outcomes, text, hedges } = tried
  const paid = outcomes.reduce((sum, { outcome }) => sum + outcome.msats, 0n)
  const back = attempts.reduce((sum, { refundMsats }) => sum + refundMsats, 0n)
  // A route that was known has been paid for by the question that found it.
  const feeMsats = question.route ? 0n : route.feeMsats
  const privacy = mergedPrivacy(outcomes.map(({ outcome }) => outcome.privacy))
  const whole = { text, msats: paid - back, feeMsats, route, attempts, hedges, ...present({ privacy }) }
  if (answered) return { ok: true, ...whole, answered }
  const { code, says } = whyNot(route, tried, question, signal)
  return { ok: false, ...whole, code, says }
}

function whyNot(route: Route, tried: Tried, { capMsats }: RoutedQuestion, signal: AbortSignal | undefined): Why {
  if (tried.attempts.length === 0)
    return route.refusal ?? { code: 'no-node', says: `Nobody takes this work for ${capMsats} msats.` }
  const last = tried.outcomes.at(-1)
  if (signal?.aborted) return { code: 'cancelled', says: 'You cancelled the job.' }
  const open = tried.outcomes.find(({ attempt }) => attempt.state === 'open')
  if (open) return { code: open.outcome.code ?? 'payment-unknown', says: open.outcome.says ?? '' }
  if (tried.why) return tried.why
  const why = last?.attempt.why ?? { code: last?.outcome.code ?? 'failed', says: last?.outcome.says ?? '' }
  const asked = tried.outcomes.length
  return asked === 1 ? why : { code: why.code, says: `None of ${asked} nodes answered; the last one: ${why.says}` }
}
