import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedWorld, openEmbedded } from './embedded-world.ts'

let folder: string
let db: string
let worlds: EmbeddedWorld[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'relay-'))
  db = join(folder, 'relay.db')
  worlds = []
})
afterEach(async () => {
  for (const world of worlds) await world.close()
  rmSync(folder, { recursive: true })
})

const open = async (file: string | undefined = db) => {
  const world = await openEmbedded(file === undefined ? {} : { db: file })
  worlds.push(world)
  return world
}

describe('a relay with a file', () => {
  test('finds after a restart what it said OK to, deletions and replacements included', async () => {
    const first = await open()
    const wire = await first.connect()
    const author = first.author()
    const note = author.sign({ content: 'kept' })
    const gone = author.sign({ content: 'deleted' })
    const old = author.sign({ kind: 10_002, created_at: first.now() - 9 })
    const request = author.sign({ kind: 5, tags: [['e', gone.id]] })
    const list = author.sign({ kind: 10_002 })
    for (const event of [note, gone, old, request, list]) expect((await wire.publish(event))[2]).toBe(true)
    await first.relay.close()

    const second = await open()
    const again = await second.connect()
    const found = await again.query({ authors: [author.pubkey] })
    expect(found.map(event => event.id).sort()).toEqual([note.id, request.id, list.id].sort())
    expect(second.relay.stats().stored).toBe(3)
    expect((await again.publish(gone))[2]).toBe(false)
    expect((await again.publish(note))[3]).toMatch(/^duplicate: /)
    expect(await again.query({ '#e': [gone.id] })).toEqual([request])
  })
  test('without a file nothing survives', async () => {
    const first = await openEmbedded()
    const wire = await first.connect()
    const event = first.author().sign({})
    await wire.publish(event)
    await first.close()
    const second = await openEmbedded()
    expect(await (await second.connect()).query({ ids: [event.id] })).toEqual([])
    await second.close()
  })
  test('refuses a file of a newer version and says the way out', async () => {
    await (await open()).relay.close()
    const raw = new DatabaseSync(db)
    raw.exec('PRAGMA user_version = 999')
    raw.close()
    await expect(open()).rejects.toThrow(/relay\.db cannot be used: it has version 999.*update, or name another file/)
  })
  test('refuses a file that is no database', async () => {
    writeFileSync(db, 'this is a text, long enough to be no SQLite header at all '.repeat(20))
    await expect(open()).rejects.toThrow(/not a database of this relay/)
  })
  test('says which file it could not open', async () => {
    await expect(open(join(folder, 'missing', 'relay.db'))).rejects.toThrow(/missing.*check folder and permissions/)
  })
  test('two relays do not share a file', async () => {
    const first = await open()
    await expect(open()).rejects.toThrow(/another relay has it open/)
    const wire = await first.connect()
    expect((await wire.publish(first.author().sign({})))[2]).toBe(true)
  })
  test('a taken port is said and leaves the file free', async () => {
    const world = await open()
    await expect(openEmbedded({ db: join(folder, 'b.db'), port: world.relay.port })).rejects.toThrow(/EADDRINUSE/)
    const free = await open(join(folder, 'b.db'))
    expect(free.relay.stats().stored).toBe(0)
  })
  test('closing twice is closing once', async () => {
    const world = await open()
    await Promise.all([world.relay.close(), world.relay.close()])
    await world.relay.close()
  })
})
