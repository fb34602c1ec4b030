/**
 * The provider's half: asks a verifier for a payment hash, hands over the result, and learns whether the money is earned.
 * Keeps nothing: after a restart the same questions get the same answers.
 * @module
 */
import { type EscrowWord, type Event, isSealed, type Refusal } from '../../kinds/index.ts'
import { fromHex, sha256Hex, toHex } from '../hash.ts'
import { conversationKey } from '../seal/nip44.ts'
import { openQuestions, type QuestionOptions } from './questions.ts'

/** What is to be held. `request` is the customer's signed job, which wishes escrow by this verifier. */
export interface HashAsk {
  readonly request: Event
  readonly verifier: string
  readonly msats: bigint
  /** Unix seconds from which the verifier releases nothing: before the wallet gives the money back by itself. */
  readonly deadline: number
}

/** What was billed with the verifier's hash, and the signed result. */
export interface VerdictAsk {
  readonly request: Event
  readonly verifier: string
  readonly hash: string
  readonly deadline: number
  readonly result: Event
}

/**
 * `release`: settle with the preimage, which was checked against the hash. `refund`: give the money back, as the
 * verifier says or because it does not take the result. `vanished`:
 * nothing that counts was said until the deadline: give the money back. `lies` counts wrong preimages of the verifier.
 */
export type EscrowVerdict =
  | { readonly verdict: 'release'; readonly preimage: string; readonly says: string }
  | { readonly verdict: 'refund'; readonly says: string }
  | { readonly verdict: 'vanished'; readonly says: string; readonly lies: number }

export type HashAnswer = { readonly ok: true; readonly hash: string } | Refusal

export interface EscrowAsk {
  /**
   * The hash to bill with. Refusals: `refused` by the verifier, `decided` before, `changed` (it speaks of other money),
   * `silent`. Asking again gives the same hash. Rejects with the abort reason.
   */
  hashFor(ask: HashAsk, signal?: AbortSignal): Promise<HashAnswer>
  /** Hands over the result and waits, until the deadline at most. Rejects with the abort reason. */
  verdict(ask: VerdictAsk, signal?: AbortSignal): Promise<EscrowVerdict>
  close(): void
}

const no = (rule: string, says: string): Refusal => ({ ok: false, rule, says })

/** Opens the provider's half. `secret` is the provider's key: the one that signs its results. */
export function openEscrowAsk(options: QuestionOptions): EscrowAsk {
  const { keys, secret, clock, waitMs = 30_000 } = options
  const { ask, words } = openQuestions(options)

  /** Opens both events to the verifier, where they are sealed: the key of provider and customer, and of nobody else. */
  const openingOf = (event: Event, customer: string): Pick<EscrowWord, 'conversationKey'> =>
    isSealed(event) ? { conversationKey: toHex(conversationKey(keys.shared(secret, customer))) } : {}

  return {
    hashFor({ request, verifier, msats, deadline }, signal) {
      const word: EscrowWord = {
        ...{ job: request.id, to: verifier, status: 'open', msats, deadline, event: request, says: '' },
        ...openingOf(request, request.pubkey),
      }
      const hear = (said: EscrowWord): HashAnswer | undefined => {
        if (said.status === 'refused') return no('refused', said.says || 'The verifier takes no case.')
        if (said.status === 'refund') return no('decided', said.says || 'The verifier decided before.')
        if (said.paymentHash === undefined) return undefined
        if (said.status === 'release') return { ok: true, hash: said.paymentHash }
        if (said.status !== 'hash') return undefined
        return said.msats === msats && said.deadline === deadline
          ? { ok: true, hash: said.paymentHash }
          : no('changed', 'The verifier speaks of another amount or deadline.')
      }
      const late = () => no('silent', 'The verifier did not answer.')
      return ask({ word, until: clock.now() + waitMs, hear, late }, signal)
    },

    verdict({ request, verifier, hash, deadline, result }, signal) {
      const word: EscrowWord = {
        ...{ job: request.id, to: verifier, status: 'claim', event: result, says: '' },
        ...openingOf(result, request.pubkey),
      }
      let lies = 0
      const hear = (said: EscrowWord): EscrowVerdict | undefined => {
        if (said.status === 'refund' || said.status === 'refused') return { verdict: 'refund', says: said.says }
        if (said.status !== 'release' || said.preimage === undefined) return undefined
        if (sha256Hex(fromHex(said.preimage)) === hash)
          return { verdict: 'release', preimage: said.preimage, says: said.says }
        lies++
        return undefined
      }
      const late = (): EscrowVerdict => ({
        verdict: 'vanished',
        says: lies > 0 ? 'The verifier gave a wrong preimage.' : 'The verifier did not decide in time.',
        lies,
      })
      return ask({ word, until: deadline * 1_000, hear, late }, signal)
    },

    close: () => words.close(),
  }
}
