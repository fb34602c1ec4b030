/**
 * The JSON inside NIP-47 events: read tolerantly from any wallet or client, written as strictly as the strictest
 * known reader (rust-nostr) wants it. Amounts are msats; on the wire they are JSON integers.
 * @module
 */
import type { Read } from '../../../kinds/kind.ts'
import type { Transaction } from '../payment.ts'

/** NIP-47's error codes: all that a strict reader knows. */
export const CODES = [
  'RATE_LIMITED',
  'NOT_IMPLEMENTED',
  'INSUFFICIENT_BALANCE',
  'QUOTA_EXCEEDED',
  'RESTRICTED',
  'UNAUTHORIZED',
  'INTERNAL',
  'UNSUPPORTED_ENCRYPTION',
  'OTHER',
  'PAYMENT_FAILED',
  'NOT_FOUND',
] as const

export type Code = (typeof CODES)[number]

/** Any JSON object. */
export type Fields = Readonly<Record<string, unknown>>

export interface RequestBody {
  readonly method: string
  readonly params: Fields
}

/** A reply says exactly one of the two; where a wallet wrote both, the error counts. */
export type ReplyBody =
  | { readonly method: string; readonly error: { readonly code: string; readonly message: string } }
  | { readonly method: string; readonly error: undefined; readonly result: Fields }

export interface NotificationBody {
  readonly type: string
  readonly row: Row
}

/** A transaction as wallets really write it: any part may be missing. `state` is lower case; `hash` is `''` when not told. */
export interface Row extends Omit<Transaction, 'type' | 'msats'> {
  readonly type?: 'incoming' | 'outgoing'
  readonly msats?: bigint
}

/** Reads a request's JSON. */
export function readRequestBody(text: string): Read<RequestBody> {
  const body = object(text)
  if (!body) return refuse('json', 'The request is no JSON object.')
  const method = body['method']
  if (typeof method !== 'string' || method === '' || method.length > 64)
    return refuse('method', 'The request names no method.')
  const params = body['params'] ?? {}
  if (!isFields(params)) return refuse('params', 'The request has params that are no object.')
  return { ok: true, value: { method, params } }
}

/** Reads a response's JSON. An `error` that is not null makes it an error, whatever `result` says. */
export function readReplyBody(text: string): Read<ReplyBody> {
  const body = object(text)
  if (!body) return refuse('json', 'The response is no JSON object.')
  const method = body['result_type']
  if (typeof method !== 'string') return refuse('result-type', 'The response names no result_type.')
  const said = body['error'] ?? undefined
  if (said !== undefined) {
    const error = isFields(said) ? said : {}
    return { ok: true, value: { method, error: { code: word(error['code']), message: phrase(error['message']) } } }
  }
  const result = body['result']
  if (!isFields(result)) return refuse('result', 'The response has neither an error nor a result.')
  return { ok: true, value: { method, error: undefined, result } }
}

/** Reads a notification's JSON. */
export function readNotificationBody(text: string): Read<NotificationBody> {
  const body = object(text)
  if (!body) return refuse('json', 'The notification is no JSON object.')
  const type = body['notification_type']
  const row = body['notification']
  if (typeof type !== 'string' || !isFields(row)) return refuse('notification', 'The notification has no type or row.')
  return { ok: true, value: { type, row: readRow(row) } }
}

/** Reads one transaction; never fails, leaves out what it cannot use. A row without a state is settled when it has a `settled_at`. */
export function readRow(fields: Fields): Row {
  const type = text(fields['type'])?.toLowerCase()
  const said = text(fields['state'])?.toLowerCase()
  const settledAt = time(fields['settled_at'])
  const msats = amount(fields['amount'])
  const preimage = text(fields['preimage'])?.toLowerCase()
  const description = text(fields['description'])
  const descriptionHash = text(fields['description_hash'])?.toLowerCase()
  return {
    ...((type === 'incoming' || type === 'outgoing') && { type }),
    state: said === undefined ? (settledAt ? 'settled' : 'pending') : (STATES.get(said) ?? 'pending'),
    hash: text(fields['payment_hash'])?.toLowerCase() ?? '',
    bolt11: text(fields['invoice']) ?? '',
    ...(msats !== undefined && { msats }),
    feeMsats: amount(fields['fees_paid']) ?? 0n,
    createdAt: time(fields['created_at']),
    expiresAt: time(fields['expires_at']),
    ...(settledAt > 0 && { settledAt }),
    ...(preimage && { preimage }),
    ...(description && { description }),
    ...(descriptionHash && { descriptionHash }),
  }
}

/** Msats from a JSON integer (or, as some wallets write, a string of digits); `undefined` for anything else. */
export function amount(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined
}

/** Text of bounded length, or nothing. */
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.length <= 16_384 ? value : undefined

/** True for a JSON object (no array, no null). */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Writes a request. */
export const writeRequestBody = (method: string, params: Fields): string => JSON.stringify({ method, params })

/** Writes an answer: `error: null` beside the result. */
export const writeResult = (method: string, result: Fields): string =>
  JSON.stringify({ result_type: method, error: null, result })

/** Writes a refusal, with a code that strict readers know and a message, which they demand. */
export const writeError = (method: string, code: Code, message: string): string =>
  JSON.stringify({ result_type: method, error: { code, message: message || code }, result: null })

/** Writes a notification: `payment_received` or `payment_sent`. */
export const writeNotification = (row: Transaction): string =>
  JSON.stringify({
    notification_type: row.type === 'incoming' ? 'payment_received' : 'payment_sent',
    notification: rowFields(row),
  })

/** One transaction for the wire: every number an integer, every state in lower case, nothing null. */
export const rowFields = (row: Transaction): Fields => ({
  type: row.type,
  state: row.state,
  invoice: row.bolt11,
  payment_hash: row.hash,
  amount: integer(row.msats),
  fees_paid: integer(row.feeMsats),
  created_at: row.createdAt,
  expires_at: row.expiresAt,
  ...(row.settledAt !== undefined && { settled_at: row.settledAt }),
  ...(row.preimage !== undefined && { preimage: row.preimage }),
  ...(row.description !== undefined && { description: row.description }),
  ...(row.descriptionHash !== undefined && { description_hash: row.descriptionHash }),
})

/** Msats as a JSON integer. Throws `RangeError` past 2^53, which is ninety thousand bitcoin. */
export function integer(msats: bigint): number {
  const number = Number(msats)
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError('The amount does not fit a JSON integer.')
  return number
}

const STATES: ReadonlyMap<string, Transaction['state']> = new Map([
  ['pending', 'pending'],
  // Held: locked in, and either side can still send it back.
  ['accepted', 'pending'],
  ['settled', 'settled'],
  ['failed', 'failed'],
  ['expired', 'expired'],
])

const refuse = (rule: string, says: string) => ({ ok: false, rule, says }) as const

const time = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0

const word = (value: unknown): string => (typeof value === 'string' && /^[A-Z_]{1,40}$/.test(value) ? value : 'OTHER')

const phrase = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 300) : '')

function object(json: string): Fields | undefined {
  if (json.length > 262_144) return undefined
  try {
    const value: unknown = JSON.parse(json)
    return isFields(value) ? value : undefined
  } catch {
    return undefined
  }
}
