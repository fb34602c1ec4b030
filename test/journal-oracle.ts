/**
 * What a journal must say, in the plainest way: lists that are searched from end to end. Nothing here is shared with the
 * journals themselves.
 * @module
 */
import type { Billed, CreditRow, JobRow, Order, Plain, Said } from '../src/journal/index.ts'

export interface Oracle {
  jobs: (JobRow & { facts: Plain[]; endedAt?: number })[]
  words: (Said & { taken: boolean })[]
  orders: Order[]
  bills: Billed[]
  credits: CreditRow[]
  shelf: [string, Plain][]
}

export const emptyOracle = (): Oracle => ({ jobs: [], words: [], orders: [], bills: [], credits: [], shelf: [] })

const newest = <T extends { readonly at: number }>(rows: readonly T[]): T[] =>
  rows
    .map((row, n) => ({ row, n }))
    .sort((a, b) => b.row.at - a.row.at || b.n - a.n)
    .map(({ row }) => row)

/** The same shape as `everything` of `journal-rows.ts`. */
export function everythingOf(oracle: Oracle, names: { jobs: readonly string[] }) {
  const unfinished = (side: string) =>
    oracle.jobs
      .map((job, n) => ({ job, n }))
      .filter(({ job }) => job.side === side && job.endedAt === undefined)
      .sort((a, b) => a.job.at - b.job.at || a.n - b.n)
      .map(({ job }) => job)
  const said = ({ taken: _, ...word }: Oracle['words'][number]): Said => word
  const credits = newest(oracle.credits)
  return {
    jobs: names.jobs.flatMap(id =>
      ['client', 'node'].map(side => oracle.jobs.find(job => job.side === side && job.id === id)),
    ),
    unfinished: [unfinished('client'), unfinished('node')],
    words: names.jobs.map(id => oracle.words.filter(word => word.job === id).map(said)),
    pending: oracle.words.filter(word => !word.taken && word.until > 0).map(said),
    orders: newest(oracle.orders),
    eachOrder: newest(oracle.orders),
    planned: newest(oracle.orders.filter(one => one.state === 'planned')),
    spent: oracle.orders
      .filter(one => one.state !== 'failed')
      .reduce((sum, one) => sum + one.msats + (one.feeMsats ?? 0n), 0n),
    bills: newest(oracle.bills),
    eachBill: newest(oracle.bills),
    credits,
    kept: [...new Set(credits.map(row => row.customer))].map(customer => kept(oracle, customer)),
    shelves: [[oracle.shelf.length, oracle.shelf.map(([key, value]) => [key, value])]],
  }
}

export const kept = (oracle: Oracle, customer: string): bigint =>
  oracle.credits.filter(row => row.customer === customer).reduce((sum, row) => sum + row.msats, 0n)
