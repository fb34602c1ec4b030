/**
 * The contract of this room: who is chosen. A policy orders a small sample of nodes that have passed every filter; it sees
 * plain numbers, never a relay, a key or a clock, so that whoever gets the same sample and dice gets the same order.
 * @module
 */
import type { Sampled, TermsWord } from '../../kinds/index.ts'
import type { Params } from '../ledger/params.ts'
import type { Factors } from '../ledger/score.ts'
import type { Stage } from '../ledger/track.ts'
import type { Bits } from './traits.ts'

export type { Sampled } from '../../kinds/index.ts'

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

/**
 * One condition, under the code that a refusal gives. `open` says what these wants ask of a candidate, `undefined` when they
 * ask nothing of the sort. A condition of price, score or packed traits is screened without looking at the candidate.
 */
export interface Filter {
  readonly code: RefusalCode
  open?(wants: Wants, params: Params): ((candidate: Candidate) => boolean) | undefined
  screen?(wants: Wants): Bits | undefined
  /** Traits that are asked whatever is wanted. */
  readonly bits?: Bits
  leastScore?(wants: Wants): number | undefined
  mostMsats?(wants: Wants): number
  /** How far a refused candidate is from passing. */
  distance?(candidate: Candidate): number
  /** `least` is the least distance; the lowest price, or the negative of the highest score, where those are screened. */
  says(fallen: number, least: number, wants: Wants): string
}

/** A step of a pipe that moves what was chosen: indices into the sample. It may lose none. */
export interface Reorder {
  /** As a policy's name spells it. */
  readonly name: string
  /** Nodes that are looked up and join the sample when they pass, wherever they stand; they are marked `own` in it. */
  readonly own?: readonly string[]
  reorder(order: readonly number[], sample: readonly Sampled[], wants: Wants): readonly number[]
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
  /** Nodes that are looked up and join the sample when they pass, wherever they stand; they are marked `own` in it. */
  readonly own?: readonly string[]
  /**
   * Indices into the sample, best first, so that nobody can be chosen who has not passed. The sample is in ring order; the
   * draws from the dice must depend on the arguments alone.
   */
  choose(sample: readonly Sampled[], wants: Wants, median: number, dice: Dice, params: Params): readonly number[]
}

/** Most nodes that an order names: the first is asked, the others are fail-over. */
export const mostNamed = 6
