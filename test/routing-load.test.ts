import { describe, expect, test } from 'vitest'
import { type Candidate, hedgeAfterMs, type Market } from '../src/routing/index.ts'
import { utilityOf } from '../src/routing/utility.ts'
import { candidate, decideFor, known, marketOf, nodeOf, wants } from './routing-world.ts'

const asked = wants({ explore: false })

/** How often each is asked first, when each job stays for as long as `stay` others. */
function workOf(market: Market, jobs: number, stay: number, policy = known('default')): Map<string, number> {
  const work = new Map<string, number>()
  const busy: string[] = []
  const load = (node: string, by: number) => {
    const one = market.get(node)
    if (one) market.set({ ...one, inflight: one.inflight + by })
  }
  for (let n = 0; n < jobs; n++) {
    const [node = ''] = decideFor(market, asked, n, policy).order
    work.set(node, (work.get(node) ?? 0) + 1)
    load(node, 1)
    busy.push(node)
    if (busy.length > stay) load(busy.shift() ?? '', -1)
  }
  return work
}

const crowd = (count: number, rest: (n: number) => Partial<Candidate> = () => ({})) =>
  marketOf(Array.from({ length: count }, (_, n) => candidate(n, { slots: Number.POSITIVE_INFINITY, ...rest(n) })))

describe('load', () => {
  test('is spread over equal nodes: nobody gets more than a fair multiple, nobody starves', () => {
    for (const [nodes, most] of [
      [10, 1.3],
      [300, 2.2],
    ] as const) {
      const jobs = nodes * 40
      const work = workOf(crowd(nodes), jobs, nodes)
      expect(work.size).toBe(nodes)
      expect(Math.max(...work.values())).toBeLessThan(most * 40)
      expect(Math.min(...work.values())).toBeGreaterThan(40 / 4)
    }
  })

  test('stays under that of a blind draw: the busier of a few is not taken', () => {
    const blind = {
      name: 'blind',
      says: 'Draws.',
      choose: (sample: readonly unknown[], _: unknown, __: unknown, dice: { next(): number }) => [
        Math.floor(dice.next() * sample.length),
      ],
    }
    const peak = (policy: Parameters<typeof workOf>[3]) => {
      const market = crowd(50)
      let most = 0
      const set = market.set
      market.set = one => {
        most = Math.max(most, one.inflight)
        set(one)
      }
      workOf(market, 2_000, 50, policy)
      return most
    }
    expect(peak(known('default'))).toBeLessThan(peak(blind) - 1)
  })

  test('a full node gets nothing until a slot is free', () => {
    const market = marketOf([candidate(0, { slots: 1, inflight: 1, score: 1 }), candidate(1, { score: 0.1 })])
    for (let n = 0; n < 30; n++) expect(decideFor(market, asked, n).order).toEqual([nodeOf(1)])
    market.set(candidate(0, { slots: 1, inflight: 0, score: 1 }))
    expect(decideFor(market, asked, 0).order).toContain(nodeOf(0))
  })

  test('the cheap get more, about as the inverse square says, and not all', () => {
    // Among many, so that a draw of four is a draw and not everybody.
    const work = workOf(
      crowd(60, n => ({ msats: n % 2 === 0 ? 1_000 : 2_000 })),
      6_000,
      0,
    )
    let [cheap, dear] = [0, 0]
    for (const [node, jobs] of work) {
      const one = crowd(60).get(node)
      if (!one) throw new Error('somebody else was asked')
      if (Array.from({ length: 30 }, (_, i) => nodeOf(2 * i)).includes(node)) cheap += jobs
      else dear += jobs
    }
    expect(cheap / dear).toBeGreaterThan(2.5)
    expect(cheap / dear).toBeLessThan(5.5)
  })

  test('a bait of one msat buys no market', () => {
    const market = crowd(40, n => ({ msats: n === 0 ? 1 : 1_000 }))
    const work = workOf(market, 2_000, 20)
    expect((work.get(nodeOf(0)) ?? 0) / 2_000).toBeLessThan(0.5)
  })

  test('below a tenth of the median a lower price counts no more', () => {
    const worth = (msats: number) => utilityOf({ node: '', msats, score: 0.5, inflight: 0 }, 1_000)
    expect([2_000, 1_000, 500, 100, 50, 1, 0].map(worth)).toEqual([0.25, 0.5, 1, 5, 5, 5, 5])
    expect(utilityOf({ node: '', msats: 7, score: 0.5, inflight: 0 }, 0)).toBe(0.5)
  })

  test('of two that are nearly as good now one comes first, now the other; one far worse never', () => {
    const firsts = (score: number) => {
      const market = marketOf([candidate(1, { score: 0.5 }), candidate(2, { score })])
      return Array.from({ length: 300 }, (_, n) => decideFor(market, asked, n).order[0]).filter(
        one => one === nodeOf(2),
      ).length
    }
    expect(firsts(0.48)).toBeGreaterThan(60)
    expect(firsts(0.48)).toBeLessThan(140)
    expect(firsts(0.4)).toBe(0)
  })

  test('the good get more than the bad at the same price', () => {
    const work = workOf(
      crowd(20, n => ({ score: n < 10 ? 0.9 : 0.3 })),
      2_000,
      0,
    )
    const good = Array.from({ length: 10 }, (_, n) => work.get(nodeOf(n)) ?? 0).reduce((sum, jobs) => sum + jobs, 0)
    expect(good / 2_000).toBeGreaterThan(0.9)
  })
})

describe('hedging', () => {
  test('waits for where 95 of 100 have begun, within bounds', () => {
    expect(hedgeAfterMs({ firstMs: 400, p95FirstMs: 1_200.4 })).toBe(1_200)
    expect(hedgeAfterMs({ firstMs: 400 })).toBe(1_200)
    expect(hedgeAfterMs({})).toBe(3_000)
    expect(hedgeAfterMs({ p95FirstMs: 3 })).toBe(250)
    expect(hedgeAfterMs({ p95FirstMs: 1e9 })).toBe(15_000)
    expect(hedgeAfterMs({ firstMs: Number.NaN })).toBe(3_000)
  })
})
