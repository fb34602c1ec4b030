/**
 * Rows in memory, in the order of first writing, that can be undone. Pure.
 * @module
 */

export interface Rows<V> {
  get(key: string): V | undefined
  /** Writes where nothing is; false when the key is taken. */
  add(key: string, value: V): boolean
  /** Writes or replaces. */
  put(key: string, value: V): void
  remove(key: string): void
  all(): V[]
  entries(): [string, V][]
  readonly size: number
}

export interface MemoryStore {
  rows<V>(): Rows<V>
  read<T>(look: () => T): T
  write<T>(act: () => T): T
  /** Undoes everything that was written inside when `act` throws. Nests. */
  together<T>(act: () => T): T
  /** How to take back a change that was just made by hand. */
  undoing(back: () => void): void
  close(): void
}

export function rowsInMemory(): MemoryStore {
  let closed = false
  let undo: (() => void)[] | undefined

  const read = <T>(look: () => T): T => {
    if (closed) throw new Error('journal :memory: is closed')
    return look()
  }
  const together = <T>(act: () => T): T =>
    read(() => {
      const outer = undo
      const mine: (() => void)[] = []
      undo = mine
      try {
        const value = act()
        outer?.push(...mine)
        return value
      } catch (error) {
        for (const back of mine.reverse()) back()
        throw error
      } finally {
        undo = outer
      }
    })

  return {
    read,
    write: read,
    together,
    undoing: back => void undo?.push(back),
    close: () => {
      closed = true
    },
    rows<V>(): Rows<V> {
      let map = new Map<string, { n: number; value: V }>()
      let next = 0
      /** A row that comes back takes its old place. */
      const restore = (key: string, old: { n: number; value: V } | undefined) => {
        if (!old) return void map.delete(key)
        map.set(key, old)
        map = new Map([...map].sort(([, a], [, b]) => a.n - b.n))
      }
      const change = (key: string, value: V | undefined) => {
        const old = map.get(key)
        undo?.push(() => restore(key, old))
        if (value === undefined) map.delete(key)
        else map.set(key, { n: old?.n ?? next++, value })
      }
      return {
        get: key => map.get(key)?.value,
        add(key, value) {
          if (map.has(key)) return false
          change(key, value)
          return true
        },
        put: change,
        remove: key => change(key, undefined),
        all: () => Array.from(map.values(), row => row.value),
        entries: () => Array.from(map, ([key, row]) => [key, row.value] as [string, V]),
        get size() {
          return map.size
        },
      }
    },
  }
}
