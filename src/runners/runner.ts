/**
 * The contract of this room: who computes. A runner turns one piece of work into text; it never sees money,
 * relays or keys, and it stops when told.
 * @module
 */

import type { Delta, Finish, Message, TextWishes } from '../../kinds/index.ts'

export type { Delta, Message, Tool } from '../../kinds/index.ts'

/** One unit of work as the node read it from a job. Every number was range-checked by the kind's reader. */
export interface Work extends TextWishes {
  /** Job id: names the work in logs and seeds nothing. */
  readonly id: string
  readonly kind: number
  /** The conversation, oldest first; a plain prompt is one user message. Empty for kinds that are no text generation. */
  readonly messages: readonly Message[]
  readonly model?: string
  /** The customer takes tool calls and probabilities; without it the runner emits text only. */
  readonly deltas?: boolean
  /** What to embed, to rank or to classify, in order. */
  readonly texts?: readonly string[]
  /** Rerank: what the texts are ranked for. */
  readonly query?: string
  /** Classify: the labels to choose among; absent: the model's own. */
  readonly labels?: readonly string[]
  /** Rerank: how many of the best; absent: all. */
  readonly topN?: number
  /** Embeddings: how many numbers of each vector; absent: all. */
  readonly dimensions?: number
  /** Embeddings: how vectors are written. Default `base64`: 32-bit floats, little endian. */
  readonly encoding?: 'base64' | 'float'
}

/** A stranger's fault, as a value: rule id and one sentence that says the way out. */
export interface WorkRefusal {
  readonly ok: false
  readonly rule: string
  readonly says: string
}

/** What a runner promises before anything is billed. Tokens are the model's own. */
export interface Estimate {
  readonly ok: true
  readonly model: string
  readonly promptTokens: number
  readonly maxTokens: number
}

export interface ModelInfo {
  readonly name: string
  /** Tokens that prompt and answer share. */
  readonly contextTokens: number
  /** sha256 of the weights, where there are weights. */
  readonly sha256?: string
  readonly about: string
  /** Job kinds that this model serves. Absent: all of its runner. */
  readonly kinds?: readonly number[]
  /** Length of its vectors, where it embeds. */
  readonly dimensions?: number
}

/**
 * A finished piece of work. `text` is the whole text of the answer and equals the emitted texts joined; calls of tools and
 * probabilities are in the emitted deltas alone. Of kinds that are no text generation `text` is the JSON of their result,
 * and nothing has to be emitted.
 */
export interface Done {
  readonly text: string
  readonly model: string
  readonly promptTokens: number
  readonly outputTokens: number
  readonly finish: Finish
}

export interface Runner {
  readonly name: string
  /** Job kinds that this runner answers. */
  readonly kinds: readonly number[]
  models(): Promise<readonly ModelInfo[]>
  /** Tells before billing whether the work fits: unknown model, empty or too long prompt are refusals. */
  check(work: Work, signal?: AbortSignal): Promise<Estimate | WorkRefusal>
  /**
   * Computes. `emit` gets the answer piece by piece, in order: text, or deltas where `work.deltas` says so. A last message of the assistant is the beginning of the
   * answer: only what follows it is computed and told. Rejects with the abort reason when `signal` fires, and with
   * `RunnerError` when the work cannot be finished.
   */
  run(work: Work, emit: (piece: string | Delta) => void, signal: AbortSignal): Promise<Done>
  close(): Promise<void>
}

/** The runner itself failed (not the customer). The message is fit for the operator's eyes only. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError'
}
