/**
 * When a trial is due, and whose: a share of the traffic, more often while nobody is proven, and now and then in any case.
 * One newcomer is finished before the next; who fails waits twice as long each time. Pure: time and chance are arguments.
 * @module
 */
import { bounded } from '../bounded.ts'

export interface TrialPace {
  /** Milliseconds between two trials while nobody is proven. */
  readonly everyMs: number
  /** Milliseconds after which there is a trial in any case. */
  readonly idleMs: number
  /** Milliseconds, and up to twice as many, that one node has peace after a trial. */
  readonly restMs: number
  /** Milliseconds that a node is left out which could not be tried. */
  readonly unableMs: number
  /** Trials at once. */
  readonly atOnce: number
}

export interface ScheduleOptions {
  readonly pace: TrialPace
  /** Share of routed requests that earn a trial. */
  readonly explore: number
  /** When the schedule begins, milliseconds. */
  readonly nowMs: number
  /** At least 0 and less than 1. */
  random(): number
}

/** The market at the moment of the question. */
export interface TrialView {
  readonly nowMs: number
  /** Somebody is proven. */
  readonly isProven: boolean
  /** Who has a place in the cohort, the most senior first. */
  readonly members: readonly string[]
  /** Alive, not full, and paid for. */
  canTry(node: string): boolean
}

export interface Schedule {
  /** A request was routed. */
  routed(): void
  /** Whose trial begins now, if anybody's. It is under way until `ended`. */
  next(view: TrialView): string | undefined
  /** Begins a trial that is not the schedule's own; false while there is no room, or one of this node is under way. */
  begin(node: string): boolean
  /** `unasked`: it could not even be asked, and the next one may be at once. */
  ended(node: string, nowMs: number, how: 'tried' | 'unable' | 'unasked'): void
  /** The log says that a node passed or failed, `at` unix seconds. */
  judged(node: string, passed: boolean, at: number): void
  /** Left out for now: it failed, or could not be tried. */
  isAway(node: string, nowMs: number): boolean
  /** When it failed last, unix seconds; 0 where it never did. */
  failedAt(node: string): number
}

/** Nodes that are remembered, and trials that traffic may earn ahead. */
const most = 50_000
const mostDue = 16
const dayMs = 86_400_000

export function openSchedule({ pace, explore, nowMs: beganMs, random }: ScheduleOptions): Schedule {
  const running = new Set<string>()
  const restUntil = bounded<string, number>(most)
  const awayUntil = bounded<string, number>(most)
  const failed = bounded<string, { readonly fails: number; readonly at: number }>(most)
  let due = 0
  let lastMs = beganMs - pace.everyMs
  /** What the trial that began last took, for it to be given back. */
  let before: { readonly node: string; readonly due: number; readonly lastMs: number } | undefined

  const isAway = (node: string, nowMs: number) => (awayUntil.get(node) ?? 0) > nowMs

  return {
    routed() {
      due = Math.min(mostDue, due + explore)
    },
    next({ nowMs, isProven, members, canTry }) {
      if (running.size >= pace.atOnce) return undefined
      const waited = nowMs - lastMs
      if (isProven ? due < 1 && waited < pace.idleMs : waited < pace.everyMs) return undefined
      const node = members.find(
        one => !running.has(one) && (restUntil.get(one) ?? 0) <= nowMs && !isAway(one, nowMs) && canTry(one),
      )
      if (node === undefined) return undefined
      before = { node, due, lastMs }
      due = Math.max(0, due - 1)
      lastMs = nowMs
      running.add(node)
      return node
    },
    begin(node) {
      if (running.size >= pace.atOnce || running.has(node)) return false
      running.add(node)
      return true
    },
    ended(node, nowMs, how) {
      running.delete(node)
      restUntil.set(node, nowMs + pace.restMs * (1 + random()))
      if (how !== 'tried') awayUntil.set(node, Math.max(awayUntil.get(node) ?? 0, nowMs + pace.unableMs))
      if (how === 'unasked' && before?.node === node) ({ due, lastMs } = before)
      if (before?.node === node) before = undefined
    },
    judged(node, passed, at) {
      const { fails, at: last } = failed.get(node) ?? { fails: 0, at: 0 }
      if (passed) {
        if (fails > 0) failed.set(node, { fails: fails - 1, at: last })
        return
      }
      failed.set(node, { fails: fails + 1, at: Math.max(last, at) })
      const ms = Math.min(dayMs, pace.restMs * 2 ** Math.min(20, fails + 1))
      awayUntil.set(node, Math.max(awayUntil.get(node) ?? 0, at * 1_000 + ms))
    },
    isAway,
    failedAt: node => failed.get(node)?.at ?? 0,
  }
}
