/**
 * What the AI SDK is told when there is no answer.
 * @module
 */
import type { Answered, Unanswered } from '../session/session.ts'
import type { Metadata } from './spec.ts'

/**
 * No answer. It is no error that the SDK repeats by itself: other nodes were tried already, and a repetition would be a
 * second order. `code` is for programs, the message says the way out, `msats` is what left and did not come back.
 */
export class GridstrFailure extends Error {
  override readonly name = 'GridstrFailure'
  readonly code: string
  readonly request: string | undefined
  readonly msats: bigint
  readonly isRetryable = false

  constructor({ code, says, request, msats }: Pick<Unanswered, 'code' | 'says' | 'request' | 'msats'>) {
    super(says)
    this.code = code
    this.request = request
    this.msats = msats
  }
}

/** A prompt, setting or document that this network cannot take. */
export const unusable = (says: string): GridstrFailure => new GridstrFailure({ code: 'unusable', says, msats: 0n })

/** Throws for what is no answer; an abort stays the caller's own. */
export function answerOf(outcome: Answered | Unanswered, signal: AbortSignal | undefined): Answered {
  if (outcome.ok) return outcome
  signal?.throwIfAborted()
  throw new GridstrFailure(outcome)
}

/** What proves an answer and its price. */
export const metadataOf = (answer: Answered): Metadata => ({
  nostr: {
    request: answer.request,
    result: answer.result,
    node: answer.node,
    model: answer.model,
    msats: String(answer.msats),
    feeMsats: String(answer.feeMsats),
    receipt: answer.receipt ?? null,
    privacyLevel: answer.privacy.level,
  },
})
