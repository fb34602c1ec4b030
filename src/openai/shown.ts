/**
 * What a program was shown of an answer, against what the answer is: nothing shown can be taken back, so a new beginning is
 * either one that what was shown fits into, or the end of the stream.
 * @module
 */
import type { Delta, TokenLogprob } from '../../kinds/index.ts'
import type { Answered, Moment } from '../session/session.ts'

interface Call {
  id: string
  name: string
  arguments: string
}

interface Whole {
  text: string
  readonly calls: Map<number, Call>
  logprobs: number
}

/** What is to be shown next, or that it cannot be made to fit. */
export type Next = readonly Delta[] | 'conflict'

export interface Shown {
  take(moment: Extract<Moment, { delta: Delta }>): Next
  /** What the whole answer has beyond what was shown. */
  finish(answer: Pick<Answered, 'text' | 'toolCalls' | 'logprobs'>): Next
}

/** Opens the record of one answer. */
export function openShown(): Shown {
  const shown: Whole = { text: '', calls: new Map(), logprobs: 0 }
  /** The answer from its new beginning; absent while nothing was replaced. */
  let anew: { whole: Whole; logprobs: TokenLogprob[] } | undefined

  /** Adds a piece to a whole. A call without id is one that nobody could answer: it is shown when it has one. */
  function add(whole: Whole, { text = '', toolCall, logprobs = [] }: Delta): void {
    whole.text += text
    whole.logprobs += logprobs.length
    if (!toolCall) return
    const call = whole.calls.get(toolCall.index) ?? { id: '', name: '', arguments: '' }
    call.id ||= toolCall.id ?? ''
    call.name ||= toolCall.name ?? ''
    call.arguments += toolCall.arguments ?? ''
    whole.calls.set(toolCall.index, call)
  }

  /** The pieces by which the whole goes beyond what was shown; `conflict` where it is not its continuation. */
  function beyond(whole: Whole, logprobs: readonly TokenLogprob[], ended: boolean): Next {
    const pieces: Delta[] = []
    const grown = longer(shown.text, whole.text, ended)
    if (grown === undefined) return 'conflict'
    const fresh = logprobs.slice(shown.logprobs)
    if (grown !== '' || fresh.length > 0) pieces.push({ text: grown, ...(fresh.length > 0 ? { logprobs: fresh } : {}) })
    for (const [index, call] of whole.calls) {
      const before = shown.calls.get(index)
      const same =
        !before || ((before.id === '' || before.id === call.id) && (before.name === '' || before.name === call.name))
      const more = longer(before?.arguments ?? '', call.arguments, ended)
      if (!same || more === undefined) return 'conflict'
      if (!before || more !== '')
        pieces.push({ toolCall: { index, ...(before ? {} : { id: call.id, name: call.name }), arguments: more } })
    }
    if (ended && [...shown.calls.keys()].some(index => !whole.calls.has(index))) return 'conflict'
    for (const piece of pieces) add(shown, piece)
    return pieces
  }

  return {
    take({ moment, delta }) {
      if (moment === 'replaced') anew = { whole: { text: '', calls: new Map(), logprobs: 0 }, logprobs: [] }
      if (!anew) {
        add(shown, delta)
        return [delta]
      }
      add(anew.whole, delta)
      anew.logprobs.push(...(delta.logprobs ?? []))
      return beyond(anew.whole, anew.logprobs, false)
    },
    finish({ text, toolCalls, logprobs }) {
      const calls = new Map(
        toolCalls.map((call, at) => [[...shown.calls.keys()].sort((a, b) => a - b)[at] ?? at, { ...call }]),
      )
      return beyond({ text, calls, logprobs: logprobs.length }, logprobs, true)
    },
  }
}

/** What `whole` adds to `part`; `undefined` where it is no continuation. Until the end it may still be behind. */
function longer(part: string, whole: string, ended: boolean): string | undefined {
  if (whole.startsWith(part)) return whole.slice(part.length)
  return !ended && part.startsWith(whole) ? '' : undefined
}
