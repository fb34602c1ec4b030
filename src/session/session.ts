/**
 * The contract of this room: gridstr as an application uses it. A session holds relays, a wallet, one budget and what is
 * known of the market, and turns a question into an answer that is found, paid and read as it comes.
 * @module
 */
import type {
  Announcement,
  Delta,
  Finish,
  Input,
  Message,
  Privacy,
  TermsWord,
  TextWishes,
  TokenLogprob,
  ToolCall,
} from '../../kinds/index.ts'
import type { Attempt, PrivacyReport } from '../client/client.ts'

/** One question. Absent members are the session's own. */
export interface SessionQuestion extends TextWishes {
  /** Job kind; text generation when left out. */
  readonly kind?: number
  readonly messages?: readonly Message[]
  /** For other kinds than text, and for inputs that point elsewhere (`job`, `event`, `url`). */
  readonly inputs?: readonly Input[]
  readonly model?: string
  readonly dimensions?: number
  readonly topN?: number
  readonly labels?: readonly string[]
  /** Most that this answer may cost, routing fees aside. */
  readonly capMsats?: bigint
  /** Only this node, 64 hex digits. */
  readonly node?: string
  readonly privacy?: Privacy
  readonly ttlSeconds?: number
  /** False: nobody reads it as it grows. Default true. */
  readonly stream?: boolean
  /**
   * Names the question. The same name again is the same question: it takes part in the job that is under way, or gets
   * the answer that was bought, and nothing is paid twice. Kept in the journal, across processes.
   */
  readonly key?: string
}

/** Moments of an answer, in order. */
export type Moment =
  /** A job was published: its id, and whom it was sealed to. */
  | { readonly moment: 'asked'; readonly request: string; readonly node?: string }
  | { readonly moment: 'paying'; readonly msats: bigint }
  | { readonly moment: 'paid'; readonly msats: bigint }
  | { readonly moment: 'processing' }
  /** The answer grows: text, and pieces of tool calls and probabilities. */
  | { readonly moment: 'delta'; readonly delta: Delta }
  /** What was shown before is void: this is the answer from its beginning. */
  | { readonly moment: 'replaced'; readonly delta: Delta }

/** What an answer cost and who gave it. */
export interface Provenance {
  /** Id of the job request, of the last one where several nodes were asked. */
  readonly request: string
  readonly node: string
  readonly model: string
  readonly result: string
  readonly receipt?: string
  readonly preimage?: string
}

export interface Answered extends Provenance {
  readonly ok: true
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  readonly logprobs: readonly TokenLogprob[]
  readonly finish: Finish
  readonly usage: { readonly promptTokens: number; readonly outputTokens: number }
  /** What left, less what came back so far. */
  readonly msats: bigint
  /** Of it, what the node keeps and is asked to send back; the budget has it again when it comes. */
  readonly creditMsats?: bigint
  readonly feeMsats: bigint
  readonly attempts: readonly Attempt[]
  /** Who could read it, as it happened. */
  readonly privacy: PrivacyReport
  readonly ms: number
  readonly firstMs?: number
}

/**
 * Why there is no answer. `budget`: the session has no more money for it; `over-cap`: nobody does it for so little;
 * `no-node`, `no-model`, `no-relay`, `no-wallet`: nobody could be asked; `cancelled`; `too-long`, `max-tokens` and other
 * rules of runners and kinds: the question cannot be answered as it is; `busy`, `rate-limited`: later; the rest: a node
 * failed. `msats` left and did not come back so far.
 */
export interface Unanswered {
  readonly ok: false
  readonly code: string
  readonly says: string
  readonly request?: string
  readonly msats: bigint
  readonly ms: number
}

/** A question under way. */
export interface Asking extends AsyncIterable<Moment> {
  /** The id of its job, when one was published; rejects never, `undefined` where none was. */
  readonly request: Promise<string | undefined>
  /** Never rejects for what others do. */
  readonly outcome: Promise<Answered | Unanswered>
}

/** A model that somebody serves. */
export interface ServedModel {
  readonly name: string
  readonly kinds: readonly number[]
  readonly contextTokens: number
  readonly dimensions?: number
  readonly nodes: readonly { readonly pubkey: string; readonly name: string; readonly priceMsats?: bigint }[]
}

/** A node, as it announces itself. */
export interface ServingNode {
  readonly pubkey: string
  readonly announcement: Announcement
  readonly alive: boolean
}

/** What a question would cost. */
export interface Quoted {
  readonly node: string
  readonly model?: string
  readonly msats: bigint
  readonly terms: readonly TermsWord[]
}

/** One job of this client, from its journal and the relays. */
export interface KnownJob {
  readonly request: string
  readonly kind: number
  readonly at: number
  readonly node?: string
  /** As the heart names it: `running`, `delivered`, `failed` … */
  readonly state: string
  readonly msats: bigint
  readonly text?: string
  readonly says?: string
}

export interface Budget {
  /** What the session may spend in all; absent: nothing bounds it but its caps. */
  readonly totalMsats?: bigint
  readonly spentMsats: bigint
  /** Set aside for questions under way. */
  readonly heldMsats: bigint
}

export interface Session {
  /** Asks. Aborting withdraws the job and stops the bill. A second question under the same key takes part in the first. */
  ask(question: SessionQuestion, signal?: AbortSignal): Asking
  models(signal?: AbortSignal): Promise<readonly ServedModel[]>
  nodes(signal?: AbortSignal): Promise<readonly ServingNode[]>
  /** Who would do it, best first. Nothing is published that tells what it is. */
  quote(question: SessionQuestion, signal?: AbortSignal): Promise<readonly Quoted[]>
  budget(): Budget
  /** What the wallet holds, msats; `undefined` without a wallet or where it does not say. */
  balance(signal?: AbortSignal): Promise<bigint | undefined>
  jobs(): readonly KnownJob[]
  /** One job, asked anew of the relays. */
  job(request: string, signal?: AbortSignal): Promise<KnownJob | undefined>
  /** Withdraws a job of this session. False where there is none that runs. */
  cancel(request: string): Promise<boolean>
  close(): Promise<void>
}
