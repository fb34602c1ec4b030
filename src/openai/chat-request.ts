/**
 * `/chat/completions`: from the body to questions.
 * @module
 */

import { present } from '../../kinds/index.ts'
import { whole } from '../../kinds/shapes.ts'
import type { SessionQuestion } from '../session/session.ts'
import { invalid } from './errors.ts'
import {
  countOf,
  type Fields,
  field,
  flag,
  modelOf,
  object,
  refuseUnserved,
  sampling,
  stopOf,
  streamOf,
  tokens,
} from './fields.ts'
import { formatOf, messagesOf, tooling, toolsOf } from './turns.ts'

/** A call that wants text: its questions, one for each choice, and how the answers are told. */
export interface TextCall {
  readonly questions: readonly SessionQuestion[]
  readonly model: string | undefined
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly logprobs: boolean
}

const unserved = ['logit_bias', 'audio', 'functions', 'function_call', 'web_search_options', 'moderation']

/** `n` times the question; of equal seeds all answers would be the same. */
export const times = (question: SessionQuestion, n: number): readonly SessionQuestion[] =>
  Array.from({ length: n }, (_, index) =>
    question.seed === undefined || index === 0
      ? question
      : { ...question, seed: (question.seed + index) % Number.MAX_SAFE_INTEGER },
  )

/**
 * Reads the body of a chat completion. What only concerns OpenAI's own house (`user`, `metadata`, `store`, `service_tier`,
 * `prediction`, caches) and what is a wish of effort (`reasoning_effort`, `verbosity`) is left out and never leaves.
 */
export function readChat(body: Fields): TextCall {
  refuseUnserved(body, unserved)
  const modalities = body['modalities']
  if (Array.isArray(modalities) && modalities.some(one => one !== 'text'))
    throw invalid('modalities', "'modalities' can only be text here.", 'unsupported_parameter')
  const logprobs = flag(body, 'logprobs')
  const top = field(body, 'top_logprobs', whole(0, 20), 'a whole number from 0 to 20')
  if (top !== undefined && !logprobs)
    throw invalid('top_logprobs', "'top_logprobs' is only allowed when 'logprobs' is true.")
  const format = field(body, 'response_format', object, 'an object')
  const schemaIn = format && field(format, 'json_schema', object, 'an object', 'response_format.')
  const parallel = field(
    body,
    'parallel_tool_calls',
    value => (typeof value === 'boolean' ? [value] : undefined),
    'true or false',
  )
  const { stream, includeUsage } = streamOf(body)
  const model = modelOf(body)
  const question: SessionQuestion = present({
    messages: messagesOf(body),
    model,
    ...sampling(body),
    maxTokens: tokens(body, 'max_completion_tokens') ?? tokens(body, 'max_tokens'),
    stop: stopOf(body),
    ...tooling(
      toolsOf(body, tool => tool['function']),
      body['tool_choice'],
      choice => object(choice['function'])?.['name'],
    ),
    parallelToolCalls: parallel?.[0],
    responseFormat: formatOf(format, 'response_format', schemaIn),
    logprobs: logprobs ? (top ?? 0) : undefined,
    stream,
  })
  return { questions: times(question, countOf(body)), model, stream, includeUsage, logprobs }
}
