import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Author, type EmbeddedWorld, openEmbedded } from './embedded-world.ts'
import type { Wire } from './suites/conformance-wire.ts'

const SECRET = 4
let world: EmbeddedWorld

beforeEach(async () => {
  world = await openEmbedded({ authToRead: [SECRET] })
})
afterEach(() => world.close())

async function prove(wire: Wire, who: Author) {
  const [, challenge] = await wire.until('AUTH', words => words[0] === 'AUTH')
  const event = who.sign({
    kind: 22_242,
    tags: [
      ['relay', world.relay.url],
      ['challenge', String(challenge)],
    ],
  })
  wire.send('AUTH', event)
  expect((await wire.until('OK', words => words[1] === event.id))[2]).toBe(true)
}

async function count(wire: Wire, id: string, filter: object) {
  wire.send('COUNT', id, filter)
  return (await wire.until('COUNT', words => words[0] === 'COUNT' && words[1] === id))[2]
}

test('restricted kinds: asked for by name, a stranger is told to authenticate', async () => {
  const wire = await world.connect()
  await expect(wire.subscribe('x', { kinds: [1, SECRET] })).rejects.toThrow(/closed: auth-required: /)
  wire.send('COUNT', 'y', { kinds: [SECRET] })
  const closed = await wire.until('CLOSED', words => words[0] === 'CLOSED' && words[1] === 'y')
  expect(closed[2]).toMatch(/^auth-required: /)
})

test('restricted kinds reach author and addressee, stored, live and counted, and nobody else', async () => {
  const [author, friend, stranger] = [world.author(), world.author(), world.author()]
  const speaker = await world.connect()
  const letter = author.sign({
    kind: SECRET,
    tags: [
      ['p', friend.pubkey],
      ['e', stranger.pubkey],
    ],
  })
  const note = author.sign({ kind: 1, created_at: world.now() - 5 })
  for (const event of [letter, note]) await speaker.publish(event)

  const readers = { author, friend, stranger, nobody: undefined }
  const live = author.sign({ kind: SECRET, tags: [['p', friend.pubkey]] })
  const end = author.sign({ kind: 1 })
  const wires = new Map<string, Wire>()
  for (const [name, who] of Object.entries(readers)) {
    const wire = await world.connect()
    if (who) await prove(wire, who)
    wires.set(name, wire)
    const sees = name === 'author' || name === 'friend'
    expect(await wire.query({ authors: [author.pubkey] })).toEqual(sees ? [letter, note] : [note])
    expect(await wire.query({ authors: [author.pubkey], limit: 1 }), 'limit comes after hiding').toEqual([
      sees ? letter : note,
    ])
    expect(await count(wire, 'count', { authors: [author.pubkey] })).toEqual({ count: sees ? 2 : 1 })
    await wire.subscribe('live', { authors: [author.pubkey], limit: 0 })
  }
  for (const event of [live, end]) await speaker.publish(event)
  for (const [name, wire] of wires) {
    await wire.until(
      'the last event',
      words => words[0] === 'EVENT' && words[1] === 'live' && JSON.stringify(words[2]).includes(end.id),
    )
    expect(wire.events('live'), name).toEqual(name === 'author' || name === 'friend' ? [live, end] : [end])
  }
})

test('a connection proves at most so many keys', async () => {
  await world.close()
  world = await openEmbedded({ limits: { authors: 2 } })
  const wire = await world.connect()
  await prove(wire, world.author())
  await prove(wire, world.author())
  await expect(prove(wire, world.author())).rejects.toThrow()
})
