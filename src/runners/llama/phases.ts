/**
 * What a token means by where the answer stands: text, the name of a tool, its arguments, or the gap between two calls.
 * @module
 */
import type { LlamaGrammar, LlamaGrammarEvaluationState, Token } from 'node-llama-cpp'
import type { Delta, Finish, TokenLogprob } from '../../../kinds/index.ts'
import { openJsonEnd } from '../answers/json-end.ts'
import { openTextOut, type TextOut } from '../answers/text-out.ts'
import type { Calls } from './calls.ts'
import { openDecoding } from './decoding.ts'
import type { Speech, Voice } from './speaking.ts'
import { openThoughts } from './thoughts.ts'

/** What follows a token: the end, or tokens to evaluate in its place, some of them added. */
export type Next =
  | { readonly finish: Finish; readonly feed?: never }
  | { readonly feed: Token[]; readonly added: number; readonly finish?: never }

export interface Phases {
  /** The grammar that the next token is drawn under. */
  readonly grammar: LlamaGrammarEvaluationState | undefined
  use(grammar: LlamaGrammarEvaluationState | undefined): void
  /** Takes a token; nothing when the answer just goes on. */
  take(token: Token, ends: boolean, weighed: TokenLogprob | undefined): Next | undefined
  /** The limit is reached: lets out what is held and says how it ended. */
  cut(): Finish
}

type Phase = (token: Token, ends: boolean, weighed: TokenLogprob | undefined) => Next | undefined

/** Opens the first phase of an answer. */
export function openPhases(voice: Voice, speech: Speech, emit: (delta: Delta) => void): Phases {
  const { model, binding } = voice
  const { calls } = speech
  let grammar: LlamaGrammarEvaluationState | undefined
  let decoding = openDecoding(model, speech.prompt)
  let count = 0
  let phase: Phase

  const under = (one: LlamaGrammar | undefined): void => {
    grammar = one && new binding.LlamaGrammarEvaluationState({ model, grammar: one })
    decoding = openDecoding(model, [])
  }
  const markerText = calls?.marker.text
  const out: TextOut = openTextOut({
    stops: [...speech.stops, ...(markerText === undefined ? [] : [markerText])],
    trims: speech.trims,
    emit,
  })
  const thoughts = speech.thoughts && openThoughts(speech.thoughts)
  const jsonEnds = speech.grammar && speech.closes ? openJsonEnd() : undefined

  /** The name of the next call, drawn where there are several tools. */
  const named = (plan: Calls, feed: Token[], added: number): Next => {
    const [only] = plan.names
    if (plan.names.length === 1 && only !== undefined) {
      const name = model.tokenize(only, false, 'trimLeadingSpace')
      return argumentsOf(
        plan,
        only,
        [...feed, ...name, ...plan.beforeArguments],
        added + name.length + plan.beforeArguments.length,
      )
    }
    under(plan.nameGrammar)
    let name = ''
    phase = (token, ends) => {
      if (!ends) name += decoding.push(token)
      if (!ends && !certain(plan.names, name)) return undefined
      const before = [...plan.beforeArguments]
      return argumentsOf(plan, name, ends ? before : [token, ...before], before.length)
    }
    return { feed, added }
  }

  const argumentsOf = (plan: Calls, name: string, feed: Token[], added: number): Next => {
    const index = count
    under(plan.argumentsGrammar(name))
    emit({ toolCall: { index, id: speech.callId(index), name } })
    const closed = openJsonEnd()
    phase = (token, ends) => {
      const piece = ends ? '' : decoding.push(token)
      if (piece !== '') emit({ toolCall: { index, arguments: piece } })
      if (!closed(piece) && !ends) return undefined
      count++
      if (count >= plan.most) return { finish: 'tool-calls' }
      const after = plan.afterArguments(name)
      under(undefined)
      phase = gap(plan)
      return { feed: [...(ends ? [] : [token]), ...after], added: after.length }
    }
    return { feed, added }
  }

  /** After a call the model may begin another one; anything else ends the answer. */
  const gap = (plan: Calls): Phase => {
    let said = ''
    return (token, ends) => {
      if (ends) return { finish: 'tool-calls' }
      if (token === plan.marker.token) return again(plan, token, plan.marker.after(0))
      const piece = decoding.push(token)
      const before = said.length
      said += piece
      const begin = plan.marker.text
      const at = begin === undefined ? -1 : said.indexOf(begin)
      if (begin !== undefined && at >= 0) return again(plan, undefined, plan.marker.after(Math.max(0, before - at)))
      const hopes = begin?.startsWith(said.trimStart()) === true
      return said.trim() === '' || hopes ? undefined : { finish: 'tool-calls' }
    }
  }
  const again = (plan: Calls, token: Token | undefined, after: readonly Token[]): Next =>
    named(plan, [...(token === undefined ? [] : [token]), ...after], after.length - (token === undefined ? 1 : 0))

  const speakText: Phase = (token, ends, weighed) => {
    if (ends) {
      out.end(decoding.rest(), thoughts)
      return { finish: 'stop' }
    }
    if (calls?.marker.token !== undefined && token === calls.marker.token) {
      out.end(decoding.rest(), thoughts)
      return again(calls, token, calls.marker.after(0))
    }
    const mark = thoughts && model.isSpecialToken(token) ? model.detokenize([token], true) : ''
    const piece = mark === '' ? decoding.push(token) : markOf(mark, speech)
    const hit = out.push(thoughts ? thoughts.push(piece) : piece, weighed)
    if (hit) {
      const call = calls && hit.index === speech.stops.length
      return call ? again(calls, undefined, calls.marker.after(hit.earlier)) : { finish: 'stop' }
    }
    if (jsonEnds?.(piece)) {
      out.end('')
      return { finish: 'stop' }
    }
    return undefined
  }
  phase = speakText
  if (calls?.must) {
    const [only] = calls.names
    if (calls.names.length === 1 && only !== undefined) argumentsOf(calls, only, [], 0)
    else named(calls, [], 0)
  }

  return {
    get grammar() {
      return grammar
    },
    use(state) {
      grammar = state
    },
    take: (token, ends, weighed) => phase(token, ends, weighed),
    cut() {
      if (phase === speakText) out.end(decoding.rest(), thoughts)
      return 'length'
    },
  }
}

/** True when no other name can be meant. */
const certain = (names: readonly string[], said: string): boolean =>
  names.includes(said) && !names.some(name => name !== said && name.startsWith(said))

/** Marks of thought that are special tokens count; other special tokens are no text. */
const markOf = (mark: string, { thoughts }: Speech): string =>
  thoughts && [thoughts.open, thoughts.close].includes(mark.trim()) ? mark.trim() : ''
