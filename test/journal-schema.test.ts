/** Files of every released version open and say what was written; the schema does not change without a new fixture. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, test } from 'vitest'
import { JournalError, memoryJournal, openJournal } from '../src/journal/index.ts'
import { newestSchema } from '../src/journal/pages.ts'
import { check, migrate, migrations, schemaOf, versionOf } from '../src/journal/schema.ts'
import { fill, fixtures, names } from './journal-fixture.ts'
import { everything } from './journal-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-journal-schema-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const versions = readdirSync(fixtures)
  .map(name => Number(/^journal-v(\d+)\.sqlite$/.exec(name)?.[1]))
  .filter(version => version > 0)
  .sort((a, b) => a - b)
const fixture = (version: number) => join(fixtures, `journal-v${version}.sqlite`)

test('there is a fixture of every version', () => {
  expect(versions).toEqual(migrations.map((_, n) => n + 1))
})

test('the newest fixture has the tables that this program makes: a change needs a new version and a new fixture', () => {
  const db = new DatabaseSync(fixture(migrations.length), { readOnly: true })
  expect(schemaOf(db)).toEqual(newestSchema())
  db.close()
})

for (const version of versions)
  test(`a journal of version ${version} opens and says everything that was written`, () => {
    const path = join(folder, `v${version}.sqlite`)
    copyFileSync(fixture(version), path)
    const expected = memoryJournal()
    fill(expected)
    const journal = openJournal(path)
    expect(everything(journal, names)).toEqual(everything(expected, names))
    journal.orders.plan({ hash: 'new', purpose: 'own', bolt11: 'x', msats: 1n, at: 1 })
    journal.close()
    const reader = openJournal(path, { readOnly: true })
    expect(reader.orders.get('new')?.msats).toBe(1n)
    reader.close()
  })

describe('steps', () => {
  const v2 = [...migrations, 'CREATE TABLE tolls (n INTEGER PRIMARY KEY); ALTER TABLE orders ADD COLUMN toll INTEGER']
  const open = (name: string) => {
    const path = join(folder, name)
    copyFileSync(fixture(1), path)
    return { path, db: new DatabaseSync(path) }
  }

  test('an old file goes through every step that is new to it, and keeps its rows', () => {
    const { path, db } = open('steps.sqlite')
    const rows = db.prepare('SELECT hash, body FROM orders ORDER BY n').all()
    migrate(db, path, [...migrations.slice(0, 1), ...v2.slice(1)])
    expect(versionOf(db, path, v2)).toBe(2)
    expect(db.prepare('SELECT hash, body FROM orders ORDER BY n').all()).toEqual(rows)
    const fresh = new DatabaseSync(':memory:')
    migrate(fresh, ':memory:', v2)
    check(db, path, schemaOf(fresh))
    migrate(db, path, v2)
    expect(() => versionOf(db, path)).toThrow(JournalError)
    for (const one of [db, fresh]) one.close()
  })

  test('a step that fails leaves the file as it was', () => {
    const { path, db } = open('fails.sqlite')
    const before = schemaOf(db)
    expect(() =>
      migrate(db, path, [...migrations, 'CREATE TABLE tolls (n INTEGER); CREATE TABLE orders (n)']),
    ).toThrow()
    expect(schemaOf(db)).toEqual(before)
    expect(versionOf(db, path)).toBe(migrations.length)
    db.close()
  })
})
