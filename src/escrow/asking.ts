/**
 * The provider's half: asks a verifier for a payment hash, hands over the result, and learns whether the money is earned.
 * Keeps nothing: after a restart the same questions get the same answers.
 * @module
 */
import { type EscrowWord, type Event, isSealed, type Refusal } from '../../kinds/index.ts'
import { fromHex, sha256Hex, toHex } from '../hash.ts'
import { conversationKey } from '../seal/nip44.ts'
import { fitsWrap, type Heard, openWords, type WordsOptions } from './words.ts'

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

export interface EscrowAsk {
  /**
   * The hash to bill with. Refusals: `refused` by the verifier, `decided` before, `changed` (it speaks of other money),
   * `silent`, `too-long`. Asking again gives the same hash. Rejects with the abort reason.
   */
  hashFor(ask: HashAsk, signal?: AbortSignal): Promise<{ readonly ok: true; readonly hash: string } | Refusal>
  /** Hands over the result and waits, until the deadline at most. Rejects with the abort reason. */
  verdict(ask: VerdictAsk, signal?: AbortSignal): Promise<EscrowVerdict>
  close(): void
}

export interface EscrowAskOptions extends WordsOptions {
  /** A question that got no answer is asked again after this. Default 5,000. */
  readonly repeatMs?: number
  /** `hashFor` gives up after this. Default 30,000. */
  readonly waitMs?: number
}

const no = (rule: string, says: string): Refusal => ({ ok: false, rule, says })
const tooLong = 'The job or its result is too long for one word to the verifier.'

/** Opens the provider's half. `secret` is the provider's key: the one that signs its results. */
export function openEscrowAsk(options: EscrowAskOptions): EscrowAsk {
  const { keys, secret, clock, repeatMs = 5_000, waitMs = 30_000 } = options
  const hearers = new Set<(heard: Heard) => void>()
  const words = openWords(options, heard => {
    for (const hear of [...hearers]) hear(heard)
  })

  /** Opens both events to the verifier, where they are sealed: the key of provider and customer, and of nobody else. */
  const openingOf = (event: Event, customer: string): Pick<EscrowWord, 'conversationKey'> =>
    isSealed(event) ? { conversationKey: toHex(conversationKey(keys.shared(secret, customer))) } : {}

  /** Says a word again and again until `hear` makes something of an answer, or time is up. */
  async function ask<T>(
    word: EscrowWord,
    until: number,
    hear: (said: EscrowWord) => T | undefined,
    late: () => T,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted()
    const signed = words.sign(word)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onHeard = ({ from, word: said }: Heard) => {
      const found = from === word.to && said.job === word.job ? hear(said) : undefined
      if (found !== undefined) resolve(found)
    }
    const onAbort = () => reject(signal?.reason)
    hearers.add(onHeard)
    signal?.addEventListener('abort', onAbort)
    const stopLate = clock.after(Math.max(0, until - clock.now()), () => resolve(late()))
    let stopAgain = () => {}
    const again = () => {
      stopAgain = clock.after(repeatMs, again)
      void words.send(signed, word.to)
    }
    void words.live.then(() => {
      if (hearers.has(onHeard)) again()
    })
    try {
      return await promise
    } finally {
      hearers.delete(onHeard)
      signal?.removeEventListener('abort', onAbort)
      stopLate()
      stopAgain()
    }
  }

  return {
    hashFor({ request, verifier, msats, deadline }, signal) {
      const word: EscrowWord = {
        ...{ job: request.id, to: verifier, status: 'open', msats, deadline, event: request, says: '' },
        ...openingOf(request, request.pubkey),
      }
      if (!fitsWrap(words.sign(word))) return Promise.resolve(no('too-long', tooLong))
      const hear = (said: EscrowWord) => {
        if (said.status === 'refused') return no('refused', said.says || 'The verifier takes no case.')
        if (said.status === 'refund') return no('decided', said.says || 'The verifier decided before.')
        if (said.paymentHash === undefined) return undefined
        if (said.status === 'release') return { ok: true as const, hash: said.paymentHash }
        if (said.status !== 'hash') return undefined
        return said.msats === msats && said.deadline === deadline
          ? { ok: true as const, hash: said.paymentHash }
          : no('changed', 'The verifier speaks of another amount or deadline.')
      }
      const silent = () => no('silent', 'The verifier did not answer.')
      return ask(word, clock.now() + waitMs, hear, silent, signal)
    },

    verdict({ request, verifier, hash, deadline, result }, signal) {
      const word: EscrowWord = {
        ...{ job: request.id, to: verifier, status: 'claim', event: result, says: '' },
        ...openingOf(result, request.pubkey),
      }
      if (!fitsWrap(words.sign(word))) return Promise.resolve({ verdict: 'vanished', says: tooLong, lies: 0 })
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
      return ask(word, deadline * 1_000, hear, late, signal)
    },

    close: () => words.close(),
  }
}
