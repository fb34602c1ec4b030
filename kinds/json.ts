/**
 * JSON of strangers: bounded in size, depth and width, and rebuilt without the keys that reach a prototype.
 * @module
 */
import { isHex } from './hex.ts'
import type { Event } from './kind.ts'

/** Limits of one document. `chars` counts UTF-16 units, `depth` nested arrays and objects, `nodes` all values. */
export interface JsonLimits {
  readonly chars: number
  readonly depth: number
  readonly nodes: number
}

/** Escapes can spell a key too. */
const mayPoison = /\\u|__proto__|constructor|prototype/
const poisonous = new Set(['__proto__', 'constructor', 'prototype'])

/** The value of a JSON text, or `undefined` where it is no JSON or passes a limit. Never throws. */
export function parseJson(text: string, limits: JsonLimits): unknown {
  if (text.length > limits.chars) return undefined
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return undefined
  }
  let left = limits.nodes
  let fits = true
  const copy = (value: unknown, depth: number): unknown => {
    if (!fits || --left < 0 || depth > limits.depth) fits = false
    if (!fits || typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(item => copy(item, depth + 1))
    const fresh: Record<string, unknown> = {}
    for (const [key, item] of Object.entries(value)) if (!poisonous.has(key)) fresh[key] = copy(item, depth + 1)
    return fresh
  }
  // Without such a key, however spelled, nothing has to be rebuilt, only counted.
  const count = (value: object, depth: number): boolean => {
    if (depth > limits.depth) return false
    for (const item of Array.isArray(value) ? value : Object.values(value)) {
      if (--left < 0) return false
      if (typeof item !== 'object' || item === null) {
        if (depth === limits.depth) return false
      } else if (!count(item, depth + 1)) return false
    }
    return true
  }
  if (typeof raw === 'object' && raw !== null && !mayPoison.test(text))
    return --left >= 0 && count(raw, 0) ? raw : undefined
  const value = copy(raw, 0)
  return fits ? value : undefined
}

/** True for a JSON object: neither array nor null. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const hex = (value: unknown, chars: number): value is string => typeof value === 'string' && isHex(value, chars)

const whole = (value: unknown, most: number): value is number => Number.isSafeInteger(value) && within(value, most)
const within = (value: unknown, most: number): boolean => typeof value === 'number' && value >= 0 && value <= most

/** True for a JSON array of arrays of strings: the shape of a tag list. */
export const isTagList = (value: unknown): value is string[][] =>
  Array.isArray(value) && value.every(tag => Array.isArray(tag) && tag.every(item => typeof item === 'string'))

/** Reads the JSON of one signed event into a fresh object; its shape is checked (NIP-01), its signature is not. */
export function parseEvent(text: string): Event | undefined {
  return shapedEvent(parseJson(text, { chars: 262_144, depth: 3, nodes: 20_000 }))
}

/** A fresh event of a value that `parseJson` gave, or `undefined` where it has not the shape of one (NIP-01). */
export function shapedEvent(raw: unknown): Event | undefined {
  if (!isRecord(raw)) return undefined
  const { id, pubkey, created_at, kind, tags, content, sig } = raw
  if (!hex(id, 64) || !hex(pubkey, 64) || !hex(sig, 128) || typeof content !== 'string') return undefined
  if (!whole(created_at, Number.MAX_SAFE_INTEGER) || !whole(kind, 65_535) || !isTagList(tags)) return undefined
  return { id, pubkey, created_at, kind, tags, content, sig }
}
