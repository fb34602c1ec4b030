import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, sha256 } from '../src/hash.ts'
import { openDice } from '../src/routing/index.ts'
import { descending, drawWeighted, ln, openLots } from '../src/routing/utility.ts'
import { nodeOf, requestOf, seed } from './routing-world.ts'

const nodes = [0, 1, 2].map(nodeOf)

const word = 2n ** 32n
const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) % word

/** xoshiro128** 1.1 as its authors wrote it, in big integers. */
function* xoshiro128starstar(state: bigint[]): Generator<bigint> {
  const s = [...state] as [bigint, bigint, bigint, bigint]
  for (;;) {
    yield (rotl((s[1] * 5n) % word, 7n) * 9n) % word
    const t = (s[1] << 9n) % word
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11n)
  }
}

const anyHex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))

describe('dice', () => {
  test('the generator in this test gives the published numbers', () => {
    const said = xoshiro128starstar([1n, 2n, 3n, 4n])
    expect(Array.from({ length: 6 }, () => Number(said.next().value))).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492,
    ])
  })

  test('are that generator, fed with SHA-256 of seed and request', () => {
    fc.assert(
      fc.property(anyHex, anyHex, (a, b) => {
        const digest = new DataView(sha256(fromHex(a + b)).buffer)
        const said = xoshiro128starstar([0, 4, 8, 12].map(at => BigInt(digest.getUint32(at))))
        const dice = openDice(a, b)
        for (let i = 0; i < 5; i++) {
          const [high, low] = [said.next().value, said.next().value]
          expect(dice.next()).toBe(Number((high >> 5n) * 2n ** 26n + (low >> 6n)) / 2 ** 53)
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test('give these numbers on every machine', () => {
    const dice = openDice(seed, requestOf(0))
    expect(Array.from({ length: 4 }, dice.next)).toMatchInlineSnapshot(`
      [
        0.3515142295181456,
        0.6353125972909072,
        0.9300455226965234,
        0.09954413680344343,
      ]
    `)
  })

  test('lie evenly, and another request throws others', () => {
    const bins = new Array<number>(10).fill(0)
    let sum = 0
    for (let n = 0; n < 2_000; n++) {
      const dice = openDice(seed, requestOf(n))
      for (let i = 0; i < 5; i++) {
        const x = dice.next()
        expect(x).toBeGreaterThanOrEqual(0)
        expect(x).toBeLessThan(1)
        bins[Math.floor(x * 10)] = (bins[Math.floor(x * 10)] ?? 0) + 1
        sum += x
      }
    }
    for (const count of bins) expect(Math.abs(count - 1_000)).toBeLessThan(150)
    expect(sum / 10_000).toBeCloseTo(0.5, 1)
    expect(openDice(seed, requestOf(1)).next()).not.toBe(openDice(seed, requestOf(2)).next())
  })
})

describe('the weighted draw', () => {
  const lotsOf = (a: string, count: number) => {
    const lot = openLots(openDice(a))
    return Array.from({ length: count }, (_, n) => lot(nodeOf(n)))
  }

  test('takes each at most once, none without weight, as many as there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0.001, 1, 1e9, -1, Number.NaN, Number.POSITIVE_INFINITY), { maxLength: 12 }),
        fc.integer({ min: 0, max: 8 }),
        anyHex,
        (weights, count, a) => {
          const drawn = drawWeighted(weights, lotsOf(a, weights.length), count)
          const able = weights.filter(weight => weight > 0 && weight < Number.POSITIVE_INFINITY).length
          expect(drawn).toHaveLength(Math.min(count, able))
          expect(new Set(drawn).size).toBe(drawn.length)
          for (const i of drawn) expect(weights[i]).toBeGreaterThan(0)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('gives each its part: the first by weight, the second by weight among those left', () => {
    const dice = openDice(seed)
    const [first, pairs] = [new Map<number, number>(), new Map<string, number>()]
    const rounds = 40_000
    for (let n = 0; n < rounds; n++) {
      const lot = openLots(dice)
      const lots = [0, 1, 2].map(i => lot(nodes[i] ?? ''))
      const [a = -1, b = -1] = drawWeighted([1, 2, 5], lots, 2)
      first.set(a, (first.get(a) ?? 0) + 1)
      pairs.set(`${a}${b}`, (pairs.get(`${a}${b}`) ?? 0) + 1)
    }
    for (const [i, part] of [1 / 8, 2 / 8, 5 / 8].entries())
      expect(Math.abs((first.get(i) ?? 0) / rounds - part)).toBeLessThan(0.01)
    for (const [pair, part] of [
      ['01', (1 / 8) * (2 / 7)],
      ['20', (5 / 8) * (1 / 3)],
      ['21', (5 / 8) * (2 / 3)],
    ] as const)
      expect(Math.abs((pairs.get(pair) ?? 0) / rounds - part)).toBeLessThan(0.01)
  })

  test('lots lie evenly over many nodes, and belong to a node and a throw', () => {
    const bins = new Array<number>(10).fill(0)
    const lots = lotsOf(seed, 10_000)
    for (const lot of lots) bins[Math.floor(lot * 10)] = (bins[Math.floor(lot * 10)] ?? 0) + 1
    for (const count of bins) expect(Math.abs(count - 1_000)).toBeLessThan(150)
    expect(new Set(lots).size).toBe(10_000)
    expect(lotsOf(seed, 3)).toEqual(lots.slice(0, 3))
    expect(lotsOf(requestOf(1), 1)).not.toEqual(lots.slice(0, 1))
  })

  test('the logarithm is one', () => {
    fc.assert(
      fc.property(fc.double({ min: 2 ** -54, max: 1, noNaN: true }), x => {
        expect(Math.abs(ln(x) - Math.log(x))).toBeLessThanOrEqual(4e-15 * Math.max(1, Math.abs(Math.log(x))))
      }),
      { numRuns: 5_000 },
    )
    expect(ln(1)).toBe(0)
    expect([ln(0), ln(-1), ln(Number.NaN)].every(value => !(value > 0))).toBe(true)
  })

  test('the highest first, equal ones in their order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 20 }),
        fc.nat({ max: 8 }),
        fc.array(fc.nat({ max: 19 }), { maxLength: 4 }),
        (values, most, skip) => {
          const plain = [...values.keys()]
            .filter(i => !skip.includes(i))
            .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
          expect(descending(values, most, skip)).toEqual(plain.slice(0, most))
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
