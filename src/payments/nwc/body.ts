/**
 * What the JSON inside NIP-47 events means: read tolerantly from any wallet or client, written as strictly as the strictest
 * known reader (rust-nostr) wants it. Amounts are msats; on the wire they are JSON integers.
 * @module
 */
import type { WalletNotification, WalletResponse } from '../../../kinds/index.ts'
import type { Held, Transaction } from '../payment.ts'

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

export type ReplyBody = WalletResponse['body']

/** A transaction as wallets really write it: any part may be missing. `state` is lower case; `hash` is `''` when not told. */
export interface Row extends Omit<Transaction, 'type' | 'msats'> {
  readonly type?: 'incoming' | 'outgoing'
  readonly msats?: bigint
  /** The wallet says `accepted`: the money waits at a hold invoice. `state` is `pending` then. */
  readonly held?: true
  /** Block height at which held money goes back by itself. */
  readonly settleDeadline?: number
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
  const settleDeadline = time(fields['settle_deadline'])
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
    ...(said === 'accepted' && { held: true }),
    ...(settleDeadline > 0 && { settleDeadline }),
  }
}

/** A row as the contract of payments shows it; `undefined` for one without direction. */
export function transactionOf(row: Row, msats: (bolt11: string) => bigint): Transaction | undefined {
  const { type, held: _, settleDeadline: __, ...rest } = row
  return type && { ...rest, type, msats: row.msats ?? msats(row.bolt11) }
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

/** An answer. `error: null` stands beside the result. */
export const resultBody = (method: string, result: Fields): ReplyBody => ({ result_type: method, error: null, result })

/** A refusal, with a code that strict readers know and a message, which they demand. */
export const errorBody = (method: string, code: Code, message: string): ReplyBody => ({
  result_type: method,
  error: { code, message: message || code },
  result: null,
})

/** What is told of a settled payment. */
export const notificationBody = (row: Transaction): WalletNotification['body'] => ({
  notification_type: row.type === 'incoming' ? 'payment_received' : 'payment_sent',
  notification: rowFields(row),
})

/** What is told of money that waits at a hold invoice. */
export const heldBody = (row: Transaction, held: Held): WalletNotification['body'] => ({
  notification_type: 'hold_invoice_accepted',
  notification: rowFields(row, held),
})

/**
 * One transaction for the wire: every number an integer, every state in lower case, nothing null. With `held` it is
 * `accepted` (NIP-47 hold invoices).
 */
export const rowFields = (row: Transaction, held?: Omit<Held, 'hash'>): Fields => ({
  type: row.type,
  state: held ? 'accepted' : row.state,
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
  ...(held?.settleDeadline !== undefined && { settle_deadline: held.settleDeadline }),
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

const time = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0
