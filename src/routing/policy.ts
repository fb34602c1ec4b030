/**
 * The contract of this room: who is chosen. A policy orders a small sample of nodes that have passed every filter; it sees
 * plain numbers, never a relay, a key or a clock, so that whoever gets the same sample and dice gets the same order.
 * @module
 */
import type { TermsWord } from '../../kinds/index.ts'
import type { Params } from '../ledger/params.ts'
import type { Factors } from '../ledger/score.ts'
import type { Stage } from '../ledger/track.ts'

/** A quote (4630) that a node gave for the request at hand. `expiresAt` is unix seconds. */
export interface Bid {
  readonly id: string
  readonly firm: boolean
  readonly expiresAt: number
}

/** What is known of one node in one market (kind and model). Money is a plain number of msats here, to be fast. */
export interface Candidate {
  /** Public key, 64 hex digits. */
  readonly node: string
  /** d of its announcement. */
  readonly service: string
  readonly model?: string | undefined
  /** Posted or, where there is a quote, quoted price. */
  readonly msats: number
  /** 0 to 1, six decimals; the price is not in it. */
  readonly score: number
  readonly factors: Factors
  readonly stage: Stage
  /** `unknown`: its lease has run out. Never `dead`: nobody can know that. */
  readonly status: 'alive' | 'unknown'
  /** Jobs under way, and the most that it takes at a time; `Infinity` where it does not say. */
  readonly inflight: number
  readonly slots: number
  /** Privacy levels that it keeps. */
  readonly privacy: readonly number[]
  readonly region?: string | undefined
  readonly determinism?: string | undefined
  /** When it takes its money. Empty: before the work, as NIP-90 has it. */
  readonly terms: readonly TermsWord[]
  /** Measured time to the first word, and the time that 95 of 100 stay under, in milliseconds. */
  readonly firstMs?: number | undefined
  readonly p95FirstMs?: number | undefined
  readonly quote?: Bid | undefined
  /** The cohort of newcomers has admitted it: it gets the jobs of exploration. */
  readonly cohort?: boolean | undefined
  /** It owes more than the line that it was given. */
  readonly overCredit?: boolean | undefined
}

/** What a customer wants, read from its request (26803). `capMsats` is `Infinity` without a cap. */
export interface Wants {
  readonly kind: number
  readonly model?: string | undefined
  readonly capMsats: number
  readonly deadlineMs?: number | undefined
  readonly privacy: 0 | 1 | 2 | 3
  /** Only these, unless empty. */
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly region?: string | undefined
  readonly determinism?: string | undefined
  /** 0 to 100, as in the request. */
  readonly minScore?: number | undefined
  readonly terms?: TermsWord | undefined
  /** Whether a newcomer may get this job. */
  readonly explore: boolean
  /** Unix seconds of the decision: whose quote has run out by then falls out. */
  readonly at?: number | undefined
}

/** Random numbers that everybody can draw again. */
export interface Dice {
  /** The next one, at least 0 and less than 1. */
  next(): number
}

/** One node of a sample, as the routing event (4631) publishes it. */
export interface Sampled {
  readonly node: string
  readonly msats: number
  readonly score: number
  readonly inflight: number
  readonly firstMs?: number
  /** It stands in the sample for exploration. */
  readonly newcomer?: true
}

/** Why nobody, or not somebody, was chosen. */
export type RefusalCode =
  | 'no-node'
  | 'no-model'
  | 'banned'
  | 'ejected'
  | 'stale'
  | 'over-credit'
  | 'denied'
  | 'not-allowed'
  | 'privacy'
  | 'region'
  | 'determinism'
  | 'terms'
  | 'deadline'
  | 'min-score'
  | 'unproven'
  | 'over-cap'
  | 'quote-expired'
  | 'full'
  | 'unpaid-fee'

export interface Refusal {
  readonly code: RefusalCode
  /** One sentence: which condition failed, for how many, and what would help. */
  readonly says: string
}

/** One condition. `open` says what these wants ask of a candidate, or `undefined` when they ask nothing of the sort. */
export interface Filter {
  readonly code: RefusalCode
  open(wants: Wants, params: Params): ((candidate: Candidate) => boolean) | undefined
  /** How far a refused candidate is from passing; the least is told to `says`. */
  distance?(candidate: Candidate): number
  says(fallen: number, least: number, wants: Wants): string
}

/** A step of a pipe that moves nodes within an order and loses none. */
export interface Reorder {
  /** As a policy's name spells it. */
  readonly name: string
  /** Nodes that are looked up and join the sample when they pass, wherever they stand. */
  readonly own?: readonly string[]
  reorder(order: readonly string[], sample: readonly Sampled[], wants: Wants): readonly string[]
}

/** A filter under the name that policies spell it by. */
export interface NamedFilter {
  readonly name: string
  readonly filter: Filter
}

/** A way to choose. The name says everything: `openPolicy(name)` gives the same policy to whoever recomputes. */
export interface Policy {
  readonly name: string
  readonly says: string
  /** Conditions beyond those of the customer. */
  readonly filters?: readonly Filter[]
  /** Nodes that are looked up and join the sample when they pass, wherever they stand. */
  readonly own?: readonly string[]
  /** Best first, each of them from the sample; `sample` is in ring order and has passed every filter. */
  choose(sample: readonly Sampled[], wants: Wants, median: number, dice: Dice, params: Params): readonly string[]
}

/** Most nodes that an order names: the first is asked, the others are fail-over. */
export const mostNamed = 6
