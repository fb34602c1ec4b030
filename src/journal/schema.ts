/**
 * The tables of a journal's file, step by step from the first released one, and the check that a file is whole.
 * @module
 */
import type { DatabaseSync } from 'node:sqlite'
import { JournalError } from './journal.ts'
import { damaged } from './trouble.ts'

/** `grid`, so that no other program's database is taken for a journal. */
const APPLICATION = 0x67726964
/** Above this size the check at open leaves out comparing indexes with tables, and above the next one it is left out. */
const WHOLE_CHECK_BYTES = 64 * 1024 * 1024
const QUICK_CHECK_BYTES = 512 * 1024 * 1024

/**
 * Number `n` of this list (from 1) leads from version `n - 1` to version `n`. Released ones never change. In every table
 * `sum` is the checksum of the row, and `n` counts in the order of writing.
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE jobs (
  n INTEGER PRIMARY KEY, side TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, ended_at INTEGER,
  body TEXT NOT NULL, sum INTEGER NOT NULL, UNIQUE (side, id)
) STRICT;
CREATE INDEX jobs_unfinished ON jobs (side, at) WHERE ended_at IS NULL;
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_by_id ON jobs (id);
CREATE TABLE facts (
  n INTEGER PRIMARY KEY, job INTEGER NOT NULL, seq INTEGER NOT NULL,
  body TEXT NOT NULL, sum INTEGER NOT NULL, UNIQUE (job, seq)
) STRICT;
CREATE TABLE words (
  n INTEGER PRIMARY KEY, job TEXT NOT NULL, slot TEXT NOT NULL, event_id TEXT NOT NULL, until INTEGER NOT NULL,
  taken INTEGER NOT NULL, body TEXT NOT NULL, sum INTEGER NOT NULL, UNIQUE (job, slot)
) STRICT;
CREATE INDEX words_by_event ON words (event_id);
CREATE INDEX words_pending ON words (until) WHERE taken = 0;
CREATE TABLE orders (
  n INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, job TEXT, peer TEXT, at INTEGER NOT NULL, state TEXT NOT NULL,
  body TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_by_time ON orders (at);
CREATE INDEX orders_by_state ON orders (state, at);
CREATE INDEX orders_by_job ON orders (job, at) WHERE job IS NOT NULL;
CREATE INDEX orders_by_peer ON orders (peer, at) WHERE peer IS NOT NULL;
CREATE TABLE bills (
  n INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, job TEXT, customer TEXT, at INTEGER NOT NULL, state TEXT NOT NULL,
  body TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE INDEX bills_by_time ON bills (at);
CREATE INDEX bills_by_state ON bills (state, at);
CREATE INDEX bills_by_job ON bills (job, at) WHERE job IS NOT NULL;
CREATE INDEX bills_by_customer ON bills (customer, at) WHERE customer IS NOT NULL;
CREATE TABLE credits (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, customer TEXT NOT NULL, job TEXT NOT NULL, at INTEGER NOT NULL,
  body TEXT NOT NULL, sum INTEGER NOT NULL
) STRICT;
CREATE INDEX credits_by_time ON credits (at);
CREATE INDEX credits_by_customer ON credits (customer, at);
CREATE INDEX credits_by_job ON credits (job, at);
CREATE TABLE shelves (
  n INTEGER PRIMARY KEY, shelf TEXT NOT NULL, key TEXT NOT NULL,
  body TEXT NOT NULL, sum INTEGER NOT NULL, UNIQUE (shelf, key)
) STRICT;
CREATE INDEX shelves_in_order ON shelves (shelf, n);
`,
]

const pragma = (db: DatabaseSync, name: string): number => Number(db.prepare(`PRAGMA ${name}`).get()?.[name])

/** What the database says about its own tables and indexes, in order of their names. */
export function schemaOf(db: DatabaseSync): readonly string[] {
  const rows = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name').all()
  return rows.map(row => String(row['sql']))
}

/** The version of a file, 0 for an empty one. Throws when it is no journal, or one of a newer program. Changes nothing. */
export function versionOf(db: DatabaseSync, path: string, steps: readonly string[] = migrations): number {
  const version = pragma(db, 'user_version')
  const application = pragma(db, 'application_id')
  if (version === 0 && application === 0 && schemaOf(db).length === 0) return 0
  if (application !== APPLICATION)
    throw damaged(path, 'it is a database, but no journal of gridstr (if you named it by mistake, name another path)')
  if (version > steps.length)
    throw new JournalError(
      'newer',
      `journal ${path} has version ${version}, and this gridstr reads up to ${steps.length}: update gridstr, or name ` +
        `another path. Nothing was changed in it.`,
    )
  if (version < 1) throw damaged(path, `its version is ${version}`)
  return version
}

/** Brings a file to the newest version, each step whole or not at all. */
export function migrate(db: DatabaseSync, path: string, steps: readonly string[] = migrations): void {
  for (let version = versionOf(db, path, steps); version < steps.length; version++) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(`${steps[version]}; PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${version + 1}; COMMIT`)
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/** Throws when the file is not what was written. For files of ordinary size the indexes are compared with their tables. */
export function check(db: DatabaseSync, path: string, expected: readonly string[]): void {
  const found = schemaOf(db)
  if (found.length !== expected.length || found.some((sql, i) => sql !== expected[i]))
    throw damaged(path, 'its tables are not those of a journal')
  const bytes = pragma(db, 'page_count') * pragma(db, 'page_size')
  if (bytes > QUICK_CHECK_BYTES) return
  const depth = bytes > WHOLE_CHECK_BYTES ? 'quick_check' : 'integrity_check'
  const says = db.prepare(`PRAGMA ${depth}(1)`).get()?.[depth]
  if (says !== 'ok') throw damaged(path, String(says))
}
