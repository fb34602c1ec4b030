/**
 * Conformance rows: what a relay answers to EVENT, and what it keeps.
 * @module
 */
import { deepEqual, equal, match } from 'node:assert/strict'
import type { Event } from '../../kinds/kind.ts'
import type { Row, World } from './conformance.ts'
import type { Words } from './conformance-wire.ts'

const accepted = (ok: Words) => {
  equal(ok.length, 4, `OK has ${ok.length} elements`)
  equal(ok[2], true, `refused: ${String(ok[3])}`)
}
const refused = (ok: Words, prefix: RegExp) => {
  equal(ok.length, 4, `OK has ${ok.length} elements`)
  equal(ok[2], false, 'accepted')
  match(String(ok[3]), prefix)
}
const ids = (events: readonly Event[]) => events.map(event => event.id)
const byId = (a: Event, b: Event) => (a.id < b.id ? -1 : 1)

/** Stores the versions in the given order and returns what is left of the author. */
async function left(world: World, make: (author: ReturnType<World['author']>, now: number) => Event[]) {
  const wire = await world.connect()
  const author = world.author()
  const versions = make(author, world.now())
  for (const version of versions) await wire.publish(version)
  return { versions, left: await wire.query({ authors: [author.pubkey] }) }
}

/** Two versions of the same second, given in both orders: the lowest id must be left. */
async function tie(world: World, kind: number, tags: string[][]) {
  for (const turn of [1, -1]) {
    const { versions, left: rest } = await left(world, (author, now) =>
      ['a', 'b']
        .map(content => author.sign({ kind, created_at: now, content, tags }))
        .sort((a, b) => turn * byId(a, b)),
    )
    deepEqual(ids(rest), ids([...versions].sort(byId)).slice(0, 1))
  }
}

const refusal = (name: string, break_: (event: Event) => unknown, prefix = /^invalid: /): Row => ({
  name,
  async run(world) {
    const wire = await world.connect()
    const author = world.author()
    const genuine = author.sign({ kind: 1, created_at: world.now(), content: 'x' })
    refused(await wire.publish(break_(genuine)), prefix)
    deepEqual(await wire.query({ authors: [author.pubkey] }), [], 'it was stored')
  },
})

export const writeRows: readonly Row[] = [
  {
    name: 'NIP-01 EVENT is answered by OK with four elements',
    async run(world) {
      const wire = await world.connect()
      const ok = await wire.publish(world.author().sign({ kind: 1, created_at: world.now() }))
      accepted(ok)
      equal(typeof ok[3], 'string')
    },
  },
  refusal('NIP-01 a wrong signature is refused with invalid:', event => ({ ...event, sig: '1'.repeat(128) })),
  refusal('NIP-01 an id that is not the hash is refused with invalid:', event => ({ ...event, content: 'y' })),
  refusal('NIP-01 an event without tags is refused and still gets its OK', ({ tags: _, ...rest }) => rest),
  refusal('NIP-01 upper-case hex is refused', event => ({ ...event, pubkey: event.pubkey.toUpperCase() })),
  refusal('NIP-01 a tag that holds a number is refused', event => ({ ...event, tags: [['t', 1]] })),
  {
    name: 'NIP-01 a kind over 65535 is refused, 65535 is not',
    async run(world) {
      const wire = await world.connect()
      const author = world.author()
      refused(await wire.publish(author.sign({ kind: 65_536, created_at: world.now() })), /^\w/)
      accepted(await wire.publish(author.sign({ kind: 65_535, created_at: world.now() })))
    },
  },
  {
    name: 'NIP-01 content comes back as it was signed: quotes, controls, emoji, escapes',
    async run(world) {
      const wire = await world.connect()
      const content = '"\\\n\r\t\b\f /é漢🜁\u2028\u0000\u007f <script>&amp;'
      const event = world.author().sign({ kind: 1, created_at: world.now(), content, tags: [['t', content]] })
      accepted(await wire.publish(event))
      deepEqual(await wire.query({ ids: [event.id] }), [event])
    },
  },
  {
    name: 'NIP-01 an event of 60,000 bytes comes back whole',
    async run(world) {
      const wire = await world.connect()
      const event = world.author().sign({ kind: 1, created_at: world.now(), content: 'x'.repeat(60_000) })
      accepted(await wire.publish(event))
      deepEqual(await wire.query({ ids: [event.id] }), [event])
    },
  },
  {
    name: 'NIP-01 a duplicate gets OK true with duplicate:',
    async run(world) {
      const wire = await world.connect()
      const event = world.author().sign({ kind: 1, created_at: world.now() })
      accepted(await wire.publish(event))
      const again = await wire.publish(event)
      accepted(again)
      match(String(again[3]), /^duplicate: /)
    },
  },
  {
    name: 'NIP-01 a twin with a bad signature does not shut out the genuine event',
    async run(world) {
      const wire = await world.connect()
      const event = world.author().sign({ kind: 1, created_at: world.now() })
      refused(await wire.publish({ ...event, sig: '2'.repeat(128) }), /^invalid: /)
      accepted(await wire.publish(event))
      deepEqual(await wire.query({ ids: [event.id] }), [event])
    },
  },
  {
    name: 'NIP-01 after a genuine event its twin with a bad signature changes nothing',
    async run(world) {
      const wire = await world.connect()
      const event = world.author().sign({ kind: 1, created_at: world.now() })
      accepted(await wire.publish(event))
      await wire.publish({ ...event, sig: '2'.repeat(128) })
      deepEqual(await wire.query({ ids: [event.id] }), [event])
    },
  },
  {
    name: 'NIP-01 junk does not end the conversation',
    async run(world) {
      const wire = await world.connect()
      for (const junk of ['', 'junk', '{}', '[]', '[1]', 'null', '["NOPE"]', '["EVENT"]', '["EVENT",null]', '["REQ"]'])
        wire.raw(junk)
      deepEqual(await wire.query({ ids: ['0'.repeat(64)] }), [])
    },
  },
  ...[0, 3, 10_002].map(
    (kind): Row => ({
      name: `NIP-01 replaceable kind ${kind}: the newest version stays`,
      async run(world) {
        const { versions, left: rest } = await left(world, (author, now) =>
          [now - 2, now, now - 1].map(created_at => author.sign({ kind, created_at, content: `${created_at}` })),
        )
        deepEqual(ids(rest), ids(versions.slice(1, 2)))
      },
    }),
  ),
  { name: 'NIP-01 replaceable: of one second the lowest id stays', run: world => tie(world, 10_002, []) },
  { name: 'NIP-01 addressable: of one second the lowest id stays', run: world => tie(world, 30_078, [['d', 'x']]) },
  {
    name: 'NIP-01 addressable: the newest version of each d stays',
    async run(world) {
      const { versions, left: rest } = await left(world, (author, now) =>
        (['a1', 'b1', 'a3', 'a2'] as const).map(([d, age]) =>
          author.sign({ kind: 30_078, created_at: now - 5 + Number(age), tags: [['d', String(d)]] }),
        ),
      )
      deepEqual(ids(rest), ids([versions[2], versions[1]].filter(event => event !== undefined)))
    },
  },
  {
    name: 'NIP-01 addressable: no d, a bare d and an empty d are the same',
    async run(world) {
      const { versions, left: rest } = await left(world, (author, now) =>
        [[], [['d']], [['d', '']]].map((tags, i) => author.sign({ kind: 30_078, created_at: now - 9 + i, tags })),
      )
      deepEqual(ids(rest), ids(versions.slice(2)))
    },
  },
  {
    name: 'NIP-01 an ephemeral event is not stored',
    async run(world) {
      const { left: rest } = await left(world, (author, now) => [author.sign({ kind: 20_001, created_at: now })])
      deepEqual(rest, [])
    },
  },
]
