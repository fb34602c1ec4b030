/**
 * A runner without a model: it answers with the last user message, word by word. It is the double of every other
 * runner in tests and simulations, and fails to order.
 * @module
 */
import type { Clock } from '../clock.ts'
import { fitContext, refuseEarly, textKinds } from './refusals.ts'
import { type Done, type Runner, RunnerError, type Work } from './runner.ts'

export interface EchoOptions {
  readonly clock: Clock
  /** Job kinds to answer; text generation (NIP-90) when left out. */
  readonly kinds?: readonly number[]
  /** Time before the first word. */
  readonly delayMs?: number
  /** Time between two words. */
  readonly pieceMs?: number
  /** Words that prompt and answer share, 8,192 when left out. */
  readonly contextTokens?: number
  /**
   * `dies` fails with half of the answer out, `lies` answers something else, `slow` lets a minute pass before the
   * first word, `hangs` says nothing until it is aborted.
   */
  readonly fault?: 'none' | 'dies' | 'lies' | 'slow' | 'hangs'
}

/** Opens the echo. One token is one word; the same work gets the same words and the same count each time. */
export function echoRunner(options: EchoOptions): Runner {
  const { clock, kinds = textKinds, delayMs = 0, pieceMs = 0, contextTokens = 8192, fault = 'none' } = options
  const offer = { kinds, model: 'echo', contextTokens }
  const closing = new AbortController()

  const estimate = (work: Work) => refuseEarly(offer, work) ?? fitContext(offer, work, countWords(work))

  return {
    name: 'echo',
    kinds,
    async models() {
      return [{ name: offer.model, contextTokens, about: 'repeats the last user message; for tests, no model' }]
    },
    async check(work, signal) {
      signal?.throwIfAborted()
      return estimate(work)
    },
    async run(work, emit, outerSignal): Promise<Done> {
      outerSignal.throwIfAborted()
      const signal = AbortSignal.any([outerSignal, closing.signal])
      signal.throwIfAborted()
      const fits = estimate(work)
      if (!fits.ok) throw new RunnerError(`echo was given work that it refuses (${fits.rule}): ${fits.says}`)

      const said = fault === 'lies' ? lie(lastQuestion(work)) : lastQuestion(work)
      const whole = words(said).slice(begun(work))
      const pieces = whole.slice(0, fits.maxTokens)
      const diesAfter = fault === 'dies' ? Math.ceil(pieces.length / 2) : Number.POSITIVE_INFINITY
      if (fault === 'hangs') await forever(signal)
      await pause(clock, delayMs + (fault === 'slow' ? 60_000 : 0), signal)
      for (const [index, piece] of pieces.entries()) {
        if (index > 0 && pieceMs > 0) await pause(clock, pieceMs, signal)
        emit(piece)
        signal.throwIfAborted()
        if (index + 1 >= diesAfter) throw new RunnerError('echo died, as it was told to')
      }
      return {
        text: pieces.join(''),
        model: offer.model,
        promptTokens: fits.promptTokens,
        outputTokens: pieces.length,
        finish: pieces.length < whole.length ? 'length' : 'stop',
      }
    },
    async close() {
      closing.abort(new RunnerError('echo is closed'))
    },
  }
}

const words = (text: string): string[] => text.trim().match(/\s*\S+/g) ?? []

const countWords = (work: Work): number => work.messages.reduce((sum, { content }) => sum + words(content).length, 0)

const lastQuestion = (work: Work): string =>
  work.messages.findLast(({ role, content }) => role === 'user' && content.trim() !== '')?.content ?? ''

/** Words of the answer that are there already: a last message of the assistant is its beginning. */
const begun = ({ messages }: Work): number => {
  const last = messages.at(-1)
  return last?.role === 'assistant' ? words(last.content).length : 0
}

const lie = (text: string): string =>
  `not ${words(text)
    .map(word => word.trim())
    .reverse()
    .join(' ')}`

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (ms <= 0) return
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      cancel()
      reject(signal.reason)
    }
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', stop)
      resolve()
    })
    signal.addEventListener('abort', stop, { once: true })
  })
}

function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    if (signal.aborted) reject(signal.reason)
  })
}
