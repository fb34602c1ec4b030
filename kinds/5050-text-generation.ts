/**
 * Kind 5050: a customer asks for generated text.
 * @module
 */
import { bad, dialects, good } from './5050-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { loose, maybe } from './fields.ts'
import { fieldsOf, type Input, type JobRequest, jobOf, requestFields } from './inputs.ts'
import type { Read } from './kind.ts'
import {
  type Message,
  type ResponseFormat,
  readMessages,
  responseFormat,
  stopTexts,
  type Tool,
  type ToolChoice,
  toolChoice,
  tools,
} from './messages.ts'
import { decimal, integer, yes } from './values.ts'

/** How a text is wanted. */
export interface TextWishes {
  /** Longest answer, in tokens of the model. */
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
  readonly seed?: number
  /** Texts that end the answer; they are not part of it. */
  readonly stop?: readonly string[]
  readonly tools?: readonly Tool[]
  readonly toolChoice?: ToolChoice
  /** False: one call at most. */
  readonly parallelToolCalls?: boolean
  readonly responseFormat?: ResponseFormat
  /** Wants the probability of each token, and of so many others in its place. */
  readonly logprobs?: number
}

/** A text generation job. */
export interface TextRequest extends JobRequest, TextWishes {}

const param = (key: string, ...aliases: string[]) => ['param', key, ...aliases] as const
const inRange = (what: string, from: string) => `\`${what}\` is ${from}, and all mentions of it agree.`

/** Text generation request (NIP-90 kind 5050). */
export const textRequest = defineKind({
  number: 5050,
  name: 'text generation request',
  says: 'A customer asks for text: an answer to a prompt or the next turn of a conversation.',
  source: 'NIP-90; data-vending-machines kind 5050',
  fields: {
    ...requestFields,
    maxTokens: maybe(
      param('max_tokens', 'max-tokens', 'maxTokens'),
      integer('<count>', 1, 1_000_000),
      'The longest wanted answer, in tokens of the model.',
      inRange('max_tokens', 'a whole number from 1 to 1,000,000'),
    ),
    temperature: maybe(
      param('temperature'),
      decimal('<number>', 0, 2),
      'Sampling temperature; 0 is greedy.',
      inRange('temperature', 'a number from 0 to 2'),
    ),
    topP: maybe(
      param('top_p', 'top-p'),
      decimal('<number>', 0, 1),
      'Nucleus sampling.',
      inRange('top_p', 'a number from 0 to 1'),
    ),
    topK: maybe(
      param('top_k', 'top-k'),
      integer('<count>', 0, 1_000_000),
      'Sampling among the k likeliest; 0 is all.',
      inRange('top_k', 'a whole number from 0 to 1,000,000'),
    ),
    frequencyPenalty: maybe(
      param('frequency_penalty', 'frequency-penalty'),
      decimal('<number>', -2, 2),
      'Penalty on repetition.',
      inRange('frequency_penalty', 'a number from -2 to 2'),
    ),
    seed: maybe(
      param('seed'),
      integer('<number>', 0, Number.MAX_SAFE_INTEGER),
      'Makes sampling repeatable.',
      inRange('seed', 'a whole number from 0 to 2^53-1'),
    ),
    stop: maybe(
      param('stop'),
      stopTexts,
      'Texts that end the answer; they are not part of it.',
      inRange('stop', 'one to 16 texts of 1 to 256 characters'),
    ),
    presencePenalty: maybe(
      param('presence_penalty', 'presence-penalty'),
      decimal('<number>', -2, 2),
      'Penalty on what was said at all.',
      inRange('presence_penalty', 'a number from -2 to 2'),
    ),
    tools: maybe(
      param('tools'),
      tools,
      'Tools that the model may call. Ask for `output` application/x-ndjson beside it.',
      inRange('tools', 'a JSON list of 1 to 128 tools, each with a name of its own, within 65,536 characters'),
    ),
    toolChoice: maybe(
      param('tool_choice'),
      toolChoice,
      'Whether tools may, must not or must be called.',
      inRange('tool_choice', '`auto`, `none`, `required` or `function` and a name'),
    ),
    parallelToolCalls: loose(param('parallel_tool_calls'), yes, 'False: one call at most.'),
    responseFormat: maybe(
      param('response_format'),
      responseFormat,
      'The text must be JSON, of this schema where one is given.',
      inRange('response_format', '`json_object`, or `json_schema` and a JSON schema within 65,536 characters'),
    ),
    logprobs: maybe(
      param('logprobs'),
      integer('<count>', 0, 20),
      'Wants each token with its probability and so many others. Ask for `output` application/x-ndjson beside it.',
      inRange('logprobs', 'a whole number from 0 to 20'),
    ),
  },
  content: 'Empty, or the ciphertext of a JSON list of the private tags. A public text is ignored.',
  rules: {
    input: 'A job has at least one input.',
    messages:
      'An input with marker `messages` is a JSON list of 1 to 1,024 `{role, content, tool_calls?, tool_call_id?}` of role system (or developer), user, assistant or tool, and there is one at most.',
  },
  seal: 'tags',
  bare: opened => ['i', opened, 'text'],
  read(found, { refuse }) {
    if (found.inputs.length === 0) return refuse('input')
    const talks = found.inputs.filter(isTalk)
    if (talks.length > 1 || talks.some(talk => !readMessages(talk.data))) return refuse('messages')
    return ok(present(jobOf(found)))
  },
  write(value: TextRequest) {
    const { stop, tools: may, ...rest } = fieldsOf(value)
    return { fields: { ...rest, stop: stop && [...stop], tools: may && [...may] } }
  },
  good,
  dialects,
  bad,
})

const isTalk = (input: Input): boolean => input.type === 'text' && input.marker === 'messages'

/**
 * The conversation of a job, oldest first: its `messages` input, or else its text inputs joined by blank lines as one
 * user message. Inputs that point elsewhere must have been fetched before; rule `5050.text` where no text is left.
 */
export function messagesOf(request: Pick<TextRequest, 'inputs'>): Read<readonly Message[]> {
  const texts = request.inputs.filter(input => input.type === 'text')
  const talk = texts.find(isTalk)
  if (talk) {
    const messages = readMessages(talk.data)
    return messages
      ? ok(messages)
      : { ok: false, rule: '5050.messages', says: 'The conversation is no list of messages.' }
  }
  const content = texts.map(input => input.data).join('\n\n')
  if (content.trim() === '') return { ok: false, rule: '5050.text', says: 'The job brings no text to answer.' }
  return ok([{ role: 'user', content }])
}
