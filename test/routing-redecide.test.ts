import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultParams } from '../src/ledger/params.ts'
import { decide, openDice, type Published, policies, redecide, type Sampled } from '../src/routing/index.ts'
import {
  anyMarket,
  anyWants,
  candidate,
  decideFor,
  factorsOf,
  known,
  marketOf,
  nodeOf,
  publishedOf,
  requestOf,
  seed,
  wants,
} from './routing-world.ts'

const again = (said: Published, asked = wants(), n = 0, policy = known('default')) =>
  redecide(said, asked, policy, openDice(seed, requestOf(n)), defaultParams)
const rules = (...args: Parameters<typeof again>) => again(...args).faults.map(({ rule }) => rule)

const crowd = marketOf(
  Array.from({ length: 300 }, (_, n) =>
    candidate(n, { msats: 500 + n, score: (1 + ((n * 7) % 99)) / 100, inflight: n % 3 }),
  ),
)
const decision = decideFor(crowd, wants())
const honest = publishedOf(decision, crowd)
const tampered = (change: Partial<Published>): Published => ({ ...honest, ...change })
const withSample = (at: number, change: Partial<Sampled>) =>
  tampered({ sample: honest.sample.map((one, i) => (i === at ? { ...one, ...change } : one)) })

describe('a decision made again', () => {
  test('is the one that was published', () => {
    expect(again(honest)).toEqual({ start: decision.start, order: decision.order, laneAllowed: true, faults: [] })
  })

  test('notices another start, lane, order, sample or candidate', () => {
    const { sample, candidates } = honest
    expect(rules(tampered({ start: 0.5 }))).toContain('start')
    expect(rules(tampered({ lane: 'exploration' }))).toContain('lane')
    expect(rules(tampered({ sample: sample.toReversed() }))).toContain('sample')
    expect(rules(tampered({ sample: [...sample.slice(0, -1), ...sample.slice(0, 1)] }))).toContain('sample')
    expect(rules(tampered({ candidates: candidates.toReversed() }))).toContain('order')
    expect(rules(tampered({ candidates: candidates.slice(1) }))).toContain('order')
    expect(rules(tampered({ candidates: candidates.slice(0, 3) }))).toContain('order')
    expect(rules(tampered({ candidates: [] }))).toContain('order')
    expect(rules(tampered({ refusal: { code: 'full' } }))).toContain('order')
    expect(rules(tampered({ candidates: [], refusal: { code: 'full' } }))).toContain('order')
    expect(rules(honest, wants(), 1)).toContain('start')
    expect(rules(honest, wants(), 0, known('cheapest'))).toContain('order')
  })

  test('notices a score or price of a candidate that its sample does not have, and factors that give another', () => {
    const [first, ...rest] = honest.candidates
    if (!first) throw new Error('nobody was chosen')
    const with1 = (change: object) => rules(tampered({ candidates: [{ ...first, ...change }, ...rest] }))
    expect(with1({ score: 0.999 })).toContain('score')
    expect(with1({ msats: 1n })).toContain('score')
    expect(with1({ factors: factorsOf(0.001) })).toEqual(['score'])
  })

  test('notices who is in the sample against what was asked', () => {
    const [one] = honest.sample
    const node = one?.node ?? ''
    expect(rules(honest, wants({ deny: [node] }))).toContain('filter')
    expect(rules(honest, wants({ allow: [nodeOf(1_000)] }))).toContain('filter')
    expect(rules(honest, wants({ capMsats: 600 }))).toContain('filter')
    expect(rules(honest, wants({ minScore: 90 }))).toContain('filter')
  })

  test('leaves alone what other routers named, where they took the last places', () => {
    const foreign = { node: nodeOf(9_000), msats: 5n, score: 1, via: nodeOf(9_001) }
    const { candidates } = honest
    expect(rules(tampered({ candidates: [...candidates.slice(0, 5), foreign] }))).toEqual([])
    expect(rules(tampered({ candidates: [...candidates.slice(0, 4), foreign] }))).toContain('order')
    expect(rules(tampered({ candidates: [foreign, ...candidates.slice(0, 5)] }))).toEqual([])
    expect(rules(tampered({ candidates: [...candidates.slice(1), foreign] }))).toContain('order')
  })

  test('an exploration is allowed only where the dice say so, and only with its newcomer first', () => {
    const newcomer = candidate(500, { stage: 'probation', cohort: true })
    const market = marketOf([...Array.from({ length: 5 }, (_, n) => candidate(n)), newcomer])
    const n =
      Array.from({ length: 400 }, (_, i) => i).find(i => decideFor(market, wants(), i).lane === 'exploration') ?? 0
    const said = publishedOf(decideFor(market, wants(), n), market)
    expect(again(said, wants(), n)).toMatchObject({ laneAllowed: true, faults: [] })
    expect(rules(said, wants({ explore: false }), n)).toContain('lane')
    expect(rules({ ...said, sample: said.sample.slice(1) }, wants(), n)).toContain('order')
    expect(again({ ...said, sample: [], candidates: [] }, wants(), n).laneAllowed).toBe(false)
    // The newcomer stands before the ring and not on it.
    expect(rules({ ...said, sample: [...said.sample.slice(1), ...said.sample.slice(0, 1)] }, wants(), n)).not.toEqual(
      [],
    )
  })

  test('any change of a sampled score, price or load is noticed, or changes nothing that was decided', () => {
    const number = fc.oneof(fc.constantFrom(0, 1, 0.5, 1_000), fc.double({ min: 0, max: 2_000, noNaN: true }))
    fc.assert(
      fc.property(
        fc.nat({ max: honest.sample.length - 1 }),
        fc.constantFrom('score', 'msats', 'inflight'),
        number,
        (at, field, value) => {
          const { order, faults } = again(withSample(at, { [field]: value }))
          const one = honest.sample[at]
          const moved = one?.[field as 'score'] !== value
          const named = decision.order.includes(one?.node ?? '')
          if (order.join() !== decision.order.join()) expect(faults.map(({ rule }) => rule)).toContain('order')
          // Load is not among what is said of a candidate.
          if (moved && named && field !== 'inflight' && Math.ceil(value) !== one?.msats) expect(faults).not.toEqual([])
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('whoever is left out of the sample throws no lot of others again: all others keep their order', () => {
    for (let n = 0; n < 40; n++) {
      const made = decideFor(crowd, wants(), n)
      const drawn = made.order.slice(0, defaultParams.draw)
      for (const { node } of made.sample) {
        const sample = made.sample.filter(one => one.node !== node)
        const { order } = again({ ...publishedOf(made, crowd), sample }, wants(), n)
        if (!made.order.includes(node)) expect(order).toEqual(made.order)
        else expect(order.filter(one => drawn.includes(one))).toEqual(drawn.filter(one => one !== node))
      }
    }
  })

  test('whatever is published, it answers and never throws', () => {
    const anySample = fc.array(
      fc.record({
        node: fc.oneof(fc.nat({ max: 5 }).map(nodeOf), fc.string()),
        msats: fc.double(),
        score: fc.double(),
        inflight: fc.double(),
      }),
      { maxLength: 70 },
    )
    fc.assert(
      fc.property(
        anySample,
        fc.constantFrom('proven', 'exploration', 'bootstrap'),
        fc.double(),
        fc.constantFrom(...policies.values()),
        anyWants,
        (sample, lane, median, policy, asked) => {
          const said = { lane, median, sample, start: 0.1, candidates: [] } as const
          expect(again(said, asked, 0, policy).faults.length).toBeGreaterThan(0)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('an exploration or bootstrap of any market comes out again too', () => {
    const lanes = new Set<string>()
    fc.assert(
      fc.property(anyMarket, anyWants, fc.nat({ max: 5_000 }), (candidates, asked, n) => {
        const sure = n % 3 === 0 ? [] : [candidate(98), candidate(99, { stage: 'probation', cohort: true })]
        const market = marketOf([...candidates, ...sure])
        const eager = { ...defaultParams, explore: 0.5 }
        const made = decide(market, asked, known('default'), openDice(seed, requestOf(n)), eager)
        lanes.add(made.lane)
        const { faults, order } = redecide(
          publishedOf(made, market),
          asked,
          known('default'),
          openDice(seed, requestOf(n)),
          eager,
        )
        expect([faults, order]).toEqual([[], made.order])
      }),
      { numRuns: 1_500 },
    )
    expect([...lanes].sort()).toEqual(['bootstrap', 'exploration', 'proven'])
  })
})
