/**
 * What job requests have in common: inputs, conversations, and the fields that say who may answer where and until when.
 * @module
 */
import { list, loose, many, maybe } from './fields.ts'
import { isRecord, parseJson } from './json.ts'
import { hex, msats, relayList, relayUrl, seconds, text, type Value, yes } from './values.ts'

/** One NIP-90 `i` tag. `data` of an `event` or `job` input is an event id. */
export interface Input {
  readonly data: string
  readonly type: 'text' | 'url' | 'event' | 'job'
  readonly relay?: string
  readonly marker?: string
}

/** One turn of a conversation. */
export interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
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

/** A whole conversation as one input: a JSON list of `{role, content}` under the marker `messages`. */
export const messagesInput = (messages: readonly Message[]): Input => ({
  data: JSON.stringify(messages.map(({ role, content }) => ({ role, content }))),
  type: 'text',
  marker: 'messages',
})

const isMessage = (value: unknown): value is Message =>
  isRecord(value) &&
  (value['role'] === 'system' || value['role'] === 'user' || value['role'] === 'assistant') &&
  typeof value['content'] === 'string'

/** Reads the data of a `messages` input: 1 to 256 turns; `undefined` for anything else. */
export function readMessages(data: string): Message[] | undefined {
  const list = parseJson(data, { chars: 262_144, depth: 2, nodes: 4_096 })
  if (!Array.isArray(list) || list.length === 0 || list.length > 256 || !list.every(isMessage)) return undefined
  return list.map(({ role, content }) => ({ role, content }))
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
  receipt: loose(
    'receipt',
    text('9735', 16),
    'The customer will send its zap request (9734) in a 21059 wrap and wants a 9735.',
  ),
  alt: loose('alt', text('<text>', 1_024), 'NIP-31 fallback text.'),
}
