/**
 * Judges: functions that decide whether a result was earned. None of them has money.
 * @module
 */
import type { TextRequest } from '../../kinds/index.ts'
import type { Clock } from '../clock.ts'
import type { Judge, Matter } from './escrow.ts'

/**
 * Does the work again and compares the texts, letter for letter: for work that is deterministic (the same model file,
 * build and class of processor, temperature 0 or a seed). One rerun at a time; others wait. A rerun that rejects decides
 * nothing.
 */
export function matches(rerun: (request: TextRequest, signal: AbortSignal) => Promise<string>): Judge {
  let last: Promise<unknown> = Promise.resolve()
  return (matter, signal) => {
    const turn = last.then(async () => {
      signal.throwIfAborted()
      const same = (await rerun(matter.request, signal)) === matter.result.text
      return same
        ? ({ word: 'release', says: 'The work was done again and the texts agree.' } as const)
        : ({ word: 'refund', says: 'The work was done again and the texts differ.' } as const)
    })
    last = turn.catch(() => undefined)
    return turn
  }
}

/**
 * The customer's word decides: `accept` releases, `complain` refunds. Silence for `waitSeconds` after the claim
 * releases, because a provider that worked must not lose its pay to a customer that closed its laptop; a customer that
 * got nothing has this time to say so. Ends 5 seconds before the deadline, so that the release still counts.
 */
export function customerSays(options: { readonly clock: Clock; readonly waitSeconds: number }): Judge {
  const { clock, waitSeconds } = options
  return async (matter, signal) => {
    const silence = new AbortController()
    const waitMs = Math.max(0, silentAt(matter, waitSeconds) * 1_000 - clock.now())
    const stop = clock.after(waitMs, () => silence.abort())
    try {
      const word = await matter.customerWord(AbortSignal.any([signal, silence.signal]))
      return word === 'accept'
        ? { word: 'release', says: 'The customer accepts the result.' }
        : { word: 'refund', says: 'The customer complains of the result.' }
    } catch (error) {
      if (signal.aborted || !silence.signal.aborted) throw error
      return { word: 'release', says: 'The customer said nothing against it.' }
    } finally {
      stop()
    }
  }
}

const silentAt = ({ case: one }: Matter, waitSeconds: number): number =>
  Math.min((one.claimedAt ?? 0) + waitSeconds, one.deadline - 5)
