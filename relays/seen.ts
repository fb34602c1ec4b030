/**
 * Which ids were already handed on: bounded for ever, in two generations of which the older is forgotten at once.
 * @module
 */

export interface Seen {
  has(id: string): boolean
  /** Call only for an id whose event was admitted, or a forged twin hides the genuine one. */
  add(id: string): void
  readonly size: number
}

/** Remembers at least the last `limit` ids and at most twice as many. */
export function openSeen(limit: number): Seen {
  let young = new Set<string>()
  let old = new Set<string>()
  return {
    has: id => young.has(id) || old.has(id),
    add(id) {
      if (young.size >= limit) {
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
