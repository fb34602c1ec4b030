/**
 * One question to several nodes in turn, under one cap: the next is asked when the one before refuses, is silent, dies or
 * fails, and never before its money is accounted for. Of two that are asked at the same time only one may bill.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import type { Why } from '../job.ts'
import { isEnd } from '../job.ts'
import { type Attempt, type Candidate, type Start, slower, type Trying, tryOne } from './attempt.ts'
import type { Turn } from './clearing.ts'
import type { Outcome, Question } from './client.ts'
import type { AskEvent } from './events.ts'
import type { Patience, Speed } from './patience.ts'
import { type Asking, askingOf, dueMsats, partsBought } from './rest.ts'
import { openStory } from './story.ts'

export type { Attempt, AttemptState, Candidate } from './attempt.ts'

export type FailoverEvent =
  | AskEvent
  /** A node is asked. `hedge`: beside another one that has not said anything yet. */
  | { readonly event: 'attempt'; readonly node: string; readonly msats: bigint; readonly hedge: boolean }
  /** Nobody waits for `from` any more; `to` is asked for the whole answer, or for the rest of it. */
  | {
      readonly event: 'failover'
      readonly from: string
      readonly to: string
      readonly why: Why
      readonly asks: 'whole' | 'rest'
      /** Paid so far, and not come back. */
      readonly paidMsats: bigint
    }

export interface FailoverOptions {
  readonly clock: Clock
  start: Start
  /** Bounds of silence; by default from what is known of the node. */
  patience?(candidate: Candidate): Patience
  /** Milliseconds of silence after which a second node is asked beside the first; `undefined`: never. */
  hedgeAfter(candidate: Candidate): number | undefined
  /**
   * How long money is waited for that nodes keep which failed, where it may buy another answer or nobody has answered; it
   * comes later else. Default 5,000.
   */
  readonly refundMs?: number
  tell(event: FailoverEvent): void
  measured(node: string, speed: Speed): void
}

export interface Tried {
  readonly attempts: readonly Attempt[]
  readonly outcomes: readonly { readonly candidate: Candidate; readonly attempt: Attempt; readonly outcome: Outcome }[]
  /** Of the node that answered. */
  readonly answered?: Outcome
  /** What was shown of an answer, whole or not. */
  readonly text: string
  readonly hedges: number
  /** Why nobody (else) was asked, where that was not for want of nodes. */
  readonly why?: Why
}

/** Resolves when somebody has answered or nobody is left, and all money is accounted for or given up on. */
export async function failover(
  options: FailoverOptions,
  candidates: readonly Candidate[],
  question: Question,
  signal?: AbortSignal,
): Promise<Tried> {
  const { clock, tell, refundMs = 5_000 } = options
  const queue = [...candidates]
  const trials: Trying[] = []
  const deadline = seconds(clock) + (question.ttlSeconds ?? 600)
  const story = openStory(tell)
  const turn = openTurn()
  let hedges = 0
  const committed = () => trials.reduce((sum, trial) => sum + trial.committedMsats(), 0n)

  const askingFor = (candidate: Candidate): Asking => {
    const room = question.capMsats - committed()
    return askingOf(question, candidate, { room, trials, shown: story.shown })
  }
  const affordable = (candidate: Candidate) => {
    const { room, how, from } = askingFor(candidate)
    return dueMsats(candidate, question, how === 'rest' ? from : 0) <= room
  }
  /** Takes the next node that the cap has room for. */
  const take = (): Candidate | undefined => {
    const at = queue.findIndex(affordable)
    return at < 0 ? undefined : queue.splice(at, 1)[0]
  }

  function ask(candidate: Candidate, hedge: boolean): Trying {
    const asking = askingFor(candidate)
    const { node } = candidate
    const last = trials.at(-1)
    if (last && !hedge) {
      const why = last.record().why ?? { code: 'failed', says: 'The node gave no reason.' }
      tell({ event: 'failover', from: last.candidate.node, to: node, why, asks: asking.how, paidMsats: committed() })
    }
    tell({ event: 'attempt', node, msats: candidate.msats, hedge })
    if (!hedge) story.begin(asking.how)
    const patience = options.patience?.(candidate)
    const trial = tryOne(
      {
        ...{ clock, candidate, story, turn, tell, start: options.start },
        ...(patience ? { patience } : {}),
        question: { ...asking.question, ttlSeconds: Math.max(1, deadline - seconds(clock)) },
        won: () => {
          for (const other of trials) if (other !== trial) other.abandon(slower)
        },
        measured: speed => options.measured(node, speed),
      },
      signal,
    )
    trials.push(trial)
    return trial
  }

  /** One node, and a second one beside it where the first keeps silent. */
  async function round(candidate: Candidate): Promise<void> {
    const first = ask(candidate, false)
    let second: Trying | undefined
    const after = first.from > 0 ? undefined : options.hedgeAfter(candidate)
    const hedge = () => {
      const now = first.job()
      if (first.spoke() || turn.taken() || signal?.aborted || (now && isEnd(now.state))) return
      const other = take()
      if (!other) return
      hedges++
      second = ask(other, true)
    }
    const cancel = after === undefined ? () => {} : clock.after(after, hedge)
    await first.accounted.finally(cancel)
    await second?.accounted
  }

  async function refunds(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const stop = clock.after(refundMs, resolve)
    await Promise.race([Promise.all(trials.map(trial => trial.settled)), late])
    stop()
  }

  const isOver = () =>
    signal?.aborted ||
    seconds(clock) >= deadline ||
    trials.some(trial => ['answered', 'open'].includes(trial.record().state))

  while (!isOver()) {
    let next = take()
    if (!next && queue.length > 0 && committed() > 0n) {
      // What comes back may make room for one more.
      await refunds()
      next = take()
    }
    if (!next) break
    await round(next)
  }
  const ends = await Promise.all(trials.map(async trial => ({ trial, outcome: await trial.outcome })))
  // Who has the answer waits for no money; who has none is told what is left of it.
  if (!signal?.aborted && !trials.some(trial => trial.record().state === 'answered')) await refunds()
  const outcomes = ends.map(({ trial, outcome }) => {
    return { candidate: trial.candidate, attempt: trial.record(), outcome }
  })
  const answered = outcomes.find(({ attempt }) => attempt.state === 'answered')?.outcome
  const room = question.capMsats - committed()
  const left = answered || isOver() ? [] : queue
  return {
    attempts: [...outcomes.map(({ attempt }) => attempt), ...left.map(one => skipped(one, room))],
    outcomes,
    ...(answered ? { answered } : {}),
    text: answered?.text ?? story.shown,
    hedges,
    ...(left.length > 0 ? { why: noRoom(left, room, question, partsBought(trials)) } : {}),
  }
}

const skipped = ({ node }: Candidate, room: bigint): Attempt => ({
  ...{ node, state: 'skipped', msats: 0n, refundMsats: 0n },
  why: { code: 'cap', says: `The cap had ${room} msats left.` },
})

function noRoom(left: readonly Candidate[], room: bigint, question: Question, from: number): Why {
  const least = left.map(one => dueMsats(one, question, from)).reduce((low, one) => (one < low ? one : low))
  return {
    code: 'cap',
    says: `The next node asks ${least} msats and ${room} are left of the ${question.capMsats} that were allowed: allow more with --max-sats, or wait for what comes back.`,
  }
}

/** Who may order: nobody or one job. */
function openTurn(): Turn & { taken(): boolean } {
  let holder: string | undefined
  return {
    take(job) {
      holder ??= job
      return holder === job
    },
    drop(job) {
      if (holder === job) holder = undefined
    },
    taken: () => holder !== undefined,
  }
}
