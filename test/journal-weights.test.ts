/** When what a journal keeps is on the disk, and what its caps remember of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test, vi } from 'vitest'
import { openJournal } from '../src/journal/index.ts'
import { order } from './journal-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridstr-weights-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const fresh = () => join(folder, `${files++}.sqlite`)

/** What SQLite is told about the disk. */
function listened() {
  const said: string[] = []
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    if (/synchronous|user_version/.test(sql)) said.push(sql.replace('PRAGMA ', ''))
    this.prepare(sql).run()
  })
  return { said, exec }
}

test('money is on the disk when a call returns, and takes with it what was written before', () => {
  const journal = openJournal(fresh())
  const { said, exec } = listened()
  journal.jobs.open({ side: 'node', id: 'a', at: 1, opening: 0 })
  // SQLite starts out with FULL: every commit of the log waits for the disk.
  expect(said.splice(0)).toEqual([])
  journal.jobs.fact('node', 'a', 1, 'plain')
  journal.jobs.fact('node', 'a', 2, 'plain')
  expect(said.splice(0)).toEqual(['synchronous = NORMAL'])
  journal.orders.plan(order(1))
  expect(said.splice(0)).toEqual(['synchronous = FULL'])
  journal.atomically(() => journal.jobs.fact('node', 'a', 3, 'plain'), 'plain')
  expect(said.splice(0)).toEqual(['synchronous = NORMAL'])
  // A transaction cannot change its mind, so a commit after it carries it to the disk.
  journal.atomically(() => journal.orders.plan(order(2)), 'plain')
  expect(said.splice(0)).toEqual(['synchronous = FULL', 'user_version = 1'])
  exec.mockRestore()
  journal.close()
})

test('what is written for soon reaches the disk by itself, with the next money, or at the end', async () => {
  const journal = openJournal(fresh())
  const { said, exec } = listened()
  journal.jobs.open({ side: 'node', id: 'a', at: 1, opening: 0 }, 'plain')
  journal.bills.add({ hash: 'b', bolt11: 'x', msats: 1n, expiresAt: 2, purpose: 'job', at: 1 })
  said.splice(0)
  const paid = () => {
    journal.jobs.fact('node', 'a', 'paid', 'soon')
    journal.bills.end('b', { state: 'paid', at: 1 }, 'soon')
  }
  journal.atomically(paid, 'soon')
  paid()
  expect(said.splice(0)).toEqual(['synchronous = NORMAL'])
  await vi.waitFor(() => expect(said).toEqual(['synchronous = FULL', 'user_version = 1']))
  said.splice(0)
  paid()
  journal.orders.plan(order(1), 'plain')
  journal.orders.plan(order(2))
  expect(said.splice(0)).toEqual(['synchronous = NORMAL', 'synchronous = FULL'])
  journal.atomically(() => journal.jobs.fact('node', 'a', 1, 'soon'), 'plain')
  expect(said.splice(0)).toEqual(['synchronous = NORMAL'])
  journal.close()
  expect(said).toEqual(['synchronous = FULL', 'user_version = 1'])
  exec.mockRestore()
})

test('caps count what was written, undone and ended since they were asked for first', () => {
  const journal = openJournal(fresh())
  const spent = () => journal.orders.spentMsats({ since: 0 })
  const before = spent()
  journal.orders.plan(order(1))
  const one = spent() - before
  expect(one).toBe(order(1).msats)
  expect(() =>
    journal.atomically(() => {
      journal.orders.plan(order(2))
      expect(spent()).toBe(one + order(2).msats)
      throw new Error('undone')
    }),
  ).toThrow('undone')
  expect(spent()).toBe(one)
  journal.orders.end(order(1).hash, { state: 'paid', feeMsats: 7n, at: 9 })
  expect(spent()).toBe(one + 7n)
  journal.orders.plan(order(3))
  journal.orders.end(order(3).hash, { state: 'failed', at: 9 })
  expect(spent()).toBe(one + 7n)
  journal.close()
})
