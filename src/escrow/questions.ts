/**
 * One side's questions to a verifier: said again and again until an answer means something, time is up, or nobody cares.
 * @module
 */
import type { EscrowWord } from '../../kinds/index.ts'
import { fitsWrap, type Heard, openWords, type Words, type WordsOptions } from './words.ts'

export interface QuestionOptions extends WordsOptions {
  /** A question that got no answer is asked again after this. Default 5,000. */
  readonly repeatMs?: number
  /** Questions without a deadline of their own give up after this. Default 30,000. */
  readonly waitMs?: number
}

export interface Question<T> {
  readonly word: EscrowWord
  /** Milliseconds since 1970. */
  readonly until: number
  /** What a word of the one who was asked, about the same job, answers; `undefined` for nothing. */
  hear(said: EscrowWord): T | undefined
  /** The answer when time is up. */
  late(): T
}

export interface Questions {
  readonly words: Words
  /** Rejects with the abort reason. */
  ask<T>(question: Question<T>, signal?: AbortSignal): Promise<T>
}

export function openQuestions(options: QuestionOptions): Questions {
  const { clock, repeatMs = 5_000 } = options
  const hearers = new Set<(heard: Heard) => void>()
  const words = openWords(options, heard => {
    for (const hear of [...hearers]) hear(heard)
  })
  return {
    words,
    async ask<T>({ word, until, hear, late }: Question<T>, signal?: AbortSignal): Promise<T> {
      signal?.throwIfAborted()
      const whole = words.sign(word)
      // What is too long for one word lies on the relays, where the verifier finds it.
      const { event, ...rest } = word
      const named = event && word.status === 'claim' ? { result: event.id } : {}
      const signed = fitsWrap(whole) ? whole : words.sign({ ...rest, ...named })
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
    },
  }
}
