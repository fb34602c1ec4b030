/**
 * A journal whose every write is two crossings: before it and after it.
 * @module
 */
import type { Journal, Plain, Shelf } from '../../src/journal/index.ts'
import type { Points } from './points.ts'

/** Keys of shelves without what differs from run to run. */
const classOf = (key: string) => key.replace(/[0-9a-f]{16,}|\d+/g, '*')

const wordOf = (fact: Plain): string => {
  const word = (fact as { fact?: unknown } | null)?.fact
  return typeof word === 'string' ? word : 'fact'
}

export function crossingJournal(inner: Journal, { cross }: Points): Journal {
  const around = <T>(name: string, write: () => T): T => {
    cross(`journal:${name}:before`)
    const value = write()
    cross(`journal:${name}:after`)
    return value
  }
  const { jobs, outbox, orders, bills } = inner
  return {
    path: inner.path,
    jobs: {
      ...jobs,
      open: row => around('open', () => jobs.open(row)),
      fact: (side, id, fact, weight) => around(`fact ${wordOf(fact)}`, () => jobs.fact(side, id, fact, weight)),
      end: (side, id, at) => around('end', () => jobs.end(side, id, at)),
    },
    outbox: {
      ...outbox,
      keep: (said, weight) => around(`keep ${classOf(said.slot)}`, () => outbox.keep(said, weight)),
      taken: id => around('taken', () => outbox.taken(id)),
    },
    orders: {
      ...orders,
      plan: row => around(`plan ${row.purpose}`, () => orders.plan(row)),
      end: (hash, end) => around(`order ${end.state}`, () => orders.end(hash, end)),
    },
    bills: {
      ...bills,
      add: row => around(`bill ${row.purpose}`, () => bills.add(row)),
      end: (hash, end) => around(`bill ${end.state}`, () => bills.end(hash, end)),
      credit: row => around(`credit ${row.why}`, () => bills.credit(row)),
    },
    shelf: name => crossingShelf(name, inner.shelf(name), around),
    atomically: (write, weight) => around('together', () => inner.atomically(write, weight)),
    prune: before => inner.prune(before),
    close: () => inner.close(),
  }
}

function crossingShelf(name: string, inner: Shelf, around: <T>(name: string, write: () => T) => T): Shelf {
  const named = (verb: string, key: string) => `${verb} ${name}/${classOf(key)}`
  return {
    get: key => inner.get(key),
    set: (key, value, weight) => around(named('set', key), () => inner.set(key, value, weight)),
    claim: (key, value, weight) => around(named('claim', key), () => inner.claim(key, value, weight)),
    delete: (key, weight) => around(named('delete', key), () => inner.delete(key, weight)),
    entries: prefix => inner.entries(prefix),
    get size() {
      return inner.size
    },
  }
}
