/**
 * Plain values as text and back: JSON, with bigints, bytes and the numbers that JSON has no word for in objects of one
 * key that begins with `$`. Runs in a browser.
 * @module
 */
import type { Plain } from './journal.ts'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** Deeper than any fact of ours, and far from the end of the stack. */
const MAX_DEPTH = 256
const CHUNK = 8192

/** One line of text for a plain value. Throws a `TypeError` for what is none (functions, maps, cycles), which is a bug. */
export function encode(value: Plain): string {
  return JSON.stringify(wrap(value, 0))
}

/** The value that `encode` was given: a fresh copy without absent fields. Throws for text that `encode` did not write. */
export function decode(text: string): Plain {
  return unwrap(JSON.parse(text) as Json)
}

function wrap(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw new TypeError(`a journal value is nested deeper than ${MAX_DEPTH}, or turns in a circle`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $f: Object.is(value, -0) ? '-0' : `${value}` }
    case 'bigint':
      return { $n: value.toString() }
    case 'object':
      break
    default:
      throw new TypeError(`a journal keeps no ${typeof value}`)
  }
  if (value === null) return null
  if (value instanceof Uint8Array) return { $b: toBase64(value) }
  if (Array.isArray(value)) return value.map(one => wrap(one, depth + 1))
  const kind = Object.getPrototypeOf(value) as object | null
  if (kind !== null && Object.getPrototypeOf(kind) !== null)
    throw new TypeError(`a journal keeps no ${kind.constructor.name}: hand it plain data`)
  const entries: [string, Json][] = []
  for (const [key, one] of Object.entries(value)) if (one !== undefined) entries.push([key, wrap(one, depth + 1)])
  const plain = Object.fromEntries(entries)
  return entries.length === 1 && entries[0]?.[0].startsWith('$') ? { $o: plain } : plain
}

function unwrap(value: Json): Plain {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(unwrap)
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only?.[0].startsWith('$')) return special(only[0], only[1])
  return Object.fromEntries(entries.map(([key, one]) => [key, unwrap(one)]))
}

function special(mark: string, held: Json): Plain {
  if (mark === '$o' && typeof held === 'object' && held !== null && !Array.isArray(held))
    return Object.fromEntries(Object.entries(held).map(([key, one]) => [key, unwrap(one)]))
  if (typeof held === 'string') {
    if (mark === '$n') return BigInt(held)
    if (mark === '$b') return fromBase64(held)
    if (mark === '$f') return Number(held)
  }
  throw new TypeError(`a journal value is marked ${mark}, which nobody wrote`)
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += CHUNK)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + CHUNK, bytes.length)))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at)
  return bytes
}
