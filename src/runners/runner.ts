/**
 * The contract of this room: who computes. A runner turns one piece of work into text; it never sees money,
 * relays or keys, and it stops when told.
 * @module
 */

export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

/** One unit of work as the node read it from a job. Every number was range-checked by the kind's reader. */
export interface Work {
  /** Job id: names the work in logs and seeds nothing. */
  readonly id: string
  readonly kind: number
  /** The conversation, oldest first; a plain prompt is one user message. */
  readonly messages: readonly Message[]
  readonly model?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly seed?: number
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
}

/** A finished piece of work. `text` is the whole answer and equals the emitted pieces joined. */
export interface Done {
  readonly text: string
  readonly model: string
  readonly promptTokens: number
  readonly outputTokens: number
  readonly finish: 'stop' | 'length'
}

export interface Runner {
  readonly name: string
  /** Job kinds that this runner answers. */
  readonly kinds: readonly number[]
  models(): Promise<readonly ModelInfo[]>
  /** Tells before billing whether the work fits: unknown model, empty or too long prompt are refusals. */
  check(work: Work, signal?: AbortSignal): Promise<Estimate | WorkRefusal>
  /**
   * Computes. `emit` gets the text piece by piece, in order. A last message of the assistant is the beginning of the
   * answer: only what follows it is computed and told. Rejects with the abort reason when `signal` fires, and with
   * `RunnerError` when the work cannot be finished.
   */
  run(work: Work, emit: (text: string) => void, signal: AbortSignal): Promise<Done>
  close(): Promise<void>
}

/** The runner itself failed (not the customer). The message is fit for the operator's eyes only. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError'
}
