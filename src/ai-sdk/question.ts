/**
 * A call of the AI SDK as a question of this network, and what of it has no effect.
 * @module
 */
import type { Message, Tool, ToolCall } from '../../kinds/index.ts'
import { type JsonObject, present } from '../../kinds/index.ts'
import type { SessionQuestion } from '../session/session.ts'
import { unusable } from './failure.ts'
import type { CallOptions, PromptMessage, PromptPart, Warning } from './spec.ts'

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPart = (value: unknown): value is PromptPart => isObject(value) && typeof value['type'] === 'string'

/** The text of parts; anything that is neither text nor in `passed` cannot be sent to a text model. */
function textOf(parts: readonly PromptPart[], passed: readonly string[]): string {
  const odd = parts.find(({ type }) => type !== 'text' && !passed.includes(type))
  if (odd)
    throw unusable(`A part of type "${odd.type}" cannot be sent: models of this network read text. Leave it out.`)
  return parts.flatMap(({ type, text }) => (type === 'text' && text !== undefined ? [text] : [])).join('')
}

const said = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))

/** What a tool gave, as the model reads it. */
function resultText(output: unknown): string {
  if (!isObject(output)) return said(output)
  const { type, value, reason } = output
  if (type === 'execution-denied') return said(reason ?? 'The call was not allowed.')
  if (type === 'content' && Array.isArray(value)) return textOf(value.filter(isPart), [])
  return said(value)
}

function messagesOf({ role, content }: PromptMessage): Message[] {
  if (role === 'system') return [{ role, content: typeof content === 'string' ? content : textOf(content, []) }]
  const parts: readonly PromptPart[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  if (role === 'tool')
    return parts.flatMap(({ type, toolCallId, output }) =>
      type === 'tool-result' && toolCallId !== undefined ? [{ role, content: resultText(output), toolCallId }] : [],
    )
  if (role === 'user') return [{ role, content: textOf(parts, []) }]
  const toolCalls: ToolCall[] = parts.flatMap(({ type, toolCallId, toolName, input }) =>
    type === 'tool-call' && toolCallId !== undefined && toolName !== undefined
      ? [{ id: toolCallId, name: toolName, arguments: said(input) }]
      : [],
  )
  const text = textOf(parts, ['tool-call', 'tool-result', 'reasoning', 'reasoning-file', 'custom', 'file'])
  return [{ role, content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) }]
}

function toolsOf(given: CallOptions['tools'], warnings: Warning[]): Tool[] {
  return (given ?? []).flatMap(tool => {
    if (tool.type === 'function') {
      const { name, description, inputSchema } = tool
      return [{ name, ...present({ description, parameters: isObject(inputSchema) ? inputSchema : undefined }) }]
    }
    warnings.push({ type: 'unsupported', feature: `tool ${tool.name}`, details: 'Only functions can be called here.' })
    return []
  })
}

/** Settings of `providerOptions.gridstr`: `maxSats`, `node` (64 hex digits), `privacy` (0 to 3), `key`. */
function ownOptions(given: JsonObject | undefined): Pick<SessionQuestion, 'capMsats' | 'node' | 'privacy' | 'key'> {
  const { maxSats, node, privacy, key } = given ?? {}
  if (maxSats !== undefined && !(Number.isSafeInteger(maxSats) && Number(maxSats) >= 0))
    throw unusable('providerOptions.gridstr.maxSats is a whole number of sats.')
  const level = ([0, 1, 2, 3] as const).find(one => one === privacy)
  if (privacy !== undefined && level === undefined) throw unusable('providerOptions.gridstr.privacy is 0, 1, 2 or 3.')
  return present({
    capMsats: maxSats === undefined ? undefined : BigInt(Number(maxSats)) * 1_000n,
    node: typeof node === 'string' ? node : undefined,
    privacy: level,
    key: typeof key === 'string' ? key : undefined,
  })
}

/** Own settings of any kind of call. */
export const optionsOf = (given: CallOptions['providerOptions']): ReturnType<typeof ownOptions> =>
  ownOptions(given?.['gridstr'])

/** The question, and a warning for each setting that it cannot carry. Throws `GridstrFailure` for parts that are no text. */
export function questionOf(model: string, options: CallOptions): { question: SessionQuestion; warnings: Warning[] } {
  const warnings: Warning[] = []
  const tools = toolsOf(options.tools, warnings)
  const { toolChoice: choice, responseFormat: format, reasoning } = options
  if (reasoning !== undefined && reasoning !== 'provider-default' && reasoning !== 'none')
    warnings.push({ type: 'unsupported', feature: 'reasoning', details: 'The model thinks as much as it does.' })
  const question = {
    messages: options.prompt.flatMap(messagesOf),
    ...present({
      model: model === '' ? undefined : model,
      maxTokens: options.maxOutputTokens,
      temperature: options.temperature,
      topP: options.topP,
      topK: options.topK,
      seed: options.seed,
      presencePenalty: options.presencePenalty,
      frequencyPenalty: options.frequencyPenalty,
      stop: options.stopSequences?.length ? options.stopSequences : undefined,
      tools: tools.length > 0 ? tools : undefined,
      toolChoice:
        choice === undefined || tools.length === 0
          ? undefined
          : choice.type === 'tool'
            ? { name: choice.toolName }
            : choice.type,
      responseFormat:
        format?.type !== 'json'
          ? undefined
          : isObject(format.schema)
            ? ({ type: 'json_schema', schema: format.schema } as const)
            : ({ type: 'json_object' } as const),
    }),
    ...optionsOf(options.providerOptions),
  }
  return { question, warnings }
}
