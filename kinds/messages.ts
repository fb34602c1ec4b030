/**
 * Conversations: turns, tools and the wanted form of an answer, spelled as programs for language models spell them.
 * @module
 */
import { isRecord, parseJson } from './json.ts'
import { listOf, record, type Shape, string } from './shapes.ts'
import type { Value } from './values.ts'

/** A call of a tool that the model asked for. `arguments` is JSON text as the model wrote it. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly arguments: string
}

/** One turn. Of the assistant it may ask for tools; of a tool it answers the call `toolCallId`. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string
  readonly toolCalls?: readonly ToolCall[]
  readonly toolCallId?: string
}

/** A JSON object: a schema, or arguments. */
export type JsonObject = Readonly<Record<string, unknown>>

/** A tool that the model may call. `parameters` is a JSON schema of an object. */
export interface Tool {
  readonly name: string
  readonly description?: string
  readonly parameters?: JsonObject
}

/** Whether tools may, must not or must be called, or which one must be. */
export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

/** The wanted form of the text: any JSON object, or JSON of a schema. */
export type ResponseFormat =
  | { readonly type: 'json_object' }
  | { readonly type: 'json_schema'; readonly schema: JsonObject }

const roles: Readonly<Record<string, Message['role'] | undefined>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
}
const toolName: Shape<string> = value =>
  typeof value === 'string' && /^[a-zA-Z0-9_.-]{1,128}$/.test(value) ? value : undefined

const called: Shape<{ name: string; arguments: string }> = record({ name: toolName, arguments: string(262_144) }, {})
const toolCall: Shape<ToolCall> = value => {
  const call = record({ id: string(256, 1), function: called }, {})(value)
  return call && { id: call.id, name: call.function.name, arguments: call.function.arguments }
}

/** Text, no text beside tool calls, or parts that are all text. */
function textOf(content: unknown, mayLack: boolean): string | undefined {
  if (typeof content === 'string') return content
  if (content === null || content === undefined) return mayLack ? '' : undefined
  const parts = listOf(record({ text: string(16_777_216) }, {}), 1_024)(content)
  const all = Array.isArray(content) && content.every(part => isRecord(part) && part['type'] === 'text')
  return parts && all ? parts.map(({ text }) => text).join('') : undefined
}

const message: Shape<Message> = value => {
  if (!isRecord(value)) return undefined
  const said = value['role']
  const role = typeof said === 'string' && Object.hasOwn(roles, said) ? roles[said] : undefined
  if (role === undefined) return undefined
  const { tool_calls: calls, tool_call_id: answers } = value
  const toolCalls = role === 'assistant' && Array.isArray(calls) && calls.length > 0 ? listOf(toolCall, 128)(calls) : []
  const toolCallId = role === 'tool' ? string(256, 1)(answers) : undefined
  if (toolCalls === undefined || (role === 'tool' && toolCallId === undefined)) return undefined
  const content = textOf(value['content'], toolCalls.length > 0)
  if (content === undefined) return undefined
  return {
    ...{ role, content },
    ...(toolCalls.length > 0 ? { toolCalls } : {}),
    ...(toolCallId === undefined ? {} : { toolCallId }),
  }
}

/** Reads the JSON of a conversation: 1 to 1,024 turns; `undefined` for anything else. `developer` is `system`. */
export function readMessages(data: string): Message[] | undefined {
  const list = parseJson(data, { chars: 16_777_216, depth: 6, nodes: 65_536 })
  return Array.isArray(list) && list.length > 0 ? listOf(message, 1_024)(list) : undefined
}

/** The JSON that `readMessages` reads. */
export const writeMessages = (messages: readonly Message[]): string =>
  JSON.stringify(
    messages.map(({ role, content, toolCalls, toolCallId }) => ({
      ...{ role, content },
      ...(toolCalls?.length ? { tool_calls: toolCalls.map(callJson) } : {}),
      ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    })),
  )

const callJson = ({ id, name, arguments: said }: ToolCall) => ({
  id,
  type: 'function',
  function: { name, arguments: said },
})

const jsonObject: Shape<JsonObject> = value => (isRecord(value) ? value : undefined)
const schemaLimits = { chars: 65_536, depth: 32, nodes: 8_192 }
const tool: Shape<Tool> = record({ name: toolName }, { description: string(16_384), parameters: jsonObject })

/** Tools as one JSON list: 1 to 128, each name once. */
export const tools: Value<Tool[]> = {
  form: '<JSON list of {name, description?, parameters?}>',
  read([said = '']) {
    const list = listOf(tool, 128)(parseJson(said, schemaLimits))
    return list && list.length > 0 && new Set(list.map(({ name }) => name)).size === list.length ? list : undefined
  },
  write: list => [JSON.stringify(list)],
}

/** `auto`, `none`, `required`, or `function` and a name. */
export const toolChoice: Value<ToolChoice> = {
  form: '<auto|none|required|function> <name?>',
  read([word, name]) {
    if (word === 'auto' || word === 'none' || word === 'required') return word
    const known = word === 'function' ? toolName(name) : undefined
    return known === undefined ? undefined : { name: known }
  },
  write: choice => (typeof choice === 'string' ? [choice] : ['function', choice.name]),
}

/** `json_object`, or `json_schema` and a JSON schema. */
export const responseFormat: Value<ResponseFormat> = {
  form: '<json_object|json_schema> <JSON schema?>',
  read([type, said = '']) {
    if (type === 'json_object') return { type }
    const schema = type === 'json_schema' ? jsonObject(parseJson(said, schemaLimits)) : undefined
    return schema && { type: 'json_schema', schema }
  },
  write: format => (format.type === 'json_schema' ? [format.type, JSON.stringify(format.schema)] : [format.type]),
}

/** Texts that end the answer when the model writes them: 1 to 16, each of 1 to 256 characters. */
export const stopTexts: Value<string[]> = {
  form: '<text> …',
  read: said =>
    said.length > 0 && said.length <= 16 && said.every(text => text.length > 0 && text.length <= 256)
      ? [...said]
      : undefined,
  write: texts => texts,
}
