/**
 * A store on disk for the tests that kill processes: one table, every commit synced.
 * @module
 */
import { DatabaseSync } from 'node:sqlite'
import type { LdkStore } from '../src/payments/ldk.ts'

export interface DiskStore extends LdkStore {
  /** Called inside a commit before each row is written, and with `undefined` before and after the commit itself. */
  during: (row: string | undefined) => void
  close(): void
}

/** Opens the store at `path`. */
export function diskStore(path: string): DiskStore {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL')
  db.exec('CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID')
  const get = db.prepare('SELECT value FROM rows WHERE key = ?')
  const set = db.prepare('INSERT INTO rows VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value')
  const remove = db.prepare('DELETE FROM rows WHERE key = ?')
  const list = db.prepare('SELECT key, value FROM rows WHERE substr(key, 1, ?) = ?')
  return {
    during() {},
    get: key => get.get(key)?.['value'],
    set(key, value) {
      this.during(key)
      set.run(key, value)
    },
    delete(key) {
      this.during(key)
      remove.run(key)
    },
    entries: (prefix = '') => list.all(prefix.length, prefix).map(row => [String(row['key']), row['value']] as const),
    atomically(write) {
      this.during(undefined)
      db.exec('BEGIN IMMEDIATE')
      const result = write()
      db.exec('COMMIT')
      this.during(undefined)
      return result
    },
    close: () => db.close(),
  }
}
