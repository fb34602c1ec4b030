/**
 * What job requests have in common: inputs, conversations, and the fields that say who may answer where and until when.
 * @module
 */
import { list, loose, many, maybe } from './fields.ts'
import { type Message, writeMessages } from './messages.ts'
import { type Privacy, privacyLevel } from './privacy.ts'
import { type WishedTerms, wishedTerms } from './terms.ts'
import { hex, msats, relayList, relayUrl, seconds, text, type Value, yes } from './values.ts'

/** One NIP-90 `i` tag. `data` of an `event` or `job` input is an event id. */
export interface Input {
  readonly data: string
  readonly type: 'text' | 'url' | 'event' | 'job'
  readonly relay?: string
  readonly marker?: string
}

const types: Readonly<Record<string, Input['type'] | undefined>> = {
  '': 'text',
  text: 'text',
  prompt: 'text',
  url: 'url',
  event: 'event',
  job: 'job',
}

const fits = (type: Input['type'], data: string): boolean => {
  if (type === 'text') return data.length <= 262_144
  if (type === 'url') return data.length <= 2_048 && /^https?:\/\//i.test(data) && URL.canParse(data)
  return /^[0-9a-f]{64}$/.test(data)
}

/** NIP-90 `i`: data, type (missing or `prompt` is text), relay, marker. A marker in the relay's place is one too. */
export const input: Value<Input> = {
  form: '<data> <text|url|event|job> <relay?> <marker?>',
  read([data, kind = '', third = '', fourth = '']) {
    const type = Object.hasOwn(types, kind.toLowerCase()) ? types[kind.toLowerCase()] : undefined
    if (data === undefined || type === undefined || !fits(type, data)) return undefined
    const relay = relayUrl(third)
    const marker = (fourth || (relay === undefined ? third : '')).slice(0, 256)
    return { data, type, ...(relay === undefined ? {} : { relay }), ...(marker === '' ? {} : { marker }) }
  },
  write: ({ data, type, relay, marker }) =>
    marker === undefined ? [data, type, ...(relay === undefined ? [] : [relay])] : [data, type, relay ?? '', marker],
}

/** A plain text input. */
export const textInput = (data: string): Input => ({ data, type: 'text' })

/** A whole conversation as one input: a JSON list of turns under the marker `messages`. */
export const messagesInput = (messages: readonly Message[]): Input => ({
  data: writeMessages(messages),
  type: 'text',
  marker: 'messages',
})

/** What every job says, whatever its kind. `stream` asks for 26800 frames; `receipt` announces a zap request in a 21059 wrap. */
export interface JobRequest {
  readonly inputs: readonly Input[]
  readonly model?: string
  readonly output?: string
  readonly bidMsats?: bigint
  readonly relays: readonly string[]
  readonly providers: readonly string[]
  readonly expiresAt?: number
  readonly stream: boolean
  readonly receipt: boolean
  /** Parts of the text so far in 7000 `partial`, now and then. */
  readonly partial?: boolean
  /** The level of privacy that the customer relies on. */
  readonly privacy?: Privacy
  readonly alt?: string
  /** How the customer would like to pay. Absent: before the work. */
  readonly terms?: WishedTerms
  /** Id of the routing event (4631) that named the provider. Public on sealed jobs too. */
  readonly routing?: string
  /** Id of the quote (4630) that the customer takes up. Public on sealed jobs too. */
  readonly quote?: string
}

/** The fields of every job request. `bid` and `expiration` are promises about money and time, so bad ones refuse the job. */
export const requestFields = {
  inputs: many(
    'i',
    input,
    'What to work on, in order.',
    'Each input is text, an http(s) url, or the id of an event or job; there are at most 64.',
  ),
  output: loose('output', text('<mime>', 128), 'The wanted form of the result.'),
  bid: maybe(
    'bid',
    msats,
    'The most that the customer will pay. Further values are ignored.',
    'A bid is whole msats in plain digits, said once.',
  ),
  relays: list('relays', relayList, 'Where answers are expected; at most ten are used.'),
  providers: many(
    'p',
    hex('<provider pubkey>'),
    'Who is asked. None: whoever wants to.',
    'A provider is named by 64 lower-case hex digits; at most 64 are.',
  ),
  expiresAt: maybe(
    'expiration',
    seconds,
    'After this the customer has no use for an answer (NIP-40).',
    'An expiration is whole unix seconds, said once.',
  ),
  stream: loose(['param', 'stream'], yes, 'The customer listens for 26800 frames.'),
  partial: loose(['param', 'partial'], yes, 'The customer wants the text so far in `partial` feedback, now and then.'),
  privacy: loose(
    ['param', 'privacy'],
    privacyLevel,
    'The level of privacy that the customer relies on: a provider that does not keep it refuses.',
  ),
  model: maybe(
    ['param', 'model'],
    text('<name>'),
    'The wanted model.',
    '`model` is a name of 1 to 256 characters, and all mentions of it agree.',
  ),
  receipt: loose(
    'receipt',
    text('9735', 16),
    'The customer will send its zap request (9734) in a 21059 wrap and wants a 9735.',
  ),
  alt: loose('alt', text('<text>', 1_024), 'NIP-31 fallback text.'),
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
}

interface FoundJob {
  readonly bid: bigint | undefined
  readonly stream: boolean | undefined
  readonly receipt: string | undefined
}

/** A job of the fields that were found. */
export const jobOf = <F extends FoundJob>({ bid, stream, receipt, ...rest }: F) => ({
  ...rest,
  ...{ bidMsats: bid, stream: stream ?? false, receipt: receipt === '9735' },
})

/** The fields of a job, for the writer. */
export const fieldsOf = <J extends JobRequest>({ bidMsats, stream, receipt, ...rest }: J) => ({
  ...rest,
  ...{ inputs: [...rest.inputs], relays: [...rest.relays], providers: [...rest.providers] },
  ...{ bid: bidMsats, stream: stream ? true : undefined, receipt: receipt ? '9735' : undefined },
})
