/**
 * The heart: one paid job as a pure function `step(job, fact) → [job, acts]`, for the node's side and the client's.
 * No clock, key, relay, wallet or model in here: facts come in, the next state and what has to be done come out.
 * A job is a plain value that can be written down; acts are started only after it was, and their outcomes come back as facts.
 * @module
 */
import { clientStep } from './job/client-side.ts'
import { nodeStep } from './job/node-side.ts'

/** `owed` is pay-after: the work is delivered and its bill is open. The last five are ends: no job leaves them. */
export type State =
  | 'asked'
  | 'quoted'
  | 'awaiting-payment'
  | 'running'
  | 'owed'
  | 'delivered'
  | 'refused'
  | 'expired'
  | 'failed'
  | 'cancelled'

const ends: ReadonlySet<State> = new Set(['delivered', 'refused', 'expired', 'failed', 'cancelled'])

/** True for the states that no job leaves. */
export const isEnd = (state: State): boolean => ends.has(state)

/** Why a job ended as it did: a code for programs, one sentence for people. */
export interface Why {
  readonly code: string
  readonly says: string
}

/** A finished piece of work. Token counts are the model's own. */
export interface Answer {
  readonly text: string
  readonly model: string
  readonly promptTokens: number
  readonly outputTokens: number
}

/** An invoice of the node for this job. `expiresAt` is unix seconds. */
export interface JobBill {
  readonly bolt11: string
  readonly hash: string
  readonly msats: bigint
  readonly expiresAt: number
}

/** Money that arrived at the node, proven by its preimage. */
export interface Paid {
  readonly hash: string
  readonly msats: bigint
  readonly preimage: string
}

/** When the customer pays. `after` is credit: the caller grants it, the job only records it. */
export type When = 'free' | 'before' | 'after'

/** The node's side of one job. */
export interface NodeJob {
  readonly side: 'node'
  readonly id: string
  readonly customer: string
  readonly state: State
  readonly msats: bigint
  readonly when: When
  /** Unix seconds. Whatever has not ended by then is ended by the next `time` fact. */
  readonly deadline: number
  readonly bill?: JobBill
  /** The bill has run out and the wallet is being asked for the last time. */
  readonly closing?: true
  readonly paid?: Paid
  readonly answer?: Answer
  /** Pieces streamed so far. */
  readonly seq: number
  /** Money that came and bought nothing: the customer's. */
  readonly creditMsats: bigint
  readonly why?: Why
}

export type NodeFact =
  | { readonly fact: 'billed'; readonly bill: JobBill }
  | { readonly fact: 'bill-failed'; readonly why: Why }
  | { readonly fact: 'paid'; readonly paid: Paid }
  /** Answer to `ask-wallet`: the invoice is not paid. */
  | { readonly fact: 'unpaid' }
  | { readonly fact: 'chunk'; readonly text: string }
  | { readonly fact: 'result'; readonly answer: Answer }
  | { readonly fact: 'fault'; readonly why: Why }
  /** The customer withdrew the request (NIP-09). */
  | { readonly fact: 'cancel' }
  /** The same request came again. */
  | { readonly fact: 'again' }
  | { readonly fact: 'time'; readonly now: number }
  /** The process came back; acts that were under way are gone. */
  | { readonly fact: 'restart'; readonly now: number }

export type NodeAct =
  | { readonly act: 'bill'; readonly msats: bigint }
  | { readonly act: 'say'; readonly status: 'processing' | 'payment-required' | 'error'; readonly why?: Why }
  /** Learn of the settlement, and answer with `paid`. */
  | { readonly act: 'watch'; readonly hash: string }
  /** Ask once, now: answer `paid` or `unpaid`; unreachable wallets are asked again, never guessed. */
  | { readonly act: 'ask-wallet'; readonly hash: string }
  | { readonly act: 'run' }
  | { readonly act: 'stop' }
  | { readonly act: 'stream'; readonly seq: number; readonly text: string }
  | { readonly act: 'deliver'; readonly answer: Answer; readonly bill?: JobBill }
  | { readonly act: 'receipt'; readonly paid: Paid }
  | { readonly act: 'credit'; readonly msats: bigint; readonly hash: string }
  /** Publish again what was said last: same bytes, same ids. */
  | { readonly act: 'repeat' }

/** How far the one payment of a job has come. Absent: none was ever tried. */
export type PayProgress = 'sent' | 'unknown' | 'paid' | 'unproven' | 'failed'

/** What the guard let through: the one payment that this job may ever make. */
export interface Order {
  readonly bolt11: string
  readonly hash: string
  readonly msats: bigint
  /** Unix seconds; after it the wallet drops a request that it has not begun. */
  readonly expiresAt: number
}

/** A node's price for this job as it came in: not yet believed. */
export interface Quote {
  readonly by: string
  readonly msats?: bigint
  readonly bolt11?: string
}

/** The client's side of one job. */
export interface ClientJob {
  readonly side: 'client'
  readonly id: string
  readonly state: State
  /** Asked of nobody in particular: the first acceptable quote chooses the node. */
  readonly open: boolean
  readonly node?: string
  readonly capMsats: bigint
  readonly deadline: number
  readonly nudgeAt: number
  readonly quote?: Quote
  readonly order?: Order
  readonly pay?: PayProgress
  readonly preimage?: string
  readonly feeMsats?: bigint
  readonly answer?: Answer
  /** Billed for, delivered, and not paid. */
  readonly dueMsats?: bigint
  /** Nodes whose quote was barred (open jobs); at most 32. */
  readonly barred: readonly string[]
  /** What the job will end as once the wallet has answered. */
  readonly ending?: 'failed' | 'expired' | 'cancelled'
  readonly why?: Why
}

export type ClientFact =
  | { readonly fact: 'unpublished'; readonly why: Why }
  | { readonly fact: 'quote'; readonly quote: Quote }
  | { readonly fact: 'processing'; readonly by: string }
  | { readonly fact: 'chunk'; readonly by: string; readonly seq: number; readonly text: string }
  | { readonly fact: 'result'; readonly by: string; readonly answer: Answer; readonly bill?: Omit<Quote, 'by'> }
  | { readonly fact: 'error'; readonly by: string; readonly why: Why }
  /** The guard's word on a quote. */
  | { readonly fact: 'cleared'; readonly order: Order }
  | { readonly fact: 'barred'; readonly why: Why }
  /** The wallet's word on the order. */
  | { readonly fact: 'paid'; readonly preimage: string; readonly feeMsats: bigint }
  | { readonly fact: 'unproven'; readonly why: Why }
  | { readonly fact: 'pay-failed'; readonly why: Why }
  | { readonly fact: 'pay-unknown'; readonly now: number }
  | { readonly fact: 'unsent'; readonly now: number }
  | { readonly fact: 'cancel' }
  | { readonly fact: 'time'; readonly now: number }
  | { readonly fact: 'restart'; readonly now: number }

export type ClientAct =
  | { readonly act: 'publish' }
  /** Have the guard judge a quote: answer `cleared` or `barred`. */
  | { readonly act: 'clear'; readonly quote: Quote }
  | { readonly act: 'pay'; readonly order: Order }
  | { readonly act: 'ask-wallet'; readonly hash: string }
  | { readonly act: 'show'; readonly seq: number; readonly text: string }
  | { readonly act: 'show-answer'; readonly answer: Answer }
  | { readonly act: 'withdraw' }

/** Seconds between two publications of an unanswered request. */
export const nudgeSeconds = 20
/** Seconds between two questions to a wallet that does not know yet, and after an invoice's expiry before it counts as dead. */
export const askSeconds = 3

/** One side's next state and what is to be done. Total: any fact in any state; facts that mean nothing there change nothing. */
export function step(job: NodeJob, fact: NodeFact): readonly [NodeJob, readonly NodeAct[]]
export function step(job: ClientJob, fact: ClientFact): readonly [ClientJob, readonly ClientAct[]]
export function step(
  job: NodeJob | ClientJob,
  fact: NodeFact | ClientFact,
): readonly [NodeJob | ClientJob, readonly (NodeAct | ClientAct)[]] {
  return job.side === 'node' ? nodeStep(job, fact as NodeFact) : clientStep(job, fact as ClientFact)
}

/** Unix seconds at which the job wants a `time` fact, if it wants one. */
export function wakeAt(job: NodeJob | ClientJob): number | undefined {
  if (isEnd(job.state)) return undefined
  if (job.side === 'node') {
    if (!job.bill || job.paid) return job.deadline
    return job.closing ? undefined : job.bill.expiresAt + askSeconds
  }
  if (job.pay === 'unknown') return job.nudgeAt
  if (job.pay === 'sent') return job.ending || job.answer ? undefined : job.deadline
  return job.state === 'asked' || job.state === 'running' ? Math.min(job.deadline, job.nudgeAt) : job.deadline
}
