/**
 * Where a wallet service or a client keeps what must outlive its process. Memory by default; a shelf of a journal fits.
 * @module
 */

/** Plain data that a store keeps. */
export type Kept = string | number | boolean | null | bigint | { readonly [key: string]: Kept | undefined }

/** `money` is on the disk when the call returns; `plain` survives the process only. */
export type KeptWeight = 'money' | 'plain'

/** Named facts. */
export interface NwcShelf {
  get(key: string): unknown
  set(key: string, value: Kept, weight?: KeptWeight): void
  /** Writes where nothing is; false, and nothing written, when the key is taken. */
  claim(key: string, value: Kept, weight?: KeptWeight): boolean
  delete(key: string): void
  /** In order of first writing, keys that begin with `prefix`. */
  entries(prefix?: string): Iterable<readonly [key: string, value: unknown]>
}

/** One shelf for one connection; nobody else writes on it. */
export interface NwcStore {
  readonly shelf: NwcShelf
  /** Everything written inside is kept together or not at all; a throw undoes all of it. */
  atomically<T>(write: () => T, weight?: KeptWeight): T
}

/** A store that ends with the process. */
export function memoryStore(): NwcStore {
  const rows = new Map<string, Kept>()
  /** What to put back when the write that runs is undone. */
  let undo: (() => void)[] | undefined
  const change = (key: string, value: Kept | undefined) => {
    const before = rows.get(key)
    undo?.push(() => {
      if (before === undefined) rows.delete(key)
      else rows.set(key, before)
    })
    if (value === undefined) rows.delete(key)
    else rows.set(key, value)
  }
  return {
    shelf: {
      get: key => rows.get(key),
      set: change,
      claim(key, value) {
        if (rows.has(key)) return false
        change(key, value)
        return true
      },
      delete: key => change(key, undefined),
      entries: (prefix = '') => [...rows].filter(([key]) => key.startsWith(prefix)),
    },
    atomically(write) {
      if (undo) return write()
      const mine: (() => void)[] = []
      undo = mine
      try {
        return write()
      } catch (error) {
        for (const back of mine.reverse()) back()
        throw error
      } finally {
        undo = undefined
      }
    },
  }
}
