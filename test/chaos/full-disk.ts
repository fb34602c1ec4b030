/**
 * A journal on a disk that fills up: from one write on, every write throws, until somebody makes room.
 * @module
 */
import { type Journal, JournalError, type Shelf } from '../../src/journal/journal.ts'

export interface FullDisk extends Journal {
  /** Writes so far, failed ones included. */
  readonly writes: number
  /** A write failed, and nobody has made room. */
  readonly isFull: boolean
  makeRoom(): void
}

/**
 * `journal` whose write number `at` fails, and every later one. With `forgets`, letting go of what is over goes on: nothing
 * depends on it.
 */
export function onFullDisk(journal: Journal, at: number, forgets: boolean): FullDisk {
  let writes = 0
  let isFull = false
  let hasRoom = false
  const write =
    <A extends readonly unknown[], R>(run: (...args: A) => R) =>
    (...args: A): R => {
      writes++
      if (!hasRoom && writes >= at) isFull = true
      if (isFull) throw new JournalError('full', 'The disk is full: make room, then start again.')
      return run(...args)
    }
  const { jobs, outbox, orders, bills } = journal
  const shelfOf = (shelf: Shelf): Shelf => ({
    get: key => shelf.get(key),
    set: write(shelf.set.bind(shelf)),
    claim: write(shelf.claim.bind(shelf)),
    delete: forgets ? shelf.delete.bind(shelf) : write(shelf.delete.bind(shelf)),
    entries: prefix => shelf.entries(prefix),
    get size() {
      return shelf.size
    },
  })
  return {
    path: journal.path,
    jobs: {
      open: write(jobs.open.bind(jobs)),
      fact: write(jobs.fact.bind(jobs)),
      end: forgets ? jobs.end.bind(jobs) : write(jobs.end.bind(jobs)),
      unfinished: side => jobs.unfinished(side),
      ended: (side, limit) => jobs.ended(side, limit),
      find: (side, id) => jobs.find(side, id),
    },
    outbox: {
      keep: write(outbox.keep.bind(outbox)),
      taken: write(outbox.taken.bind(outbox)),
      of: job => outbox.of(job),
      pending: now => outbox.pending(now),
    },
    orders: {
      plan: write(orders.plan.bind(orders)),
      end: write(orders.end.bind(orders)),
      get: hash => orders.get(hash),
      spentMsats: query => orders.spentMsats(query),
      list: query => orders.list(query),
    },
    bills: {
      add: write(bills.add.bind(bills)),
      end: write(bills.end.bind(bills)),
      credit: write(bills.credit.bind(bills)),
      get: hash => bills.get(hash),
      list: query => bills.list(query),
      creditMsats: customer => bills.creditMsats(customer),
      credits: query => bills.credits(query),
    },
    shelf: name => shelfOf(journal.shelf(name)),
    atomically: (run, weight) => journal.atomically(run, weight),
    prune: before => journal.prune(before),
    close: () => journal.close(),
    get writes() {
      return writes
    },
    get isFull() {
      return isFull
    },
    makeRoom() {
      hasRoom = true
      isFull = false
    },
  }
}
