/**
 * `/responses`: from the body to a question.
 * @module
 */

import type { Message, ToolCall } from '../../kinds/index.ts'
import { present } from '../../kinds/index.ts'
import { isRecord } from '../../kinds/json.ts'
import { string, truth, whole, word } from '../../kinds/shapes.ts'
import type { SessionQuestion } from '../session/session.ts'
import { invalid } from './errors.ts'
import { type Fields, field, flag, list, modelOf, needed, object, refuseUnserved, sampling, tokens } from './fields.ts'
import { contentText, formatOf, tooling, toolsOf } from './turns.ts'

/** A call of `/responses`. */
export interface ResponsesCall {
  readonly question: SessionQuestion
  /** The conversation without instructions: what a later call goes on from. */
  readonly turns: readonly Message[]
  readonly model: string | undefined
  readonly stream: boolean
  /** Whether it may be referred to later. */
  readonly store: boolean
  readonly logprobs: boolean
  /** Members of the body that a response repeats. */
  readonly echo: Fields
}

const unserved = ['background', 'conversation', 'prompt', 'context_management', 'image', 'moderation', 'max_tool_calls']
const roles = word('system', 'developer', 'user', 'assistant')

function callOf(item: Fields, at: string): ToolCall {
  return {
    id: needed(item, 'call_id', string(256, 1), 'the id of a call', at),
    name: needed(item, 'name', string(128, 1), 'the name of a function', at),
    arguments: needed(item, 'arguments', string(262_144), 'JSON text', at),
  }
}

/** The turns of the input items. Calls that follow one another, or words of the assistant, are one turn. */
function turnsOf(items: readonly unknown[]): readonly Message[] {
  const turns: Message[] = []
  const addCall = (call: ToolCall) => {
    const last = turns.at(-1)
    if (last?.role === 'assistant') turns[turns.length - 1] = { ...last, toolCalls: [...(last.toolCalls ?? []), call] }
    else turns.push({ role: 'assistant', content: '', toolCalls: [call] })
  }
  for (const [index, item] of items.entries()) {
    const at = `input[${index}]`
    if (!isRecord(item)) throw invalid(at, `'${at}' must be an item.`, 'invalid_value')
    const type = item['type'] ?? 'message'
    if (type === 'function_call') addCall(callOf(item, `${at}.`))
    else if (type === 'function_call_output') {
      const toolCallId = needed(item, 'call_id', string(256, 1), 'the id of a call', `${at}.`)
      turns.push({ role: 'tool', content: contentText(item['output'], `${at}.output`), toolCallId })
    } else if (type === 'message') {
      const role = needed(item, 'role', roles, 'system, developer, user or assistant', `${at}.`)
      const content = contentText(item['content'], `${at}.content`)
      turns.push({ role: role === 'developer' ? 'system' : role, content })
      // What a model thought is not part of what it said; nodes keep none of it.
    } else if (type !== 'reasoning')
      throw invalid(at, `'${at}' is of a type that is not served here.`, 'unsupported_item')
  }
  return turns
}

/** Reads the body. `before`: the conversation that `previous_response_id` stands for. */
export function readResponses(body: Fields, before: readonly Message[]): ResponsesCall {
  refuseUnserved(body, unserved)
  const input = needed(
    body,
    'input',
    value => (typeof value === 'string' ? [{ role: 'user', content: value }] : list(1_024, 1)(value)),
    'a text or a list of 1 to 1,024 items',
  )
  const turns = [...before, ...turnsOf(input)]
  const instructions = field(body, 'instructions', string(16_777_216), 'a text')
  const system: Message[] = instructions === undefined ? [] : [{ role: 'system', content: instructions }]
  const text = field(body, 'text', object, 'an object')
  const format = text && field(text, 'format', object, 'an object', 'text.')
  const top = field(body, 'top_logprobs', whole(0, 20), 'a whole number from 0 to 20')
  const include = field(body, 'include', list(64), 'a list') ?? []
  const logprobs = include.includes('message.output_text.logprobs') || (top ?? 0) > 0
  const model = modelOf(body)
  const stream = flag(body, 'stream')
  const parallel = field(
    body,
    'parallel_tool_calls',
    value => (typeof value === 'boolean' ? [value] : undefined),
    'true or false',
  )
  const tools = toolsOf(body, tool => tool)
  const maxTokens = tokens(body, 'max_output_tokens')
  const { temperature, topP } = sampling({ temperature: body['temperature'], top_p: body['top_p'] })
  const question: SessionQuestion = present({
    ...{ messages: [...system, ...turns], model, temperature, topP, maxTokens, stream },
    ...tooling(tools, body['tool_choice'], choice => choice['name']),
    parallelToolCalls: parallel?.[0],
    responseFormat: formatOf(format, 'text.format', format),
    logprobs: logprobs ? (top ?? 0) : undefined,
  })
  return {
    ...{ question, turns, model, stream, logprobs },
    store:
      field(body, 'store', value => (truth(value) === undefined ? undefined : { value }), 'true or false')?.value !==
      false,
    echo: {
      instructions: instructions ?? null,
      max_output_tokens: maxTokens ?? null,
      metadata: object(body['metadata']) ?? {},
      parallel_tool_calls: parallel?.[0] ?? true,
      previous_response_id: body['previous_response_id'] ?? null,
      reasoning: object(body['reasoning']) ?? { effort: null, summary: null },
      temperature: temperature ?? null,
      text: text ?? { format: { type: 'text' } },
      tool_choice: body['tool_choice'] ?? 'auto',
      tools: body['tools'] ?? [],
      top_logprobs: top ?? 0,
      top_p: topP ?? null,
      truncation: 'disabled',
      user: null,
    },
  }
}
