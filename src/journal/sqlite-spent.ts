/**
 * What the orders of a journal take from the caps, remembered while the file is open: caps are asked for before every
 * payment, and a busy day has thousands.
 * @module
 */
import type { Order, Orders } from './journal.ts'
import type { Pages } from './pages.ts'
import { spentOf } from './rules.ts'

export interface Spent {
  /** An order was written, or written anew. */
  note(order: Order): void
  /** As `Orders.spentMsats`. */
  sum(query: Parameters<Orders['spentMsats']>[0]): bigint
}

interface Spending extends Pick<Order, 'at' | 'peer' | 'job'> {
  readonly msats: bigint
}

/** More are read from the file each time. */
const MAX_KNOWN = 20_000

/** `read` gives all orders from a time on, of one peer or job where named. */
export function openSpent(pages: Pages, read: (query: Parameters<Orders['spentMsats']>[0]) => readonly Order[]): Spent {
  /** Of every order from `from` on, by hash. */
  let known = new Map<string, Spending>()
  let from = Number.POSITIVE_INFINITY
  const forget = () => {
    known = new Map()
    from = Number.POSITIVE_INFINITY
  }
  pages.onUndone(forget)
  const note = (order: Order) => {
    if (order.at < from) return
    if (known.size >= MAX_KNOWN) return forget()
    known.set(order.hash, spending(order))
  }

  return {
    note,
    sum({ since, peer, job }) {
      // Who only looks on hears of no writes.
      if (pages.readOnly) return read({ since, ...named(peer, job) }).reduce((sum, order) => sum + spentOf(order), 0n)
      if (since < from) {
        const orders = read({ since })
        forget()
        if (orders.length > MAX_KNOWN) return total(orders.map(spending), since, peer, job)
        from = since
        for (const order of orders) note(order)
      }
      return total(known.values(), since, peer, job)
    },
  }
}

const spending = (order: Order): Spending => ({ at: order.at, msats: spentOf(order), ...named(order.peer, order.job) })

const named = (peer: string | undefined, job: string | undefined) => ({
  ...(peer === undefined ? {} : { peer }),
  ...(job === undefined ? {} : { job }),
})

function total(all: Iterable<Spending>, since: number, peer: string | undefined, job: string | undefined): bigint {
  let spent = 0n
  for (const one of all)
    if (one.at >= since && (peer === undefined || one.peer === peer) && (job === undefined || one.job === job))
      spent += one.msats
  return spent
}
