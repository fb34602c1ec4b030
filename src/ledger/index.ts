/**
 * The list of this room: one line per fold.
 * @module
 */

export { type CreditLine, type CreditPolicy, creditLine } from './credit-line.ts'
export type { BillFact } from './ledger.ts'
