/**
 * Why a session cannot be opened, and how a question without an answer is told.
 * @module
 */
import type { Unanswered } from './session.ts'

/** The session cannot do this. The message says the way out; `code` is for programs. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: 'no-relay' | 'no-wallet' | 'options' | 'journal' | 'closed'
  constructor(code: SessionError['code'], says: string, options?: ErrorOptions) {
    super(says, options)
    this.code = code
  }
  /** The sentence of the message. */
  get says(): string {
    return this.message
  }
}

/** No answer, and nothing was spent. */
export const unanswered = (code: string, says: string, more: Partial<Unanswered> = {}): Unanswered => ({
  ...{ ok: false, code, says, msats: 0n, ms: 0 },
  ...more,
})

/** What an error says. */
export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))
