/**
 * A journal that ends with the process: for tests, browsers and whoever wants no file. Keeps copies, as a file would.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { decode, encode } from './codec.ts'
import type { Billed, CreditRow, JobRow, Journal, Order, Plain, Said, Shelf, Side } from './journal.ts'
import { type Rows, rowsInMemory } from './memory-rows.ts'
import {
  asPlain,
  bareEvent,
  checkJob,
  checkKeys,
  checkOutcome,
  checkSaid,
  checkSeconds,
  endedBill,
  endedOrder,
  newBill,
  newCredit,
  newOrder,
  pageOf,
  spentOf,
} from './rules.ts'

interface KeptJob {
  readonly side: Side
  readonly id: string
  readonly at: number
  readonly opening: string
  readonly facts: string[]
  readonly endedAt?: number
}

interface KeptWord extends Omit<Said, 'event'> {
  readonly n: number
  readonly eventId: string
  readonly event: string
  readonly taken: boolean
}

interface ListQuery {
  readonly since?: number
  readonly until?: number
  readonly limit?: number
  readonly offset?: number
}

/** Newest first, as a file lists them. */
function newestFirst<T extends { readonly at: number }>(
  rows: Rows<T>,
  query: ListQuery,
  fits: (row: T) => boolean,
): T[] {
  const { limit, offset } = pageOf(query)
  const { since = 0, until = Number.MAX_SAFE_INTEGER } = query
  const found = rows.all().filter(row => row.at >= since && row.at <= until && fits(row))
  // `sort` is stable, so that of two of the same second the later one comes first.
  return found
    .reverse()
    .sort((a, b) => b.at - a.at)
    .slice(offset, offset + limit)
}

const is = (wanted: string | undefined, value: string | undefined) => wanted === undefined || wanted === value
const jobKey = (side: Side, id: string) => `${side} ${id}`

/** Opens an empty journal. */
export function memoryJournal(): Journal {
  const store = rowsInMemory()
  const jobs = store.rows<KeptJob>()
  /** By job, each in the order of keeping. */
  const words = store.rows<readonly KeptWord[]>()
  /** Jobs by the event that was kept for them. */
  const jobsByEvent = store.rows<readonly string[]>()
  let kept = 0
  const orders = store.rows<Order>()
  const bills = store.rows<Billed>()
  const credits = store.rows<CreditRow>()
  const shelves = new Map<string, Rows<string>>()

  const jobOf = ({ side, id, at, opening, facts }: KeptJob): JobRow & { facts: readonly Plain[] } => ({
    side,
    id,
    at,
    opening: decode(opening),
    facts: facts.map(decode),
  })
  const saidOf = ({ job, slot, event, until }: KeptWord): Said => ({
    job,
    slot,
    event: decode(event) as object as Event,
    until,
  })
  const keptFor = (customer: string) =>
    credits.all().reduce((sum, row) => (row.customer === customer ? sum + row.msats : sum), 0n)

  return {
    path: ':memory:',
    jobs: {
      open(row) {
        checkJob(row)
        const { side, id, at } = row
        const opening = encode(row.opening)
        return store.write(() => jobs.add(jobKey(side, id), { side, id, at, opening, facts: [] }))
      },
      fact(side, id, fact) {
        const text = encode(fact)
        store.write(() => {
          const job = jobs.get(jobKey(side, id))
          if (!job) throw new Error(`${side} job ${id} was never opened in this journal`)
          job.facts.push(text)
          store.undoing(() => job.facts.pop())
        })
      },
      end(side, id, at) {
        checkSeconds(at)
        store.write(() => {
          const job = jobs.get(jobKey(side, id))
          if (job && job.endedAt === undefined) jobs.put(jobKey(side, id), { ...job, endedAt: at })
        })
      },
      unfinished: side =>
        store.read(() =>
          jobs
            .all()
            .filter(job => job.side === side && job.endedAt === undefined)
            .sort((a, b) => a.at - b.at)
            .map(jobOf),
        ),
      ended: (side, limit) =>
        store.read(() =>
          jobs
            .all()
            .flatMap(job => (job.side === side && job.endedAt !== undefined ? [{ job, endedAt: job.endedAt }] : []))
            .reverse()
            .sort((a, b) => b.endedAt - a.endedAt)
            .slice(0, limit)
            .map(({ job, endedAt }) => ({ ...jobOf(job), endedAt })),
        ),
      find: (side, id) =>
        store.read(() => {
          const job = jobs.get(jobKey(side, id))
          return job && { ...jobOf(job), ...(job.endedAt === undefined ? {} : { endedAt: job.endedAt }) }
        }),
    },
    outbox: {
      keep(said) {
        checkSaid(said)
        const { job, slot, until } = said
        const event = bareEvent(said.event)
        return store.write(() => {
          const mine = words.get(job) ?? []
          const there = mine.find(word => word.slot === slot)
          if (there) return saidOf(there).event
          const text = encode(asPlain(event))
          words.put(job, [...mine, { n: kept++, job, slot, until, eventId: event.id, event: text, taken: false }])
          jobsByEvent.put(event.id, [...(jobsByEvent.get(event.id) ?? []), job])
          return event
        })
      },
      of: job => store.read(() => (words.get(job) ?? []).map(saidOf)),
      pending: now =>
        store.read(() =>
          words
            .all()
            .flat()
            .filter(word => !word.taken && word.until > now)
            .sort((a, b) => a.n - b.n)
            .map(saidOf),
        ),
      taken(eventId) {
        checkKeys(eventId)
        store.write(() => {
          for (const job of jobsByEvent.get(eventId) ?? []) {
            const mine = words.get(job) ?? []
            words.put(
              job,
              mine.map(word => (word.eventId === eventId ? { ...word, taken: true } : word)),
            )
          }
        })
      },
    },
    orders: {
      plan(row) {
        const order = newOrder(row)
        return store.write(() => orders.add(order.hash, order))
      },
      end(hash, end) {
        store.write(() => {
          const order = orders.get(hash)
          if (!order) throw new Error(`payment ${hash} was never ordered in this journal`)
          orders.put(hash, endedOrder(order, end))
        })
      },
      get: hash => store.read(() => copy(orders.get(hash))),
      spentMsats({ since, peer, job }) {
        checkSeconds(since)
        const counts = (order: Order) => order.at >= since && is(peer, order.peer) && is(job, order.job)
        return store.read(() => orders.all().reduce((sum, one) => (counts(one) ? sum + spentOf(one) : sum), 0n))
      },
      list: (query = {}) =>
        store.read(() =>
          newestFirst(orders, query, row => is(query.job, row.job) && is(query.state, row.state)).map(copy),
        ),
    },
    bills: {
      add(row) {
        const bill = newBill(row)
        return store.write(() => bills.add(bill.hash, bill))
      },
      end(hash, end) {
        store.write(() => {
          const bill = bills.get(hash)
          if (!bill) throw new Error(`bill ${hash} was never written in this journal`)
          bills.put(hash, endedBill(bill, end))
        })
      },
      get: hash => store.read(() => copy(bills.get(hash))),
      list: (query = {}) =>
        store.read(() =>
          newestFirst(
            bills,
            query,
            row => is(query.job, row.job) && is(query.customer, row.customer) && is(query.state, row.state),
          ).map(copy),
        ),
      credit(row) {
        const credit = newCredit(row)
        return store.write(() => {
          if (credit.msats < 0n && keptFor(credit.customer) + credit.msats < 0n) return false
          return credits.add(credit.id, credit)
        })
      },
      creditMsats: customer => store.read(() => keptFor(customer)),
      credits: (query = {}) =>
        store.read(() =>
          newestFirst(credits, query, row => is(query.customer, row.customer) && is(query.job, row.job)).map(copy),
        ),
    },
    shelf(name) {
      checkKeys(name)
      const rows = shelves.get(name) ?? store.rows<string>()
      shelves.set(name, rows)
      return shelfOf(rows, store)
    },
    atomically: write => store.together(() => checkOutcome(write())),
    prune(before) {
      checkSeconds(before)
      return store.write(() => {
        const ended = jobs.all().filter(job => job.endedAt !== undefined && job.endedAt < before)
        for (const job of ended) jobs.remove(jobKey(job.side, job.id))
        for (const { id } of ended) {
          if (jobs.get(jobKey('client', id)) || jobs.get(jobKey('node', id))) continue
          for (const { eventId } of words.get(id) ?? []) {
            const others = (jobsByEvent.get(eventId) ?? []).filter(job => job !== id)
            if (others.length === 0) jobsByEvent.remove(eventId)
            else jobsByEvent.put(eventId, others)
          }
          words.remove(id)
        }
        return ended.length
      })
    },
    close: store.close,
  }
}

const copy = <T extends object | undefined>(row: T): T => (row === undefined ? row : { ...row })

function shelfOf(rows: Rows<string>, store: ReturnType<typeof rowsInMemory>): Shelf {
  return {
    get: key =>
      store.read(() => {
        const text = rows.get(key)
        return text === undefined ? undefined : decode(text)
      }),
    set(key, value) {
      checkKeys(key)
      const text = encode(value)
      store.write(() => rows.put(key, text))
    },
    claim(key, value) {
      checkKeys(key)
      const text = encode(value)
      return store.write(() => rows.add(key, text))
    },
    delete: key => store.write(() => rows.remove(key)),
    *entries(prefix = '') {
      for (const [key, text] of store.read(() => rows.entries()))
        if (key.startsWith(prefix)) yield [key, decode(text)] as const
    },
    get size() {
      return store.read(() => rows.size)
    },
  }
}
