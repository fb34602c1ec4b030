/**
 * What an event's id is computed from (NIP-01), and the copy by which an object of unknown origin becomes one whose
 * seven fields cannot change between the check and the use.
 * @module
 */
import type { Event, Template } from '../../kinds/kind.ts'
import { sha256Hex } from './hash.ts'

const hex64 = /^[0-9a-f]{64}$/
const hex128 = /^[0-9a-f]{128}$/
// Finds every proxy in Node; browsers offer nothing of the kind, there the copy is the only defence.
const isProxy: (value: object) => boolean =
  globalThis.process?.getBuiltinModule?.('node:util')?.types?.isProxy ?? (() => false)

/** True for 64 lower-case hex digits: an id or a public key. */
export const isHex64 = (value: unknown): value is string => typeof value === 'string' && hex64.test(value)

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

function own(object: object, name: string): unknown {
  const field = Object.getOwnPropertyDescriptor(object, name)
  return field && 'value' in field ? field.value : undefined
}

function copyTags(raw: unknown): string[][] | undefined {
  if (!Array.isArray(raw) || isProxy(raw)) return undefined
  const tags: string[][] = []
  for (let i = 0; i < raw.length; i++) {
    const from: unknown = own(raw, String(i))
    if (!Array.isArray(from) || isProxy(from)) return undefined
    const tag: string[] = []
    for (let j = 0; j < from.length; j++) {
      const value: unknown = own(from, String(j))
      if (typeof value !== 'string') return undefined
      tag.push(value)
    }
    tags.push(tag)
  }
  return tags
}

/** Copy of what is to be signed, or `undefined` when a field is missing, inherited, computed or of the wrong shape. May throw what a proxy throws. */
export function copyTemplate(raw: unknown): Template | undefined {
  if (typeof raw !== 'object' || raw === null || isProxy(raw)) return undefined
  const kind = own(raw, 'kind')
  const created_at = own(raw, 'created_at')
  const content = own(raw, 'content')
  if (typeof kind !== 'number' || !Number.isInteger(kind) || kind < 0 || kind > 65_535) return undefined
  if (typeof created_at !== 'number' || !Number.isSafeInteger(created_at) || created_at < 0) return undefined
  if (typeof content !== 'string') return undefined
  const tags = copyTags(own(raw, 'tags'))
  return tags && { kind, created_at, tags, content }
}

/** Copy of the seven fields, or `undefined` as above. The signature is not looked at beyond its shape. */
export function copyEvent(raw: unknown): Event | undefined {
  const template = copyTemplate(raw)
  if (!template) return undefined
  const source = raw as object
  const id = own(source, 'id')
  const pubkey = own(source, 'pubkey')
  const sig = own(source, 'sig')
  if (!isHex64(id) || !isHex64(pubkey) || typeof sig !== 'string' || !hex128.test(sig)) return undefined
  const { created_at, kind, tags, content } = template
  return { id, pubkey, created_at, kind, tags, content, sig }
}

/** Freezes an event with its tags. Only for objects that nobody else holds yet. */
export function freezeEvent(event: Event): Event {
  for (const tag of event.tags) Object.freeze(tag)
  Object.freeze(event.tags)
  return Object.freeze(event)
}
