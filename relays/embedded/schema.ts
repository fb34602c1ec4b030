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

/** Opens or creates the database; `file` absent keeps everything in memory. Throws for a file of a newer version. */
export function openDatabase(file: string | undefined): DatabaseSync {
  const db = new DatabaseSync(file ?? ':memory:')
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > VERSION)
      throw new Error(
        `relay database ${file} has version ${version}, this gridstr reads up to ${VERSION}: ` +
          'update gridstr, or name another file',
      )
    if (version === 0) db.exec(`BEGIN; ${TABLES} COMMIT;`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}
