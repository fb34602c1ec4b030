/**
 * The customer's half: is this hash the verifier's, and the customer's own word about the result. Runs in a browser.
 * @module
 */
import type { EscrowWord, Refusal } from '../../kinds/index.ts'
import { seconds } from '../clock.ts'
import { openQuestions, type QuestionOptions } from './questions.ts'

/** A bill of terms `escrow`: what the customer is about to pay. */
export interface VouchAsk {
  readonly job: string
  readonly verifier: string
  readonly hash: string
  readonly msats: bigint
}

export type Vouched = { readonly ok: true; readonly deadline: number } | Refusal

export interface EscrowView {
  /**
   * Whether the verifier really holds this hash for this job and amount: without this, a provider could bill with a hash
   * of its own and call it escrow. Refusals: `refused`, `changed`, `silent`. Rejects with the abort reason.
   */
  vouched(ask: VouchAsk, signal?: AbortSignal): Promise<Vouched>
  /** Tells the verifier; the first word of a case counts. */
  say(word: Omit<VouchAsk, 'msats'> & { readonly word: 'accept' | 'complain'; readonly says?: string }): Promise<void>
  close(): void
}

const no = (rule: string, says: string): Refusal => ({ ok: false, rule, says })

/** Opens the customer's half. `secret` is the key that signed the job. */
export function openEscrowView(options: QuestionOptions): EscrowView {
  const { clock, waitMs = 30_000 } = options
  const { ask, words } = openQuestions(options)
  return {
    vouched({ job, verifier, hash, msats }, signal) {
      const deadline = seconds(clock)
      const word: EscrowWord = { job, to: verifier, status: 'hash', paymentHash: hash, msats, deadline, says: '' }
      const hear = (said: EscrowWord): Vouched | undefined => {
        if (said.status === 'refused') return no('refused', said.says || 'The verifier does not know this hash.')
        if (said.status !== 'hash' || said.deadline === undefined) return undefined
        return said.paymentHash === hash && said.msats === msats
          ? { ok: true, deadline: said.deadline }
          : no('changed', 'The verifier holds another hash or amount for this job.')
      }
      const late = () => no('silent', 'The verifier did not answer: pay nothing.')
      return ask({ word, until: clock.now() + waitMs, hear, late }, signal)
    },
    async say({ job, verifier, hash, word, says = '' }) {
      const value: EscrowWord = { job, to: verifier, status: word, paymentHash: hash, says: says.slice(0, 500) }
      await words.send(words.sign(value), verifier)
    },
    close: () => words.close(),
  }
}
