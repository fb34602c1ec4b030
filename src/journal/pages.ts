/**
 * A journal's file while it is open: transactions that reach the disk when money is in them, and rows whose checksums
 * are looked at whenever they are read.
 * @module
 */
import { statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { wallClock } from '../clock.ts'
import { JournalError, type Weight } from './journal.ts'
import { check, migrate, migrations, schemaOf, versionOf } from './schema.ts'
import { damaged, trouble, unusable } from './trouble.ts'

export type Cell = string | number | null

export interface Pages {
  readonly path: string
  readonly readOnly: boolean
  /** Looks something up. Throws `JournalError` for trouble with the file. */
  read<T>(look: () => T): T
  /** Runs `act` in a transaction, or in the one that is open, and commits as its weight wants. Throws `JournalError`. */
  write<T>(weight: Weight, act: () => T): T
  /** The same for several writes that stand or fall together, also inside another one. */
  together<T>(weight: Weight, act: () => T): T
  /** Runs when a transaction was undone: what was remembered about it is void. */
  onUndone(forget: () => void): void
  prepare(sql: string): StatementSync
  close(): void
}

/** How long to wait for a reader that opens or closes the file just now. */
const BUSY_MS = 5_000
/** How long `soon` may take: what is written meanwhile reaches the disk together. */
const SOON_MS = 20
const LOG_BYTES = 4 * 1024 * 1024
const SMALLEST_PAGE = 512

let newest: readonly string[] | undefined

/** The tables as this program makes them. */
export function newestSchema(): readonly string[] {
  if (newest) return newest
  const db = new DatabaseSync(':memory:')
  migrate(db, ':memory:')
  newest = schemaOf(db)
  db.close()
  return newest
}

/** Opens the file, makes or migrates its tables, and checks it. Throws `JournalError`. */
export function openPages(path: string, options: { readOnly: boolean; maxBytes?: number }): Pages {
  let db: DatabaseSync | undefined
  try {
    // SQLite takes the first bytes of a file that was cut off for an empty one.
    const { size } = statSync(path)
    if (size % SMALLEST_PAGE !== 0) throw damaged(path, `it was cut off after ${size} bytes`)
    db = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_MS })
    const version = versionOf(db, path)
    if (options.readOnly && version < migrations.length)
      throw unusable(path, `it has version ${version}, and only its node may bring it up to date: start that once.`)
    if (!options.readOnly) {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      db.exec(`PRAGMA journal_size_limit = ${LOG_BYTES}`)
      migrate(db, path)
    }
    check(db, path, newestSchema())
    if (options.maxBytes !== undefined) {
      const page = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
      db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / page))}`)
    }
    return pagesOf(db, path, options.readOnly)
  } catch (error) {
    db?.close()
    throw error instanceof JournalError ? error : trouble(path, error)
  }
}

function pagesOf(db: DatabaseSync, path: string, readOnly: boolean): Pages {
  const statements = new Map<string, StatementSync>()
  const forgetting: (() => void)[] = []
  const clock = wallClock({ keepAlive: false })
  let level: 'money' | 'plain' = 'money'
  let depth = 0
  /** What was written in a transaction that was begun with less. */
  let owed: Weight = 'plain'
  let first: unknown
  /** Something is on its way to the disk. */
  let cancelSoon: (() => void) | undefined
  let untold: unknown

  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const made = db.prepare(sql)
    statements.set(sql, made)
    return made
  }
  const sync = (weight: Weight) => {
    const wanted = weight === 'money' ? 'money' : 'plain'
    if (level === wanted) return
    db.exec(`PRAGMA synchronous = ${wanted === 'money' ? 'FULL' : 'NORMAL'}`)
    level = wanted
  }
  const reached = () => {
    cancelSoon?.()
    cancelSoon = undefined
  }
  /** The same version again: the smallest commit that carries all before it to the disk. */
  const carry = () => {
    sync('money')
    db.exec(`PRAGMA user_version = ${migrations.length}`)
    reached()
  }
  const carrySoon = () => {
    cancelSoon ??= clock.after(SOON_MS, () => {
      cancelSoon = undefined
      try {
        if (db.isOpen) carry()
      } catch (error) {
        // Told by the next write, which has somebody to hear it.
        untold = error
      }
    })
  }
  const read = <T>(look: () => T): T => {
    if (!db.isOpen) throw new Error(`journal ${path} is closed`)
    try {
      return look()
    } catch (error) {
      throw trouble(path, error)
    }
  }
  const undone = () => {
    for (const forget of forgetting) forget()
  }
  /** SQLite ends a transaction by itself when the disk is full: what comes after must not count as part of it. */
  const stillOpen = () => {
    if (!db.isTransaction) throw first ?? new Error(`journal ${path}: the transaction is over`)
  }

  const outermost = <T>(weight: Weight, act: () => T): T => {
    if (readOnly) throw unusable(path, 'it was opened for reading only.')
    if (untold !== undefined) {
      const error = untold
      untold = undefined
      throw error
    }
    sync(weight)
    first = undefined
    owed = weight
    prepare('BEGIN IMMEDIATE').run()
    depth = 1
    try {
      const value = act()
      stillOpen()
      prepare('COMMIT').run()
      depth = 0
      if (weight === 'money') reached()
      else if (owed === 'money') carry()
      else if (owed === 'soon') carrySoon()
      return value
    } catch (error) {
      depth = 0
      if (db.isTransaction) db.exec('ROLLBACK')
      undone()
      throw error
    }
  }

  const inner = <T>(weight: Weight, act: () => T): T => {
    stillOpen()
    if (weight === 'money' || (weight === 'soon' && owed === 'plain')) owed = weight
    try {
      return act()
    } catch (error) {
      if (!db.isTransaction) first ??= error
      throw error
    }
  }

  const savepoint = <T>(act: () => T): T => {
    const name = `s${depth}`
    db.exec(`SAVEPOINT ${name}`)
    depth++
    try {
      const value = act()
      stillOpen()
      db.exec(`RELEASE ${name}`)
      return value
    } catch (error) {
      if (db.isTransaction) db.exec(`ROLLBACK TO ${name}; RELEASE ${name}`)
      undone()
      throw error
    } finally {
      depth--
    }
  }

  return {
    path,
    readOnly,
    read,
    write: (weight, act) => read(() => (depth > 0 ? inner(weight, act) : outermost(weight, act))),
    together: (weight, act) => read(() => (depth > 0 ? inner(weight, () => savepoint(act)) : outermost(weight, act))),
    onUndone: forget => void forgetting.push(forget),
    prepare,
    close() {
      if (!db.isOpen) return
      try {
        if (cancelSoon) carry()
      } finally {
        reached()
        db.close()
      }
    },
  }
}

export type Row<C extends string> = { readonly [column in C]: Cell } & { readonly n: number }

const isCell = (value: SQLOutputValue): value is Cell =>
  value === null || typeof value === 'string' || typeof value === 'number'

/** Rows of one table. `where` texts are constants of ours; values only come as arguments. */
export interface Table<C extends string> {
  /** Writes a row; its number. */
  insert(cells: { readonly [column in C]: Cell }): number
  update(n: number, cells: { readonly [column in C]: Cell }): void
  remove(n: number): void
  /** Rows whose checksums held. Throws `JournalError` `corrupt` for one that does not. */
  rows(where: string, ...values: SQLInputValue[]): Row<C>[]
  row(where: string, ...values: SQLInputValue[]): Row<C> | undefined
}

export function table<const C extends string>(pages: Pages, name: string, columns: readonly C[]): Table<C> {
  const all = ['n', ...columns, 'sum'].join(', ')
  // Lengths stand before texts, so that no two rows read alike.
  const checksum = (cells: readonly Cell[]) =>
    cells.reduce<number>(
      (sum, cell) => (typeof cell === 'string' ? crc32(cell, crc32(`${cell.length}:`, sum)) : crc32(`${cell};`, sum)),
      crc32(name),
    )
  const cellsOf = (cells: { readonly [column in C]: Cell }): Cell[] => columns.map(column => cells[column])
  const verified = (raw: Record<string, SQLOutputValue>): Row<C> => {
    const cells = columns.map(column => raw[column] ?? null)
    if (!cells.every(isCell) || raw['sum'] !== checksum(cells))
      throw damaged(pages.path, `row ${raw['n']} of its ${name} is not what was written`)
    return raw as object as Row<C>
  }
  const insert = `INSERT INTO ${name} (${[...columns, 'sum'].join(', ')}) VALUES (${'?, '.repeat(columns.length)}?)`
  const update = `UPDATE ${name} SET ${[...columns, 'sum'].map(column => `${column} = ?`).join(', ')} WHERE n = ?`
  return {
    insert(row) {
      const cells = cellsOf(row)
      return Number(pages.prepare(insert).run(...cells, checksum(cells)).lastInsertRowid)
    },
    update(n, row) {
      const cells = cellsOf(row)
      pages.prepare(update).run(...cells, checksum(cells), n)
    },
    remove: n => void pages.prepare(`DELETE FROM ${name} WHERE n = ?`).run(n),
    rows: (where, ...values) =>
      pages
        .prepare(`SELECT ${all} FROM ${name} WHERE ${where}`)
        .all(...values)
        .map(verified),
    row(where, ...values) {
      const found = pages.prepare(`SELECT ${all} FROM ${name} WHERE ${where}`).get(...values)
      return found && verified(found)
    },
  }
}
