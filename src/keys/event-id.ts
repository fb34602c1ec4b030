/**
 * What an event's id is computed from (NIP-01).
 * @module
 */
import type { Template } from '../../kinds/kind.ts'
import { sha256Hex } from '../hash.ts'

/**
 * The text that is hashed: NIP-01's array as JSON without spaces. Escapes are those of `JSON.stringify`, on which
 * all clients and relays agree; it differs from the letter of NIP-01 only in writing the rarer control characters as
 * `\u00XX`, since they would not be JSON otherwise.
 */
export const serialized = (pubkey: string, event: Template): string =>
  `[0,"${pubkey}",${event.created_at},${event.kind},${JSON.stringify(event.tags)},${JSON.stringify(event.content)}]`

/** NIP-01 id of an unsigned event, 64 hex digits. */
export const eventId = (event: Template & { readonly pubkey: string }): string =>
  sha256Hex(serialized(event.pubkey, event))

/**
 * Halves of surrogate pairs have no UTF-8 form, so two programs hash them differently. A half shows in JSON as
 * `\ud…`; that text may also stand there for itself, hence the second look.
 */
export function isSpeakable(text: string, event: Template): boolean {
  if (!text.includes('\\ud')) return true
  return event.content.isWellFormed() && event.tags.every(tag => tag.every(value => value.isWellFormed()))
}
