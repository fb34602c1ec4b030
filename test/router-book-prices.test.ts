/** Price sheets and published scores: folds of what was heard and said, republished when they differ. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textRequest } from '../kinds/index.ts'
import { defaultParams, paramsHash } from '../src/ledger/index.ts'
import { commitTo, seedOf, serviceSecret } from '../src/router/seeds.ts'
import { openSettlements, surgeOf } from '../src/router/sheet.ts'
import { bookWorld, keys, price, pubOf, secretOf } from './router-book-world.ts'

const kind = textRequest.number

describe('the price sheet', () => {
  test('says what nodes that are alive ask, what was settled, and how full they are', async () => {
    const world = await bookWorld({ feeMsats: 7n })
    const prices = (msats: bigint) => [{ kind, model: 'nano', msats, unit: 'job' as const }]
    world.nodes('a', 'b')
    world.hear(
      ...[
        world.announcement('c'),
        world.state('c', { prices: prices(5_000n), slots: { total: 2, busy: 2, queued: 8 } }),
      ],
      // Announced, and not heard of since.
      world.announcement('silent', { priceMsats: 1n }),
    )
    const paid = ['x', 'y', 'z'].map((name, i) => world.job(name, { node: 'a', msats: BigInt(i + 1) * 1_000n }))
    for (const { request, bill, zap } of paid) world.hear(request, bill, zap)
    await world.settle(61_000)
    expect(world.troubles()).toEqual([])
    const sheet = world.sheets().at(-1)
    expect(sheet).toMatchObject({ id: 'gridstr', feeMsats: 7n, policy: 'default', params: paramsHash(defaultParams) })
    expect(sheet?.service).toBe(keys.publicKey(serviceSecret(secretOf('router'), paramsHash(defaultParams))))
    expect(sheet?.commit).toEqual({ seq: 3, hash: commitTo(seedOf(secretOf('router'), 3)) })
    expect(sheet?.rows).toEqual([
      {
        ...{ kind, model: 'nano', unit: 'job', lowMsats: 5_000n, medianMsats: price, highMsats: price },
        ...{ settledMsats: 2_000n, nodes: 3, surge: 2_000 },
      },
    ])
  })

  test('is said at once, again when it differs but once a minute, and before it ends', async () => {
    const world = await bookWorld()
    await world.settle(1_000)
    expect(world.sheets()).toHaveLength(1)
    world.nodes('a')
    await world.settle(40_000)
    expect(world.sheets()).toHaveLength(1)
    await world.settle(30_000)
    expect(world.sheets()).toHaveLength(2)
    await world.settle(100_000)
    // The lease of the only node ran out.
    expect(world.sheets().map(({ rows }) => rows.length)).toEqual([0, 1])
    await world.settle(60_000)
    expect(world.sheets().map(({ rows }) => rows.length)).toEqual([0, 1, 0])
    await world.settle(3_600_000)
    const all = world.sheets()
    expect(all.length).toBeGreaterThan(3)
    expect(all.length).toBeLessThan(7)
    for (const [at, sheet] of all.entries())
      expect(sheet.expiresAt).toBeGreaterThan((all[at + 1] ?? sheet).expiresAt - 3_600)
  })

  test('surge: none below half full, then in proportion, never more than fivefold: 5,000 runs', () => {
    expect([surgeOf(0, 9), surgeOf(4, 0), surgeOf(4, 2), surgeOf(4, 3), surgeOf(4, 4), surgeOf(4, 400)]).toEqual([
      1_000, 1_000, 1_000, 1_500, 2_000, 5_000,
    ])
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(5_000), fc.nat(100), (total, taken, more) => {
        const surge = surgeOf(total, taken)
        expect(Number.isInteger(surge) && surge >= 1_000 && surge <= 5_000).toBe(true)
        expect(surgeOf(total, taken + more)).toBeGreaterThanOrEqual(surge)
        if (total > 0) expect(surgeOf(total + more, taken)).toBeLessThanOrEqual(surge)
      }),
      { numRuns: 5_000 },
    )
  })

  test('several payments of one job are one settlement, and old ones are forgotten', () => {
    const one = openSettlements()
    for (const part of [1n, 2n, 3n]) one.settled('a', kind, 'nano', part)
    expect(one.median(kind, 'nano')).toBe(6n)
    for (let i = 0; i < 101; i++) one.settled(`job ${i}`, kind, 'nano', 1n)
    expect(one.median(kind, 'nano')).toBe(1n)
    expect(one.median(kind, 'other')).toBeUndefined()
  })
})

describe('published scores', () => {
  const trusted = [pubOf('customer')]
  const serve = async (world: Awaited<ReturnType<typeof bookWorld>>, n: number, verdict: 'ok' | 'dispute' = 'ok') => {
    for (let i = 0; i < n; i++) {
      const route = await world.route('customer', ['node'])
      const one = world.job(`job ${world.now()} ${i}`, { routing: route.id, verdict })
      world.hear(one.request, one.result, one.usage, one.ack)
      await world.settle(1)
    }
  }

  test('are signed by the service key, name the entry that they fold, and multiply to their rank', async () => {
    const world = await bookWorld({ trusted, auditor: async () => 'passed' })
    world.nodes('node')
    await world.settle(1)
    await serve(world, 3)
    await world.settle(5_000)
    const [score] = world.scores()
    const { seq, id } = score?.log ?? {}
    expect(score).toMatchObject({
      node: pubOf('node'),
      params: paramsHash(defaultParams),
      log: { router: world.pubkey },
    })
    expect(id).toBe(world.published.find(event => event.id === id)?.id)
    expect(seq).toBe(world.book.position().seq - 1)
    const { R, V, Q, T, K, L } = score?.markets[0]?.factors ?? { R: 0, V: 0, Q: 0, T: 0, K: 0, L: 0 }
    expect(score?.markets[0]?.rank).toBeCloseTo(100 * R * R * V * Q * T * K * L, 3)
    expect(score?.rank).toBe(Math.round(score?.markets[0]?.rank ?? -1))
    expect(score?.markets[0]).toMatchObject({ kind, model: 'nano', stage: 'probation', jobs: 3 })
    expect(world.published.some(({ kind: of, pubkey }) => of === 0 && pubkey === world.book.service)).toBe(true)
  })

  test('come again when the rank has changed, and once a minute at most', async () => {
    const world = await bookWorld({ trusted, auditor: async () => 'passed' })
    world.nodes('node')
    await serve(world, 1)
    await world.settle(5_000)
    expect(world.scores()).toHaveLength(1)
    for (let i = 0; i < 6; i++) {
      await serve(world, 2)
      await world.settle(5_000)
    }
    expect(world.scores()).toHaveLength(1)
    await world.settle(60_000)
    expect(world.scores()).toHaveLength(2)
    const [first, second] = world.scores()
    expect(second?.rank).toBeGreaterThan(first?.rank ?? 100)
    // Nothing changed: nothing is said, by the next process neither.
    await world.settle(600_000)
    await world.restart()
    await world.settle(600_000)
    expect(world.scores()).toHaveLength(2)
  })

  test('price is not in them', async () => {
    const ranks = []
    for (const priceMsats of [1n, 1_000_000n]) {
      const world = await bookWorld({ trusted })
      world.hear(world.announcement('node', { priceMsats }), world.state('node'))
      await serve(world, 3)
      await world.settle(5_000)
      ranks.push(world.scores().map(({ rank, markets }) => [rank, markets]))
    }
    expect(ranks[0]).toEqual(ranks[1])
    expect(ranks[0]).toHaveLength(1)
  })
})
