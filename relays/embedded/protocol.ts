/**
 * What the embedded relay does with each message of NIP-01, 42 and 45. Knows no socket: a connection is handed in.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import { type Clock, seconds } from '../../src/clock.ts'
import type { Filter } from '../relay.ts'
import { openSeen } from '../seen.ts'
import { asksRestricted, mayRead, readAuth, refusesProtected } from './auth.ts'
import type { Connection, Live } from './connection.ts'
import type { Limits } from './limits.ts'
import { ClientAuth, expiration, isEphemeralKind } from './matching.ts'
import { newest, query, type Row, TooDear } from './query.ts'
import type { Store } from './store.ts'
import { openSubscriptions } from './subscriptions.ts'
import { claimedId, isSubscriptionId, readEvent, readFilter, readMessage, valuesOf } from './wire.ts'

export interface ProtocolOptions {
  readonly store: Store
  readonly clock: Clock
  readonly limits: Limits
  readonly verify: (event: Event) => boolean
  readonly authToRead: ReadonlySet<number>
  readonly onError: (says: string) => void
}

export interface Protocol {
  readonly counts: { readonly accepted: number; readonly refused: number; readonly subscriptions: number }
  opened(connection: Connection): void
  message(connection: Connection, text: string): void
  closed(connection: Connection): void
  /** Commits what is open and sends the OKs that wait for it. */
  flush(): void
}

type Answer = readonly [ok: boolean, says: string]

/** Stored rows that a question may look at for the price of one message. */
const ROWS_PER_TOKEN = 100

/** Ids of ephemeral events remembered at least and at most twice over, so that a repeat is not sent again. */
const EPHEMERAL_IDS = 10_000

/** Starts with no connection. */
export function openProtocol(options: ProtocolOptions): Protocol {
  const { store, clock, limits, verify, authToRead, onError } = options
  const subscriptions = openSubscriptions<Connection>()
  let accepted = 0
  let refused = 0
  let unanswered: { connection: Connection; id: string; says: string }[] = []
  const seen = openSeen(EPHEMERAL_IDS)

  const ok = (connection: Connection, id: string, [good, says]: Answer) => {
    if (good) accepted++
    else refused++
    connection.send(JSON.stringify(['OK', id, good, says]))
  }

  const flush = () => {
    const due = unanswered
    unanswered = []
    try {
      store.commit()
    } catch (error) {
      return failed(due, error)
    }
    for (const { connection, id, says } of due) ok(connection, id, [true, says])
  }

  const acknowledge = (connection: Connection, id: string, says: string) => {
    if (unanswered.length === 0) setImmediate(flush)
    unanswered.push({ connection, id, says })
  }

  const failed = (due: typeof unanswered, error: unknown) => {
    onError(`embedded relay could not store ${due.length} events: ${String(error)}`)
    for (const { connection, id } of due) ok(connection, id, [false, 'error: could not be stored'])
  }

  const broadcast = (event: Event, json: string): number => {
    let readers = 0
    subscriptions.match(event, found => {
      if (!mayRead(event, found.reader, authToRead)) return
      readers++
      found.reader.send(`${(found as Live).prefix}${json}]`)
    })
    return readers
  }

  const onEphemeral = (event: Event, json: string): Answer => {
    if (!verify(event)) return [false, 'invalid: id or signature does not fit']
    if (seen.has(event.id)) return [true, 'duplicate: already sent on']
    seen.add(event.id)
    return [true, broadcast(event, json) > 0 ? '' : 'mute: nobody was listening']
  }

  const onEvent = (connection: Connection, raw: unknown) => {
    const id = claimedId(raw)
    if (!connection.admit()) return ok(connection, id, [false, 'rate-limited: slow down'])
    const read = readEvent(raw, limits)
    if (!read.ok) return ok(connection, id, [false, `invalid: ${read.says}`])
    const { event, json } = read.value
    const now = seconds(clock)
    const no = (says: string) => ok(connection, id, [false, says])
    if (event.kind === ClientAuth) return no('invalid: authenticate with an AUTH message')
    if (event.created_at > now + limits.aheadSeconds) return no('invalid: created_at is too far ahead')
    const protectedFrom = refusesProtected(event, connection)
    if (protectedFrom) return no(protectedFrom)
    if (isEphemeralKind(event.kind)) {
      if (event.created_at < now - limits.ephemeralAgeSeconds) return no('invalid: ephemeral event is too old')
      return ok(connection, id, onEphemeral(event, json))
    }
    if ((expiration(event) ?? Number.POSITIVE_INFINITY) <= now) return no('invalid: event has expired')
    const known = store.find(id)
    if (known !== json && !verify(event)) return no('invalid: id or signature does not fit')
    try {
      const outcome = known === undefined ? store.insert(event, json) : 'duplicate'
      if (outcome === 'duplicate') return acknowledge(connection, id, 'duplicate: already stored')
      if (outcome === 'deleted') return no('blocked: its author deleted it')
      if (outcome === 'superseded') return no('duplicate: a newer version is stored')
    } catch (error) {
      const due = unanswered
      unanswered = []
      return failed([...due, { connection, id, says: '' }], error)
    }
    acknowledge(connection, id, '')
    broadcast(event, json)
  }

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

  const onAuth = (connection: Connection, raw: unknown) => {
    const id = claimedId(raw)
    const no = (says: string) => connection.send(JSON.stringify(['OK', id, false, says]))
    if (!connection.admit()) return no('rate-limited: slow down')
    const read = readEvent(raw, limits)
    if (!read.ok) return no(`invalid: ${read.says}`)
    const who = readAuth(read.value.event, connection, limits, seconds(clock))
    if (!who.ok) return no(`invalid: ${who.says}`)
    if (!verify(read.value.event)) return no('invalid: id or signature does not fit')
    connection.authors.add(who.value)
    connection.send(JSON.stringify(['OK', id, true, '']))
  }

  const onJunk = (connection: Connection, says: string) => {
    if (connection.admit()) connection.send(JSON.stringify(['NOTICE', `invalid: ${says}`]))
  }

  return {
    get counts() {
      return { accepted, refused, subscriptions: subscriptions.size }
    },
    opened: connection => connection.send(JSON.stringify(['AUTH', connection.challenge])),
    message(connection, text) {
      const read = readMessage(text)
      if (!read.ok) return onJunk(connection, read.says)
      const [verb, ...words] = read.value
      if (verb === 'EVENT') onEvent(connection, words[0])
      else if (verb === 'REQ') onReq(connection, words)
      else if (verb === 'CLOSE') typeof words[0] === 'string' && unsubscribe(connection, words[0])
      else if (verb === 'COUNT') onCount(connection, words)
      else if (verb === 'AUTH') onAuth(connection, words[0])
      else onJunk(connection, 'unknown message')
    },
    closed(connection) {
      for (const id of [...connection.subscriptions.keys()]) unsubscribe(connection, id)
    },
    flush,
  }
}
