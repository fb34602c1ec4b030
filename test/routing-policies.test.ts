import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultParams } from '../src/ledger/params.ts'
import { openPolicy, pipe, policies, type Reorder, type Sampled } from '../src/routing/index.ts'
import { idle, proven } from '../src/routing/steps.ts'
import { candidate, decideFor, known, marketOf, nodeOf, wants } from './routing-world.ts'
import { policySuite } from './suites/routing.ts'

for (const policy of policies.values()) policySuite(policy)
policySuite(openPolicy('local', [1, 2, 3].map(nodeOf)))
policySuite(openPolicy('proven|idle|cheapest'), 300)
policySuite(
  // Chooses who is not there, and twice, and everybody.
  { name: 'mad', says: 'Anything.', choose: sample => [99, -1, 0, 0, 0.5, ...sample.keys()] },
  300,
)

const scores = (sample: readonly Sampled[], order: readonly string[]) =>
  order.map(node => sample.find(one => one.node === node))

describe('policies', () => {
  test('cheapest: the lowest price, then the better score', () => {
    const market = marketOf([
      candidate(1, { msats: 500, score: 0.2 }),
      candidate(2, { msats: 500, score: 0.9 }),
      candidate(3, { msats: 400, score: 0.1 }),
      candidate(4, { msats: 900, score: 1 }),
    ])
    for (let n = 0; n < 20; n++)
      expect(decideFor(market, wants(), n, known('cheapest')).order).toEqual([3, 2, 1, 4].map(nodeOf))
  })

  test('fastest: the least measured time; who was not measured comes last, by score', () => {
    const market = marketOf([
      candidate(1, { firstMs: 300 }),
      candidate(2, { firstMs: 80, score: 0.1 }),
      candidate(3, { score: 0.2 }),
      candidate(4, { score: 0.9 }),
    ])
    for (let n = 0; n < 20; n++)
      expect(decideFor(market, wants(), n, known('fastest')).order).toEqual([2, 1, 4, 3].map(nodeOf))
  })

  test('trusted: no newcomer ever, and quality before price', () => {
    const newcomers = [1, 2].map(n => candidate(n, { stage: 'probation', cohort: true, msats: 1 }))
    const alone = decideFor(marketOf(newcomers), wants(), 0, known('trusted'))
    expect(alone.refusal).toEqual({
      code: 'unproven',
      says: 'none of 2 is proven yet; other policies take newcomers',
    })
    const market = marketOf([
      ...newcomers,
      ...[10, 11, 12, 13, 14, 15].map(n => candidate(n, { score: 0.4, msats: 500 })),
      candidate(20, { score: 0.9, msats: 1_500 }),
    ])
    const first = (name: string) => {
      let good = 0
      for (let n = 0; n < 400; n++) {
        const { order } = decideFor(market, wants(), n, known(name))
        if (name === 'trusted') expect(order.slice(0, 6)).not.toContain(nodeOf(1))
        if (order[0] === nodeOf(20)) good++
      }
      return good
    }
    expect(first('trusted')).toBeGreaterThan(first('default') + 40)
  })

  test('local: own nodes first, wherever they stand and whoever they are; strangers as fail-over', () => {
    const strangers = Array.from({ length: 300 }, (_, n) => candidate(n))
    const own = [nodeOf(1_000), nodeOf(1_001)]
    const market = marketOf([
      ...strangers,
      candidate(1_000, { score: 0.1, stage: 'new', msats: 5_000 }),
      candidate(1_001, { score: 0.2 }),
    ])
    for (let n = 0; n < 50; n++) {
      const { order, sample } = decideFor(market, wants({ explore: false }), n, openPolicy('local', own))
      expect(new Set(order.slice(0, 2))).toEqual(new Set(own))
      expect(order).toHaveLength(6)
      expect(
        sample
          .filter(one => one.own)
          .map(one => one.node)
          .sort(),
      ).toEqual(own.toSorted())
      expect(sample).toHaveLength(defaultParams.ring)
    }
    market.set(candidate(1_001, { stage: 'banned' }))
    expect(decideFor(market, wants(), 1, openPolicy('local', own)).order).not.toContain(nodeOf(1_001))
  })

  test('local: own nodes that fall are not spoken of in a refusal of strangers', () => {
    const market = marketOf([
      ...[1, 2].map(n => candidate(n, { msats: 4_000 })),
      candidate(1_000, { stage: 'new', msats: 3_000 }),
    ])
    const { refusal } = decideFor(market, wants({ capMsats: 2_000 }), 0, openPolicy('local', [nodeOf(1_000)]))
    expect(refusal?.says).toBe('the cheapest of 2 asks 4,000 msats, your cap is 2,000')
  })

  test('the price is not in the score: who asks ten times as much for the same is only asked less', () => {
    const market = marketOf([candidate(1, { msats: 10_000 }), ...[2, 3, 4].map(n => candidate(n))])
    const { sample, order } = decideFor(market, wants())
    expect(new Set(scores(sample, order).map(one => one?.score))).toEqual(new Set([0.5]))
  })
})

describe('pipe', () => {
  const last: Reorder = { name: 'last', reorder: order => order.toReversed() }

  test('conditions of every step hold, moves are made from the inside to the outside', () => {
    const market = marketOf([
      candidate(1, { msats: 1, inflight: 3 }),
      candidate(2, { msats: 2, inflight: 0 }),
      candidate(3, { msats: 3, inflight: 1 }),
      candidate(4, { msats: 0, stage: 'new' }),
    ])
    const of = (...steps: Parameters<typeof pipe>) =>
      decideFor(market, wants({ allow: [1, 2, 3, 4].map(nodeOf) }), 0, pipe(...steps)).order
    const cheapest = known('cheapest')
    expect(of(cheapest)).toEqual([4, 1, 2, 3].map(nodeOf))
    expect(of(proven, cheapest)).toEqual([1, 2, 3].map(nodeOf))
    expect(of(proven, idle, cheapest)).toEqual([2, 3, 1].map(nodeOf))
    expect(of(last, proven, idle, cheapest)).toEqual([1, 3, 2].map(nodeOf))
    expect(of(idle, proven, last, cheapest)).toEqual([2, 3, 1].map(nodeOf))
    expect(of(proven, pipe(last, cheapest))).toEqual([3, 2, 1].map(nodeOf))
  })

  test('its name opens it again', () => {
    expect(pipe(proven, idle, known('cheapest')).name).toBe('proven|idle|cheapest')
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('proven', 'idle', 'prefer'), { maxLength: 3 }),
        fc.constantFrom(...policies.keys()),
        (steps, policy) => {
          const name = [...steps, policy].join('|')
          expect(openPolicy(name).name).toBe(name)
        },
      ),
    )
    expect(openPolicy().name).toBe('default')
    for (const wrong of ['', 'best', 'proven', 'default|proven', '|default', 'constructor'])
      expect(() => openPolicy(wrong), wrong).toThrow(
        /default, cheapest, fastest, trusted, local; .*proven, idle, prefer/,
      )
  })
})
