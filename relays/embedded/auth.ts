/**
 * NIP-42: who a connection proved to be, and what that lets it write (NIP-70) and read.
 * @module
 */
import type { Event, Read } from '../../kinds/kind.ts'
import type { Filter } from '../relay.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'
import { ClientAuth } from './matching.ts'

/** Checks an AUTH event, signature aside; the value is the pubkey that it proves. */
export function readAuth(event: Event, connection: Connection, limits: Limits, now: number): Read<string> {
  const tag = (name: string) => event.tags.find(item => item[0] === name)?.[1]
  const refuse = (rule: string, says: string) => ({ ok: false, rule, says }) as const
  if (event.kind !== ClientAuth) return refuse('auth-kind', 'not an AUTH event')
  if (Math.abs(event.created_at - now) > limits.authAgeSeconds) return refuse('auth-time', 'created_at is not now')
  if (tag('challenge') !== connection.challenge) return refuse('auth-challenge', 'not the challenge of this connection')
  const relay = tag('relay')
  const host = relay !== undefined && URL.canParse(relay) ? new URL(relay).host : ''
  if (host !== connection.host) return refuse('auth-relay', 'meant for another relay')
  if (connection.authors.size >= limits.authors && !connection.authors.has(event.pubkey))
    return refuse('auth-count', `more than ${limits.authors} keys on one connection`)
  return { ok: true, value: event.pubkey }
}

/** NIP-70: why this connection may not publish the event; `undefined` when it may. */
export function refusesProtected(event: Event, connection: Connection): string | undefined {
  if (!event.tags.some(tag => tag[0] === '-') || connection.authors.has(event.pubkey)) return undefined
  return connection.authors.size === 0
    ? 'auth-required: protected event, only its author may publish it'
    : 'restricted: protected event of another author'
}

/** True when a connection may read the event: kinds in `restricted` only as its author or as one it names in a `p` tag. */
export function mayRead(event: Event, connection: Connection, restricted: ReadonlySet<number>): boolean {
  if (!restricted.has(event.kind) || connection.authors.has(event.pubkey)) return true
  return event.tags.some(tag => tag[0] === 'p' && tag[1] !== undefined && connection.authors.has(tag[1]))
}

/** True when a filter asks by kind for what only authenticated readers get. */
export const asksRestricted = (filters: readonly Filter[], restricted: ReadonlySet<number>): boolean =>
  restricted.size > 0 && filters.some(filter => filter.kinds?.some(kind => restricted.has(kind)))
