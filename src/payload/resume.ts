/**
 * What a put remembers: the times that its events carry and which of them a relay has taken. A few hundred bytes, for
 * everything else can be made again.
 * @module
 */
import type { Journal, Plain, Shelf } from '../journal/journal.ts'

export interface Resumed {
  readonly at: number
  readonly expiresAt: number
  has(index: number): boolean
  /** A relay has it. Written now and then: what is forgotten is only offered once more. */
  took(index: number): void
  /** Everything was taken; a put of the same after this offers everything again, under the same ids. */
  finish(): void
  /** Writes what is not written yet. */
  keep(): void
}

export interface Wish {
  /** Names the put: author, bytes and reader. */
  readonly key: string
  readonly chunks: number
  readonly now: number
  readonly at: number | undefined
  readonly expiresAt: number
}

const every = 16

interface Row {
  readonly at: number
  readonly expiresAt: number
  readonly taken: Uint8Array
}

function readRow(row: Plain | undefined, chunks: number): Row | undefined {
  if (typeof row !== 'object' || row === null || !('at' in row) || !('expiresAt' in row)) return undefined
  const { at, expiresAt } = row
  const taken = 'taken' in row ? row['taken'] : undefined
  if (typeof at !== 'number' || typeof expiresAt !== 'number') return undefined
  const fits = taken instanceof Uint8Array && taken.length === Math.ceil(chunks / 8)
  return { at, expiresAt, taken: fits ? taken.slice() : new Uint8Array(Math.ceil(chunks / 8)) }
}

/** Lets go of what expired. The shelf holds our own puts only. */
function sweep(shelf: Shelf, now: number): void {
  for (const [key, row] of [...shelf.entries()]) {
    const found = readRow(row, 0)
    if (!found || found.expiresAt <= now) shelf.delete(key, 'plain')
  }
}

/** Goes on with what the journal has, where that still lasts half as long as is wished, or begins. */
export function resume(journal: Pick<Journal, 'shelf'> | undefined, wish: Wish): Resumed {
  const { key, chunks, now, expiresAt } = wish
  const shelf = journal?.shelf('payloads')
  if (shelf) sweep(shelf, now)
  const before = readRow(shelf?.get(key), chunks)
  const lasts = before && before.expiresAt - now >= (expiresAt - now) / 2
  const isSame = wish.at === undefined ? lasts : before?.at === wish.at && before.expiresAt === expiresAt
  const row =
    before && isSame ? before : { at: wish.at ?? now, expiresAt, taken: new Uint8Array(Math.ceil(chunks / 8)) }
  const write = (weight: 'soon' | 'plain') => shelf?.set(key, { ...row, taken: row.taken.slice() }, weight)
  let fresh = 0
  if (row !== before) write('soon')

  return {
    at: row.at,
    expiresAt: row.expiresAt,
    has: index => ((row.taken[index >> 3] ?? 0) & (1 << (index & 7))) !== 0,
    took(index) {
      row.taken[index >> 3] = (row.taken[index >> 3] ?? 0) | (1 << (index & 7))
      if (++fresh % every === 0) write('plain')
    },
    finish() {
      row.taken.fill(0)
      write('plain')
    },
    keep: () => void write('plain'),
  }
}
