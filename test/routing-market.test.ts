import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, openMarket, positionOf } from '../src/routing/index.ts'
import { inRingOrder, type Ring, type Screen } from '../src/routing/market.ts'
import { openRow } from '../src/routing/row.ts'
import { mustBe, traitsOf } from '../src/routing/traits.ts'
import { anyCandidate, candidate, marketOf, nodeOf } from './routing-world.ts'

const all: Screen = (_traits, _msats, _scores, from) => from
const walked = (market: ReturnType<typeof openMarket>, ring: Ring, start: number, most = 1e9) => {
  const found: Candidate[] = []
  const looked = market.walk(ring, start, most, all, one => found.push(one) > 0)
  return { found, looked }
}
const ringsOf = (one: Candidate): Ring[] =>
  one.stage === 'proven' ? ['proven'] : one.cohort ? ['others', 'cohort'] : ['others']

/** The median said in the plainest words. */
function medianOf(candidates: Candidate[]): number {
  const alive = candidates.filter(one => one.status === 'alive')
  const proven = alive.filter(one => one.stage === 'proven')
  const prices = (proven.length > 0 ? proven : alive).map(one => one.msats).sort((a, b) => a - b)
  return prices[Math.floor((prices.length - 1) / 2)] ?? 0
}

const move = fc.oneof(
  { weight: 4, arbitrary: anyCandidate.map(one => ({ set: one })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map(n => ({ remove: nodeOf(n) })) },
)

describe('a market', () => {
  test('after any moves is what a plain map says: members, rings, order, median', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 80 }), fc.double({ min: 0, max: 1, noNaN: true }), (moves, start) => {
        const market = openMarket()
        const plain = new Map<string, Candidate>()
        for (const one of moves) {
          if ('set' in one) {
            market.set(one.set)
            plain.set(one.set.node, one.set)
          } else {
            market.remove(one.remove)
            plain.delete(one.remove)
          }
          expect(market.median).toBe(medianOf([...plain.values()]))
        }
        const known = [...plain.values()]
        expect(market.size).toBe(plain.size)
        expect(market.proven).toBe(known.filter(one => one.stage === 'proven' && one.status === 'alive').length)
        for (const one of known) expect(market.get(one.node)).toBe(one)
        for (const ring of ['proven', 'cohort', 'others'] as const) {
          const here = known.filter(one => ringsOf(one).includes(ring))
          const after = here.filter(({ node }) => positionOf(node) >= start)
          const before = here.filter(({ node }) => positionOf(node) < start)
          const byNode = (a: Candidate, b: Candidate) => (a.node < b.node ? -1 : 1)
          expect(walked(market, ring, start).found).toEqual([...after.sort(byNode), ...before.sort(byNode)])
          expect(market.count(ring)).toBe(here.length)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('screens by what is known now, not by what was known', () => {
    fc.assert(
      fc.property(fc.array(anyCandidate, { minLength: 1, maxLength: 60 }), candidates => {
        const market = marketOf(candidates)
        for (const ring of ['proven', 'cohort', 'others'] as const) {
          const screened: [number, number, number][] = []
          const found: Candidate[] = []
          market.walk(
            ring,
            0,
            1e9,
            (traits, msats, scores, from) => {
              screened.push([traits[from] ?? -1, msats[from] ?? -1, scores[from] ?? -1])
              return from
            },
            one => found.push(one) > 0,
          )
          expect(screened).toEqual(found.map(one => [traitsOf(one), one.msats, one.score]))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('one change is enough, whatever it is', () => {
    const was = candidate(1, { stage: 'new', privacy: [0], terms: ['before'] })
    const changes: Partial<Candidate>[] = [
      ...[{ msats: 2 }, { score: 0.51 }, { stage: 'proven' }, { status: 'unknown' }, { inflight: 4 }, { slots: 0 }],
      ...[{ privacy: [1] }, { terms: ['hold'] }, { region: 'eu' }, { determinism: 'bitwise' }, { overCredit: true }],
      { cohort: true },
    ] as Partial<Candidate>[]
    for (const change of changes) {
      const market = marketOf([was])
      const is = { ...was, ...change }
      market.set(is)
      for (const ring of ['proven', 'cohort', 'others'] as const) {
        const seen: number[][] = []
        market.walk(
          ring,
          0,
          9,
          (traits, msats, scores, from) => {
            seen.push([traits[from] ?? -1, msats[from] ?? -1, scores[from] ?? -1])
            return from
          },
          () => true,
        )
        expect(seen).toEqual(ringsOf(is).includes(ring) ? [[traitsOf(is), is.msats, is.score]] : [])
      }
      expect(market.get(is.node)).toBe(is)
      market.set(was)
      expect(walked(market, 'others', 0).found).toEqual([was])
      expect(market.count('cohort')).toBe(0)
    }
  })

  test('the order between two nodes turns round at the start', () => {
    const [low, high] = ['1'.repeat(64), 'e'.repeat(64)]
    expect(Math.sign(inRingOrder(low, high, 0))).toBe(-1)
    expect(Math.sign(inRingOrder(low, high, 0.5))).toBe(1)
    expect(Math.sign(inRingOrder(low, high, 0.99))).toBe(-1)
    expect(inRingOrder(low, low, 0.5)).toBe(0)
  })

  test('looks at so many and no more, and stops when told', () => {
    const market = marketOf(Array.from({ length: 1_200 }, (_, n) => candidate(n)))
    expect(walked(market, 'proven', 0.3, 700)).toMatchObject({ looked: 700, found: { length: 700 } })
    expect(walked(market, 'proven', 0.3).looked).toBe(1_200)
    let left = 5
    expect(market.walk('proven', 0.9, 1e9, all, () => --left > 0)).toBe(5)
    expect(market.walk('others', 0.9, 1e9, all, () => true)).toBe(0)
  })

  test('keys that begin alike stand in their own order, from every start', () => {
    const same = '0123456789abc'
    const nodes = Array.from({ length: 1_100 }, (_, n) => same + nodeOf(n).slice(13)).sort()
    const market = marketOf(nodes.toReversed().map((node, n) => ({ ...candidate(n), node })))
    expect(walked(market, 'proven', positionOf(same)).found.map(one => one.node)).toEqual(nodes)
    expect(walked(market, 'proven', 0.9).found.map(one => one.node)).toEqual(nodes)
    for (const node of nodes.slice(200, 900)) market.remove(node)
    expect(walked(market, 'proven', 0).found.map(one => one.node)).toEqual([
      ...nodes.slice(0, 200),
      ...nodes.slice(900),
    ])
    expect(nodes.toSorted((a, b) => inRingOrder(a, b, 0.5))).toEqual(nodes)
  })
})

describe('a row', () => {
  test('stays in order when whole blocks of it go and come', () => {
    const row = openRow<number>(1, (a, b) => a - b)
    const keys = Array.from({ length: 3_000 }, (_, n) => n)
    for (const key of keys) row.add(key, key, [key])
    for (const key of keys.slice(400, 2_600)) row.remove(key, key)
    for (const key of keys.slice(1_000, 1_700).toReversed()) row.add(key, key, [key])
    const found: number[] = []
    row.walk(0, ({ keys, columns }, from, end) => {
      for (let i = from; i < end; i++) found.push(keys[i] === columns[0]?.[i] ? (keys[i] ?? -1) : -2)
      return true
    })
    expect(found).toEqual([...keys.slice(0, 400), ...keys.slice(1_000, 1_700), ...keys.slice(2_600)])
    for (const key of found) row.remove(key, key)
    expect([row.size, row.keyAt(0)]).toEqual([0, undefined])
    row.add(5, 5, [5])
    expect(row.keyAt(0)).toBe(5)
  })

  test('of thousands in blocks is a sorted array, whatever is added and taken away', () => {
    const plan = fc.record({
      seed: fc.nat(),
      size: fc.integer({ min: 1, max: 3_000 }),
      keys: fc.constantFrom(5, 700, 1e9),
    })
    fc.assert(
      fc.property(plan, ({ seed, size, keys }) => {
        const row = openRow<number>(1, (a, b) => a - b)
        const plain: { key: number; item: number }[] = []
        let state = seed
        const random = (below: number) => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return Math.floor((state / 2 ** 32) * below)
        }
        for (let item = 0; item < size; item++) {
          const key = random(keys)
          row.add(key, item, [item])
          plain.push({ key, item })
          if (random(3) > 0) continue
          const [gone] = plain.splice(random(plain.length), 1)
          if (gone) expect(row.remove(gone.key, gone.item)).toBe(true)
          if (gone) expect(row.remove(gone.key, gone.item)).toBe(false)
          const changed = plain[random(plain.length)]
          if (changed) row.update(changed.key, changed.item, [changed.item])
        }
        plain.sort((a, b) => a.key - b.key || a.item - b.item)
        expect(row.size).toBe(plain.length)
        const middle = (plain.length - 1) >>> 1
        expect(row.keyAt(middle)).toBe(plain[middle]?.key)
        expect(row.keyAt(plain.length)).toBe(undefined)
        const from = random(keys)
        const found: { key: number; item: number }[] = []
        row.walk(from, ({ keys, columns, items }, start, end) => {
          for (let i = start; i < end; i++) {
            expect(columns[0]?.[i]).toBe(items[i])
            found.push({ key: keys[i] ?? -1, item: items[i] ?? -1 })
          }
          return true
        })
        expect(found).toEqual([...plain.filter(one => one.key >= from), ...plain.filter(one => one.key < from)])
      }),
      { numRuns: 25 },
    )
  })
})

describe('traits', () => {
  test('a right region or class is never screened out, a wrong one mostly is', () => {
    let passed = 0
    for (let n = 0; n < 2_000; n++) {
      const one = candidate(n, { region: `region ${n}`, determinism: `class ${n}` })
      for (const bits of [mustBe.in(`region ${n}`), mustBe.of(`class ${n}`)])
        expect(traitsOf(one) & bits.mask).toBe(bits.want)
      for (const bits of [mustBe.in(`region ${n + 1}`), mustBe.of(`class ${n + 1}`)])
        if ((traitsOf(one) & bits.mask) === bits.want) passed++
    }
    expect(passed).toBeLessThan(100)
  })
})
