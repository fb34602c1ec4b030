/**
 * The contract of this room: pure folds of what was signed, billed and paid into what it means. Nobody here reads a
 * clock, a file or a relay; the same history gives the same word to everybody who folds it. Money is bigint msats.
 * @module
 */

/**
 * What became of one bill of a customer, as its payee saw it. `open`: the work is delivered and nothing has come yet.
 * `void`: nothing came and nothing was owed. `defaulted`: work was delivered for it and nothing came.
 */
export interface BillFact {
  readonly state: 'open' | 'paid' | 'void' | 'defaulted'
  readonly msats: bigint
  /** Unix seconds at which it was made, and at which it ended where that is another time. */
  readonly at: number
  readonly endedAt?: number
}
