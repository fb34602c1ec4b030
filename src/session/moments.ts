/**
 * The moments of one answer as many may read them: from the beginning, each at its own pace, or not at all. What nobody
 * stands at is put together, so that an answer of any length is kept in few pieces.
 * @module
 */
import type { Delta, ToolCallPiece } from '../../kinds/index.ts'
import type { Moment } from './session.ts'

export interface Moments extends AsyncIterable<Moment> {
  add(moment: Moment): void
  /** No more come: readers end when they have read what is there. */
  end(): void
  readonly length: number
}

interface Reader {
  /** The moment that it reads next. */
  at: number
  wake: (() => void) | undefined
}

/** Moments that are kept apart before they are put together. */
const mostApart = 512

/** Opens the book of one answer. */
export function openMoments(apart = mostApart): Moments {
  let book: Moment[] = []
  let ended = false
  const readers = new Set<Reader>()

  function wake() {
    for (const reader of readers) {
      const waiting = reader.wake
      reader.wake = undefined
      waiting?.()
    }
  }

  /** Puts together neighbouring deltas that no reader stands between. */
  function gatherUp() {
    const stood = new Set([...readers].map(({ at }) => at))
    const kept: Moment[] = []
    const places: number[] = []
    for (const [at, moment] of book.entries()) {
      const last = kept.at(-1)
      const both = stood.has(at) || !last ? undefined : joined(last, moment)
      if (both) kept[kept.length - 1] = both
      else kept.push(moment)
      places.push(kept.length - 1)
    }
    for (const reader of readers) reader.at = places[reader.at] ?? kept.length
    book = kept
  }

  /** Nobody needs to read what is void. */
  function forgetDeltas() {
    const kept: Moment[] = []
    const places: number[] = []
    for (const moment of book) {
      places.push(kept.length)
      if (moment.moment !== 'delta' && moment.moment !== 'replaced') kept.push(moment)
    }
    for (const reader of readers) reader.at = places[reader.at] ?? kept.length
    book = kept
  }

  let gathered = apart
  return {
    add(moment) {
      if (ended) return
      if (moment.moment === 'replaced') forgetDeltas()
      book.push(moment)
      if (book.length >= gathered) {
        gatherUp()
        gathered = Math.max(apart, 2 * book.length)
      }
      wake()
    },
    end() {
      ended = true
      wake()
    },
    get length() {
      return book.length
    },
    [Symbol.asyncIterator]() {
      const reader: Reader = { at: 0, wake: undefined }
      readers.add(reader)
      const done = { done: true, value: undefined } as const
      return {
        async next() {
          while (readers.has(reader)) {
            const moment = book[reader.at]
            if (moment) {
              reader.at++
              return { done: false, value: moment }
            }
            if (ended) break
            await new Promise<void>(resolve => {
              const before = reader.wake
              reader.wake = () => {
                before?.()
                resolve()
              }
            })
          }
          readers.delete(reader)
          return done
        },
        async return() {
          readers.delete(reader)
          reader.wake?.()
          return done
        },
      }
    },
  }
}

/** Two neighbours as one, where they say the same one after the other. A `replaced` takes what follows it. */
function joined(first: Moment, second: Moment): Moment | undefined {
  if (second.moment !== 'delta' || (first.moment !== 'delta' && first.moment !== 'replaced')) return undefined
  const delta = joinedDeltas(first.delta, second.delta)
  return delta && { moment: first.moment, delta }
}

function joinedDeltas(a: Delta, b: Delta): Delta | undefined {
  const toolCall = joinedCalls(a.toolCall, b.toolCall)
  if (a.toolCall && b.toolCall && !toolCall) return undefined
  // The order of words and calls is part of the answer.
  if ((a.toolCall && b.text) || (a.text && b.toolCall)) return undefined
  const text = a.text === undefined && b.text === undefined ? undefined : (a.text ?? '') + (b.text ?? '')
  const logprobs = a.logprobs || b.logprobs ? [...(a.logprobs ?? []), ...(b.logprobs ?? [])] : undefined
  return {
    ...(text === undefined ? {} : { text }),
    ...(toolCall ? { toolCall } : {}),
    ...(logprobs ? { logprobs } : {}),
  }
}

function joinedCalls(a: ToolCallPiece | undefined, b: ToolCallPiece | undefined): ToolCallPiece | undefined {
  if (!a || !b) return a ?? b
  if (a.index !== b.index) return undefined
  const [id, name] = [a.id ?? b.id, a.name ?? b.name]
  const said = (a.arguments ?? '') + (b.arguments ?? '')
  return {
    index: a.index,
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(a.arguments === undefined && b.arguments === undefined ? {} : { arguments: said }),
  }
}
