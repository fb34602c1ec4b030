/**
 * Reading what strangers send: JSON of unknown shape into events and filters, or a sentence that says what is wrong.
 * Nothing is merged or walked deeper than its shape, so nested bombs and `__proto__` keys find no hold.
 * @module
 */
import type { Event, Read } from '../../kinds/kind.ts'
import type { Filter } from '../relay.ts'
import type { Limits } from './limits.ts'
import { isLetter } from './matching.ts'

const refuse = (rule: string, says: string) => ({ ok: false, rule, says }) as const

/** The words of one message: a JSON array whose first element is a string. */
export function readMessage(text: string): Read<readonly [string, ...unknown[]]> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return refuse('json', 'not JSON')
  }
  if (!Array.isArray(parsed) || typeof parsed[0] !== 'string') return refuse('message', 'not a message of NIP-01')
  return { ok: true, value: [parsed[0], ...parsed.slice(1)] }
}

/** The id by which an OK must name this event, also when the rest is junk; empty when there is none. */
export function claimedId(raw: unknown): string {
  const id = isRecord(raw) ? raw['id'] : undefined
  return typeof id === 'string' ? id.slice(0, 64) : ''
}

/** The seven fields of NIP-01, checked by shape and size, and their normalised JSON. The signature is not checked here. */
export function readEvent(raw: unknown, limits: Limits): Read<{ event: Event; json: string }> {
  if (!isRecord(raw)) return refuse('shape', 'event is no object')
  if (Object.keys(raw).length > 7 && !isShallow(raw, limits.jsonDepth)) return refuse('depth', 'nested too deep')
  const { id, pubkey, created_at, kind, tags, content, sig } = raw
  if (!isHex(id, 64)) return refuse('id', 'id is not 64 lower-case hex digits')
  if (!isHex(pubkey, 64)) return refuse('pubkey', 'pubkey is not 64 lower-case hex digits')
  if (!isHex(sig, 128)) return refuse('sig', 'sig is not 128 lower-case hex digits')
  if (!isCount(created_at)) return refuse('created_at', 'created_at is no unix time')
  if (!isCount(kind) || kind > 65_535) return refuse('kind', 'kind is not within 0 and 65535')
  if (typeof content !== 'string' || !content.isWellFormed()) return refuse('content', 'content is no Unicode string')
  if (!Array.isArray(tags)) return refuse('tags', 'tags is no array')
  if (tags.length > limits.tags) return refuse('tags', `more than ${limits.tags} tags`)
  for (const tag of tags) {
    if (!Array.isArray(tag)) return refuse('tags', 'a tag is no array')
    for (const item of tag)
      if (typeof item !== 'string' || !item.isWellFormed()) return refuse('tags', 'a tag item is no Unicode string')
  }
  const event: Event = { id, pubkey, created_at, kind, tags, content, sig }
  const json = JSON.stringify(event)
  if (json.length > limits.eventBytes || Buffer.byteLength(json) > limits.eventBytes)
    return refuse('size', `event is larger than ${limits.eventBytes} bytes`)
  return { ok: true, value: { event, json } }
}

/** Sub id of NIP-01: 1 to `max` characters. */
export const isSubscriptionId = (id: unknown, max: number): id is string =>
  typeof id === 'string' && id.length > 0 && id.length <= max

/** One filter with exact values. Fields that this relay does not know are refused, for ignoring them would answer another question. */
export function readFilter(raw: unknown): Read<Filter> {
  if (!isRecord(raw)) return refuse('filter', 'filter is no object')
  const filter: Filter = {}
  for (const [key, value] of Object.entries(raw)) {
    if (key === 'ids' || key === 'authors') {
      if (!isList(value, isId)) return refuse('filter', `${key} must be a list of 64 lower-case hex digits`)
      filter[key] = value
    } else if (key === 'kinds') {
      if (!isList(value, isCount)) return refuse('filter', 'kinds must be a list of whole numbers')
      filter.kinds = value
    } else if (key === 'since' || key === 'until' || key === 'limit') {
      if (!isCount(value)) return refuse('filter', `${key} must be a whole number`)
      filter[key] = value
    } else if (key[0] === '#' && isLetter(key.slice(1))) {
      const exact = key === '#e' || key === '#p'
      if (!isList(value, exact ? isId : isText))
        return refuse('filter', `${key} must be a list of ${exact ? '64 lower-case hex digits' : 'strings'}`)
      filter[key as `#${string}`] = value
    } else return refuse('unsupported', 'filter field is not supported by this relay')
  }
  return { ok: true, value: filter }
}

/** How many values a filter makes the relay remember. */
export function valuesOf(filter: Filter): number {
  let count = 1
  for (const value of Object.values(filter)) if (Array.isArray(value)) count += value.length
  return count
}

const isRecord = (raw: unknown): raw is Record<string, unknown> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw)

const isCount = (raw: unknown): raw is number => Number.isSafeInteger(raw) && (raw as number) >= 0

const isList = <T>(raw: unknown, is: (item: unknown) => item is T): raw is T[] => Array.isArray(raw) && raw.every(is)

const isText = (raw: unknown): raw is string => typeof raw === 'string' && raw.isWellFormed()

const isId = (raw: unknown): raw is string => isHex(raw, 64)

function isHex(raw: unknown, length: number): raw is string {
  return typeof raw === 'string' && raw.length === length && /^[0-9a-f]+$/.test(raw)
}

/** Bounded recursion: never goes below `depth`. */
function isShallow(raw: unknown, depth: number): boolean {
  if (typeof raw !== 'object' || raw === null) return true
  if (depth === 0) return false
  return Object.values(raw).every(value => isShallow(value, depth - 1))
}
