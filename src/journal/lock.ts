/**
 * One writer per journal: a write lock held on `<path>.lock`, itself an empty SQLite file. The system lets go of it when
 * the process dies, however it dies; readers of the journal never touch it.
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import { JournalError } from './journal.ts'
import { createPrivately } from './private-file.ts'
import { trouble } from './trouble.ts'

const held = new Set<string>()
const TRIES = 5

/** Takes the lock and gives the way to let go. Throws `JournalError` `locked` that names the process that has it. */
export function lockFor(path: string): () => void {
  if (held.has(path))
    throw new JournalError('locked', `journal ${path} is open in this process already: hand on the one that is open.`)
  const file = `${path}.lock`
  let db: DatabaseSync | undefined
  try {
    createPrivately(file)
    db = new DatabaseSync(file, { timeout: 0 })
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF')
    take(path, db)
  } catch (error) {
    db?.close()
    throw error instanceof JournalError ? error : trouble(file, error)
  }
  held.add(path)
  const mine = db
  return () => {
    if (!mine.isOpen) return
    held.delete(path)
    mine.close()
  }
}

/** The name is written first, then the lock is held without writing, so that others can read who holds it. */
function take(path: string, db: DatabaseSync): void {
  for (let tries = 0; tries < TRIES; tries++) {
    if (!begin(db)) throw lockedBy(path, db)
    db.exec(`PRAGMA user_version = ${process.pid}; COMMIT`)
    if (!begin(db)) throw lockedBy(path, db)
    if (holder(db) === process.pid) return
    db.exec('ROLLBACK')
  }
  throw lockedBy(path, db)
}

function begin(db: DatabaseSync): boolean {
  try {
    db.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return false
    throw error
  }
}

function holder(db: DatabaseSync): number | undefined {
  try {
    const pid = db.prepare('PRAGMA user_version').get()?.['user_version']
    return typeof pid === 'number' && pid > 0 ? pid : undefined
  } catch {
    // It may be writing its name just now.
    return undefined
  }
}

function lockedBy(path: string, db: DatabaseSync): JournalError {
  const pid = holder(db)
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return new JournalError(
    'locked',
    `journal ${path} is in use by ${who}: stop that one, or name another path. To look into it meanwhile, open it for reading.`,
  )
}
