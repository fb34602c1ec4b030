/**
 * The heart: one paid job as a pure function `step(job, fact) → [job, acts]`, for the node's side and the client's.
 * No clock, key, relay, wallet or model in here: facts come in, the next state and what has to be done come out.
 * A job is a plain value that can be written down; acts are started only after it was, and their outcomes come back as facts.
 * @module
 */
import type { BilledTerms, Finish } from '../kinds/index.ts'
import { clientStep } from './job/client-side.ts'
import { nodeStep } from './job/node-side.ts'

/**
 * `settling`: the work is done and held money is being taken. `owed` is pay-after: the work is delivered and its bill is
 * open. The last five are ends: no job leaves them.
 */
export type State =
  | 'asked'
  | 'quoted'
  | 'awaiting-payment'
  | 'running'
  | 'settling'
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
  readonly finish?: Finish
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

/**
 * When the customer pays. `after` is a credit line: the caller grants it, the job only records it. `parts`: as the work
 * grows. `hold`: the money is held until the work is done and settles with a preimage of ours; `escrow`: of a verifier.
 * `credit`: from what is kept for the customer.
 */
export type When = 'free' | 'before' | 'after' | 'parts' | 'hold' | 'escrow' | 'credit'

/** The node's side of one job. */
export interface NodeJob {
  readonly side: 'node'
  readonly id: string
  readonly customer: string
  readonly state: State
  readonly msats: bigint
  readonly when: When
  /** Into how many bills the price is divided, and which of them is the present one; the first is above 1 where earlier parts were bought elsewhere. */
  readonly parts: number
  readonly part: number
  /** Unix seconds. Whatever has not ended by then is ended by the next `time` fact. */
  readonly deadline: number
  readonly bill?: JobBill
  /** The bill has run out and the wallet is being asked for the last time. */
  readonly closing?: true
  /** The money of a hold bill has arrived. */
  readonly held?: true
  readonly paid?: Paid
  /** Hashes of the earlier parts' bills, all paid. */
  readonly settled: readonly string[]
  readonly answer?: Answer
  /** What the answer really cost here, where tokens are counted: at most what was billed, and what is paid beyond it is kept. */
  readonly costMsats?: bigint
  /** What the paid parts have brought, here or elsewhere. */
  readonly soFar?: Answer
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
  /** The money of a hold bill has arrived and waits. */
  | { readonly fact: 'held'; readonly hash: string }
  /** Held money went back, or was never there any more. */
  | { readonly fact: 'unsettled'; readonly why: Why }
  /** The verifier's word on a delivered answer. */
  | { readonly fact: 'verdict'; readonly release: boolean; readonly why?: Why }
  /** Others want the place of a job that nobody has paid anything for. */
  | { readonly fact: 'displaced' }
  /** Answers to `spend-credit`. */
  | { readonly fact: 'spent' }
  | { readonly fact: 'no-credit' }
  /** As much is done as the parts paid so far buy, and there is more: the whole text until here. */
  | { readonly fact: 'part-done'; readonly answer: Answer }
  | { readonly fact: 'chunk'; readonly text: string; readonly last?: boolean }
  /** `costMsats`: of the whole answer by its tokens, where the price was an upper bound. */
  | { readonly fact: 'result'; readonly answer: Answer; readonly costMsats?: bigint }
  | { readonly fact: 'fault'; readonly why: Why }
  /** The customer withdrew the request (NIP-09). `costMsats`: of what was made until then, where tokens are counted. */
  | { readonly fact: 'cancel'; readonly costMsats?: bigint }
  /** The same request came again. */
  | { readonly fact: 'again' }
  | { readonly fact: 'time'; readonly now: number }
  /** The process came back; acts that were under way are gone. */
  | { readonly fact: 'restart'; readonly now: number }

export type NodeAct =
  | { readonly act: 'bill'; readonly msats: bigint; readonly part: number }
  | { readonly act: 'say'; readonly status: 'processing' | 'payment-required' | 'error'; readonly why?: Why }
  /** Learn of the settlement, or of the arrival of held money, and answer with `paid` or `held`. */
  | { readonly act: 'watch'; readonly hash: string }
  /** Ask once, now: answer `paid`, `held` or `unpaid`; unreachable wallets are asked again, never guessed. */
  | { readonly act: 'ask-wallet'; readonly hash: string }
  | { readonly act: 'spend-credit'; readonly msats: bigint }
  /** Work, or go on from what `soFar` says. */
  | { readonly act: 'run' }
  | { readonly act: 'stop' }
  | { readonly act: 'stream'; readonly seq: number; readonly text: string; readonly last?: boolean }
  /** `creditMsats`: what will be kept of the money, once all of it has come. */
  | { readonly act: 'deliver'; readonly answer: Answer; readonly bill?: JobBill; readonly creditMsats?: bigint }
  /** Take the held money: answer `paid` or `unsettled`, and ask until one of them is certain. */
  | { readonly act: 'settle'; readonly hash: string }
  /** Ask the verifier: answer `verdict`. */
  | { readonly act: 'ask-verifier' }
  /** Give held money back and let nobody pay this bill any more. */
  | { readonly act: 'release'; readonly hash: string }
  | { readonly act: 'receipt'; readonly paid: Paid }
  /** Keep money for the customer. `id` names the movement: told twice it counts once. */
  | { readonly act: 'credit'; readonly msats: bigint; readonly id: string }
  /** Publish again what was said last: same bytes, same ids. */
  | { readonly act: 'repeat' }

/** How far the payment of a job, or of its present part, has come. Absent: none was ever tried. */
export type PayProgress = 'sent' | 'unknown' | 'paid' | 'unproven' | 'failed'

/** What the guard let through: the one payment that this job, or its present part, may ever make. */
export interface Order {
  readonly bolt11: string
  readonly hash: string
  readonly msats: bigint
  /** Unix seconds at which the invoice expires: later it is not sent again. */
  readonly expiresAt: number
}

/** A node's price for this job as it came in: not yet believed. */
export interface Quote {
  readonly by: string
  readonly msats?: bigint
  readonly bolt11?: string
  /** What the bill is. Absent: the whole price, before the work. */
  readonly terms?: BilledTerms
}

/** An answer that only the preimage of its payment opens. `digest` is the SHA-256 of the text, hex. */
export interface Sealed {
  readonly content: string
  readonly hash: string
  readonly digest: string
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
  /** Into how many parts the price may be divided (1: it may not), and how many are paid, to this node or to an earlier one. */
  readonly parts: number
  readonly partsPaid: number
  /** What earlier parts cost. */
  readonly spentMsats: bigint
  readonly quote?: Quote
  /** The bill of the next part, come before the wallet had told of the present one. */
  readonly nextQuote?: Quote
  readonly order?: Order
  readonly pay?: PayProgress
  readonly preimage?: string
  readonly feeMsats?: bigint
  /** The answer, still sealed; its text is empty until the payment opens it. */
  readonly sealed?: Sealed & { readonly answer: Answer }
  readonly answer?: Answer
  /** What the node says that it keeps for us: at most what it was paid. */
  readonly creditMsats?: bigint
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
  | {
      readonly fact: 'result'
      readonly by: string
      readonly answer: Answer
      readonly bill?: Omit<Quote, 'by'>
      readonly sealed?: Sealed
      /** What the node says that it keeps of the money. */
      readonly creditMsats?: bigint
    }
  /** What the preimage made of a sealed answer. */
  | { readonly fact: 'opened'; readonly text: string }
  | { readonly fact: 'unopened'; readonly why: Why }
  | { readonly fact: 'error'; readonly by: string; readonly why: Why; readonly creditMsats?: bigint }
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
  /** A quote that came early is due now: answer with it as a `quote`. */
  | { readonly act: 'take-up'; readonly quote: Quote }
  | { readonly act: 'ask-wallet'; readonly hash: string }
  | { readonly act: 'open'; readonly sealed: Sealed; readonly preimage: string }
  | { readonly act: 'show'; readonly seq: number; readonly text: string }
  | { readonly act: 'show-answer'; readonly answer: Answer }
  | { readonly act: 'withdraw' }

/** Seconds between two publications of an unanswered request. */
export const nudgeSeconds = 20
/** Seconds between two questions to a wallet that does not know yet. */
export const askSeconds = 3
/** Seconds after an invoice's expiry for which a wallet may still begin to pay a request for it: its own life, and clocks apart. */
export const deadSeconds = 120
/** Seconds for which a job that ran out of time while it was being paid still listens for what the payment brings. */
export const graceSeconds = 60

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
    if (job.state === 'settling') return undefined
    if (!job.bill || job.paid || job.held) return job.deadline
    return job.closing ? undefined : job.bill.expiresAt + askSeconds
  }
  if (job.pay === 'unknown') return job.nudgeAt
  if (job.pay === 'sent') return job.ending || job.answer ? undefined : job.deadline
  return job.state === 'asked' || job.state === 'running' ? Math.min(job.deadline, job.nudgeAt) : job.deadline
}
