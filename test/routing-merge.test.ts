import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultParams } from '../src/ledger/params.ts'
import { type Advice, merge } from '../src/routing/index.ts'
import { nodeOf } from './routing-world.ts'

const routerOf = (n: number) => nodeOf(10_000 + n)
const none = new Map<string, number>()
const advised = (n: number, score: number, msats = 1_000n, L = 0.9) => ({
  ...{ node: nodeOf(n), msats, score },
  factors: { R: 1, V: 1, Q: 1, T: 1, K: 1, L },
})
const names = (advice: readonly Advice[], rtt: ReadonlyMap<string, number> = none) =>
  merge(advice, rtt, defaultParams).map(({ node }) => node)

const anyAdvice: fc.Arbitrary<Advice> = fc.record({
  router: fc.nat({ max: 4 }).map(routerOf),
  candidates: fc.array(
    fc
      .record({
        n: fc.nat({ max: 12 }),
        score: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
        msats: fc.constantFrom(0n, 500n, 1_000n, 9_000n),
      })
      .map(({ n, score, msats }) => advised(n, score, msats)),
    { maxLength: 6 },
  ),
})
const anyRtt = fc
  .array(fc.tuple(fc.nat({ max: 12 }), fc.constantFrom(0, 5, 80, 900)), { maxLength: 6 })
  .map(pairs => new Map(pairs.map(([n, ms]) => [nodeOf(n), ms])))

describe('stake of routers', () => {
  const worths = (advice: readonly Advice[]) => merge(advice, none, defaultParams, 99).map(({ worth }) => worth)

  test('decides between equals, and nothing else', () => {
    const [poor, rich] = [
      { router: routerOf(1), candidates: [advised(1, 0.5)] },
      { router: routerOf(2), candidates: [advised(2, 0.5)], bonded: true },
    ]
    const [first] = names([poor, { ...rich, bonded: false }])
    const other = first === nodeOf(1) ? rich : poor
    expect(
      names([
        { ...poor, bonded: poor === other },
        { ...rich, bonded: rich === other },
      ])[0],
    ).not.toBe(first)
    expect(names([{ ...poor, candidates: [advised(1, 0.500_001)] }, rich])[0]).toBe(nodeOf(1))
    fc.assert(
      fc.property(fc.array(anyAdvice, { maxLength: 4 }), fc.array(fc.boolean(), { minLength: 4 }), (advice, bonds) => {
        const staked = advice.map((one, at) => ({ ...one, bonded: bonds[at] === true }))
        expect(worths(staked)).toEqual(worths(advice))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('advice of several routers', () => {
  test('of one router keeps its order, whatever the scores', () => {
    fc.assert(
      fc.property(anyAdvice, advice => {
        const said = [...new Set(advice.candidates.map(({ node }) => node))]
        expect(names([advice])).toEqual(said)
      }),
      { numRuns: 1_000 },
    )
  })

  test('does not depend on who was heard first, names all of them once and at most six', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyAdvice, { selector: ({ router }) => router, maxLength: 5 }),
        anyRtt,
        fc.nat(),
        (advice, rtt, turn) => {
          const merged = merge(advice, rtt, defaultParams)
          const mixed = [...advice.slice(turn % (advice.length + 1)), ...advice.slice(0, turn % (advice.length + 1))]
          expect(merge(mixed.toReversed(), rtt, defaultParams)).toEqual(merged)
          const all = new Set(advice.flatMap(({ candidates }) => candidates.map(({ node }) => node)))
          expect(merged).toHaveLength(Math.min(6, all.size))
          expect(
            merge(advice, rtt, defaultParams, 99)
              .map(({ node }) => node)
              .sort(),
          ).toEqual([...all].sort())
          for (const one of merged)
            expect(one.routers.toSorted()).toEqual(
              advice
                .filter(({ candidates }) => candidates.some(({ node }) => node === one.node))
                .map(({ router }) => router)
                .sort(),
            )
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('said twice, by one router or by another in the same words, is worth no more', () => {
    fc.assert(
      fc.property(anyAdvice, anyAdvice, anyRtt, (a, b, rtt) => {
        const one = { ...a, router: routerOf(1) }
        const other = { ...b, router: routerOf(2) }
        const before = merge([one, other], rtt, defaultParams, 99)
        expect(merge([one, other, one, { ...other, candidates: [] }], rtt, defaultParams, 99)).toEqual(before)
        const echoed = merge([one, { ...one, router: routerOf(3) }], rtt, defaultParams, 99)
        const alone = merge([one], rtt, defaultParams, 99)
        expect(echoed.map(({ node, worth }) => [node, worth])).toEqual(alone.map(({ node, worth }) => [node, worth]))
      }),
      { numRuns: 1_000 },
    )
  })

  test('a node that two routers name lower is not before one that a third names higher', () => {
    const advice = [
      { router: routerOf(1), candidates: [advised(1, 0.8), advised(9, 0.5)] },
      { router: routerOf(2), candidates: [advised(2, 0.7), advised(9, 0.5)] },
      { router: routerOf(3), candidates: [advised(3, 0.6)] },
    ]
    expect(names(advice)).toEqual([1, 2, 3, 9].map(nodeOf))
  })

  test('compares by score per price over all that was named', () => {
    const advice = [
      { router: routerOf(1), candidates: [advised(1, 0.8, 2_000n)] },
      { router: routerOf(2), candidates: [advised(2, 0.6, 1_000n)] },
    ]
    expect(names(advice)).toEqual([2, 1].map(nodeOf))
  })

  test('of two prices for one node the lower is the candidate', () => {
    const [first] = merge(
      [
        { router: routerOf(1), candidates: [advised(1, 0.8, 2_000n)] },
        { router: routerOf(2), candidates: [advised(1, 0.8, 1_500n)] },
      ],
      none,
      defaultParams,
    )
    expect(first?.candidate.msats).toBe(1_500n)
    expect(first?.routers[0]).toBe(routerOf(2))
  })

  test('a measured round trip takes the place of the router’s: the near one goes first, and by a fifth at most', () => {
    const two = (far: number, near: number) => [
      { router: routerOf(1), candidates: [advised(1, far), advised(2, near)] },
    ]
    const rtt = new Map([
      [nodeOf(1), 900],
      [nodeOf(2), 10],
    ])
    expect(names(two(0.8, 0.79))).toEqual([1, 2].map(nodeOf))
    expect(names(two(0.8, 0.79), rtt)).toEqual([2, 1].map(nodeOf))
    expect(names(two(0.8, 0.6), rtt)).toEqual([1, 2].map(nodeOf))
    expect(names(two(0.8, 0.79), new Map([[nodeOf(3), 1]]))).toEqual([1, 2].map(nodeOf))
  })

  test('it replaces what the router said of latency, and is not added to it', () => {
    const advice = [{ router: routerOf(1), candidates: [advised(1, 0.8, 1_000n, 1), advised(2, 0.78, 1_000n, 0.8)] }]
    expect(names(advice)).toEqual([1, 2].map(nodeOf))
    const same = new Map([1, 2].map(n => [nodeOf(n), 50]))
    expect(names(advice, same)).toEqual([2, 1].map(nodeOf))
    expect(merge(advice, same, defaultParams)[1]?.worth).toBeCloseTo(0.8 * 0.9, 9)
  })

  test('of equals the key decides, when each is the first of some router', () => {
    const [a, b] = [advised(1, 0.5), advised(2, 0.5)].sort((x, y) => (x.node < y.node ? -1 : 1))
    if (!a || !b) throw new Error('two were made')
    const [first, second] = [routerOf(1), routerOf(2)].sort()
    const advice = [
      { router: first ?? '', candidates: [b, a] },
      { router: second ?? '', candidates: [a, b] },
    ]
    expect(names(advice)).toEqual([a.node, b.node])
  })
})
