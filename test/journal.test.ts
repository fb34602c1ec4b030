/** Both journals by the one suite, and what only a file has: its lock, its mode, its readers, and trouble with the disk. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { type Journal, JournalError, memoryJournal, openJournal } from '../src/journal/index.ts'
import { hex, order } from './journal-rows.ts'
import { journalSuite } from './suites/journal.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-journal-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = () => join(folder, `${files++}.sqlite`)

/** What a call throws, as a `JournalError`. */
function refusal(call: () => unknown): JournalError {
  try {
    call()
  } catch (error) {
    if (error instanceof JournalError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const asked = new Set<string>()
const { prepare } = DatabaseSync.prototype
vi.spyOn(DatabaseSync.prototype, 'prepare').mockImplementation(function (this: DatabaseSync, sql, ...rest) {
  asked.add(sql)
  return prepare.call(this, sql, ...rest)
})

journalSuite('memory', memoryJournal)
journalSuite('sqlite', () => openJournal(fresh()))

test('no question goes through a whole table', () => {
  const journal = openJournal(fresh())
  const db = new DatabaseSync(journal.path, { readOnly: true })
  const questions = [...asked].filter(
    sql => /^(SELECT|UPDATE|DELETE).*\b(FROM|UPDATE|SET)\b/.test(sql) && !/sqlite_schema/.test(sql),
  )
  const plans = questions.flatMap(sql =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(row => `${row['detail']}: ${sql}`),
  )
  expect(questions.length).toBeGreaterThan(25)
  // A list of everything walks an index from its end until it has enough.
  expect(plans.filter(plan => /^SCAN (?!\w+ USING (COVERING )?INDEX \w+_by_time)/.test(plan))).toEqual([])
  // Only short lists are sorted after they were found: the facts and words of one job, what is pending, a prefix.
  expect(plans.filter(plan => /TEMP B-TREE/.test(plan) && /FROM (orders|bills|credits)/.test(plan))).toEqual([])
  db.close()
  journal.close()
})

describe('one writer', () => {
  test('a second one in the same process is refused, by any name of the file', () => {
    const journal = openJournal(fresh())
    const link = `${journal.path}-link`
    symlinkSync(journal.path, link)
    for (const path of [journal.path, link])
      expect(refusal(() => openJournal(path))).toMatchObject({
        code: 'locked',
        message: expect.stringContaining('this process'),
      })
    journal.close()
    openJournal(link).close()
  })

  test('another process is named, readers look meanwhile, and a killed one leaves no lock', async () => {
    const path = fresh()
    const child = spawn(process.execPath, [join(import.meta.dirname, 'journal-writer.ts'), path, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    await lines.next()
    const refused = refusal(() => openJournal(path))
    expect(refused).toMatchObject({ code: 'locked', message: expect.stringContaining(`process ${child.pid}`) })
    expect(refused.message).toContain('for reading')
    const reader = openJournal(path, { readOnly: true })
    const before = reader.orders.list({ limit: 10_000 }).length
    expect(before).toBeGreaterThan(0)
    // What was written before the reader looked may still wait to be read here.
    let now = before
    for (let line = 0; line < 1_000 && now === before; line++) {
      await lines.next()
      now = reader.orders.list({ limit: 10_000 }).length
    }
    expect(now).toBeGreaterThan(before)
    expect(refusal(() => reader.orders.plan(order(1)))).toMatchObject({ code: 'unwritable' })
    expect(refusal(() => reader.atomically(() => 1))).toMatchObject({ code: 'unwritable' })
    child.kill('SIGKILL')
    await once(child, 'close')
    const journal = openJournal(path)
    expect(refusal(() => openJournal(path)).code).toBe('locked')
    reader.close()
    journal.close()
  })

  test('a reader sees a journal that nobody has open, and says when there is none', () => {
    const path = fresh()
    expect(refusal(() => openJournal(path, { readOnly: true }))).toMatchObject({ code: 'unwritable' })
    const journal = openJournal(path)
    journal.orders.plan(order(1))
    journal.close()
    const readers = [openJournal(path, { readOnly: true }), openJournal(path, { readOnly: true })]
    expect(readers.map(reader => reader.orders.get(hex(1))?.msats)).toEqual([1000n, 1000n])
    openJournal(path).close()
    for (const reader of readers) reader.close()
  })
})

describe('trouble says the way out', () => {
  test('only the owner may read the file and what lies beside it', () => {
    const path = fresh()
    writeFileSync(path, '')
    chmodSync(path, 0o644)
    const journal = openJournal(path)
    journal.orders.plan(order(1))
    const modes = ['', '-wal', '-shm', '.lock'].map(end => statSync(path + end).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600, 0o600])
    journal.close()
  })

  test('a missing folder, a folder as a file, a place where nobody may write', () => {
    expect(refusal(() => openJournal(join(folder, 'no/where')))).toMatchObject({
      code: 'unwritable',
      message: expect.stringContaining(`mkdir -p ${join(folder, 'no')}`),
    })
    mkdirSync(join(folder, 'folder'))
    expect(refusal(() => openJournal(join(folder, 'folder')))).toMatchObject({ code: 'unwritable' })
    const denied = refusal(() => openJournal('/proc/gridstr.sqlite'))
    expect(denied).toMatchObject({ code: 'unwritable', message: expect.stringContaining('/proc/gridstr.sqlite') })
  })

  test('a newer version is left as it is', () => {
    const path = fresh()
    openJournal(path).close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 9')
    db.close()
    expect(refusal(() => openJournal(path))).toMatchObject({
      code: 'newer',
      message: expect.stringContaining('update gridstr'),
    })
    expect(refusal(() => openJournal(path, { readOnly: true })).code).toBe('newer')
  })

  test('what is no journal is not touched', () => {
    const text = fresh()
    writeFileSync(text, 'a letter to the bank\n'.repeat(100))
    expect(refusal(() => openJournal(text)).code).toBe('corrupt')
    expect(statSync(text).size).toBe(2100)
    const other = fresh()
    const db = new DatabaseSync(other)
    db.exec('CREATE TABLE cats (name TEXT)')
    db.close()
    expect(refusal(() => openJournal(other))).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('no journal of gridstr'),
    })
    const cut = fresh()
    openJournal(cut).close()
    const half = new DatabaseSync(cut)
    half.exec('DROP INDEX orders_by_peer')
    half.close()
    expect(refusal(() => openJournal(cut))).toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('tables'),
    })
  })

  /** Writes until the journal refuses; what was acknowledged must be there afterwards. */
  const fill = (path: string, journal: Journal) => {
    let kept = 0
    const full = refusal(() => {
      for (; ; kept++) journal.orders.plan(order(kept, { bolt11: 'x'.repeat(2000) }))
    })
    expect(full).toMatchObject({
      code: 'full',
      message: expect.stringContaining('everything written before it is safe'),
    })
    // Together or not at all, also when there is no room.
    expect(
      refusal(() =>
        journal.atomically(() => {
          try {
            for (let n = 0; n < 200; n++) journal.shelf('s').set(`${n}`, 'x'.repeat(4000))
          } catch {
            // A careless caller goes on.
          }
          journal.shelf('t').set('after', 1)
        }),
      ).code,
    ).toBe('full')
    expect(journal.shelf('s').size + journal.shelf('t').size).toBe(0)
    expect(journal.orders.list({ limit: 10_000 })).toHaveLength(kept)
    journal.close()
    const again = openJournal(path)
    expect(again.orders.list({ limit: 10_000 })).toHaveLength(kept)
    expect(again.orders.plan(order(100_000))).toBe(true)
    again.close()
  }

  test('a journal that is full loses nothing and works again when there is room', () => {
    const path = fresh()
    fill(path, openJournal(path, { maxBytes: 400_000 }))
  })

  test('a row that was changed behind our back is not believed', () => {
    const path = fresh()
    const journal = openJournal(path)
    journal.orders.plan(order(1))
    journal.orders.plan(order(2))
    journal.close()
    const twin = `${path}-twin`
    copyFileSync(path, twin)
    const db = new DatabaseSync(twin)
    db.exec(`UPDATE orders SET state = 'failed' WHERE hash = '${hex(1)}'`)
    db.close()
    const broken = openJournal(twin)
    expect(broken.orders.get(hex(2))?.msats).toBe(1000n)
    for (const look of [
      () => broken.orders.get(hex(1)),
      () => broken.orders.list(),
      () => broken.orders.spentMsats({ since: 0 }),
      () => broken.orders.plan(order(1)),
    ])
      expect(refusal(look)).toMatchObject({ code: 'corrupt', message: expect.stringContaining(twin) })
    broken.close()
  })
})
