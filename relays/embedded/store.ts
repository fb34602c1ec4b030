/**
 * The stored events of the embedded relay in SQLite: NIP-01 replacement, NIP-09 deletion, NIP-40 expiry, and a bound.
 * Inserts share one transaction until `commit`; only then is an event safe to be acknowledged.
 * @module
 */
import { createHash } from 'node:crypto'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import type { Event } from '../../kinds/kind.ts'
import { address, EventDeletion, expiration, indexedTags } from './matching.ts'
import { openDatabase } from './schema.ts'

export type Stored = 'stored' | 'duplicate' | 'superseded' | 'deleted'

export interface StoreOptions {
  readonly file: string | undefined
  readonly maxEvents: number
  readonly maxBytes: number
}

export interface Store {
  readonly count: number
  /** Normalised JSON of the event with this id. */
  find(id: string): string | undefined
  /** Throws when the disk refuses; the events since the last commit are then gone. */
  insert(event: Event, json: string): Stored
  /** Ends the open transaction, if any. Throws as `insert` does. */
  commit(): void
  /** Removes what expired at or before `now` (unix seconds). */
  reap(now: number): void
  /** Normalised JSON of row `n`, if it is still there. */
  json(n: number): string | undefined
  /** A statement kept for re-use; the number of distinct SQL texts is bounded by the caller. */
  prepare(sql: string): StatementSync
  close(): void
}

/** The key of an indexed tag value; long values by hash, so that a prompt in an `i` tag is not stored twice. */
export const tagKey = (tag: string): string =>
  tag.length <= 130 ? tag : `${tag[0]}#${createHash('sha256').update(tag).digest('hex')}`

/** Opens the store; throws for a file that is no database or is of a newer version. */
export function openStore(options: StoreOptions): Store {
  const db = openDatabase(options.file)
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known) return known
    const made = db.prepare(sql)
    statements.set(sql, made)
    return made
  }
  const number = (sql: string, ...values: SQLInputValue[]): number | undefined => {
    const value = prepare(sql).get(...values)?.['v']
    return typeof value === 'number' ? value : undefined
  }
  const rows = (sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values)

  let open = false
  let count = 0
  let bytes = 0
  let deletions = 0
  const recount = () => {
    count = number('SELECT count(*) v FROM events') ?? 0
    bytes = number('SELECT sum(bytes) v FROM events') ?? 0
    deletions = number('SELECT count(*) v FROM events WHERE kind = ?', EventDeletion) ?? 0
  }
  recount()
  // Row numbers are never given twice in one run, for a paced reader may still hold one of a row that is gone.
  let next = (number('SELECT max(n) v FROM events') ?? 0) + 1

  const begin = () => {
    if (open) return
    prepare('BEGIN').run()
    open = true
  }

  const abandon = () => {
    open = false
    if (db.isTransaction) db.exec('ROLLBACK')
    recount()
  }

  const remove = (n: number) => {
    const row = prepare('SELECT json, bytes FROM events WHERE n = ?').get(n)
    if (!row) return
    const event = JSON.parse(String(row['json'])) as Event
    const untag = prepare('DELETE FROM tags WHERE tag = ? AND kind = ? AND created_at = ? AND n = ?')
    for (const tag of indexedTags(event)) untag.run(tagKey(tag), event.kind, event.created_at, n)
    prepare('DELETE FROM events WHERE n = ?').run(n)
    count--
    bytes -= Number(row['bytes'])
    if (event.kind === EventDeletion) deletions--
  }

  const isDeleted = (event: Event, at: string | undefined): boolean => {
    if (deletions === 0 || event.kind === EventDeletion) return false
    const asked = `SELECT 1 v FROM tags t JOIN events e ON e.n = t.n
      WHERE t.tag = ? AND t.kind = ${EventDeletion} AND e.pubkey = ? AND t.created_at >= ? LIMIT 1`
    if (number(asked, tagKey(`e:${event.id}`), event.pubkey, 0)) return true
    return at !== undefined && number(asked, tagKey(`a:${at}`), event.pubkey, event.created_at) !== undefined
  }

  const applyDeletion = (event: Event) => {
    for (const tag of indexedTags(event)) {
      const value = tag.slice(2)
      const doomed = tag.startsWith('e:')
        ? number('SELECT n v FROM events WHERE id = ? AND pubkey = ? AND kind <> ?', value, event.pubkey, EventDeletion)
        : tag.startsWith('a:')
          ? number(
              'SELECT n v FROM events WHERE address = ? AND pubkey = ? AND created_at <= ?',
              value,
              event.pubkey,
              event.created_at,
            )
          : undefined
      if (doomed !== undefined) remove(doomed)
    }
  }

  const text = (sql: string, ...values: SQLInputValue[]): string | undefined => {
    const value = prepare(sql).get(...values)?.['v']
    return typeof value === 'string' ? value : undefined
  }

  const add = (event: Event, json: string): Stored => {
    if (number('SELECT 1 v FROM events WHERE id = ?', event.id)) return 'duplicate'
    const at = address(event)
    if (isDeleted(event, at)) return 'deleted'
    if (at !== undefined) {
      const held = prepare('SELECT n, id, created_at FROM events WHERE address = ?').get(at)
      if (held) {
        const lead = Number(held['created_at']) - event.created_at
        if (lead > 0 || (lead === 0 && String(held['id']) < event.id)) return 'superseded'
        begin()
        remove(Number(held['n']))
      }
    }
    begin()
    const size = Buffer.byteLength(json)
    const n = next++
    prepare(
      'INSERT INTO events (n, id, pubkey, kind, created_at, address, expires, bytes, json) VALUES (?,?,?,?,?,?,?,?,?)',
    ).run(n, event.id, event.pubkey, event.kind, event.created_at, at ?? null, expiration(event) ?? null, size, json)
    const tag = prepare('INSERT OR IGNORE INTO tags (tag, kind, created_at, n) VALUES (?,?,?,?)')
    for (const text of indexedTags(event)) tag.run(tagKey(text), event.kind, event.created_at, n)
    count++
    bytes += size
    if (event.kind === EventDeletion) {
      deletions++
      applyDeletion(event)
    }
    while (count > 1 && (count > options.maxEvents || bytes > options.maxBytes)) {
      const oldest = number('SELECT min(n) v FROM events')
      if (oldest === undefined) break
      remove(oldest)
    }
    return 'stored'
  }

  return {
    get count() {
      return count
    },
    find: id => text('SELECT json v FROM events WHERE id = ?', id),
    insert(event, json) {
      try {
        return add(event, json)
      } catch (error) {
        abandon()
        throw error
      }
    },
    commit() {
      if (!open) return
      try {
        prepare('COMMIT').run()
        open = false
      } catch (error) {
        abandon()
        throw error
      }
    },
    reap(now) {
      begin()
      for (const row of rows('SELECT n FROM events WHERE expires <= ?', now)) remove(Number(row['n']))
      this.commit()
    },
    json: n => text('SELECT json v FROM events WHERE n = ?', n),
    prepare,
    close() {
      this.commit()
      db.close()
    },
  }
}
