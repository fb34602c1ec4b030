/** Markets as the desk sees them: fresh with what was heard, and scored by the log. */
import { describe, expect, test } from 'vitest'
import { heartbeat, textRequest } from '../kinds/index.ts'
import { bookWorld, price, pubOf } from './router-book-world.ts'

const kind = textRequest.number
const trusted = [pubOf('customer')]

describe('a market', () => {
  test('shows who offers the model, with load, price and speed as the lease and benchmarks say', async () => {
    const world = await bookWorld()
    world.nodes('a')
    world.hear(
      world.announcement('b', { region: 'eu', privacy: [0, 2], slots: 2, terms: ['before', 'after'], zappers: [] }),
      world.state('b', {
        slots: { total: 8, busy: 3, queued: 2 },
        prices: [
          { kind, model: '', msats: 9n, unit: 'job' },
          { kind, model: 'nano', msats: 7n, unit: 'job' },
        ],
      }),
      world.announcement('other model', { models: [{ name: 'huge', contextTokens: 1 }] }),
      world.announcement('other kind', { kinds: [kind + 1] }),
    )
    const market = world.book.market(kind, 'nano')
    expect(market.size).toBe(2)
    expect(market.get(pubOf('a'))).toMatchObject({
      service: 'text',
      model: 'nano',
      msats: Number(price),
      inflight: 0,
      slots: 4,
    })
    expect(market.get(pubOf('b'))).toMatchObject({
      ...{
        msats: 7,
        inflight: 5,
        slots: 8,
        region: 'eu',
        privacy: [0, 2],
        terms: ['before', 'after'],
        status: 'alive',
      },
      ...{ stage: 'new', score: world.book.scored(pubOf('b'), kind, 'nano', world.now()).score },
    })
    expect(world.book.market(kind).size).toBe(3)
    expect(world.book.market(kind, 'huge').get(pubOf('other model'))?.model).toBe('huge')
  })

  test('follows what changes: load, price, model, and a lease that runs out', async () => {
    const world = await bookWorld()
    world.nodes('a', 'b')
    const market = world.book.market(kind, 'nano')
    const one = () => world.book.market(kind, 'nano').get(pubOf('a'))
    expect(market.median).toBe(Number(price))
    await world.settle(1_000)
    world.hear(world.state('a', { slots: { total: 4, busy: 4, queued: 1 } }))
    expect(one()).toMatchObject({ inflight: 5 })
    await world.settle(1_000)
    world.hear(world.announcement('a', { priceMsats: 5n }))
    expect([one()?.msats, world.book.market(kind, 'nano').median]).toEqual([5, 5])
    await world.settle(1_000)
    world.hear(world.announcement('a', { models: [{ name: 'huge', contextTokens: 1 }] }))
    expect(one()).toBeUndefined()
    expect(world.book.market(kind, 'nano').size).toBe(1)
    expect(world.book.market(kind, 'nano').get(pubOf('b'))?.status).toBe('alive')
    await world.settle(200_000)
    expect(world.book.market(kind, 'nano').get(pubOf('b'))?.status).toBe('unknown')
    const beat = { service: 'text', status: 'ready', expiresAt: world.now() + 300, text: '' }
    world.hear(world.sign(heartbeat.write(beat, world.now()), 'b'))
    expect(world.book.market(kind, 'nano').get(pubOf('b'))?.status).toBe('alive')
  })

  test('has no place for who says no price, nor keeps a market for a name that nobody offers', async () => {
    const world = await bookWorld()
    world.nodes('a')
    world.hear(world.announcement('flexible', {}, false), world.state('flexible'))
    expect(world.book.market(kind, 'nobody').size).toBe(0)
    expect(world.book.market(kind, 'nobody')).not.toBe(world.book.market(kind, 'nobody'))
    expect(world.book.market(kind, 'nano')).toBe(world.book.market(kind, 'nano'))
    expect(world.book.market(kind, 'nano').size).toBe(1)
  })

  test('a label moves score and stage of its node, and of no other', async () => {
    const world = await bookWorld({ trusted, auditor: async () => 'passed' })
    world.nodes('a', 'b')
    const before = world.book.market(kind, 'nano').get(pubOf('b'))
    for (let i = 0; i < 21; i++) {
      const route = await world.route('customer', ['a'])
      const one = world.job(`job ${i}`, { node: 'a', routing: route.id })
      world.hear(one.request, one.result, one.usage, one.ack)
      await world.settle(1_000)
    }
    const after = world.book.market(kind, 'nano')
    expect(after.get(pubOf('a'))).toMatchObject({ stage: 'proven', cohort: false })
    expect(after.get(pubOf('a'))?.score).toBe(
      world.book.scored(pubOf('a'), kind, 'nano', world.now() - (world.now() % 60)).score,
    )
    expect(after.get(pubOf('b'))).toEqual(before)
    expect([after.proven, before?.cohort]).toEqual([1, true])
  })

  test('newcomers get the few places of the cohort in the order in which they came', async () => {
    const world = await bookWorld({ limits: { nodes: 100 } })
    for (let i = 0; i < 70; i++) world.nodes(`n${i}`)
    await world.settle(5_000)
    const market = world.book.market(kind, 'nano')
    const inside = Array.from({ length: 70 }, (_, i) => market.get(pubOf(`n${i}`))?.cohort)
    expect(inside.filter(Boolean)).toHaveLength(64)
  })

  test('a node that is nearer than the others scores a little better here, and not in what is published', async () => {
    const world = await bookWorld({ trusted })
    world.nodes('near', 'far')
    for (const [name, ms] of [
      ['near', 5],
      ['far', 500],
    ] as const)
      for (let i = 0; i < 9; i++) world.book.timed(pubOf(name), ms)
    const score = (name: string) => world.book.scored(pubOf(name), kind, 'nano', world.now())
    expect(score('near').score).toBeGreaterThan(score('far').score)
    expect([world.book.rttOf(pubOf('near')), world.book.rttOf(pubOf('nobody'))]).toEqual([5, undefined])
    for (const name of ['near', 'far']) {
      const route = await world.route('customer', [name])
      const one = world.job(name, { node: name, routing: route.id })
      world.hear(one.request, one.result, one.usage, one.ack)
    }
    await world.settle()
    const published = ['near', 'far'].map(name => world.book.scores.scoreOf(pubOf(name))?.markets[0]?.factors.L)
    expect(published[0]).toBe(published[1])
  })

  test('several services of a node are found by what each takes', async () => {
    const world = await bookWorld()
    world.hear(
      world.announcement('a'),
      world.announcement('a', { id: 'images', kinds: [kind + 50], models: [] }),
      world.state('a', { service: 'images', kinds: [kind + 50] }),
    )
    expect(world.book.market(kind, 'nano').get(pubOf('a'))).toMatchObject({ service: 'text', status: 'unknown' })
    expect(world.book.market(kind + 50).get(pubOf('a'))).toMatchObject({ service: 'images', status: 'alive' })
  })
})
