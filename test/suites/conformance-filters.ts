/**
 * Conformance rows: which stored events a REQ brings, and in what order.
 * @module
 */
import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import type { Event } from '../../kinds/kind.ts'
import type { Row, World } from './conformance.ts'
import type { Author, Wire } from './conformance-wire.ts'

const hex = (digit: string) => digit.repeat(64)

/** Stores events of one author, each with the next second, and hands them over oldest first. */
async function library(world: World, templates: { kind?: number; tags?: string[][] }[]) {
  const wire = await world.connect()
  const author = world.author()
  const start = world.now() - templates.length
  const events = templates.map(({ kind = 1, tags = [] }, i) => author.sign({ kind, tags, created_at: start + i }))
  for (const event of events) equal((await wire.publish(event))[2], true, 'not stored')
  return { wire, author, events }
}

/** Asks and compares with the events of these positions, in this order. */
const finds = (
  name: string,
  templates: { kind?: number; tags?: string[][] }[],
  filters: (author: Author, events: Event[]) => unknown[],
  positions: number[],
): Row => ({
  name: `NIP-01 ${name}`,
  async run(world) {
    const { wire, author, events } = await library(world, templates)
    const got = await wire.query(...filters(author, events))
    deepEqual(
      got.map(event => events.findIndex(one => one.id === event.id)),
      positions,
    )
  },
})

const closes = (name: string, ...words: unknown[]): Row => ({
  name: `NIP-01 ${name} is answered by CLOSED`,
  async run(world) {
    const wire = await world.connect()
    wire.send('REQ', ...words)
    const closed = await wire.until('CLOSED', said => said[0] === 'CLOSED')
    equal(closed[1], words[0])
    match(String(closed[2]), /^\S+: /)
  },
})

const tagged = [
  { tags: [['p', hex('a')]] },
  {
    tags: [
      ['p', hex('b')],
      ['e', hex('c')],
    ],
  },
  {
    tags: [
      ['p', hex('a')],
      ['e', hex('c')],
    ],
  },
  {
    tags: [
      ['p', hex('a')],
      ['e', hex('c')],
      ['t', 'x'],
    ],
  },
]

const sameSecond: Row = {
  name: 'NIP-01 of one second the lowest id comes first, also at the edge of a limit',
  async run(world) {
    const wire = await world.connect()
    const author = world.author()
    const created_at = world.now()
    const events = Array.from({ length: 5 }, (_, i) => author.sign({ kind: 1, created_at, content: `${i}` }))
    for (const event of events) await wire.publish(event)
    const sorted = events.map(event => event.id).sort()
    const order = async (filter: object) => (await wire.query(filter)).map(event => event.id)
    deepEqual(await order({ authors: [author.pubkey] }), sorted)
    deepEqual(await order({ authors: [author.pubkey], kinds: [1], limit: 2 }), sorted.slice(0, 2))
  },
}

const idLength = async (wire: Wire, length: number) => wire.subscribe('s'.repeat(length), { ids: [hex('0')] })

export const filterRows: readonly Row[] = [
  finds('REQ brings stored events, newest first, then EOSE', [{}, {}, {}], a => [{ authors: [a.pubkey] }], [2, 1, 0]),
  finds('by ids', [{}, {}, {}], (_, [first, , third]) => [{ ids: [first?.id, third?.id] }], [2, 0]),
  finds('by authors: nothing of a stranger', [{}], () => [{ authors: [hex('1')] }], []),
  finds('by kinds', [{ kind: 1 }, { kind: 7 }, { kind: 1 }], a => [{ authors: [a.pubkey], kinds: [7] }], [1]),
  finds('by #p', tagged, a => [{ authors: [a.pubkey], '#p': [hex('b')] }], [1]),
  finds('by #e', tagged, a => [{ authors: [a.pubkey], '#e': [hex('c')] }], [3, 2, 1]),
  finds(
    'by #t, several values are alternatives',
    [{ tags: [['t', 'x']] }, { tags: [['t', 'y']] }, {}],
    a => [{ authors: [a.pubkey], '#t': ['x', 'y', 'z'] }],
    [1, 0],
  ),
  finds(
    'two tag conditions must both hold',
    tagged,
    a => [{ authors: [a.pubkey], '#p': [hex('a')], '#e': [hex('c')] }],
    [3, 2],
  ),
  finds(
    'three tag conditions must all hold',
    tagged,
    a => [{ authors: [a.pubkey], '#p': [hex('a')], '#e': [hex('c')], '#t': ['x'] }],
    [3],
  ),
  finds(
    'only the first value of a tag is looked at',
    [{ tags: [['t', 'x', 'y']] }],
    a => [{ authors: [a.pubkey], '#t': ['y'] }],
    [],
  ),
  finds(
    'an empty tag value can be asked for',
    [{ tags: [['t', '']] }, { tags: [['t']] }, {}],
    a => [{ authors: [a.pubkey], '#t': [''] }],
    [0],
  ),
  finds(
    'upper-case and lower-case tag names are two names',
    [{ tags: [['E', hex('c')]] }, { tags: [['e', hex('c')]] }],
    a => [{ authors: [a.pubkey], '#E': [hex('c')] }],
    [0],
  ),
  finds(
    'a tag value of 1,000 characters can be asked for',
    [{ tags: [['i', `${'q'.repeat(999)}1`]] }, { tags: [['i', `${'q'.repeat(999)}2`]] }],
    a => [{ authors: [a.pubkey], '#i': [`${'q'.repeat(999)}2`] }],
    [1],
  ),
  finds('since is inclusive', [{}, {}, {}], (a, [, e]) => [{ authors: [a.pubkey], since: e?.created_at }], [2, 1]),
  finds('until is inclusive', [{}, {}, {}], (a, [, e]) => [{ authors: [a.pubkey], until: e?.created_at }], [1, 0]),
  finds('limit brings the newest', [{}, {}, {}], a => [{ authors: [a.pubkey], limit: 2 }], [2, 1]),
  finds(
    'limit holds with several kinds',
    [{ kind: 7 }, { kind: 1 }, { kind: 7 }, { kind: 1 }],
    a => [{ authors: [a.pubkey], kinds: [1, 7], limit: 3 }],
    [3, 2, 1],
  ),
  finds('limit 0 brings none', [{}], a => [{ authors: [a.pubkey], limit: 0 }], []),
  finds(
    'several filters are alternatives, an event that fits two comes once',
    [{ kind: 1 }, { kind: 7 }, { kind: 16 }],
    a => [
      { authors: [a.pubkey], kinds: [1, 7] },
      { authors: [a.pubkey], kinds: [7] },
    ],
    [1, 0],
  ),
  sameSecond,
  {
    name: 'NIP-01 the same question twice within a second sees what came between',
    async run(world) {
      const { wire, author } = await library(world, [{}])
      equal((await wire.query({ authors: [author.pubkey] })).length, 1)
      await wire.publish(author.sign({ kind: 1, created_at: world.now() }))
      equal((await wire.query({ authors: [author.pubkey] })).length, 2)
    },
  },
  {
    name: 'NIP-01 a subscription id has 1 to 64 characters',
    async run(world) {
      const wire = await world.connect()
      await idLength(wire, 64)
      await idLength(wire, 1)
      await rejects(idLength(wire, 65), /closed/)
      await rejects(idLength(wire, 0), /closed/)
    },
  },
  closes('a filter that is no object', 'x', 'all'),
  closes('a filter with a prefix for an id', 'x', { ids: ['abc'] }),
  closes('a filter with words for kinds', 'x', { kinds: ['note'] }),
  closes('a filter with a negative limit', 'x', { limit: -1 }),
  closes('one bad filter beside a good one', 'x', { kinds: [1] }, { authors: 'me' }),
]
