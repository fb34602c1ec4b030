/**
 * The tables of the embedded relay and the way a database file is opened.
 * @module
 */
import { DatabaseSync } from 'node:sqlite'

const VERSION = 1

const TABLES = `
CREATE TABLE events (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pubkey TEXT NOT NULL,
  kind INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  address TEXT,
  expires INTEGER,
  bytes INTEGER NOT NULL,
  json TEXT NOT NULL
);
CREATE INDEX by_time ON events (created_at DESC, id);
CREATE INDEX by_kind ON events (kind, created_at DESC, id);
CREATE INDEX by_author ON events (pubkey, created_at DESC, id);
CREATE INDEX by_author_kind ON events (pubkey, kind, created_at DESC, id);
CREATE UNIQUE INDEX by_address ON events (address) WHERE address IS NOT NULL;
CREATE INDEX by_expiry ON events (expires) WHERE expires IS NOT NULL;
CREATE TABLE tags (
  tag TEXT NOT NULL,
  kind INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (tag, kind, created_at DESC, n)
) WITHOUT ROWID;
CREATE INDEX by_tag ON tags (tag, created_at DESC);
PRAGMA user_version = ${VERSION};
`

/**
 * Opens or creates the database for this process alone; `file` absent keeps everything in memory. Throws an error that
 * names the file and the way out when it cannot be opened, is in use, is no database, or is of a newer version.
 */
export function openDatabase(file: string | undefined): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file ?? ':memory:')
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > VERSION)
      throw new Error(`it has version ${version}, this program reads up to ${VERSION}: update, or name another file`)
    if (version === 0) db.exec(`BEGIN; ${TABLES} COMMIT;`)
    return db
  } catch (error) {
    db?.close()
    throw new Error(`relay database ${file} cannot be used: ${reason(error)}`, { cause: error })
  }
}

function reason(error: unknown): string {
  const says = error instanceof Error ? error.message : String(error)
  if (/locked/.test(says)) return 'another relay has it open: stop that one, or name another file'
  if (/unable to open/.test(says)) return 'it cannot be opened or created: check folder and permissions'
  if (/not a database|already exists/.test(says)) return 'it is not a database of this relay: name another file'
  return says
}
