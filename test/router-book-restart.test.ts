/** A killed router comes back to the same chain, the same scores and the same waiting papers. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, textRequest } from '../kinds/index.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { defaultParams, foldLog, type LogEntry, labelEntry, routingEntry } from '../src/ledger/index.ts'
import { commitTo, seedOf } from '../src/router/seeds.ts'
import { bookWorld, keys, pubOf, secretOf, type World } from './router-book-world.ts'

const kind = textRequest.number
const trusted = { trusted: [pubOf('customer')] }

/** Everything that others can see of a book. */
function view(world: World) {
  const { book } = world
  const names = ['node', 'other', 'third']
  return {
    position: book.position(),
    // When a result was seen last is for the relays to say again.
    nodes: names.map(name => ({ ...book.entryOf(pubOf(name)), lastSeen: 0 })),
    scored: names.map(name => book.scored(pubOf(name), kind, 'nano', world.now())),
    market: names.map(name => book.market(kind, 'nano').get(pubOf(name))),
    rows: book.rows(),
    published: names.map(name => book.scores.scoreOf(pubOf(name))),
    waiting: book.waiting,
  }
}

/** The log as anybody reads it from relays. */
const entries = (world: World): LogEntry[] =>
  [
    ...world.published.flatMap(event => {
      const label = world.labels().find(one => one.seq >= 0 && idOf(world, one.seq) === event.id)
      return label ? [labelEntry(event.id, label)] : []
    }),
    ...world.routes().map(one => routingEntry(idOf(world, one.seq) ?? '', one)),
  ]
    .filter((one, at, all) => all.findIndex(({ id }) => id === one.id) === at)
    .toSorted((a, b) => a.seq - b.seq)
const idOf = (world: World, seq: number): string | undefined => {
  const said = world.journal.shelf('router-log').get(String(seq).padStart(12, '0'))
  return typeof said === 'string' ? (JSON.parse(said) as Event).id : undefined
}

async function lived(world: World, jobs = 12) {
  world.nodes('node', 'other', 'third')
  for (let i = 0; i < jobs; i++) {
    const node = ['node', 'other', 'third'][i % 3] ?? 'node'
    const route = await world.route('customer', [node])
    const one = world.job(`job ${i}`, { node, routing: route.id, verdict: i % 5 === 4 ? 'dispute' : 'ok' })
    const papers = [one.request, one.bill, one.zap, one.result, one.usage, one.ack]
    // Some jobs are half told when the process ends.
    world.hear(...(i % 4 === 3 ? papers.slice(0, 2 + (i % 3)) : papers))
    await world.settle(2_000)
  }
}

describe('restart', () => {
  test('what was seen without a restart is seen after one', async () => {
    const world = await bookWorld(trusted)
    await lived(world)
    await world.settle(60_000)
    const before = view(world)
    expect(before.position.seq).toBeGreaterThan(20)
    expect(before.waiting).toBeGreaterThan(0)
    await world.restart()
    expect(view(world)).toEqual(before)
    expect(world.troubles()).toEqual([])
  })

  test('papers that waited are judged by the next process, and nothing is said twice', async () => {
    const world = await bookWorld(trusted)
    world.nodes('node')
    const one = world.job('a')
    world.hear(one.request, one.ack)
    await world.settle()
    await world.restart()
    world.hear(one.usage)
    await world.settle()
    expect(world.labels()).toMatchObject([{ label: 'settled', job: one.request.id }])
    await world.restart()
    world.hear(one.request, one.ack, one.usage, one.bill, one.zap)
    await world.settle(60_000)
    expect(world.labels()).toHaveLength(1)
  })

  test('killed at any moment: no number is given twice, the chain holds, what is said again is the same bytes: 250 lives', {
    timeout: 60_000,
  }, async () => {
    const base = await bookWorld()
    const jobs = Array.from({ length: 12 }, (_, i) => base.job(`job ${i}`))
    const present = [base.announcement('node'), base.state('node')]
    await base.book.close()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }), async turns => {
        const world = await bookWorld(trusted)
        world.hear(...present)
        let n = 0
        for (const turn of turns) {
          if (turn === 0) await world.restart(true)
          else if (turn === 1) world.hub.down()
          else if (turn === 2) world.hub.up()
          else {
            const one = jobs[n++]
            if (one) world.hear(one.request, one.usage, one.ack)
            if (turn === 3) await world.settle()
          }
        }
        world.hub.up()
        await world.settle()
        await world.restart(true)
        await world.settle(31_000)
        const labels = world.labels()
        expect(labels.map(({ seq }) => seq)).toEqual(labels.map((_, at) => at))
        for (const [at, label] of labels.entries()) expect(label.prev).toBe(at === 0 ? '' : idOf(world, at - 1))
        expect(world.book.position().seq).toBe(labels.length)
        expect(new Set(labels.map(({ job }) => job)).size).toBe(labels.length)
        expect(world.journal.shelf('router-unsent').size).toBe(0)
        await world.book.close()
      }),
      { numRuns: 250 },
    )
  })

  test('the snapshot that is written now and then is enough after a kill', async () => {
    const world = await bookWorld({ ...trusted, limits: { snapshotSeconds: 60 } })
    await lived(world)
    await world.settle(65_000)
    world.nodes('node', 'other', 'third')
    await world.settle(65_000)
    const before = view(world)
    await world.restart(true)
    expect(view(world)).toEqual(before)
    expect(world.book.heardAt).toBeGreaterThan(0)
  })
})

describe('the chain', () => {
  test('seeds are committed to one entry ahead, in labels and routes, and verifiers fold the same scores from it', async () => {
    const world = await bookWorld(trusted)
    await lived(world)
    await world.settle(60_000)
    const log = entries(world)
    expect(log).toHaveLength(world.book.position().seq)
    for (const [at, { commit }] of log.entries()) expect(commit).toBe(commitTo(seedOf(secretOf('router'), at + 1)))
    const { ledger, broken } = foldLog(log, defaultParams)
    expect(broken).toBeUndefined()
    for (const name of ['node', 'other', 'third']) {
      const own = world.book.scored(pubOf(name), kind, 'nano', world.now())
      const around = { at: world.now(), stakeUnits: 0, stakeRef: 0 }
      expect(ledger.standing(pubOf(name), kind, 'nano', around)).toEqual(own)
      expect(own.log).toBe(log.length - 1)
    }
  })

  test('a write that throws takes no place, and entries follow in the order in which they were asked for', async () => {
    const world = await bookWorld(trusted)
    const { book } = world
    const first = world.route('a', ['node'])
    const broken = book.append(() => {
      throw new Error('no')
    })
    const second = world.route('b', ['node'])
    await expect(broken).rejects.toThrow('no')
    await Promise.all([first, second])
    expect(world.routes().map(({ seq, prev }) => [seq, prev])).toEqual([
      [0, ''],
      [1, (await first).id],
    ])
    expect(book.position()).toMatchObject({ seq: 2, prev: (await second).id })
    expect(sha256Hex('')).toHaveLength(64)
  })

  test('a hole in the log is an error that says the way out', async () => {
    const [clock, journal] = [handClock(), memoryJournal()]
    const world = await bookWorld({ clock, journal })
    await world.route('a', ['node'])
    await world.route('b', ['node'])
    await world.book.close()
    journal.shelf('router-log').delete('000000000000')
    expect(() => world.open()).toThrow(/router's log/)
  })

  test('after the end nothing is appended', async () => {
    const world = await bookWorld()
    await world.book.close()
    await expect(world.route('a', ['node'])).rejects.toThrow(/closed/)
    expect(keys.publicKey(secretOf('router'))).toBe(world.pubkey)
  })
})
