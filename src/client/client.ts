/**
 * The client: signs a job, asks one node or everybody, pays under a cap what the guard let through, shows the answer as
 * it comes, and checks what proves the payment.
 * @module
 */
import { type Event, jobKind } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { aborted, type Clock, timeLimit } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import type { FaultTools } from '../ledger/index.ts'
import type { Caps } from '../payments/guard.ts'
import type { Network, Payee, Payer } from '../payments/payment.ts'
import { openAfterwards } from './afterwards.ts'
import type { AskEvent } from './ask.ts'
import { openClaims } from './claims.ts'
import { sayOfAnswer, type WordSaid } from './escrow-word.ts'
import { type Following, follow } from './follow.ts'
import { openIdentities } from './identity.ts'
import { readOpening, replay } from './keeping.ts'
import { claimMs } from './kept.ts'
import { type KnownJob, openKnown } from './known.ts'
import { levelOf, wrappedFrom } from './levels.ts'
import type { LnurlUse } from './lightning-address.ts'
import type { Identity } from './one-key.ts'
import { type Opened, openJob, reopenJob } from './opening.ts'
import { packQuestion } from './packing.ts'
import type { Outcome, Question } from './question.ts'
import type { DeepCheck } from './recompute.ts'
import type { Route } from './route.ts'
import { openRouting, type RoutedOutcome, type RoutedQuestion } from './routed.ts'
import { resumeFees } from './router-fee.ts'

export type { AskEvent } from './ask.ts'
export type { WordSaid } from './escrow-word.ts'
export type { Attempt, AttemptState } from './failover.ts'
export type { KnownJob } from './known.ts'
export type { LnurlUse } from './lightning-address.ts'
export { chooseNode, type Offer, readMarket } from './market.ts'
export type { PrivacyReport, Reader } from './privacy-report.ts'
export type { Outcome, Question } from './question.ts'
export type { DeepCheck, Finding, Recomputed } from './recompute.ts'
export type { Route, RouteCandidate, RouterWord } from './route.ts'
export type { RoutedEvent, RoutedOutcome, RoutedQuestion } from './routed.ts'
export type { SplitOutcome, SplitState } from './splits.ts'

export interface ClientOptions {
  readonly relays: Relays
  readonly keys: Keys
  /** The customer's own key. Signs the jobs, where `identity` does not say otherwise. */
  readonly secret: Uint8Array
  /**
   * `one-job`: each job has a key of its own, made for it and used once, so that nobody can tell that two jobs are of one
   * customer. `own` (default): for customers who want to be known, by credit or by name.
   */
  readonly identity?: 'one-job' | 'own'
  readonly clock: Clock
  /** Absent: free answers only. */
  readonly payer?: Payer
  /** Network of the wallet's money. */
  readonly network: Network
  /** Lightning node of the wallet, where it is ours alone: nobody pays itself. */
  readonly nodeKey?: string
  /** Takes back what a node keeps of ours. Absent: it stays with the node, for the next job. */
  readonly payee?: Payee
  /**
   * Also pays those who have only a Lightning address: their payment services are asked over HTTPS. Absent: no HTTP is
   * ever spoken.
   */
  readonly lnurl?: LnurlUse
  /** What was asked, ordered and paid. Default: in memory, lost with the process. */
  readonly journal?: Journal
  /** Most that may be spent in an hour, in a day, and on one node in a day, whatever the jobs allow. */
  readonly caps?: Omit<Caps, 'jobMsats'>
  /**
   * Publishes what proves that a node or router broke a rule, tried with these first. What was sealed is shown with the key
   * of its conversation: see `accuse.ts`. Absent: nothing is ever shown.
   */
  readonly accuse?: FaultTools
  /** Recomputes whole what routers said. Absent: their chain and their draw are. */
  readonly deepCheck?: DeepCheck
  /** Share of the routing events that is recomputed. Default 0.05. */
  readonly recomputedShare?: number
}

export interface Resumed {
  readonly request: Event
  /** What an earlier process had asked, answered and accounted for now. */
  readonly outcome: Promise<Outcome>
}

export interface Client {
  readonly pubkey: string
  /** Jobs and claims that an earlier process left in the journal, taken up again. */
  resume(onEvent?: (event: AskEvent, request: Event) => void): readonly Resumed[]
  /** The jobs that the journal knows, newest first: those that have not ended, the last thousand that have, and those that were paid. */
  jobs(): readonly KnownJob[]
  /** One job of the journal. */
  job(request: string): KnownJob | undefined
  /** One job, asked anew of the relays where its answer is not here: its money is left to whoever finishes it. */
  lookUp(request: string, signal?: AbortSignal): Promise<KnownJob | undefined>
  /**
   * Withdraws a job that an earlier process left, as privately as it was asked. False where there is none that could be;
   * a job of this process is withdrawn by the signal that it was asked with. Call `resume` afterwards, for its money.
   */
  withdraw(request: string): Promise<boolean>
  /** Says to the verifier of an escrow what the customer thinks of the answer. */
  say(job: string, word: 'accept' | 'complain'): Promise<WordSaid>
  /** Asks routers who should answer. */
  route(question: RoutedQuestion, signal?: AbortSignal): Promise<Route>
  /**
   * Asks whoever routers, or this client, find best, and the next one where that fails, all under one cap. Resolves when
   * somebody has answered or nobody is left. Never rejects for what others do.
   */
  askRouted(question: RoutedQuestion, signal?: AbortSignal): Promise<RoutedOutcome>
  /** Resolves when the job has ended and its money is accounted for. Aborting withdraws the job. Never rejects for what others do. */
  ask(question: Question, signal?: AbortSignal): Promise<Outcome>
  /**
   * Outcomes do not wait for money that nodes keep: this does. True when none is on its way any more. When `signal` fires,
   * false: what is open then is in the journal, and nothing more is done about it in this process.
   */
  settled(signal?: AbortSignal): Promise<boolean>
}

/** How long fees of routers that an earlier process left are asked about. */
const feesMs = 20_000

/** Opens a client on relays and a wallet that stay the caller's. */
export function openClient(options: ClientOptions): Client {
  const { relays, keys, secret, clock, payee } = options
  const journal = options.journal ?? memoryJournal()
  const claims = payee && openClaims({ relays, keys, clock, journal, payee })
  const identities = openIdentities({ relays, keys, clock, secret, ready: options.identity === 'one-job' })
  const afterwards = openAfterwards()
  const all = { ...options, journal, claims, afterwards, own: identities.own }

  /** Who hides from relays needs a key that no relay knows. */
  const identityFor = (question: Question): Identity =>
    options.identity === 'one-job' || levelOf(question) >= wrappedFrom ? identities.fresh() : identities.own

  async function start(question: Question, how: Following, signal?: AbortSignal, known?: Identity): Promise<Outcome> {
    const identity = known ?? identityFor(question)
    let listening: Promise<unknown> | undefined
    const onRest: Following['onRest'] = rest => {
      listening = rest.listening
      how.onRest?.(rest)
    }
    try {
      const tell = (event: AskEvent) => how.onEvent?.(event)
      const packing = packQuestion({ relays, keys, clock, journal, answerOf, tell }, question, identity, signal)
      return await run(openJob(all, question, identity, packing && (await packing)), { ...how, onRest }, signal)
    } finally {
      if (listening) void listening.then(identity.drop)
      else identity.drop()
    }
  }

  /** Jobs that are followed in this process. */
  const running = new Map<string, Promise<Outcome>>()
  async function run(opened: Opened, how: Following, signal?: AbortSignal): Promise<Outcome> {
    const { id } = opened.opening.request
    const following = follow(all, opened, how, signal)
    running.set(id, following)
    return following.finally(() => running.delete(id))
  }

  /** The text of a job of ours, as one that comes after it may need it. */
  async function answerOf(id: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    const ends = running.get(id)
    if (ends) await Promise.race([ends.catch(() => {}), aborted(signal)])
    const found = known.job(id)
    return found?.text ?? (found && (await known.lookUp(id, signal))?.text)
  }

  const routing = openRouting({ ...all, identityFor, start })
  const { withdraw, ...known } = openKnown({ relays, keys, clock, journal, identities })
  return {
    ...known,
    withdraw: async request => !running.has(request) && withdraw(request),
    pubkey: identities.own.pubkey,
    ask: (question, signal) => start(question, question, signal),
    route: routing.route,
    askRouted: routing.ask,
    say: (job, word) => sayOfAnswer(all, job, word),
    settled: afterwards.settled,
    resume(onEvent) {
      const fees = timeLimit(clock, feesMs)
      // A journal that was closed meanwhile is opened again by the next process.
      void resumeFees({ ...all, life: fees.signal }).then(fees.stop, fees.stop)
      for (const claim of claims?.open() ?? []) {
        const late = timeLimit(clock, claimMs, afterwards.signal)
        if (claims) afterwards.add(claims.claim(claim, late.signal).finally(late.stop))
      }
      return journal.jobs.unfinished('client').flatMap(row => {
        const opening = readOpening(row.opening)
        // A later version may have asked for what this one does not know.
        if (!opening || !jobKind(opening.request.kind)) return []
        const { request, ask } = opening
        const reopened = replay(ask, row.facts)
        const opened = reopenJob(opening, identities.of(opening.secret))
        return [{ request, outcome: run(opened, { onEvent: event => onEvent?.(event, request), reopened }) }]
      })
    },
  }
}
