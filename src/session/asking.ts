/**
 * One question on its way: money is set aside, a node is found, the moments are told, and what it really cost is booked.
 * @module
 */
import type { Client, RoutedEvent } from '../client/client.ts'
import { wantsDeltas } from '../client/question.ts'
import { type Clock, timeLimit } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import { routedAnswer } from './answer.ts'
import { reason, unanswered } from './failure.ts'
import { type Moments, openMoments } from './moments.ts'
import type { Purse } from './purse.ts'
import { type Defaults, refusedQuestion, routedQuestion } from './question.ts'
import { openReading } from './reading.ts'
import type { Routes } from './routes.ts'
import type { Answered, Moment, SessionQuestion, Unanswered } from './session.ts'

/** What every question of a session needs. */
export interface Desk {
  readonly client: Client
  readonly clock: Clock
  readonly journal: Journal
  readonly purse: Purse
  readonly routes: Routes
  readonly defaults: Defaults
  /** Fires when nobody waits for silent wallets any more. */
  readonly giveUp: AbortSignal
  /** Money of a question came back after its end. */
  onRefund(msats: bigint): void
  /** Why nobody can be asked at all, where that is so. */
  trouble(): { readonly code: string; readonly says: string } | undefined
}

/** A question under way, for as many as want its answer. */
export interface Running {
  readonly moments: Moments
  readonly outcome: Promise<Answered | Unanswered>
  readonly request: Promise<string | undefined>
  /** Jobs that were published for it. */
  readonly requests: ReadonlySet<string>
  withdraw(): void
  /** It was asked by an earlier process: who leaves does not withdraw it. */
  readonly stays?: boolean
}

/** A silent wallet is waited for so much longer than the question. */
const walletMs = 60_000

/** Asks. `onJob` is told of every job before its payment leaves; `paying`: that is now. */
export function begin(
  desk: Desk,
  question: SessionQuestion,
  onJob?: (request: string, paying: boolean) => void,
): Running {
  const moments = openMoments()
  const withdrawal = new AbortController()
  const asked = Promise.withResolvers<string | undefined>()
  const requests = new Set<string>()
  const began = desk.clock.now()
  const published = (request: string, paying: boolean) => {
    if (requests.has(request)) return
    requests.add(request)
    onJob?.(request, paying)
    asked.resolve(request)
  }
  const outcome = run(desk, question, { moments, published, began, signal: withdrawal.signal }).then(end => {
    moments.end()
    asked.resolve(end.request)
    return end
  })
  return { moments, outcome, request: asked.promise, requests, withdraw: () => withdrawal.abort() }
}

interface Run {
  readonly moments: Moments
  readonly began: number
  readonly signal: AbortSignal
  published(request: string, paying: boolean): void
}

async function run(desk: Desk, question: SessionQuestion, run: Run): Promise<Answered | Unanswered> {
  const { client, clock, purse, routes, defaults } = desk
  const { began, signal } = run
  const lasted = () => ({ ms: clock.now() - began })
  const refusal = refusedQuestion(question, defaults)
  if (refusal) return unanswered(refusal.code, refusal.says, lasted())
  const wish = routedQuestion(question, defaults)
  const fees = (wish.routerFeeMsats ?? 0n) * BigInt(wish.routers.length)
  const hold = purse.hold(wish.capMsats + fees)
  if (!hold) return unanswered('budget', noMoney(desk, wish.capMsats + fees), lasted())
  const late = timeLimit(clock, (wish.ttlSeconds ?? defaults.ttlSeconds) * 1000 + walletMs, desk.giveUp)
  let left = false
  let over = false
  try {
    const route = await routes.get(wish, signal)
    if (signal.aborted) return settled(unanswered('cancelled', 'You cancelled the job.', lasted()))
    const tell = teller(desk, question, run)
    const routed = await client.askRouted(
      {
        ...wish,
        ...(route && route.candidates.length > 0 ? { route } : {}),
        giveUp: late.signal,
        onEvent(event) {
          left ||= event.event === 'paying'
          if (event.event === 'refund' && event.state === 'paid') {
            hold.giveBack(event.msats)
            if (over) desk.onRefund(event.msats)
          }
          tell(event)
        },
      },
      signal,
    )
    const failed = routed.attempts.some(({ state }) => state !== 'answered' && state !== 'cancelled')
    if (failed || (!routed.ok && !signal.aborted)) routes.spoil(wish)
    const back = routed.attempts.reduce((sum, { refundMsats }) => sum + refundMsats, 0n)
    hold.settle(routed.msats + back + routed.feeMsats, doubtOf(desk, routed.attempts))
    const end = routedAnswer(routed, wantsDeltas(question))
    const nobody = end.ok || routed.attempts.some(({ job }) => job !== undefined) ? undefined : desk.trouble()
    return nobody ? { ...end, ...nobody, ok: false } : end
  } catch (error) {
    // What left before the trouble is not known: all of it stays set aside.
    hold.settle(0n, left ? hold.msats : 0n)
    return unanswered('trouble', reason(error), lasted())
  } finally {
    over = true
    late.stop()
    hold.settle(0n)
  }

  function settled(end: Unanswered): Unanswered {
    hold?.settle(0n)
    return end
  }
}

/** Orders of which nobody knows yet whether they were paid. */
function doubtOf({ journal }: Desk, attempts: readonly { readonly job?: string; readonly state: string }[]): bigint {
  const open = attempts.flatMap(({ job, state }) => (state === 'open' && job !== undefined ? [job] : []))
  return open.flatMap(job => journal.orders.list({ job, state: 'planned' })).reduce((sum, { msats }) => sum + msats, 0n)
}

function noMoney({ purse }: Desk, msats: bigint): string {
  const { totalMsats = 0n, spentMsats, heldMsats } = purse.budget()
  return `This question may cost ${msats} msats and the budget of ${totalMsats} has ${totalMsats - spentMsats - heldMsats} left (${spentMsats} spent, ${heldMsats} set aside for others): raise the budget, or ask for less.`
}

/** Turns what the client tells into moments. */
function teller(
  { journal }: Desk,
  question: SessionQuestion,
  { moments, published }: Run,
): (event: RoutedEvent) => void {
  const reading = openReading(wantsDeltas(question))
  const add = (moment: Moment) => moments.add(moment)
  let node: string | undefined
  let paying = 0n
  return event => {
    switch (event.event) {
      case 'attempt':
        node = event.node
        return
      case 'asked':
        published(event.request, false)
        return add({ moment: 'asked', request: event.request, ...(event.sealed && node !== undefined ? { node } : {}) })
      case 'paying': {
        // The order names its job, and is written before anything leaves.
        const job = journal.orders.get(event.hash)?.job
        if (job !== undefined) published(job, true)
        paying = event.msats
        return add({ moment: 'paying', msats: event.msats })
      }
      case 'paid':
        return add({ moment: 'paid', msats: paying })
      case 'processing':
        return add({ moment: 'processing' })
      case 'chunk':
        for (const delta of reading.push(event.text)) add({ moment: 'delta', delta })
        return
      case 'replaced': {
        const [first, ...rest] = reading.replace(event.text)
        add({ moment: 'replaced', delta: first })
        for (const delta of rest) add({ moment: 'delta', delta })
        return
      }
      default:
        return
    }
  }
}
