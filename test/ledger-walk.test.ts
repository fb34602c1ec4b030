import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openPayers, type PaymentGraph, seededWalk } from '../src/ledger/index.ts'
import { day, params, start, times } from './ledger-world.ts'

type Edge = readonly [payer: number, node: number, amount: number]
const graphOf = (payers: number, nodes: number, edges: readonly Edge[]): PaymentGraph => ({
  payers,
  nodes,
  payer: Uint32Array.from(edges, ([payer]) => payer),
  node: Uint32Array.from(edges, ([, node]) => node),
  amount: Float64Array.from(edges, ([, , amount]) => amount),
})
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)

/** A generator whose numbers are the same on every machine. */
function chance(seed: number): () => number {
  let x = seed >>> 0
  return () => {
    x = (Math.imul(x, 1_664_525) + 1_013_904_223) >>> 0
    return x / 2 ** 32
  }
}

const top = (values: ArrayLike<number>, n: number): number[] =>
  Array.from(values, (value, i) => ({ value, i }))
    .toSorted((a, b) => b.value - a.value)
    .slice(0, n)
    .map(({ i }) => i)

describe('the walk against whoever pays himself', () => {
  // The honest come first. Sybils pay each other a lot, and some dust to honest nodes to be reached.
  const [honest, good, fake, bad] = [1_000, 200, 4_000, 100]
  const random = chance(7)
  const pick = (n: number) => Math.floor(random() * n)
  const edges: Edge[] = [
    ...times(honest * 12, i => [i % honest, Math.floor(random() ** 2 * good), 1_000 + pick(9_000)] as const),
    ...times(fake * 25, i => [honest + (i % fake), good + pick(bad), 1_000 + pick(100_000)] as const),
    ...times(fake, i => [honest + i, pick(good), 10] as const),
    // A few honest customers were taken in once.
    ...times(30, () => [pick(honest), good + pick(bad), 2_000] as const),
  ]
  const graph = graphOf(honest + fake, good + bad, edges)
  const seeds = times(20, i => i * 31)
  const sybils = (ranked: number[]) => ranked.filter(node => node >= good).length

  test('a hundred wash-trading Sybils put none into the top hundred, where volume and payers put many', () => {
    const volume = new Float64Array(good + bad)
    const payers = times(good + bad, () => new Set<number>())
    for (const [payer, node, amount] of edges) {
      volume[node] = (volume[node] ?? 0) + amount
      payers[node]?.add(payer)
    }
    expect(sybils(top(volume, 100))).toBe(100)
    expect(
      sybils(
        top(
          payers.map(({ size }) => size),
          100,
        ),
      ),
    ).toBeGreaterThan(70)
    const walk = seededWalk(graph, seeds, params)
    expect(sybils(top(walk.nodes, 100))).toBe(0)
    expect(sum(walk.nodes.slice(good)) / sum(walk.nodes)).toBeLessThan(0.07)
  })

  test('honest strangers get a word, those who pay themselves get none to speak of', () => {
    const { weights } = seededWalk(graph, seeds, params)
    const of = (from: number, to: number) => Array.from(weights.slice(from, to)).toSorted((a, b) => a - b)
    expect(of(0, honest)[honest / 2]).toBeGreaterThan(0.5)
    expect(of(honest, honest + fake).at(-1)).toBeLessThan(0.01)
    for (const seed of seeds) expect(weights[seed]).toBe(1)
  })

  test('more Sybils are no more', () => {
    const mass = (n: number) => {
      const some = edges.filter(([payer]) => payer < honest + n)
      return sum(seededWalk(graphOf(honest + fake, good + bad, some), seeds, params).nodes.slice(good))
    }
    expect(mass(fake) / mass(fake / 8)).toBeLessThan(1.6)
  })
})

describe('the walk', () => {
  test('by hand: one seed, one node, one stranger who paid it three times as much', () => {
    const { payers, nodes, weights } = seededWalk(
      graphOf(2, 1, [
        [0, 0, 1],
        [1, 0, 3],
      ]),
      [0],
      { ...params, walkSteps: 300 },
    )
    // n = 0.7 (s + o); s = 0.3 + 0.7 n / 4; o = 0.7 n · 3 / 4, and all are 1.
    const n = 0.7 / 1.7
    expect(nodes[0]).toBeCloseTo(n, 9)
    expect(payers[0]).toBeCloseTo(0.3 + (0.7 * n) / 4, 9)
    expect(payers[1]).toBeCloseTo((0.7 * n * 3) / 4, 9)
    expect([...weights]).toEqual([1, 1])
  })

  test('a stranger who paid a tenth counts a tenth', () => {
    expect(
      seededWalk(
        graphOf(2, 1, [
          [0, 0, 10],
          [1, 0, 1],
        ]),
        [0],
        params,
      ).weights[1],
    ).toBe(0.1)
  })

  test('without seeds, with unknown ones, or with seeds that paid nobody, nobody else counts', () => {
    const graph = graphOf(3, 1, [
      [0, 0, 5],
      [1, 0, 5],
    ])
    expect([...seededWalk(graph, [], params).weights]).toEqual([0, 0, 0])
    expect([...seededWalk(graph, [7, -1], params).weights]).toEqual([0, 0, 0])
    expect([...seededWalk(graph, [2], params).weights]).toEqual([0, 0, 1])
    expect(sum(seededWalk(graph, [2], params).payers)).toBeCloseTo(1, 12)
  })

  test('amounts that are none do not count', () => {
    const clean = graphOf(2, 2, [[0, 0, 5]])
    const noisy = graphOf(2, 2, [
      [0, 0, 5],
      [1, 0, 0],
      [1, 0, -5],
      [1, 1, Number.NaN],
      [9, 0, 5],
      [0, 9, 5],
    ])
    expect(seededWalk(noisy, [0], params)).toEqual(seededWalk(clean, [0], params))
  })

  const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(5), fc.double({ min: 0.1, max: 1e6, noNaN: true })), {
    maxLength: 40,
  })

  test('masses are shares, weights are from 0 to 1, and the scale of money does not matter', () => {
    fc.assert(
      fc.property(edges, fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }), (rows, seeds) => {
        const walk = seededWalk(graphOf(8, 6, rows), seeds, params)
        expect(sum(walk.payers) + sum(walk.nodes)).toBeCloseTo(1, 9)
        for (const mass of [...walk.payers, ...walk.nodes]) expect(mass).toBeGreaterThanOrEqual(0)
        for (const weight of walk.weights) expect(weight >= 0 && weight <= 1).toBe(true)
        for (const seed of seeds) expect(walk.weights[seed]).toBe(1)
        const dearer = seededWalk(
          graphOf(
            8,
            6,
            rows.map(([p, n, amount]) => [p, n, amount * 1024]),
          ),
          seeds,
          params,
        )
        expect(dearer).toEqual(walk)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a payment cut into many, or paid under many names, moves no more', () => {
    fc.assert(
      fc.property(edges, fc.integer({ min: 2, max: 5 }), fc.nat(5), (rows, names, target) => {
        const known: Edge[] = [[0, 0, 10], ...rows.map(([p, n, amount]): Edge => [p, n, amount])]
        const one = seededWalk(graphOf(20, 6, [...known, [10, target, 60]]), [0], params)
        const many = seededWalk(
          graphOf(20, 6, [...known, ...times(names, i => [10 + i, target, 60 / names] as const)]),
          [0],
          params,
        )
        const crowd = sum(times(names, i => many.payers[10 + i] ?? 0))
        expect(Math.abs(crowd - (one.payers[10] ?? 0))).toBeLessThan(1e-9)
        for (const [node, mass] of one.nodes.entries())
          expect(Math.abs(mass - (many.nodes[node] ?? 0))).toBeLessThan(1e-9)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('who paid whom', () => {
  test('is walked by name, over both generations', () => {
    const payers = openPayers(params)
    payers.paid('me', 'node', 4_000, start)
    payers.paid('me', 'node', 2_000, start + 45 * day)
    payers.paid('me', 'node', 4_000, start + 46 * day)
    payers.paid('friend', 'node', 500, start + 45 * day)
    payers.paid('friend', 'node', 500, start)
    payers.paid('friend', 'node', -9_999, start)
    expect(payers.size).toBe(4)
    const { weightOf, massOf } = payers.walk(['me'])
    expect([weightOf('me'), weightOf('friend'), weightOf('stranger'), massOf('other')]).toEqual([1, 0.1, 0, 0])
    expect(massOf('node')).toBeGreaterThan(0.4)
    expect(payers.walk(['newcomer']).weightOf('newcomer')).toBe(1)
  })

  test('is forgotten between 45 and 90 days later, and has an end', () => {
    const payers = openPayers(params, 3)
    payers.paid('a', 'n', 1, start)
    payers.paid('b', 'n', 1, start + 45 * day)
    expect(payers.size).toBe(2)
    payers.paid('c', 'n', 1, start + 90 * day)
    expect(payers.size).toBe(2)
    payers.paid('a', 'n', 1, start)
    expect(payers.size).toBe(2)
    payers.paid('d', 'n', 1, start + 400 * day)
    expect(payers.size).toBe(1)
    for (const i of times(1_000, n => n)) payers.paid(`p${i}`, 'n', 1, start + 400 * day)
    expect(payers.size).toBeLessThanOrEqual(6)
    expect(payers.walk([]).weightOf('d')).toBe(0)
  })
})
