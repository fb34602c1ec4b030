/**
 * One node asked for one answer, as a part of a question that may go on elsewhere: what it says goes into the story, its
 * silence is measured, and how it ended is put down.
 * @module
 */
import type { Announcement, TermsWord } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { ClientJob, Why } from '../job.ts'
import { isEnd } from '../job.ts'
import type { Turn } from './clearing.ts'
import type { Outcome, Question } from './client.ts'
import type { AskEvent } from './events.ts'
import type { Following, Run } from './follow.ts'
import { spentMsats } from './outcome.ts'
import { type Patience, patienceFor, type Speed, watchSilence } from './patience.ts'
import type { Story } from './story.ts'

/** A node that may be asked. `msats` is what it is expected to ask for the whole answer. */
export interface Candidate {
  readonly node: string
  readonly announcement?: Announcement
  readonly msats: bigint
  readonly terms: readonly TermsWord[]
  /** Routing event and quote that speak for it. */
  readonly routing?: string
  readonly quote?: string
  readonly speed: Speed
}

/**
 * `answered` has the answer. `refused` never began; `silent` said nothing, `dead` stopped after it began, `failed` gave
 * up. `slower` lost against another node that was asked at the same time. `skipped`: the cap had no room for it.
 * `open`: what became of its payment is not known yet.
 */
export type AttemptState =
  | 'answered'
  | 'refused'
  | 'silent'
  | 'dead'
  | 'failed'
  | 'slower'
  | 'skipped'
  | 'cancelled'
  | 'open'

export interface Attempt {
  readonly node: string
  readonly state: AttemptState
  /** Id of the job. Absent for a node that was not asked. */
  readonly job?: string
  /** Paid to this node for this job, and how much of it has come back. */
  readonly msats: bigint
  readonly refundMsats: bigint
  /** Bills of this node that were paid, where the price is divided. */
  readonly parts?: number
  readonly why?: Why
  readonly refund?: 'asked' | 'paid' | 'unpaid'
  readonly firstMs?: number
  readonly ms?: number
}

/** Asks one node: the job begins when this is called. */
export type Start = (question: Question, how: Following, signal?: AbortSignal) => Promise<Outcome>

export interface AttemptOptions {
  readonly clock: Clock
  readonly candidate: Candidate
  readonly question: Question
  readonly story: Story
  readonly turn: Turn
  readonly patience?: Patience
  start: Start
  tell(event: AskEvent): void
  /** This node has billed, works or answers: nobody else may any more. */
  won(): void
  measured(speed: Speed): void
}

export interface Trying {
  readonly candidate: Candidate
  /** Parts that were bought elsewhere before. */
  readonly from: number
  readonly outcome: Promise<Outcome>
  /** Resolves after the outcome, when no money of it is on its way back any more. */
  readonly settled: Promise<unknown>
  /** The job, once its payment is accounted for or nobody waits any more. */
  readonly accounted: Promise<ClientJob>
  job(): ClientJob | undefined
  /** Paid or perhaps paid, less what came back. */
  committedMsats(): bigint
  /** Characters of the answer at the last bill of a part, and how many parts they are. */
  boundary(): { readonly parts: number; readonly chars: number } | undefined
  /** True once the node has billed, works or answers. */
  spoke(): boolean
  abandon(why: Why): void
  record(): Attempt
}

/** Why a node lost that was asked beside another. */
export const slower: Why = { code: 'slower', says: 'Another node was quicker.' }

export function tryOne(options: AttemptOptions, signal?: AbortSignal): Trying {
  const { clock, candidate, question, story, turn, start, tell } = options
  const began = clock.now()
  const seen: {
    firstMs?: number
    endMs?: number
    refund?: Attempt['refund']
    boundary?: { parts: number; chars: number }
  } = {}
  let run: Run | undefined
  let given: Why | undefined
  let spoke = false
  let refundMsats = 0n
  let publishedAt = began
  const watching = watchSilence({
    clock,
    patience: options.patience ?? patienceFor(candidate.speed),
    onSilent: why => abandon(why),
  })

  function abandon(why: Why) {
    if (run && isEnd(run.job().state)) return
    given ??= why
    watching.stop()
    run?.abandon(why)
  }

  function onEvent(event: AskEvent) {
    watching.see(event)
    const word = event.event
    if (word === 'asked') publishedAt = clock.now()
    if (word === 'quote' || word === 'processing' || word === 'chunk') {
      if (run && !turn.take(run.request.id)) return abandon(slower)
      if (!spoke) options.measured({ rttMs: clock.now() - publishedAt })
      spoke = true
      options.won()
    }
    if (word === 'quote' && event.terms.word === 'parts' && event.terms.part > 1)
      seen.boundary = { parts: event.terms.part - 1, chars: story.shown.length }
    if (word === 'refund') {
      seen.refund = event.state
      if (event.state === 'paid') refundMsats += event.msats
    }
    if (word === 'chunk') {
      if (seen.firstMs === undefined && event.text !== '') {
        seen.firstMs = clock.now() - began
        options.measured({ firstMs: seen.firstMs })
      }
      story.chunk(event.text)
    } else if (word === 'replaced') story.replaced(event.text)
    else tell(event)
  }

  const accounting = Promise.withResolvers<ClientJob>()
  let back: Promise<unknown> | undefined
  const outcome = start(
    question,
    {
      ...(question.giveUp ? { giveUp: question.giveUp } : {}),
      ...(question.mostBytes === undefined ? {} : { mostBytes: question.mostBytes }),
      turn,
      onEvent,
      onRest(rest) {
        back = rest.ended
      },
      onBegun(begun) {
        run = begun
        if (given) run.abandon(given)
        begun.ended.then(job => {
          watching.stop()
          seen.endMs = clock.now() - began
          if (isEnd(job.state)) turn.drop(job.id)
          accounting.resolve(job)
        }, accounting.reject)
      },
    },
    signal,
  )
  outcome.catch(error => {
    watching.stop()
    accounting.reject(error)
  })

  const job = () => run?.job()
  return {
    candidate,
    from: question.terms?.word === 'parts' ? (question.terms.from ?? 0) : 0,
    outcome,
    settled: outcome.then(() => back).catch(() => {}),
    accounted: accounting.promise,
    job,
    committedMsats() {
      const now = job()
      if (!now) return 0n
      const flying = now.pay === 'sent' || now.pay === 'unknown' ? (now.order?.msats ?? 0n) : 0n
      return spentMsats(now) + flying - refundMsats
    },
    boundary: () => seen.boundary,
    spoke: () => spoke,
    abandon,
    record() {
      const now = job()
      const why = given ?? now?.why
      const state = now ? stateOf(now, given, spoke) : 'cancelled'
      const { firstMs, endMs, refund } = seen
      const parts =
        now && now.parts > 1
          ? now.partsPaid - (question.terms?.word === 'parts' ? (question.terms.from ?? 0) : 0)
          : undefined
      return {
        ...{ node: candidate.node, state, msats: now ? spentMsats(now) : 0n, refundMsats },
        ...(run ? { job: run.request.id } : {}),
        ...(parts === undefined ? {} : { parts }),
        ...(why && state !== 'answered' ? { why } : {}),
        ...(refund ? { refund } : {}),
        ...(firstMs === undefined ? {} : { firstMs }),
        ...(endMs === undefined ? {} : { ms: endMs }),
      }
    },
  }
}

function stateOf(job: ClientJob, given: Why | undefined, spoke: boolean): AttemptState {
  if (job.state === 'delivered')
    return job.pay === 'failed' && job.quote?.terms?.word === 'escrow' ? 'failed' : 'answered'
  if (!isEnd(job.state)) return 'open'
  if (given?.code === 'slower' || job.why?.code === 'slower') return 'slower'
  if (given) return given.code === 'silent' ? 'silent' : 'dead'
  if (job.state === 'cancelled') return 'cancelled'
  if (job.state === 'expired') return spoke ? 'dead' : 'silent'
  return job.state === 'refused' || (!job.order && !spoke) ? 'refused' : 'failed'
}
