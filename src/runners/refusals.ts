/**
 * The sentences with which every text runner refuses work before it is billed, so that a customer reads the same
 * rule and the same way out whichever runner stands behind the node.
 * @module
 */
import { deltasOutput, rerankRequest, type Tool, textRequest } from '../../kinds/index.ts'
import { anyObject, readSchema, type Tree } from './answers/schema.ts'
import type { Estimate, Work, WorkRefusal } from './runner.ts'

/** What a text runner answers when it is not told otherwise: text generation (NIP-90). */
export const textKinds: readonly number[] = [textRequest.number]

/** Tokens that a text answer gets when the customer names no limit and the context leaves that much. */
export const defaultAnswerTokens = 512

/** What a runner knows about itself when it looks at a piece of work. */
export interface Offer {
  readonly kinds: readonly number[]
  readonly model: string
  readonly contextTokens: number
}

/** Refuses what can be refused without counting a token: rules `kind`, `model` and `empty-prompt`. */
export function refuseEarly(offer: Offer, work: Work): WorkRefusal | undefined {
  if (!offer.kinds.includes(work.kind))
    return refuse('kind', `kind ${work.kind} is not served here; ask for ${offer.kinds.join(', ')}`)
  if (work.model !== undefined && work.model !== offer.model)
    return refuse('model', `the model asked for is not on offer; ask for ${offer.model} or leave it open`)
  if (work.kind !== textRequest.number) return undefined
  if (!work.messages.some(({ role, content }) => role === 'user' && content.trim() !== ''))
    return refuse('empty-prompt', 'the prompt is empty; send at least one user message with text')
  return undefined
}

/** Refuses by rule `too-long` what is too long to be worth counting: more than 64 characters for each token of context. */
export function refuseLength(offer: Offer, work: Work): WorkRefusal | undefined {
  const most = offer.contextTokens * 64
  const { tools = [], messages, texts = [], query = '' } = work
  const called = messages.flatMap(({ toolCalls = [] }) => toolCalls)
  const length =
    query.length +
    texts.reduce((longest, text) => Math.max(longest, text.length), 0) +
    messages.reduce((sum, { content }) => sum + content.length, 0) +
    called.reduce((sum, call) => sum + call.name.length + call.arguments.length, 0) +
    (tools.length > 0 ? JSON.stringify(tools).length : 0)
  if (length <= most) return undefined
  const says = `the prompt has ${length} characters and ${offer.model} holds ${offer.contextTokens} tokens`
  return refuse('too-long', `${says}; shorten it`)
}

/**
 * Refuses what cannot be embedded, ranked or classified: rules `empty-texts`, `query` and `dimensions`. `dimensions` is
 * the length of the model's vectors.
 */
export function refuseTexts(work: Work, dimensions: number): WorkRefusal | undefined {
  const { texts = [], query = '' } = work
  if (texts.length === 0) return refuse('empty-texts', 'there is no text; send at least one')
  const empty = texts.findIndex(text => text.trim() === '')
  if (empty >= 0) return refuse('empty-texts', `text ${empty + 1} is empty; leave it out`)
  if (work.kind === rerankRequest.number && query.trim() === '')
    return refuse('query', 'a ranking needs a query; send one input with the marker query')
  if (work.dimensions !== undefined && work.dimensions > dimensions)
    return refuse('dimensions', `the vectors have ${dimensions} numbers; ask for that many or fewer`)
  return undefined
}

/** Fits counted texts, each by itself: rule `too-long`, else the estimate that is billed; such answers have no tokens. */
export function fitTexts(offer: Offer, counts: readonly number[]): Estimate | WorkRefusal {
  const long = counts.findIndex(count => count > offer.contextTokens)
  if (long >= 0) {
    const says = `text ${long + 1} has ${counts[long]} tokens and ${offer.model} holds ${offer.contextTokens}`
    return refuse('too-long', `${says}; shorten it`)
  }
  return { ok: true, model: offer.model, promptTokens: counts.reduce((sum, count) => sum + count, 0), maxTokens: 0 }
}

/** Fits counted work into the context: rules `too-long` and `max-tokens`, else the estimate that is billed. */
export function fitContext(offer: Offer, work: Work, promptTokens: number): Estimate | WorkRefusal {
  const room = offer.contextTokens - promptTokens
  if (room < 1) {
    const says = `the prompt has ${promptTokens} tokens and ${offer.model} holds ${offer.contextTokens}, answer included`
    return refuse('too-long', `${says}; shorten it`)
  }
  const maxTokens = work.maxTokens ?? Math.min(defaultAnswerTokens, room)
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    return refuse('max-tokens', 'the limit of answer tokens must be a whole number from 1 up')
  if (maxTokens > room) {
    const says = `${promptTokens} prompt tokens and ${maxTokens} answer tokens do not fit into ${offer.contextTokens}`
    return refuse('max-tokens', `${says}; ask for ${room} or fewer`)
  }
  return { ok: true, model: offer.model, promptTokens, maxTokens }
}

/** A tool with the tree of its parameters. */
export interface Callable extends Tool {
  readonly tree: Tree
}

/** The wanted form of an answer, read and found possible. */
export interface Form {
  readonly ok: true
  /** Tools that may be called; none where calls are not wanted. */
  readonly tools: readonly Callable[]
  /** True where a call must come, and nothing else. */
  readonly mustCall: boolean
  /** JSON of this tree, where it is asked for. */
  readonly json?: Tree
}

/**
 * Reads what form an answer must have: rules `tools` (calls without deltas, choices that do not fit), `logprobs` (without
 * deltas), `schema` (what cannot be kept) and `conversation` (calls and answers that do not match).
 */
export function readForm(work: Work): Form | WorkRefusal {
  const { tools = [], toolChoice = 'auto', responseFormat, deltas = false } = work
  const pieces = `ask for the output ${deltasOutput}, which can carry it`
  if (work.logprobs !== undefined && !deltas) return refuse('logprobs', `plain text holds no probabilities; ${pieces}`)
  const unmatched = unmatchedCall(work)
  if (unmatched) return refuse('conversation', unmatched)
  const name = typeof toolChoice === 'object' ? toolChoice.name : undefined
  const wanted = name === undefined ? tools : tools.filter(tool => tool.name === name)
  const mustCall = name !== undefined || toolChoice === 'required'
  if (mustCall && wanted.length === 0)
    return refuse('tools', 'the tool that must be called is not among the tools; send it with the request')
  const called = toolChoice === 'none' ? [] : wanted
  if (called.length > 0 && !deltas) return refuse('tools', `plain text holds no calls of tools; ${pieces}`)
  if (called.length > 0 && !mustCall && responseFormat)
    return refuse('tools', 'tools and a response format go together only where the choice of tools is none or required')
  const callable: Callable[] = []
  for (const tool of called) {
    const read = readSchema(parametersOf(tool))
    if (!read.ok) return refuse('schema', `parameters of the tool ${tool.name}: ${read.says}`)
    callable.push({ ...tool, tree: read.tree })
  }
  const form = { ok: true, tools: callable, mustCall } as const
  if (!responseFormat || mustCall) return form
  if (responseFormat.type === 'json_object') return { ...form, json: anyObject }
  const read = readSchema(responseFormat.schema)
  return read.ok ? { ...form, json: read.tree } : refuse('schema', read.says)
}

/** Arguments are an object; a tool without parameters takes none. */
function parametersOf({ parameters = {} }: Tool): unknown {
  if (Object.keys(parameters).length === 0) return { type: 'object', properties: {} }
  return ['type', '$ref', 'anyOf', 'oneOf', 'allOf'].some(key => key in parameters)
    ? parameters
    : { type: 'object', ...parameters }
}

/** What is wrong with calls and answers of tools: each call is answered before anybody else speaks, and nothing else is. */
function unmatchedCall({ messages }: Work): string | undefined {
  const open = new Set<string>()
  for (const { role, toolCalls = [], toolCallId = '' } of messages) {
    if (role === 'tool') {
      if (!open.delete(toolCallId)) return 'a message of a tool answers no call before it; send the call as well'
      continue
    }
    if (open.size > 0) break
    for (const { id } of toolCalls) open.add(id)
  }
  return open.size > 0 ? 'a call of a tool has no answer; send one message of role tool for each call' : undefined
}

const refuse = (rule: string, says: string): WorkRefusal => ({ ok: false, rule, says })
