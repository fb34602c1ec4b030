/**
 * A map that forgets its oldest entry when it is full.
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

/** An empty map for at most `max` entries. */
export function bounded<K, V>(max: number): Bounded<K, V> {
  const entries = new Map<K, V>()
  return {
    get: key => entries.get(key),
    has: key => entries.has(key),
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= max) return
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        break
      }
    },
    delete: key => void entries.delete(key),
    get size() {
      return entries.size
    },
  }
}
