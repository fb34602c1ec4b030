/**
 * lnd's history in both directions. lnd pages by its own counters and cannot leave out what is unpaid, so pages are read
 * until enough rows fit, with an end.
 * @module
 */
import type { Transaction } from '../../../src/payments/payment.ts'
import { type Fields, listOf, type Rest, wholeOf } from './rest.ts'
import { incomingRow, outgoingRow } from './rows.ts'

const PAGE = 100
const MAX_SCANNED = 5_000

export interface Query {
  readonly limit?: number
  readonly offset?: number
  readonly unpaid?: boolean
  readonly type?: 'incoming' | 'outgoing'
}

/** Newest first. */
export async function readBooks(rest: Rest, now: number, query: Query): Promise<readonly Transaction[]> {
  const { limit = 20, offset = 0, unpaid = false, type } = query
  const wanted = Math.min(limit + offset, MAX_SCANNED)
  const fits = (row: Transaction) => unpaid || row.state === 'settled'
  const read = async (direction: 'incoming' | 'outgoing') => {
    if (type && type !== direction) return []
    const [path, list, row] =
      direction === 'incoming'
        ? (['/v1/invoices?num_max_invoices', 'invoices', (one: Fields) => incomingRow(one, now)] as const)
        : (['/v1/payments?include_incomplete=true&max_payments', 'payments', outgoingRow] as const)
    const rows: Transaction[] = []
    let at = 0n
    for (let scanned = 0; scanned < MAX_SCANNED && rows.length < wanted; scanned += PAGE) {
      const page = await rest.ask('GET', `${path}=${PAGE}&reversed=true&index_offset=${at}`)
      // A page of a reversed list is in ascending order all the same.
      const found = [...listOf(page, list)].reverse()
      rows.push(...found.map(row).filter(fits))
      at = wholeOf(page, 'first_index_offset')
      if (found.length < PAGE || at <= 1n) break
    }
    return rows
  }
  const [incoming, outgoing] = await Promise.all([read('incoming'), read('outgoing')])
  // A stable order within one second: each list is in lnd's own.
  return [...incoming, ...outgoing].sort((a, b) => b.createdAt - a.createdAt).slice(offset, offset + limit)
}
