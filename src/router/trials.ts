/**
 * Trial jobs: newcomers prove themselves on the router's own auditor and not on customers, and proven nodes whose sealed
 * answer was drawn get another job that can be looked at. What comes of a trial is labelled as everything else is.
 * @module
 */
import type { Announcement, Event } from '../../kinds/index.ts'
import { present } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Entry } from '../ledger/directory.ts'
import { askedMsats, askingOf, type Params } from '../ledger/index.ts'
import type { Case } from './cases.ts'
import type { Labels } from './labels.ts'
import { openPurse } from './purse.ts'
import { openSchedule, type TrialPace } from './trial-schedule.ts'

export type TrialReason = 'newcomer' | 'drawn'

/** Who is tried, in which market, and what it may cost. */
export interface Trialled {
  readonly pubkey: string
  readonly announcement: Announcement
  readonly kind: number
  /** Empty where none is named. */
  readonly model: string
  readonly capMsats: bigint
}

/**
 * What came of a trial. `failed`: the answer is there and is not what the work comes to. `silent`: nothing came, by no
 * fault but the node's. `unable`: nobody can tell, and nothing is said of the node; without `job` nobody was asked. `msats`
 * is all that left or may have left.
 */
export type Tried =
  | {
      readonly verdict: 'passed' | 'failed'
      readonly job: Event
      readonly result: Event
      readonly firstMs?: number
      readonly ms?: number
      readonly outputTokens?: number
      readonly msats: bigint
    }
  | { readonly verdict: 'silent'; readonly job: Event; readonly msats: bigint }
  | { readonly verdict: 'unable'; readonly job?: Event; readonly msats: bigint }

/** Asks a node for work that is done here too; the node must not be able to tell it from a customer's. */
export type Trier = (node: Trialled, why: TrialReason, signal: AbortSignal) => Promise<Tried>

export interface TrialLimits extends TrialPace {
  /** Most that leaves in any 24 hours, fees of the network aside. 0: only free nodes are tried. */
  readonly msatsPerDay: bigint
  /** Most that one trial may cost. Default: what lets one newcomer be proven on a day's money. */
  readonly jobMsats?: bigint
}

export interface TrialsOptions {
  readonly trier: Trier | undefined
  readonly limits: Partial<TrialLimits> | undefined
  readonly params: Params
  readonly clock: Clock
  readonly journal: Journal
  readonly labels: Labels
  /** Places in the cohort, the most senior first. */
  members(): readonly string[]
  entryOf(node: string): Entry | undefined
  /** Whether a node is proven in a market, and whether anybody is. */
  isProven(node: string, kind: number, model: string): boolean
  anybodyProven(): boolean
  /** How often the relays were met again; it changes with every outage. */
  meetings(): number
  random?(): number
  onTrouble(says: string): void
}

export interface Trials {
  /** A request was routed. */
  routed(): void
  /** Begins what is due. */
  tick(): void
  /** The answer of a job was drawn for an audit by this seed and cannot be read. */
  drawn(one: Case, seed: string): void
  /** An entry of the log: a node passed or failed, `at` unix seconds. */
  judged(node: string, passed: boolean, at: number): void
  /** Left out of the cohort for now. */
  isAway(node: string): boolean
  /** When it failed last, unix seconds; 0 where it never did. */
  failedAt(node: string): number
  /** Resolves when no trial is under way. */
  close(): Promise<void>
}

interface Drawn {
  readonly node: string
  readonly kind: number
  readonly model: string
  readonly seed: string
  /** Id of the answer that was drawn. */
  readonly answer: string
}

const pace: TrialPace = { everyMs: 15_000, idleMs: 600_000, restMs: 60_000, unableMs: 600_000, atOnce: 2 }
const mostDrawn = 256

export function openTrials(options: TrialsOptions): Trials {
  const { trier, params, clock, journal, labels, members, entryOf, isProven, meetings, onTrouble } = options
  const limits: TrialLimits = { ...pace, msatsPerDay: 0n, ...options.limits }
  const jobMsats = limits.jobMsats ?? limits.msatsPerDay / BigInt(Math.max(1, params.probationJobs))
  const purse = openPurse(journal, 'router-trials', limits.msatsPerDay)
  const random = options.random ?? (() => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32)
  const schedule = openSchedule({ pace: limits, explore: params.explore, nowMs: clock.now(), random })
  const closing = new AbortController()
  const running = new Set<Promise<void>>()
  const queue: Drawn[] = []
  const now = () => seconds(clock)

  /** Who would be tried now, where that is possible. */
  function trialled(node: string, market?: Pick<Drawn, 'kind' | 'model'>): Trialled | undefined {
    const entry = entryOf(node)
    if (entry?.status !== 'alive') return undefined
    const { announcement, state } = entry
    const kind = market?.kind ?? announcement.kinds[0]
    if (kind === undefined || (state && state.slots.busy + state.slots.queued >= state.slots.total)) return undefined
    const model = market?.model ?? announcement.models[0]?.name ?? ''
    const capMsats = askedMsats(askingOf(entry), { kind, model })
    if (capMsats === undefined || capMsats > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
    return capMsats <= jobMsats && capMsats <= purse.leftMsats(now())
      ? { pubkey: node, announcement, kind, model, capMsats }
      : undefined
  }

  function go() {
    if (!trier || closing.signal.aborted) return
    for (const one of queue.splice(0)) {
      const target = trialled(one.node, one)
      // Who is gone, full or too dear by now is left alone.
      if (!target) continue
      if (schedule.begin(one.node)) start(target, trier, one)
      else queue.push(one)
    }
    for (;;) {
      let target: Trialled | undefined
      const canTry = (node: string) => {
        target = trialled(node)
        return target !== undefined
      }
      const view = { nowMs: clock.now(), isProven: options.anybodyProven(), members: members(), canTry }
      if (schedule.next(view) === undefined || !target) return
      start(target, trier)
    }
  }

  function start(target: Trialled, judge: Trier, why?: Drawn) {
    const at = now()
    const { pubkey, capMsats } = target
    if (!purse.take(capMsats, at)) return schedule.ended(pubkey, clock.now(), 'unasked')
    const met = meetings()
    const work = judge(target, why ? 'drawn' : 'newcomer', closing.signal)
      .then(
        tried => {
          purse.settle(capMsats, tried.msats, at)
          // Who listened with breaks knows nothing about silence.
          const heard = tried.verdict !== 'silent' || meetings() === met
          if (heard && !closing.signal.aborted) say(target, tried, why)
          return tried.verdict !== 'unable' ? 'tried' : tried.job ? 'unable' : 'unasked'
        },
        error => {
          if (!closing.signal.aborted) onTrouble(`A trial of ${pubkey} broke off: ${String(error)}`)
          return 'unable' as const
        },
      )
      .then(how => {
        // A drawn trial says nothing about a newcomer's place.
        schedule.ended(pubkey, clock.now(), why ? 'tried' : how)
        running.delete(work)
        // What was just said is folded first.
        clock.after(0, go)
      })
    running.add(work)
    return undefined
  }

  /** What was learned, as entries of the log: the router's own word weighs one. */
  function say({ pubkey: node, kind, model }: Trialled, tried: Tried, why?: Drawn) {
    if (tried.verdict === 'unable') return
    const { job, verdict, msats } = tried
    const about = { node, job: job.id, customer: job.pubkey, kind, model, at: now() }
    if (verdict === 'silent') {
      const paid = msats > 0n
      const checks = [paid ? 'paid' : 'published', 'unanswered']
      const rest = { evidence: [], checks, failed: [], weight: 1, code: paid ? 'paid' : 'silent' }
      labels.outcome({ ...about, ...rest, topic: 'outcome', label: 'failed', says: 'Nothing came.' })
      return
    }
    const { result, firstMs, ms, outputTokens } = tried
    labels.outcome({
      ...{ ...about, topic: 'outcome', label: 'served', evidence: [result.id], checks: ['asked', 'answered'] },
      ...{ failed: [], weight: 1, says: 'It answered this router itself.' },
      ...present({ firstMs: whole(firstMs), ms: whole(ms), outputTokens }),
    })
    const passed = verdict === 'passed'
    labels.audit({
      ...{ ...about, topic: 'audit', label: verdict, evidence: why ? [result.id, why.answer] : [result.id] },
      ...{ checks: passed ? ['recomputed'] : [], failed: passed ? [] : ['recomputed'] },
      ...present({ seed: why?.seed }),
      says: passed ? 'Computed again: the same.' : 'Computed again: not the same.',
    })
  }

  return {
    routed() {
      schedule.routed()
    },
    tick: go,
    drawn({ answer, routed, request }, seed) {
      if (!trier || !answer || !routed || !request || queue.length >= mostDrawn) return
      const { node, model } = routed
      // Newcomers have trials of their own, at the pace of this router and not of whoever asks.
      if (!isProven(node, request.kind, model)) return
      queue.push({ node, kind: request.kind, model, seed, answer: answer.id })
      go()
    },
    judged: schedule.judged,
    isAway: node => trier !== undefined && schedule.isAway(node, clock.now()),
    failedAt: schedule.failedAt,
    async close() {
      closing.abort()
      await Promise.all(running)
    },
  }
}

const whole = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms))
