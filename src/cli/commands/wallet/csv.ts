/**
 * Receipts as a table that other programs read: CSV after RFC 4180 and JSON, the same columns in both.
 * @module
 */
import { npub } from '../../../keys.ts'
import { clean } from '../../command.ts'
import type { Row } from './rows.ts'
import { sats, utc } from './words.ts'

/** One settled movement of money. Msats are digits in a string, because spreadsheets and JSON readers round big numbers. */
export interface Receipt {
  readonly time: string
  readonly direction: 'in' | 'out'
  readonly purpose: string
  readonly counterparty: string
  readonly job: string
  readonly msats: string
  readonly fee_msats: string
  readonly sats: string
  readonly payment_hash: string
  readonly preimage: string
  readonly bolt11: string
  readonly description: string
  readonly receipt: string
  readonly state: string
}

export const COLUMNS = [
  'time',
  'direction',
  'purpose',
  'counterparty',
  'job',
  'msats',
  'fee_msats',
  'sats',
  'payment_hash',
  'preimage',
  'bolt11',
  'description',
  'receipt',
  'state',
] as const satisfies readonly (keyof Receipt)[]

/** `sats` is the amount without the fee. */
export const receiptOf = (row: Row): Receipt => ({
  time: utc(row.at),
  direction: row.direction === 'in' ? 'in' : 'out',
  purpose: row.purpose,
  counterparty: row.peer === undefined ? '' : npubOrNothing(row.peer),
  job: row.job ?? '',
  msats: row.msats.toString(),
  fee_msats: row.feeMsats.toString(),
  sats: sats(row.msats),
  payment_hash: row.hash ?? '',
  preimage: row.preimage ?? '',
  bolt11: row.bolt11 ?? '',
  description: clean(row.description ?? ''),
  receipt: row.receipt ?? '',
  state: row.state,
})

/** A table with a heading; every line ends with CR LF. */
export const csv = (receipts: readonly Receipt[]): string =>
  [COLUMNS, ...receipts.map(receipt => COLUMNS.map(column => receipt[column]))]
    .map(cells => `${cells.map(cell).join(',')}\r\n`)
    .join('')

/** An array, one receipt a line. */
export const json = (receipts: readonly Receipt[]): string =>
  receipts.length === 0 ? '[]\n' : `[\n${receipts.map(receipt => JSON.stringify(receipt)).join(',\n')}\n]\n`

/** One field: quoted where it must be, and never a formula to a spreadsheet. */
export function cell(text: string): string {
  const safe = defused(text)
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/**
 * Text that a spreadsheet would calculate gets an apostrophe in front, as OWASP advises; so does text that begins with
 * one, so that taking one away gives every text back.
 */
export const defused = (text: string): string =>
  /^[\s\u00a0\ufeff]*['=+\-@|%\uff1d\uff0b\uff0d\uff20\t\r\n]/.test(text) ? `'${text}` : text

function npubOrNothing(pubkey: string): string {
  return /^[0-9a-f]{64}$/.test(pubkey) ? npub(pubkey) : ''
}
