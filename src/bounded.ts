/**
 * Memory that strangers may fill, with an end to it.
 * @module
 */

export interface Lru<K, V> {
  /** Also marks the entry as used. */
  get(key: K): V | undefined
  /** Forgets the entry that was used longest ago when `max` are there already. */
  set(key: K, value: V): void
  readonly size: number
}

/** A map of at most `max` entries. */
export function lru<K, V>(max: number): Lru<K, V> {
  const entries = new Map<K, V>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= max) return
      const oldest = entries.keys().next()
      if (!oldest.done) entries.delete(oldest.value)
    },
    get size() {
      return entries.size
    },
  }
}

export interface Seen {
  has(id: string): boolean
  add(id: string): void
  readonly size: number
}

/** A set in two generations: remembers the last `max` ids at least, twice as many at most, at constant cost. */
export function seenSet(max: number): Seen {
  let young = new Set<string>()
  let old = new Set<string>()
  return {
    has: id => young.has(id) || old.has(id),
    add(id) {
      if (young.has(id)) return
      if (young.size >= max) {
        old = young
        young = new Set()
      }
      young.add(id)
    },
    get size() {
      return young.size + old.size
    },
  }
}
