import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faults, startBroken } from './embedded-broken.ts'
import { type EmbeddedWorld, openEmbedded } from './embedded-world.ts'
import { rows, runRow } from './suites/conformance.ts'

let world: EmbeddedWorld

beforeAll(async () => {
  world = await openEmbedded()
})
afterAll(() => world.close())

const hands = () => ({ now: world.now, pass: (seconds: number) => world.clock.advance(seconds * 1000) })

describe('the embedded relay keeps every row', () => {
  test('there are at least 49 rows, each with a name of its own', () => {
    expect(rows.length).toBeGreaterThanOrEqual(49)
    expect(new Set(rows.map(row => row.name)).size).toBe(rows.length)
  })
  test.each(rows.map(row => [row.name, row] as const))('%s', async (_, row) => {
    expect(await runRow(world.relay.url, row, hands())).toEqual({ name: row.name, ok: true, says: '' })
  })
  test('and told its operator of no trouble', () => {
    expect(world.said).toEqual([])
  })
})

describe('a row that is broken says so', () => {
  test.each(faults.map(({ name, ...rest }) => [name, rest] as const))('a relay that %s', async (_, one) => {
    const broken = await startBroken(world.relay.url, one.fault)
    try {
      const held: string[] = []
      for (const row of rows.filter(({ name }) => one.noticedBy.includes(name)))
        if ((await runRow(broken.url, row, { ...hands(), patienceMs: 400 })).ok) held.push(row.name)
      expect(held).toEqual([])
      expect(rows.filter(({ name }) => one.noticedBy.includes(name)).length).toBe(one.noticedBy.length)
    } finally {
      await broken.close()
    }
  })
  test('the same proxy without a fault holds those rows', async () => {
    const honest = await startBroken(world.relay.url, () => ({}))
    try {
      const noticed = new Set(faults.flatMap(fault => fault.noticedBy))
      for (const row of rows.filter(({ name }) => noticed.has(name)))
        expect(await runRow(honest.url, row, hands())).toEqual({ name: row.name, ok: true, says: '' })
    } finally {
      await honest.close()
    }
  })
  test('a relay that is not there fails every row by saying so', async () => {
    const row = rows[0]
    if (!row) throw new Error('no rows')
    expect(await runRow('ws://127.0.0.1:1', row)).toMatchObject({ ok: false, says: /ECONNREFUSED/ })
  })
})
