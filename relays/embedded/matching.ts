/**
 * Which filter matches which event, and what class a kind number belongs to: nostr-tools' reading of NIP-01.
 * @module
 */
import { matchFilter } from 'nostr-tools/filter'
import {
  ClientAuth,
  EventDeletion,
  GiftWrap,
  isAddressableKind,
  isEphemeralKind,
  isReplaceableKind,
} from 'nostr-tools/kinds'
import type { Event } from '../../kinds/kind.ts'
import type { Filter } from '../relay.ts'

export { ClientAuth, EventDeletion, GiftWrap, isEphemeralKind }

type ToolsFilter = Parameters<typeof matchFilter>[0]
type ToolsEvent = Parameters<typeof matchFilter>[1]

/** True when any filter matches. `limit` plays no part. nostr-tools takes `until: 0` for no bound; NIP-01 does not. */
export function matches(filters: readonly Filter[], event: Event): boolean {
  for (const filter of filters) {
    if (filter.until === 0 && event.created_at > 0) continue
    if (matchFilter(filter as ToolsFilter, event as ToolsEvent)) return true
  }
  return false
}

/** The `d` value of an addressable event: the first `d` tag, empty without one (NIP-01). */
export const identifier = (event: Event): string => event.tags.find(tag => tag[0] === 'd')?.[1] ?? ''

/** `kind:pubkey:d`, of which a relay keeps one version; `undefined` for kinds of which it keeps all. */
export function address(event: Event): string | undefined {
  if (isReplaceableKind(event.kind)) return `${event.kind}:${event.pubkey}:`
  if (isAddressableKind(event.kind)) return `${event.kind}:${event.pubkey}:${identifier(event)}`
  return undefined
}

/** NIP-40: unix second from which the event is gone; `undefined` when it never goes or the tag is no number. */
export function expiration(event: Event): number | undefined {
  const text = event.tags.find(tag => tag[0] === 'expiration')?.[1]
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** First values of single-letter tags (NIP-01), each once, as `name:value`. */
export function indexedTags(event: Event): Set<string> {
  const found = new Set<string>()
  for (const [name, value] of event.tags)
    if (value !== undefined && name !== undefined && isLetter(name)) found.add(`${name}:${value}`)
  return found
}

/** True for `a`…`z`, `A`…`Z`. */
export function isLetter(name: string): boolean {
  if (name.length !== 1) return false
  const code = name.charCodeAt(0) | 32
  return code >= 97 && code <= 122
}
