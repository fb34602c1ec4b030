/**
 * What a net of nodes keeps: everything that changed between two commits, written at once or not at all. Nodes of one
 * process that are always kept together never disagree, whenever the process is killed.
 * @module
 */
import { PaymentError } from '../payment.ts'

/**
 * Where Lightning nodes keep their state. Whatever is given back for a key is what was set: bytes or text. `atomically`
 * keeps everything written inside together or not at all, and returns once it is kept.
 */
export interface LdkStore {
  get(key: string): unknown
  set(key: string, value: Uint8Array | string): void
  delete(key: string): void
  /** With `prefix`, keys that begin so; in any order. */
  entries(prefix?: string): Iterable<readonly [key: string, value: unknown]>
  atomically<T>(write: () => T): T
}

export interface Books {
  /** False where nothing outlives the process. */
  readonly durable: boolean
  text(key: string): string | undefined
  bytes(key: string): Uint8Array | undefined
  /** Keys that begin with `prefix`, as of the last commit, sorted. */
  keys(prefix: string): readonly string[]
  /** Takes note of a change; `value` is asked for when it is written. */
  put(key: string, value: () => Uint8Array | string): void
  drop(key: string): void
  /** True for what was changed since the last commit. */
  open(key: string): boolean
  /** Runs before every commit, to `put` what is gathered late; returns the way to stop. */
  before(fill: () => void): () => void
  /** Writes what changed. Throws what the store throws, and then nothing is written. */
  commit(): void
}

const FORM_KEY = 'form'
const FORM = '1'

/** Opens the books of a net, in memory without a store. Throws `PaymentError` for those of another version. */
export function openBooks(store?: LdkStore): Books {
  const changes = new Map<string, (() => Uint8Array | string) | undefined>()
  const fills = new Set<() => void>()
  const read = (key: string): unknown => (changes.has(key) ? changes.get(key)?.() : store?.get(key))

  const form = store?.get(FORM_KEY)
  if (form !== undefined && form !== FORM)
    throw new PaymentError('INTERNAL', 'the Lightning nodes in this store were kept by another version: use that one')
  if (form === undefined) changes.set(FORM_KEY, () => FORM)

  return {
    durable: store !== undefined,
    text(key) {
      const value = read(key)
      return typeof value === 'string' ? value : undefined
    },
    bytes(key) {
      const value = read(key)
      return value instanceof Uint8Array ? value : undefined
    },
    keys: prefix => [...(store?.entries(prefix) ?? [])].map(([key]) => key).sort(),
    put: (key, value) => void changes.set(key, value),
    drop: key => void changes.set(key, undefined),
    open: key => changes.has(key),
    before(fill) {
      fills.add(fill)
      return () => void fills.delete(fill)
    },
    commit() {
      if (store) {
        for (const fill of fills) fill()
        if (changes.size === 0) return
        const rows = [...changes].map(([key, value]) => [key, value?.()] as const)
        store.atomically(() => {
          for (const [key, value] of rows) {
            if (value === undefined) store.delete(key)
            else store.set(key, value)
          }
        })
      }
      changes.clear()
    },
  }
}
