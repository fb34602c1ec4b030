/** Floods of strangers: memory, log and time stay bounded, and what is honest comes through. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { acknowledgement, type Event, kinds, textRequest, usageReceipt, zapReceipt } from '../kinds/index.ts'
import { sha256Hex } from '../src/hash.ts'
import { emptyCase, openRoom, weigh } from '../src/router/cases.ts'
import { bookWorld, type JobTwist, keys, price, pubOf, type World } from './router-book-world.ts'

const kind = textRequest.number
const limits = { otherJobs: 100, ownJobs: 100, chars: 500_000, badPerMinute: 8, perNodePerMinute: 40, perMinute: 120 }
const trusted = [pubOf('customer')]

/** Many papers about jobs that nobody asked for, signed by nobody: the door is not what is tried here. */
function* flood(n: number, of: number): Generator<Event> {
  for (let i = 0; i < n; i++) {
    const [job, author] = [sha256Hex(`flood ${i}`), sha256Hex(`author ${i % 50}`)]
    yield {
      ...{
        id: sha256Hex(`flood id ${of} ${i}`),
        pubkey: author,
        created_at: 1_800_000_000,
        kind: of,
        sig: '0'.repeat(128),
      },
      ...{
        tags: [
          ['e', job],
          ['p', author],
        ],
        content: 'x'.repeat(i % 2_000),
      },
    }
  }
}

async function routed(world: World, name: string, twist: JobTwist = {}) {
  const route = await world.route(twist.customer ?? 'customer', [twist.node ?? 'node'])
  return world.job(name, { ...twist, routing: route.id })
}

describe('floods', () => {
  test.each([zapReceipt, usageReceipt, acknowledgement, textRequest].map(one => [one.name, one.number] as const))(
    '10,000 of kind %s leave the waiting room bounded, and the job of this router in it',
    async (_name, number) => {
      const world = await bookWorld({ trusted, limits })
      world.nodes('node')
      const one = await routed(world, 'own')
      world.hear(one.request, one.result)
      world.hear(...flood(10_000, number))
      expect(world.book.waiting).toBeLessThanOrEqual(limits.otherJobs + limits.ownJobs)
      world.hear(one.usage, one.ack)
      await world.settle()
      expect(
        world
          .labels()
          .map(({ topic, label }) => `${topic} ${label}`)
          .toSorted(),
      ).toEqual(['outcome served', 'payment settled'])
      expect(world.troubles()).toEqual([])
    },
  )

  test('forged receipts of many strangers fill neither log nor waiting room, and the honest one is settled', async () => {
    const world = await bookWorld({ limits })
    world.nodes('node')
    const jobs = Array.from({ length: 60 }, (_, i) => world.job(`job ${i}`))
    for (const { request, zap } of jobs) {
      const { created_at, tags, content } = zap
      world.hear(request, world.sign({ kind: zap.kind, created_at, tags, content }, 'stranger'))
    }
    await world.settle()
    // A quarter of what a minute allows, at once.
    expect(world.labels()).toHaveLength(limits.badPerMinute / 4)
    expect(world.labels().every(({ label }) => label === 'forged')).toBe(true)
    const honest = jobs.at(-1)
    if (honest) world.hear(honest.bill, honest.zap)
    await world.settle()
    expect(world.labels().at(-1)).toMatchObject({ label: 'settled', job: honest?.request.id })
  })

  test('a node that settles with itself all day fills its own share of the log and nobody else’s', async () => {
    const world = await bookWorld({ limits })
    world.nodes('node', 'sybil')
    const wash = Array.from({ length: 80 }, (_, i) =>
      world.job(`wash ${i}`, { node: 'sybil', customer: `washer ${i}` }),
    )
    for (const { request, usage, ack } of wash) world.hear(request, usage, ack)
    const honest = world.job('honest')
    world.hear(honest.request, honest.usage, honest.ack)
    await world.settle()
    const of = (name: string) => world.labels().filter(({ node }) => node === pubOf(name)).length
    expect([of('sybil'), of('node')]).toEqual([limits.perNodePerMinute / 4, 1])
    expect(world.labels().length).toBeLessThanOrEqual(limits.perMinute / 4)
  })

  test('what there was no room for is said when there is', async () => {
    const world = await bookWorld({ limits })
    world.nodes('node')
    const jobs = Array.from({ length: 15 }, (_, i) => world.job(`job ${i}`))
    for (const { request, usage, ack } of jobs) world.hear(request, usage, ack)
    await world.settle()
    expect(world.labels()).toHaveLength(10)
    await world.settle(60_000)
    expect(world.labels()).toHaveLength(15)
  })

  test('routes that are never used and jobs that never end leave no more behind than there is room for', async () => {
    const world = await bookWorld({ trusted, limits: { ...limits, ownJobs: 10 } })
    world.nodes('node')
    for (let i = 0; i < 40; i++) world.hear((await routed(world, `job ${i}`)).request)
    expect(world.book.waiting).toBe(10)
    await world.settle(700_000)
    expect(world.labels().length).toBeLessThanOrEqual(10)
  })
})

describe('slander and praise', () => {
  test('no 4633 of a stranger, about whose job ever, moves any score: 1,000 runs', { timeout: 60_000 }, async () => {
    const world = await bookWorld({ trusted })
    world.nodes('node', 'other')
    const own = await routed(world, 'own')
    world.hear(own.request, own.bill)
    const scores = () =>
      ['node', 'other'].map(name => {
        const { score, track } = world.book.scored(pubOf(name), kind, 'nano', 1_800_000_000)
        return [score, { ...track }]
      })
    const before = scores()
    const word = fc.record({
      ...{
        job: fc.constantFrom(own.request.id, sha256Hex('job')),
        node: fc.constantFrom(pubOf('node'), pubOf('other')),
      },
      ...{ verdict: fc.constantFrom('ok', 'dispute', 'failed'), msats: fc.constantFrom(0n, price) },
      payments: fc.constantFrom([], [{ hash: own.hash, preimage: sha256Hex('preimage own') }]),
    })
    await fc.assert(
      fc.asyncProperty(word, fc.constantFrom('stranger', 'other', 'node'), fc.nat(100), async (said, by, later) => {
        world.hear(world.sign(acknowledgement.write(said as never, world.now() + later), by))
        expect(scores()).toEqual(before)
      }),
      { numRuns: 1_000 },
    )
    await world.settle()
    expect(world.labels()).toEqual([])
    world.hear(own.result, own.usage, own.ack)
    await world.settle()
    expect(scores()).not.toEqual(before)
  })

  test('whatever shape an event of any kind has, hearing it neither throws nor says a word: 3,000 runs', async () => {
    const world = await bookWorld({ trusted })
    world.nodes('node')
    const one = await routed(world, 'own')
    world.hear(one.request)
    const value = fc.oneof(
      fc.constantFrom(one.request.id, pubOf('node'), pubOf('customer'), one.hash, 'job', '1', '', '{}'),
      fc.string(),
    )
    const name = fc.constantFrom(...[...one.usage.tags, ...one.ack.tags, ...one.zap.tags].map(tag => tag[0] ?? ''))
    const event: fc.Arbitrary<Event> = fc.record({
      ...{ id: fc.constant('').map(() => keys.publicKey(keys.newSecret())), sig: fc.constant('0'.repeat(128)) },
      pubkey: fc.constantFrom(pubOf('node'), pubOf('customer'), pubOf('stranger')),
      created_at: fc.oneof(fc.nat(2 ** 31), fc.constant(1_800_000_000)),
      kind: fc.constantFrom(...kinds.map(({ number }) => number)),
      tags: fc.array(fc.oneof(fc.tuple(name, value), fc.tuple(name, value, value), fc.array(value, { maxLength: 4 })), {
        maxLength: 8,
      }),
      content: fc.oneof(value, fc.json({ maxDepth: 2 })),
    })
    fc.assert(
      fc.property(event, given => world.book.heard(given)),
      { numRuns: 3_000 },
    )
    await world.settle()
    expect(world.troubles()).toEqual([])
    expect(world.labels().filter(({ label }) => label === 'settled' || label === 'served')).toEqual([])
  })
})

test('papers of a job of which all is said are let go, and their repetition changes nothing', async () => {
  const world = await bookWorld({ trusted, limits: { ...limits, chars: 12_000 } })
  world.nodes('node')
  // Each job brings some 6,000 characters: without letting go the first would be pushed out by the third.
  const jobs = Array.from({ length: 6 }, (_, i) => world.job(`job ${i}`))
  for (const { request, usage, ack } of jobs) {
    world.hear(request, usage, ack)
    await world.settle(1_000)
  }
  expect(world.book.waiting).toBe(6)
  for (const { request, bill, zap, usage, ack } of jobs) world.hear(request, bill, zap, usage, ack)
  await world.settle(60_000)
  expect(world.labels().map(({ label }) => label)).toEqual(jobs.map(() => 'settled'))
})

test('the waiting room counts every character, and never holds more than it may: 1,000 runs', () => {
  const paper = (size: number, n: number): Event => ({
    ...{ id: sha256Hex(String(n)), pubkey: '', created_at: 0, kind: 1, tags: [], content: 'x'.repeat(size), sig: '' },
  })
  const act = fc.record({
    job: fc.nat(9).map(String),
    into: fc.constantFrom('bills', 'usages', 'acks', 'zap', 'request', 'answer', 'protect', 'settle'),
    size: fc.nat(3_000),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), acts => {
      const room = openRoom({ own: 3, others: 5, chars: 12_000 })
      for (const [n, { job, into, size }] of acts.entries()) {
        const one = room.open(job, 0)
        const event = paper(size, n)
        if (into === 'zap') room.keepZap(one, { event })
        else if (into === 'request' || into === 'answer') room[into](one, event)
        else if (into === 'protect') room.protect(one, { routing: '', node: '', model: '', deadlineAt: 0 })
        else if (into === 'settle') room.settle(one)
        else room.keep(one, into, event)
        const all = [...room.all()]
        expect(all.length).toBeLessThanOrEqual(8)
        let chars = 0
        for (const each of all) {
          const events = [...each.bills, ...each.usages, ...each.acks, ...each.zaps.map(zap => zap.event)]
          for (const held of [each.request, each.answer, ...events]) if (held) chars += weigh(held)
          expect(
            Math.max(each.bills.length, each.usages.length, each.acks.length, each.zaps.length),
          ).toBeLessThanOrEqual(4)
        }
        expect(all.reduce((sum, each) => sum + each.chars, 0)).toBe(chars)
        // One case may be larger than all the room.
        if (all.length > 1) expect(chars).toBeLessThanOrEqual(12_000)
      }
    }),
    { numRuns: 1_000 },
  )
  expect(emptyCase('a', 1).chars).toBe(0)
})
