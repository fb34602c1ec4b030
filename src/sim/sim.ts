/**
 * The contract of this room: a market over virtual time. It runs the ledger and the routing of the product, not a model
 * of them; only nodes, customers, relays and the clock are made up.
 * @module
 */
import type { Params } from '../ledger/index.ts'

/** Who takes part. Shares are 0 to 1. */
export interface SimOptions {
  /** Identities that want work. */
  readonly nodes: number
  /** Share of them that are one operator's keys with no computer behind them: they lie, and pay each other. */
  readonly sybils: number
  /** Share of the others that cheat. */
  readonly bad: number
  /** Share of the cheats that work honestly until they are trusted. The rest is lazy, lying or silent, a third each. */
  readonly traitors: number
  /** The same seed gives the same report. */
  readonly seed: number
  /** Jobs of customers. Default `jobsFor(nodes)`. */
  readonly jobs?: number
  /** Virtual days that they take. Default 30. */
  readonly days?: number
  /** Share of the honest nodes that go away for some hours, each day. Default 0.05. */
  readonly churn?: number
  /** Share of what is said that never reaches the router. Default 0.01. */
  readonly loss?: number
  /** Name of a routing policy. Default `default`. */
  readonly policy?: string
  /** Default `defaultParams`. */
  readonly params?: Params
}

/** One point of the curves, for a twentieth of the jobs. */
export interface SimPoint {
  readonly day: number
  /** Bad answers that customers got, of all answers. */
  readonly junk: number
  readonly audits: number
  readonly proven: number
  readonly honestProven: number
}

/** What became of it. Shares are 0 to 1. */
export interface SimReport {
  /**
   * Bad answers that customers got, of all that they got; of the last fifth alone in `junkLately`. Those that an audit
   * found afterwards are among them.
   */
  readonly junk: number
  readonly junkLately: number
  /** Answers computed again, of all answers; those of newcomers in trials, which nobody but the auditor gets, all are. */
  readonly auditOverhead: number
  /** Honest nodes that got through probation, of all honest nodes. */
  readonly honestGraduated: number
  /** Nodes of the one operator among the hundred best scores of proven nodes, of a hundred. */
  readonly sybilsInTop100: number
  /** The same if every receipt counted, as it does where volume is reputation. */
  readonly sybilsInTop100ByVolume: number
  readonly graduates: number
  readonly honestGraduates: number
  /** Bad answers for each cheat that was caught after it had been trusted: an audit share of p allows 1/p. 0 where none was. */
  readonly junkPerCaught: number
  readonly caught: number
  /** Honest nodes that failed an audit; there should be none. */
  readonly honestCaught: number
  readonly honestEjections: number
  /** What the cheats were paid, of all that was paid. */
  readonly paidToCheats: number
  /** Inequality of honest graduates' work, 0 (equal) to 1. */
  readonly gini: number
  /** Requests that nobody answered. */
  readonly unanswered: number
  readonly jobs: number
  readonly days: number
  readonly curve: readonly SimPoint[]
}

/** Jobs of a simulation where nobody says how many: enough to prove some, little enough to wait for. */
export const jobsFor = (nodes: number): number => Math.max(400_000, Math.min(2_000_000, nodes * 100))
