/**
 * Conversations and tools as chat requests spell them.
 * @module
 */

import type { Message, ResponseFormat, Tool, ToolCall, ToolChoice } from '../../kinds/index.ts'
import { isRecord } from '../../kinds/json.ts'
import { responseFormat as formats, tools as toolLists } from '../../kinds/messages.ts'
import { string, word } from '../../kinds/shapes.ts'
import { invalid } from './errors.ts'
import { type Fields, field, list, needed, object } from './fields.ts'

const text = string(16_777_216)
const name = string(128, 1)
const id = string(256, 1)
const roles = word('system', 'developer', 'user', 'assistant', 'tool')
/** Spellings of a part that is text. */
const textParts = new Set(['text', 'input_text', 'output_text'])

/** The text of a content: a string, or parts that are all text. Pictures, sound and files have no way into a job yet. */
export function contentText(content: unknown, at: string): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw invalid(at, `'${at}' must be a text or a list of parts.`, 'invalid_value')
  return content
    .map((part: unknown, index) => {
      const here = `${at}[${index}]`
      if (!isRecord(part)) throw invalid(here, `'${here}' must be a part of a message.`, 'invalid_value')
      const type = part['type']
      if (type === 'refusal') return needed(part, 'refusal', text, 'a text', `${here}.`)
      if (typeof type !== 'string' || !textParts.has(type))
        throw invalid(here, `'${here}' is no text, and only text is served here.`, 'unsupported_content')
      return needed(part, 'text', text, 'a text', `${here}.`)
    })
    .join('')
}

function callOf(said: unknown, at: string): ToolCall {
  if (!isRecord(said) || !isRecord(said['function']))
    throw invalid(at, `'${at}' must be the call of a function.`, 'invalid_value')
  return {
    id: needed(said, 'id', id, 'the id of a call', `${at}.`),
    name: needed(said['function'], 'name', name, 'the name of a function', `${at}.function.`),
    arguments: needed(said['function'], 'arguments', string(262_144), 'JSON text', `${at}.function.`),
  }
}

function turnOf(said: unknown, at: string): Message {
  if (!isRecord(said)) throw invalid(at, `'${at}' must be a message.`, 'invalid_value')
  const known = needed(said, 'role', roles, 'system, developer, user, assistant or tool', `${at}.`)
  const role = known === 'developer' ? 'system' : known
  const calls = role === 'assistant' ? field(said, 'tool_calls', list(128), 'a list of calls', `${at}.`) : undefined
  const toolCalls = (calls ?? []).map((call, index) => callOf(call, `${at}.tool_calls[${index}]`))
  const content = said['content'] ?? (toolCalls.length > 0 || role === 'assistant' ? '' : undefined)
  return {
    ...{ role, content: contentText(content, `${at}.content`) },
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(role === 'tool' ? { toolCallId: needed(said, 'tool_call_id', id, 'the id of a call', `${at}.`) } : {}),
  }
}

/** The conversation: 1 to 1,024 turns. */
export const messagesOf = (body: Fields): readonly Message[] =>
  needed(body, 'messages', list(1_024, 1), 'a list of 1 to 1,024 messages').map((turn, index) =>
    turnOf(turn, `messages[${index}]`),
  )

/** One function as the market knows it. `strict` is what grammars keep anyway. */
export function functionOf(said: Fields, at: string): Tool {
  const parameters = field(said, 'parameters', object, 'a JSON schema', at)
  const description = field(said, 'description', string(16_384), 'a text', at)
  return {
    name: needed(said, 'name', name, 'the name of a function', at),
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  }
}

/** Tools, the choice among them, and whether several may be called. */
export interface Tooling {
  readonly tools: readonly Tool[] | undefined
  readonly toolChoice: ToolChoice | undefined
}

/** Brings tools and choice together: a choice of some of them is those tools and a word. */
export function tooling(all: readonly Tool[], choice: unknown, nameAt: (choice: Fields) => unknown): Tooling {
  if (all.length > 0 && !toolLists.read([JSON.stringify(all)]))
    throw invalid('tools', "'tools' must have names of their own of letters, digits, _, - and ., 65,536 characters.")
  const names = new Set(all.map(tool => tool.name))
  const known = (wanted: unknown): string => {
    if (typeof wanted === 'string' && names.has(wanted)) return wanted
    throw invalid('tool_choice', "'tool_choice' must name one of the tools.", 'invalid_value')
  }
  const tools = all.length > 0 ? all : undefined
  if (choice === undefined || choice === null) return { tools, toolChoice: undefined }
  if (choice === 'auto' || choice === 'none') return { tools, toolChoice: tools && choice }
  if (choice === 'required' && tools) return { tools, toolChoice: choice }
  if (isRecord(choice) && choice['type'] === 'function') return { tools, toolChoice: { name: known(nameAt(choice)) } }
  if (isRecord(choice) && choice['type'] === 'allowed_tools') {
    const allowed = isRecord(choice['allowed_tools']) ? choice['allowed_tools'] : choice
    const mode = needed(allowed, 'mode', word('auto', 'required'), 'auto or required', 'tool_choice.')
    const some = needed(allowed, 'tools', list(128, 1), 'a list of tools', 'tool_choice.')
    const kept = new Set(some.map(one => known(isRecord(one) ? nameAt(one) : undefined)))
    return { tools: all.filter(tool => kept.has(tool.name)), toolChoice: mode }
  }
  throw invalid('tool_choice', "'tool_choice' must be none, auto, required or one of the tools.", 'invalid_value')
}

/** A list of tools, all functions. `inner`: where the function's own members are. */
export const toolsOf = (body: Fields, inner: (tool: Fields) => unknown): readonly Tool[] =>
  (field(body, 'tools', list(128), 'a list of up to 128 tools') ?? []).map((tool, index) => {
    const at = `tools[${index}]`
    if (!isRecord(tool) || tool['type'] !== 'function')
      throw invalid(at, `'${at}' must be a function; other tools are not served here.`, 'unsupported_tool')
    const said = inner(tool)
    if (!isRecord(said)) throw invalid(at, `'${at}.function' is missing.`, 'missing_required_parameter')
    return functionOf(said, `${at}.`)
  })

/** The wanted form of the text. `schemaIn` gives the object that holds the schema. */
export function formatOf(
  said: Fields | undefined,
  at: string,
  schemaIn: Fields | undefined,
): ResponseFormat | undefined {
  const type =
    said &&
    needed(said, 'type', word('text', 'json_object', 'json_schema'), 'text, json_object or json_schema', `${at}.`)
  if (type === undefined || type === 'text') return undefined
  if (type === 'json_object') return { type }
  if (!schemaIn) throw invalid(`${at}.json_schema`, `'${at}.json_schema' is missing.`, 'missing_required_parameter')
  const schema = field(schemaIn, 'schema', object, 'a JSON schema', `${at}.`)
  if (!schema) return { type: 'json_object' }
  const format: ResponseFormat = { type, schema }
  if (!formats.read(['json_schema', JSON.stringify(schema)]))
    throw invalid(at, 'The JSON schema is too large: 65,536 characters, 32 levels and 8,192 members are the limit.')
  return format
}
