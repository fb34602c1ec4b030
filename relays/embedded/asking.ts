/**
 * REQ, COUNT and CLOSE: a subscription is live before its stored events are looked up, so nothing falls between.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import { seconds } from '../../src/clock.ts'
import type { Filter } from '../relay.ts'
import { asksRestricted, mayRead } from './auth.ts'
import type { Connection, Live } from './connection.ts'
import type { Desk } from './protocol.ts'
import { newest, query, type Row, TooDear } from './query.ts'
import { isSubscriptionId, readFilter, valuesOf } from './wire.ts'

export interface Asking {
  req(connection: Connection, words: unknown[]): void
  count(connection: Connection, words: unknown[]): void
  /** CLOSE; unknown ids are nothing. */
  unsubscribe(connection: Connection, id: string): void
}

/** Stored rows that a question may look at for the price of one message. */
const ROWS_PER_TOKEN = 100

/** Answers from the store and the subscriptions of the desk. */
export function openAsking({ store, clock, limits, authToRead, subscriptions }: Desk): Asking {
  // The id is given back whole even where it is refused for its length: the client finds its question by it.
  const closedBy = (connection: Connection, id: unknown, says: string) =>
    connection.send(JSON.stringify(['CLOSED', typeof id === 'string' ? id.slice(0, 1024) : '', says]))

  const unsubscribe = (connection: Connection, id: string) => {
    const live = connection.subscriptions.get(id)
    if (!live) return
    live.closed = true
    connection.subscriptions.delete(id)
    connection.filterValues -= live.values
    subscriptions.remove(live)
  }

  /** The id and filters of a REQ or COUNT that may be answered; otherwise it was CLOSED. */
  const readRequest = (connection: Connection, [id, ...raw]: unknown[]) => {
    if (!connection.admit()) return closedBy(connection, id, 'rate-limited: slow down')
    if (!isSubscriptionId(id, limits.subscriptionIdChars))
      return closedBy(connection, id, `invalid: subscription id has 1 to ${limits.subscriptionIdChars} characters`)
    if (raw.length === 0) return closedBy(connection, id, 'invalid: no filter')
    if (raw.length > limits.filters) return closedBy(connection, id, `invalid: more than ${limits.filters} filters`)
    const filters: Filter[] = []
    for (const one of raw) {
      const read = readFilter(one)
      if (!read.ok)
        return closedBy(connection, id, `${read.rule === 'unsupported' ? 'unsupported' : 'invalid'}: ${read.says}`)
      filters.push(read.value)
    }
    if (connection.authors.size === 0 && asksRestricted(filters, authToRead))
      return closedBy(connection, id, 'auth-required: these kinds are only for those they concern')
    return { id, filters }
  }

  const rowsOf = (connection: Connection, filters: Filter[], limit: (filter: Filter) => number): Row[] => {
    const budget = { rows: limits.scanRows }
    const keep = authToRead.size > 0 ? (event: Event) => mayRead(event, connection, authToRead) : undefined
    const found = new Map<number, Row>()
    try {
      for (const filter of filters)
        for (const row of query(store, filter, { now: seconds(clock), limit: limit(filter), budget, keep }))
          found.set(row.n, row)
    } finally {
      connection.charge((limits.scanRows - budget.rows) / ROWS_PER_TOKEN)
    }
    return newest([...found.values()], Number.POSITIVE_INFINITY)
  }

  const onReq = (connection: Connection, words: unknown[]) => {
    if (typeof words[0] === 'string') unsubscribe(connection, words[0])
    const request = readRequest(connection, words)
    if (!request) return
    const { id, filters } = request
    const values = filters.reduce((sum, filter) => sum + valuesOf(filter), 0)
    if (connection.subscriptions.size >= limits.subscriptions)
      return closedBy(connection, id, `restricted: more than ${limits.subscriptions} subscriptions`)
    if (connection.filterValues + values > limits.filterValues)
      return closedBy(connection, id, `restricted: more than ${limits.filterValues} filter values`)
    const live: Live = {
      id,
      filters,
      reader: connection,
      prefix: `["EVENT",${JSON.stringify(id)},`,
      values,
      closed: false,
    }
    connection.subscriptions.set(id, live)
    connection.filterValues += values
    subscriptions.add(live)
    const refuse = (says: string) => {
      unsubscribe(connection, id)
      closedBy(connection, id, says)
    }
    try {
      const rows = rowsOf(connection, filters, filter => Math.min(filter.limit ?? limits.limit, limits.limit))
      const eose = () => connection.send(JSON.stringify(['EOSE', id]))
      if (!connection.stream(live, rows, n => store.json(n), eose)) refuse('rate-limited: read your answers first')
    } catch (error) {
      if (!(error instanceof TooDear)) throw error
      refuse(`error: ${error.message}`)
    }
  }

  const onCount = (connection: Connection, words: unknown[]) => {
    const request = readRequest(connection, words)
    if (!request) return
    try {
      const count = rowsOf(connection, request.filters, () => Number.POSITIVE_INFINITY).length
      connection.send(JSON.stringify(['COUNT', request.id, { count }]))
    } catch (error) {
      if (!(error instanceof TooDear)) throw error
      closedBy(connection, request.id, `error: ${error.message}`)
    }
  }

  return { req: onReq, count: onCount, unsubscribe }
}
