/**
 * EVENT and AUTH: what the embedded relay checks, keeps, sends on and answers. Cheap checks come first, the signature
 * last, and OK true only after the store has committed.
 * @module
 */

import type { Event } from '../../kinds/kind.ts'
import { seenSet } from '../../src/bounded.ts'
import { seconds } from '../../src/clock.ts'
import { mayRead, readAuth, refusesProtected } from './auth.ts'
import type { Connection, Live } from './connection.ts'
import { ClientAuth, expiration, isEphemeralKind } from './matching.ts'
import type { Desk } from './protocol.ts'
import { claimedId, readEvent } from './wire.ts'

export interface Publishing {
  readonly accepted: number
  readonly refused: number
  event(connection: Connection, raw: unknown): void
  auth(connection: Connection, raw: unknown): void
  /** Commits what is open and sends the OKs that wait for it. */
  flush(): void
}

type Answer = readonly [ok: boolean, says: string]

/** Ids of ephemeral events remembered at least and at most twice over, so that a repeat is not sent again. */
const EPHEMERAL_IDS = 10_000

/** Both counts start at zero. */
export function openPublishing({ store, clock, limits, verify, authToRead, onError, subscriptions }: Desk): Publishing {
  let accepted = 0
  let refused = 0
  let unanswered: { connection: Connection; id: string; says: string }[] = []
  const seen = seenSet(EPHEMERAL_IDS)

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
    if (broadcast(event, json) === 0) return [true, 'mute: nobody was listening']
    seen.add(event.id)
    return [true, '']
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

  return {
    get accepted() {
      return accepted
    },
    get refused() {
      return refused
    },
    event: onEvent,
    auth: onAuth,
    flush,
  }
}
