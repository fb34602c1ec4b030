/**
 * The events that a relay would keep, in an array: NIP-01 replacement, NIP-09 deletion, NIP-40 expiry, and a bound.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import { address, EventDeletion, expiration, isEphemeralKind, matches } from './embedded/matching.ts'
import type { Filter } from './relay.ts'

/** What the relay says of an offered event: NIP-01 OK. `fresh`: to be sent to those who listen. */
export interface Offered {
  readonly ok: boolean
  readonly says: string
  readonly fresh: boolean
}

export interface MemoryStore {
  /** `now` in unix seconds. */
  offer(event: Event, now: number): Offered
  /** Newest first, ties by lowest id, each filter cut by its own limit. */
  find(filters: readonly Filter[], now: number): Event[]
  readonly size: number
}

const refused = (says: string): Offered => ({ ok: false, says, fresh: false })
const isGone = (event: Event, now: number) => (expiration(event) ?? Number.POSITIVE_INFINITY) <= now

/** Keeps at most `limit` events; the first that came is the first to go. */
export function openMemoryStore(limit = 50_000): MemoryStore {
  const events = new Map<string, Event>()
  const held = new Map<string, Event>()

  const remove = (event: Event) => {
    events.delete(event.id)
    const at = address(event)
    if (at !== undefined && held.get(at)?.id === event.id) held.delete(at)
  }

  const isDeleted = (event: Event, at: string | undefined): boolean => {
    if (event.kind === EventDeletion) return false
    for (const other of events.values())
      if (other.kind === EventDeletion && other.pubkey === event.pubkey && names(other, event, at)) return true
    return false
  }

  const applyDeletion = (deletion: Event) => {
    for (const event of [...events.values()])
      if (event.pubkey === deletion.pubkey && event.kind !== EventDeletion && names(deletion, event, address(event)))
        remove(event)
  }

  return {
    offer(event, now) {
      if (events.has(event.id)) return { ok: true, says: 'duplicate: already have this event', fresh: false }
      if (isGone(event, now)) return refused('invalid: event expired')
      if (isEphemeralKind(event.kind)) return { ok: true, says: '', fresh: true }
      const at = address(event)
      if (isDeleted(event, at)) return refused('deleted: user requested deletion')
      if (at !== undefined) {
        const other = held.get(at)
        if (other) {
          const lead = other.created_at - event.created_at
          if (lead > 0 || (lead === 0 && other.id < event.id)) return refused('replaced: have newer event')
          remove(other)
        }
        held.set(at, event)
      }
      events.set(event.id, event)
      if (event.kind === EventDeletion) applyDeletion(event)
      const [first] = events.size > limit ? events.values() : []
      if (first) remove(first)
      return stored
    },
    find(filters, now) {
      const found = new Map<string, Event>()
      const alive = [...events.values()].filter(event => !isGone(event, now)).sort(newestFirst)
      for (const filter of filters) {
        let left = filter.limit ?? Number.POSITIVE_INFINITY
        for (const event of alive) {
          if (left <= 0) break
          if (!matches([filter], event)) continue
          found.set(event.id, event)
          left--
        }
      }
      return [...found.values()].sort(newestFirst)
    },
    get size() {
      return events.size
    },
  }
}

const stored: Offered = { ok: true, says: '', fresh: true }

/** NIP-01 order of stored events. */
const newestFirst = (a: Event, b: Event) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1)

/** NIP-09: by id, or by address up to the moment of the deletion. */
const names = (deletion: Event, event: Event, at: string | undefined): boolean =>
  deletion.tags.some(
    ([name, value]) =>
      (name === 'e' && value === event.id) ||
      (name === 'a' && at !== undefined && value === at && event.created_at <= deletion.created_at),
  )
