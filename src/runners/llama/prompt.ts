/**
 * A conversation as the model's own template renders it: turns, calls of tools and their answers, and what tools there
 * are. Texts of customers become plain text in it: special tokens come from the template alone.
 * @module
 */
import type { ChatHistoryItem, ChatModelFunctionCall, ChatModelFunctions, ChatWrapper, LlamaText } from 'node-llama-cpp'
import { parseJson } from '../../../kinds/json.ts'
import type { Callable } from '../refusals.ts'
import type { Message } from '../runner.ts'

export interface Rendered {
  readonly text: LlamaText
  /** What ends an answer besides the model's end tokens. */
  readonly ends: readonly LlamaText[]
  /** Blanks at the beginning of a new answer are no part of it. */
  readonly trims: boolean
  /** The template leads the model by steps that only node-llama-cpp's own chat follows (gpt-oss). */
  readonly guided: boolean
}

/** Renders the conversation with these tools. Throws where the template does. */
export function render(wrapper: ChatWrapper, messages: readonly Message[], tools: readonly Callable[]): Rendered {
  const own = tools.length > 0 && !knowsTools(wrapper)
  const history = historyOf(own ? [...toolMessage(tools, messages), ...messages] : messages)
  const state = wrapper.generateContextState({
    chatHistory: history,
    ...(tools.length > 0 && !own ? { availableFunctions: functionsOf(tools), documentFunctionParams: true } : {}),
  })
  const { contextText, stopGenerationTriggers, prefixTriggers, noPrefixTrigger, ignoreStartText } = state
  return {
    text: contextText,
    ends: stopGenerationTriggers,
    trims: ignoreStartText !== undefined && messages.at(-1)?.role !== 'assistant',
    guided: prefixTriggers !== undefined || noPrefixTrigger !== undefined,
  }
}

/** Templates that have no way of their own to speak of tools are given node-llama-cpp's plain spelling of calls. */
const knowsTools = ({ settings }: ChatWrapper): boolean => `${settings.functions.call.prefix}` !== '||call: '

/** Short, because small models have small contexts: a name, a sentence and the schema of each tool. */
function toolMessage(tools: readonly Callable[], messages: readonly Message[]): Message[] {
  const list = tools.map(({ name, description = '', parameters }) =>
    [`- ${name}`, description && `: ${description}`, parameters ? ` ${JSON.stringify(parameters)}` : ''].join(''),
  )
  const how = 'To call a tool, write only: ||call: name({"argument": "value"})'
  const content = ['You can call these tools:', ...list, how].join('\n')
  return [{ role: 'system', content: messages[0]?.role === 'system' ? `${content}\n` : content }]
}

/** The template's own words about tools read the schema for its shape only; what must hold is in the grammar. */
const functionsOf = (tools: readonly Callable[]): ChatModelFunctions =>
  Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      { ...(description === undefined ? {} : { description }), params: { type: 'object', ...parameters } },
    ]),
  )

/** Strings become plain text. A last turn of the assistant is the beginning of the answer, or what it follows. */
export function historyOf(messages: readonly Message[]): ChatHistoryItem[] {
  const history: ChatHistoryItem[] = []
  const open = new Map<string, ChatModelFunctionCall>()
  let answered = false
  for (const { role, content, toolCalls = [], toolCallId = '' } of messages) {
    if (role === 'tool') {
      const call = open.get(toolCallId)
      if (call) call.result = parseJson(content, resultLimits) ?? content
      answered = true
      continue
    }
    if (role === 'assistant') {
      const last = history.at(-1)
      const calls = toolCalls.map((call, index): ChatModelFunctionCall => {
        const item: ChatModelFunctionCall = {
          type: 'functionCall',
          name: call.name,
          params: parseJson(call.arguments, resultLimits) ?? call.arguments,
          result: undefined,
          startsNewChunk: index === 0,
        }
        open.set(call.id, item)
        return item
      })
      const said = [...(content === '' && calls.length > 0 ? [] : [content]), ...calls]
      if (answered && last?.type === 'model') last.response.push(...said)
      else history.push({ type: 'model', response: said })
    } else history.push(role === 'system' ? { type: 'system', text: content } : { type: 'user', text: content })
    answered = false
  }
  return history.at(-1)?.type === 'model' ? history : [...history, { type: 'model', response: [] }]
}

const resultLimits = { chars: 16_777_216, depth: 64, nodes: 1_000_000 }
