/**
 * Memory that strangers may fill, with an end to it.
 * @module
 */

export interface Bounded<K, V> {
  get(key: K): V | undefined
  has(key: K): boolean
  /** Adds or moves to the newest end; the oldest entry beyond `max` is forgotten. */
  set(key: K, value: V): void
  delete(key: K): void
  readonly size: number
}

/** A map of at most `max` entries that forgets the one that was written longest ago. */
export function bounded<K, V>(max: number): Bounded<K, V> {
  const entries = new Map<K, V>()
  return {
    get: key => entries.get(key),
    has: key => entries.has(key),
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= max) return
      const oldest = entries.keys().next()
      if (!oldest.done) entries.delete(oldest.value)
    },
    delete: key => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}

/** A map of at most `max` entries that forgets the one that was used longest ago: `get` is a use. */
export function lru<K, V>(max: number): Pick<Bounded<K, V>, 'get' | 'set' | 'size'> {
  const entries = bounded<K, V>(max)
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) entries.set(key, value)
      return value
    },
    set: entries.set,
    get size() {
      return entries.size
    },
  }
}

export interface Seen {
  has(id: string): boolean
  /** Call only for what was proven, or a forged twin hides the genuine one. */
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
