/**
 * Conformance rows: what standing subscriptions are told, and what is kept from them.
 * @module
 */
import { deepEqual, equal } from 'node:assert/strict'
import type { Event } from '../../kinds/kind.ts'
import type { Row, World } from './conformance.ts'
import type { Author, Wire } from './conformance-wire.ts'

const hex = (digit: string) => digit.repeat(64)
const is = (sub: string, event: Event) => (words: readonly unknown[]) =>
  words[0] === 'EVENT' && words[1] === sub && (words[2] as Event).id === event.id

interface Scene {
  readonly listener: Wire
  readonly speaker: Wire
  readonly author: Author
  say(template?: { kind?: number; tags?: string[][]; content?: string }): Event
}

async function scene(world: World): Promise<Scene> {
  const listener = await world.connect()
  const speaker = await world.connect()
  const author = world.author()
  let said = 0
  return {
    listener,
    speaker,
    author,
    say: ({ kind = 1, tags = [], content = `${said++}` } = {}) =>
      author.sign({ kind, tags, content, created_at: world.now() }),
  }
}

/** Speaks every template; the listener must hear exactly those of `heard`, of which the last ends the waiting. */
const hears = (
  name: string,
  filters: (author: Author) => object[],
  templates: { kind?: number; tags?: string[][] }[],
  heard: number[],
): Row => ({
  name: `NIP-01 live: ${name}`,
  async run(world) {
    const { listener, speaker, author, say } = await scene(world)
    await listener.subscribe('live', ...filters(author))
    const events = templates.map(say)
    for (const event of events) equal((await speaker.publish(event))[2], true, 'not accepted')
    const last = events[heard.at(-1) ?? 0]
    if (last) await listener.until('the matching event', is('live', last))
    deepEqual(
      listener.events('live').map(event => events.findIndex(one => one.id === event.id)),
      heard,
    )
  },
})

const p = (digit: string) => ['p', hex(digit)]
const e = (digit: string) => ['e', hex(digit)]

export const liveRows: readonly Row[] = [
  hears('a new event reaches a standing subscription', a => [{ authors: [a.pubkey] }], [{}, {}], [0, 1]),
  hears(
    '#p keeps from it what names another',
    a => [{ authors: [a.pubkey], '#p': [hex('a')] }],
    [{ tags: [p('b')] }, {}, { tags: [e('a')] }, { tags: [p('a')] }],
    [3],
  ),
  hears(
    '#e keeps from it what names another',
    a => [{ authors: [a.pubkey], '#e': [hex('a')] }],
    [{ tags: [e('b')] }, {}, { tags: [p('a')] }, { tags: [e('a')] }],
    [3],
  ),
  hears(
    'three tag conditions must all hold',
    a => [{ authors: [a.pubkey], '#p': [hex('a')], '#e': [hex('c')], '#t': ['x'] }],
    [{ tags: [p('a'), e('c')] }, { tags: [p('a'), ['t', 'x']] }, { tags: [p('a'), e('c'), ['t', 'x']] }],
    [2],
  ),
  hears(
    'kinds and authors',
    a => [{ authors: [hex('1')] }, { authors: [a.pubkey], kinds: [7] }],
    [{ kind: 1 }, { kind: 7 }],
    [1],
  ),
  hears(
    'an event that fits two filters comes once',
    a => [{ authors: [a.pubkey] }, { authors: [a.pubkey], kinds: [1] }],
    [{}, {}],
    [0, 1],
  ),
  hears('limit bounds only what is stored', a => [{ authors: [a.pubkey], limit: 0 }], [{}, {}], [0, 1]),
  hears('an ephemeral event is sent on', a => [{ authors: [a.pubkey] }], [{ kind: 20_001 }], [0]),
  {
    name: 'NIP-01 live: since and until hold',
    async run(world) {
      const { listener, speaker, author } = await scene(world)
      const now = world.now()
      await listener.subscribe('live', { authors: [author.pubkey], since: now - 10, until: now - 5 })
      const events = [-11, -4, -5, -10].map(age => author.sign({ kind: 1, created_at: now + age }))
      for (const event of events) await speaker.publish(event)
      const [, , third, fourth] = events
      if (fourth) await listener.until('event', is('live', fourth))
      deepEqual(
        listener.events('live').map(event => event.id),
        [third?.id, fourth?.id],
      )
    },
  },
  ...[1, 20_001].map(
    (kind): Row => ({
      name: `NIP-01 live: a duplicate of kind ${kind} is not sent again`,
      async run(world) {
        const { listener, speaker, author, say } = await scene(world)
        await listener.subscribe('live', { authors: [author.pubkey] })
        const events = [say({ kind }), say({ kind })]
        for (const event of [events[0], events[0], events[1]]) await speaker.publish(event)
        if (events[1]) await listener.until('the second', is('live', events[1]))
        deepEqual(listener.events('live'), events)
      },
    }),
  ),
  {
    name: 'NIP-01 live: a refused event is sent to nobody',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      await listener.subscribe('live', { authors: [author.pubkey] })
      await speaker.publish({ ...say(), sig: '3'.repeat(128) })
      const good = say()
      await speaker.publish(good)
      await listener.until('the good one', is('live', good))
      deepEqual(listener.events('live'), [good])
    },
  },
  {
    name: 'NIP-01 live: an old version of a replaceable event is not sent',
    async run(world) {
      const { listener, speaker, author } = await scene(world)
      await listener.subscribe('live', { authors: [author.pubkey] })
      const now = world.now()
      const [old, current, next] = [-2, -1, 0].map(age => author.sign({ kind: 10_002, created_at: now + age }))
      for (const event of [current, old, next]) await speaker.publish(event)
      if (next) await listener.until('the newest', is('live', next))
      deepEqual(listener.events('live'), [current, next])
    },
  },
  {
    name: 'NIP-01 CLOSE ends a subscription',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      await listener.subscribe('ended', { authors: [author.pubkey] })
      await listener.subscribe('kept', { authors: [author.pubkey] })
      listener.send('CLOSE', 'ended')
      await listener.query({ ids: [hex('0')] })
      const event = say()
      await speaker.publish(event)
      await listener.until('event', is('kept', event))
      deepEqual(listener.events('ended'), [])
    },
  },
  {
    name: 'NIP-01 a REQ with a known subscription id replaces the old one',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      await listener.subscribe('live', { authors: [author.pubkey], kinds: [1] })
      await listener.subscribe('live', { authors: [author.pubkey], kinds: [7] })
      const wanted = say({ kind: 7 })
      for (const event of [say({ kind: 1 }), wanted]) await speaker.publish(event)
      await listener.until('the wanted', is('live', wanted))
      deepEqual(listener.events('live'), [wanted])
    },
  },
  {
    name: 'NIP-01 two clients may use the same subscription id',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      await listener.subscribe('same', { authors: [author.pubkey], kinds: [1] })
      await speaker.subscribe('same', { authors: [author.pubkey], kinds: [7] })
      const [note, reaction] = [say({ kind: 1 }), say({ kind: 7 })]
      for (const event of [note, reaction]) await speaker.publish(event)
      await listener.until('note', is('same', note))
      await speaker.until('reaction', is('same', reaction))
      deepEqual([listener.events('same'), speaker.events('same')], [[note], [reaction]])
    },
  },
  {
    name: 'NIP-01 one client may hear an event by two subscriptions',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      await listener.subscribe('one', { authors: [author.pubkey] })
      await listener.subscribe('two', { authors: [author.pubkey] })
      const event = say()
      await speaker.publish(event)
      await listener.until('first', is('one', event))
      await listener.until('second', is('two', event))
    },
  },
  {
    name: 'NIP-01 of 60 events published while a REQ is asked, none is lost',
    async run(world) {
      const { listener, speaker, author, say } = await scene(world)
      for (let i = 0; i < 60; i++) {
        const event = say()
        const sub = `race-${i}`
        if (i % 2) listener.send('REQ', sub, { ids: [event.id] })
        speaker.send('EVENT', event)
        if (!(i % 2)) listener.send('REQ', sub, { authors: [author.pubkey], '#t': [] }, { ids: [event.id] })
        await listener.until('the raced event', is(sub, event))
        listener.send('CLOSE', sub)
      }
    },
  },
]
