/**
 * What a relay may say to us (NIP-01, NIP-42), read from a stranger's text: a plain value, or nothing.
 * @module
 */
import type { Event } from '../kinds/kind.ts'

export type Frame =
  | { readonly type: 'EVENT'; readonly sub: string; readonly event: Event }
  | { readonly type: 'EOSE'; readonly sub: string }
  | { readonly type: 'CLOSED'; readonly sub: string; readonly says: string }
  | { readonly type: 'OK'; readonly id: string; readonly ok: boolean; readonly says: string }
  | { readonly type: 'NOTICE'; readonly says: string }
  | { readonly type: 'AUTH'; readonly challenge: string }

/** Longest text of a relay that is kept: in an error, an ack, or a challenge that we sign. */
export const SAYS_CHARS = 500

/** Reads one message; `undefined` for everything that is none of the six. Never throws. */
export function readFrame(text: string): Frame | undefined {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(raw)) return undefined
  const [type, first, second, third]: unknown[] = raw
  if (typeof first !== 'string') return undefined
  switch (type) {
    case 'EVENT':
      return isEvent(second) ? { type, sub: first, event: second } : undefined
    case 'EOSE':
      return { type, sub: first }
    case 'CLOSED':
      return { type, sub: first, says: says(second) }
    case 'OK':
      return typeof second === 'boolean' ? { type, id: first, ok: second, says: says(third) } : undefined
    case 'NOTICE':
      return { type, says: says(first) }
    case 'AUTH':
      return first.length <= SAYS_CHARS ? { type, challenge: first } : undefined
    default:
      return undefined
  }
}

/** True when all seven fields have the types of NIP-01. Says nothing about id and signature. */
export function isEvent(raw: unknown): raw is Event {
  if (typeof raw !== 'object' || raw === null) return false
  const { id, pubkey, sig, content, kind, created_at, tags } = raw as Record<string, unknown>
  return (
    isHex(id, 64) &&
    isHex(pubkey, 64) &&
    isHex(sig, 128) &&
    typeof content === 'string' &&
    Number.isSafeInteger(kind) &&
    Number.isSafeInteger(created_at) &&
    Array.isArray(tags) &&
    tags.every(tag => Array.isArray(tag) && tag.every(item => typeof item === 'string'))
  )
}

/** A copy that nobody can change and that carries no foreign field or symbol. */
export function frozenEvent(event: Event): Event {
  const { id, pubkey, created_at, kind, content, sig } = event
  const tags = Object.freeze(event.tags.map(tag => Object.freeze([...tag])))
  return Object.freeze({ id, pubkey, created_at, kind, tags, content, sig })
}

const isHex = (raw: unknown, length: number): raw is string =>
  typeof raw === 'string' && raw.length === length && /^[0-9a-f]+$/.test(raw)

/** Copied, so that a short text does not keep a big message alive. */
const says = (raw: unknown): string =>
  typeof raw === 'string' ? JSON.parse(JSON.stringify(raw.slice(0, SAYS_CHARS).toWellFormed())) : ''
