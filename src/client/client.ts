/**
 * The client: signs a job, asks one node or everybody, pays under a cap what the guard let through, shows the answer as
 * it comes, and checks what proves the payment.
 * @module
 */
import type { Event, WishedTerms } from '../../kinds/index.ts'
import { jobKind, present } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds, timeLimit } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { memoryJournal } from '../journal/memory.ts'
import type { Keys } from '../keys.ts'
import type { FaultTools } from '../ledger/index.ts'
import type { Caps } from '../payments/guard.ts'
import type { Network, Payee, Payer } from '../payments/payment.ts'
import { zapRequestFor } from '../payments/zap.ts'
import { openSeal } from '../seal.ts'
import type { AskEvent } from './ask.ts'
import { openClaims } from './claims.ts'
import { sayOfAnswer, type WordSaid } from './escrow-word.ts'
import { claimMs, follow } from './follow.ts'
import { openHearing } from './hearing.ts'
import { type Opening, readOpening, replay } from './keeping.ts'
import type { LnurlUse } from './lightning-address.ts'
import { kindOf, type Outcome, type Question, worksOn } from './question.ts'
import type { DeepCheck } from './recompute.ts'
import type { Route } from './route.ts'
import { openRouting, type RoutedOutcome, type RoutedQuestion } from './routed.ts'
import { resumeFees } from './router-fee.ts'
import { ownShare } from './shares.ts'

export type { AskEvent } from './ask.ts'
export type { WordSaid } from './escrow-word.ts'
export type { Attempt, AttemptState } from './failover.ts'
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
  /** Signs the jobs. */
  readonly secret: Uint8Array
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
}

/** A bid is for a whole price, also where only its last parts are still to be bought. */
function bidFor(capMsats: bigint, priceMsats: bigint | undefined, terms: WishedTerms | undefined): bigint {
  const [parts, from] = terms?.word === 'parts' ? [terms.parts, terms.from ?? 0] : [1, 0]
  const whole = from < parts ? (capMsats * BigInt(parts)) / BigInt(parts - from) : capMsats
  return priceMsats !== undefined && priceMsats < whole ? priceMsats : whole
}

/** Opens a client on relays and a wallet that stay the caller's. */
export function openClient(options: ClientOptions): Client {
  const { relays, keys, secret, clock, payee } = options
  const journal = options.journal ?? memoryJournal()
  const pubkey = keys.publicKey(secret)
  const seal = openSeal({ keys, secret })
  const claims = payee && openClaims({ relays, keys, clock, journal, payee })
  const all = { ...options, journal, claims, own: { pubkey, seal, hear: openHearing({ relays, clock, pubkey }) } }

  function open(question: Question): Opening {
    const { node, capMsats, terms, routing, quote, begun } = question
    const announcement = node?.announcement
    const price = announcement?.priceMsats
    // A zap names one price, so that parts go without a receipt.
    const own = ownShare(present({ announcement, ask: present({ node: node?.pubkey }) }))
    const affordable = price !== undefined && own !== undefined && own > 0n && price <= capMsats
    const receipt = affordable && terms?.word !== 'parts'
    // Who announced a price is offered that price: what we could pay at most is nobody's business.
    const bidMsats = bidFor(capMsats, price, terms)
    const sealed = node !== undefined && announcement?.encrypted !== false
    const now = seconds(clock)
    const ttlSeconds = question.ttlSeconds ?? 600
    const template = kindOf(question).request.write(
      {
        ...worksOn(question),
        ...present({ terms, routing, quote }),
        relays: relays.urls.slice(0, 5).filter(url => /^wss?:/.test(url)),
        providers: node ? [node.pubkey] : [],
        ...(bidMsats > 0n ? { bidMsats } : {}),
        expiresAt: now + ttlSeconds,
        stream: question.stream ?? true,
        receipt,
      },
      now,
      sealed && node ? plain => seal.encrypt(node.pubkey, plain) : undefined,
    )
    const request = keys.sign(template, secret)
    const zap = receipt && node && { node: node.pubkey, job: request.id, msats: own, relays: relays.urls }
    return {
      request,
      secret,
      ask: {
        ...{ id: request.id, capMsats, now, ttlSeconds },
        ...(node ? { node: node.pubkey } : {}),
        ...(terms?.word === 'parts' ? present({ parts: terms.parts, from: terms.from }) : {}),
      },
      ...present({ announcement, terms, begun }),
      ...(zap ? { zapRequest: JSON.stringify(keys.sign(zapRequestFor(zap, now), secret)) } : {}),
    }
  }

  const routing = openRouting({
    ...all,
    start: (question, how, signal) => follow(all, open(question), how, signal),
  })
  return {
    pubkey,
    async ask(question, signal) {
      return follow(all, open(question), question, signal)
    },
    route: routing.route,
    askRouted: routing.ask,
    say: (job, word) => sayOfAnswer(all, job, word),
    resume(onEvent) {
      const fees = timeLimit(clock, claimMs)
      // A journal that was closed meanwhile is opened again by the next process.
      void resumeFees({ ...all, life: fees.signal }).then(fees.stop, fees.stop)
      for (const claim of claims?.open() ?? []) {
        const late = timeLimit(clock, claimMs)
        void claims?.claim(claim, late.signal).then(late.stop, late.stop)
      }
      return journal.jobs.unfinished('client').flatMap(row => {
        const opening = readOpening(row.opening)
        // A later version may have asked for what this one does not know.
        if (!opening || !jobKind(opening.request.kind)) return []
        const { request, ask } = opening
        const reopened = replay(ask, row.facts)
        return [{ request, outcome: follow(all, opening, { onEvent: event => onEvent?.(event, request), reopened }) }]
      })
    },
  }
}
