/**
 * Kind 5050: a customer asks for generated text.
 * @module
 */
import { bad, dialects, good } from './5050-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { loose, maybe } from './fields.ts'
import { type Input, type Message, readMessages, requestFields } from './inputs.ts'
import type { Read } from './kind.ts'
import { type WishedTerms, wishedTerms } from './terms.ts'
import { decimal, hex, integer, text } from './values.ts'

/** A text generation job. `stream` asks for 26800 frames; `receipt` announces a zap request in a 21059 wrap. */
export interface TextRequest {
  readonly inputs: readonly Input[]
  readonly model?: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly frequencyPenalty?: number
  readonly seed?: number
  readonly output?: string
  readonly bidMsats?: bigint
  readonly relays: readonly string[]
  readonly providers: readonly string[]
  readonly expiresAt?: number
  readonly stream: boolean
  readonly receipt: boolean
  readonly alt?: string
  /** How the customer would like to pay. Absent: before the work. */
  readonly terms?: WishedTerms
  /** Id of the routing event (4631) that named the provider. Public on sealed jobs too. */
  readonly routing?: string
  /** Id of the quote (4630) that the customer takes up. Public on sealed jobs too. */
  readonly quote?: string
}

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
    model: maybe(
      param('model'),
      text('<name>'),
      'The wanted model.',
      inRange('model', 'a name of 1 to 256 characters'),
    ),
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
    terms: loose(
      'terms',
      wishedTerms,
      'How the customer would like to pay: before or after the work, in n parts (1 to 64; a third value says how many of them were bought elsewhere: they come as the last message, of the assistant), held until the answer is there, or held until a verifier releases it. A wish: the bill says what is. Unknown words are no wish.',
    ),
    routing: loose(
      'routing',
      hex('<routing event id>'),
      'The routing event (4631) that named the provider; public on sealed jobs too.',
    ),
    quote: loose('quote', hex('<quote id>'), 'The quote (4630) that the customer takes up; public on sealed jobs too.'),
  },
  content: 'Empty, or the ciphertext of a JSON list of the private tags. A public text is ignored.',
  rules: {
    input: 'A job has at least one input.',
    messages:
      'An input with marker `messages` is a JSON list of 1 to 256 `{role, content}` of role system, user or assistant, and there is one at most.',
  },
  seal: 'tags',
  bare: opened => ['i', opened, 'text'],
  read(found, { refuse }) {
    const { inputs, bid, relays, providers, stream, receipt, ...rest } = found
    if (inputs.length === 0) return refuse('input')
    const talks = inputs.filter(isTalk)
    if (talks.length > 1 || talks.some(talk => !readMessages(talk.data))) return refuse('messages')
    return ok(
      present({
        ...rest,
        inputs,
        bidMsats: bid,
        relays,
        providers,
        stream: stream ?? false,
        receipt: receipt === '9735',
      }),
    )
  },
  write: ({ bidMsats, stream, receipt, inputs, relays, providers, ...rest }: TextRequest) => ({
    fields: {
      ...rest,
      inputs: [...inputs],
      relays: [...relays],
      providers: [...providers],
      bid: bidMsats,
      stream: stream ? true : undefined,
      receipt: receipt ? '9735' : undefined,
    },
  }),
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
