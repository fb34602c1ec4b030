/**
 * A runner without a model that obeys: it answers with the last question, word by word, with the plainest JSON of a schema,
 * and with calls of the tools that it is told to call. It is the double of every other runner in tests and simulations,
 * and fails to order.
 * @module
 */

import type { Clock } from '../clock.ts'
import { openTextOut } from './answers/text-out.ts'
import { begun, callsOf, type EchoCall, jsonOf, jsonPieces, lastQuestion, lie, weigh, words } from './echo/saying.ts'
import { echoDimensions, vectorAnswer, vectorKinds } from './echo/vectors.ts'
import { fitContext, fitTexts, readForm, refuseEarly, refuseTexts, textKinds } from './refusals.ts'
import {
  type Delta,
  type Done,
  type Estimate,
  type Runner,
  RunnerError,
  type Work,
  type WorkRefusal,
} from './runner.ts'

export interface EchoOptions {
  readonly clock: Clock
  /** Job kinds to answer; text generation (NIP-90) when left out, `echoKinds` are all. */
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

/** Every kind that an echo can answer: text, embeddings, ranking, classification. */
export const echoKinds: readonly number[] = [...textKinds, ...vectorKinds]

/** One piece of an answer: text, or part of a call. */
type Piece = { readonly text: string } | { readonly call: number; readonly name?: string; readonly json: string }

/** Opens the echo. One token is one word; the same work gets the same words and the same count each time. */
export function echoRunner(options: EchoOptions): Runner {
  const { clock, kinds = textKinds, delayMs = 0, pieceMs = 0, contextTokens = 8192, fault = 'none' } = options
  const offer = { kinds, model: 'echo', contextTokens }
  const closing = new AbortController()
  const heard = fault === 'lies' ? lie : (text: string) => text

  /** What will be said about a piece of work, or why nothing is. */
  const look = (work: Work): WorkRefusal | { readonly ok: true; readonly fits: Estimate; readonly pieces: Piece[] } => {
    const early = refuseEarly(offer, work)
    if (early) return early
    if (vectorKinds.includes(work.kind)) {
      const counts = [...(work.texts ?? []), ...(work.query === undefined ? [] : [work.query])].map(countOf)
      const fits = refuseTexts(work, echoDimensions) ?? fitTexts(offer, counts)
      return fits.ok ? { ok: true, fits, pieces: [] } : fits
    }
    const form = readForm(work)
    if (!form.ok) return form
    const fits = fitContext(offer, work, countWords(work))
    if (!fits.ok) return fits
    const calls = callsOf(work, form)
    const json = form.json && jsonOf(form.json, lastQuestion(work))
    if (calls.some(call => call.json === undefined) || (form.json && json === undefined))
      return {
        ok: false,
        rule: 'schema',
        says: 'the schema asks for more than an echo writes; make less of it required',
      }
    const text = json === undefined ? words(heard(lastQuestion(work))).slice(begun(work)) : jsonPieces(json)
    return {
      ok: true,
      fits,
      pieces: calls.length > 0 ? calls.flatMap(callPieces) : text.map(piece => ({ text: piece })),
    }
  }

  return {
    name: 'echo',
    kinds,
    async models() {
      const about = 'repeats the last user message; for tests, no model'
      const dimensions = kinds.some(kind => vectorKinds.includes(kind)) ? { dimensions: echoDimensions } : {}
      return [{ name: offer.model, contextTokens, about, ...dimensions }]
    },
    async check(work, signal) {
      signal?.throwIfAborted()
      const found = look(work)
      return found.ok ? found.fits : found
    },
    async run(work, emit, outerSignal): Promise<Done> {
      outerSignal.throwIfAborted()
      const signal = AbortSignal.any([outerSignal, closing.signal])
      signal.throwIfAborted()
      const found = look(work)
      if (!found.ok) throw new RunnerError(`echo was given work that it refuses (${found.rule}): ${found.says}`)
      const { fits } = found
      const { model, promptTokens } = fits
      if (fault === 'hangs') await forever(signal)
      await pause(clock, delayMs + (fault === 'slow' ? 60_000 : 0), signal)
      if (vectorKinds.includes(work.kind)) {
        if (fault === 'dies') throw new RunnerError('echo died, as it was told to')
        return { text: vectorAnswer(work, model, heard), model, promptTokens, outputTokens: 0, finish: 'stop' }
      }

      let text = ''
      const out = openTextOut({
        stops: work.stop ?? [],
        emit(delta) {
          text += delta.text ?? ''
          if (work.deltas) emit(delta)
          else if (delta.text !== undefined) emit(delta.text)
        },
      })
      const pieces = found.pieces.slice(0, fits.maxTokens)
      const diesAfter = fault === 'dies' ? Math.ceil(pieces.length / 2) : Number.POSITIVE_INFINITY
      let outputTokens = 0
      let stopped = false
      for (const piece of pieces) {
        if (outputTokens > 0 && pieceMs > 0) await pause(clock, pieceMs, signal)
        outputTokens++
        if ('text' in piece) {
          const weighed = work.logprobs === undefined ? undefined : weigh(piece.text, work.logprobs)
          stopped = out.push(piece.text, weighed) !== undefined
        } else emit(callDelta(work, piece))
        signal.throwIfAborted()
        if (stopped) break
        if (outputTokens >= diesAfter) throw new RunnerError('echo died, as it was told to')
      }
      if (!stopped) out.end('')
      const calls = found.pieces.some(piece => 'call' in piece)
      const cut = !stopped && pieces.length < found.pieces.length
      return { text, model, promptTokens, outputTokens, finish: cut ? 'length' : calls ? 'tool-calls' : 'stop' }
    },
    async close() {
      closing.abort(new RunnerError('echo is closed'))
    },
  }
}

const countOf = (text: string): number => words(text).length

/** Words of everything that is sent: messages, calls and tools. */
const countWords = ({ messages, tools, toolChoice }: Work): number =>
  messages.reduce(
    (sum, { content, toolCalls = [] }) =>
      sum + countOf(content) + toolCalls.reduce((more, call) => more + 1 + jsonPieces(call.arguments).length, 0),
    tools && toolChoice !== 'none' ? jsonPieces(JSON.stringify(tools)).length : 0,
  )

const callPieces = ({ name, json = '' }: EchoCall, call: number): Piece[] =>
  jsonPieces(json).map((piece, index) => ({ call, json: piece, ...(index === 0 ? { name } : {}) }))

/** The first piece of a call brings its id and its name. */
const callDelta = ({ id }: Work, { call: index, name, json }: Extract<Piece, { call: number }>): Delta => ({
  toolCall: {
    index,
    ...(name === undefined ? {} : { id: `call_${id.slice(0, 32)}_${index}`, name }),
    arguments: json,
  },
})

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
