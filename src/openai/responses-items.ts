/**
 * The items of a response as they grow, and the typed events that tell it.
 * @module
 */
import type { Delta, TokenLogprob, ToolCallPiece } from '../../kinds/index.ts'
import { tokenLogprobs } from './chat-answer.ts'
import { nonsense } from './errors.ts'

interface MessageItem {
  readonly kind: 'message'
  readonly id: string
  text: string
  readonly logprobs: TokenLogprob[]
  done: boolean
}

interface CallItem {
  readonly kind: 'call'
  readonly id: string
  readonly index: number
  readonly callId: string
  readonly name: string
  arguments: string
  done: boolean
}

type Item = MessageItem | CallItem

/** An event before it has its number. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string }

/** The items of one response. */
export interface Items {
  /** Takes a piece; gives the events that tell it. */
  add(delta: Delta): readonly Told[]
  /** Closes what is open. `whole` false: the answer reached a limit. */
  close(whole: boolean): readonly Told[]
  readonly json: readonly unknown[]
}

const partJson = (text: string, logprobs: readonly TokenLogprob[], weighed: boolean) => ({
  ...{ type: 'output_text', annotations: [], text },
  logprobs: weighed ? tokenLogprobs(logprobs) : [],
})

/** Opens the items of a response. `name` makes their ids; `weighed` where probabilities were asked for. */
export function openItems(name: string, weighed: boolean): Items {
  const items: Item[] = []
  let limited = false

  const statusOf = (item: Item) =>
    !item.done ? 'in_progress' : limited && item === items.at(-1) ? 'incomplete' : 'completed'
  function json(item: Item): unknown {
    const status = statusOf(item)
    if (item.kind === 'call')
      return {
        ...{ id: item.id, type: 'function_call', status, call_id: item.callId },
        ...{ name: item.name, arguments: item.arguments },
      }
    const empty = item.text === '' && !item.done
    const content = empty ? [] : [partJson(item.text, item.logprobs, weighed)]
    return { id: item.id, type: 'message', status, role: 'assistant', content }
  }

  function finish(item: Item, at: number): readonly Told[] {
    if (item.done) return []
    item.done = true
    const where = { item_id: item.id, output_index: at }
    const done: Told = { type: 'response.output_item.done', output_index: at, item: json(item) }
    if (item.kind === 'call')
      return [
        { type: 'response.function_call_arguments.done', ...where, name: item.name, arguments: item.arguments },
        done,
      ]
    const part = partJson(item.text, item.logprobs, weighed)
    const { text, logprobs } = part
    return [
      { type: 'response.output_text.done', ...where, content_index: 0, text, logprobs },
      { type: 'response.content_part.done', ...where, content_index: 0, part },
      done,
    ]
  }

  /** A new item ends the one before it, as a model writes one thing after the other. */
  function open(item: Item): readonly Told[] {
    const last = items.length - 1
    const before = items[last]
    const events = before ? [...finish(before, last)] : []
    items.push(item)
    events.push({ type: 'response.output_item.added', output_index: last + 1, item: json(item) })
    if (item.kind === 'message')
      events.push({
        ...{ type: 'response.content_part.added', item_id: item.id, output_index: last + 1, content_index: 0 },
        part: partJson('', [], weighed),
      })
    return events
  }

  function addText(text: string, logprobs: readonly TokenLogprob[]): readonly Told[] {
    const last = items.at(-1)
    const fresh: MessageItem = {
      ...{ kind: 'message', id: `msg_${name}_${items.length}`, text: '', logprobs: [], done: false },
    }
    const item = last?.kind === 'message' ? last : fresh
    const events = item === fresh ? open(fresh) : []
    item.text += text
    item.logprobs.push(...logprobs)
    return [
      ...events,
      {
        ...{ type: 'response.output_text.delta', item_id: item.id, output_index: items.indexOf(item) },
        ...{ content_index: 0, delta: text, logprobs: weighed ? tokenLogprobs(logprobs) : [] },
      },
    ]
  }

  function addPiece({ index, id, name: called, arguments: said = '' }: ToolCallPiece): readonly Told[] {
    const known = items.find(one => one.kind === 'call' && one.index === index)
    if (known?.done) throw nonsense('The node went on with a call of a tool that it had ended.')
    const fresh: CallItem = {
      ...{ kind: 'call', id: `fc_${name}_${items.length}`, index, callId: id ?? `call_${name}_${index}` },
      ...{ name: called ?? '', arguments: '', done: false },
    }
    const item = known?.kind === 'call' ? known : fresh
    const events = item === fresh ? open(fresh) : []
    item.arguments += said
    if (said === '') return events
    const where = { item_id: item.id, output_index: items.indexOf(item) }
    return [...events, { type: 'response.function_call_arguments.delta', ...where, delta: said }]
  }

  return {
    add({ text = '', toolCall, logprobs = [] }) {
      const words = text !== '' || logprobs.length > 0 ? addText(text, logprobs) : []
      return toolCall ? [...words, ...addPiece(toolCall)] : words
    },
    close(whole) {
      limited = !whole
      if (items.length === 0) return [...addText('', []).slice(0, 2), ...this.close(whole)]
      return items.flatMap(finish)
    },
    get json() {
      return items.map(json)
    },
  }
}
