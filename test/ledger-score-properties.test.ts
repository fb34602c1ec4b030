import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openTrack, productOf, scoreOf } from '../src/ledger/index.ts'
import { anyAround, anyFact, audit, bare, day, history, params, start, trackOf } from './ledger-world.ts'

const at = (seconds: number, more = {}) => ({ ...bare, at: seconds, ...more })
const runs = { numRuns: 2_000 }

/** Forgetting is a step: what is left of a crowd of facts, each a seven-thousandth, goes at once. */
const unforgotten = anyAround().map(around => ({ ...around, at: start + 60 * day + (around.at % (30 * day)) }))

describe('properties of the score', () => {
  test('every factor and the score stay within their bounds, at six decimals', () => {
    fc.assert(
      fc.property(history(), anyAround(), fc.boolean(), (facts, around, faulty) => {
        const track = trackOf(facts)
        if (faulty) trackOf([{ fact: 'fault', at: start }], track)
        const { score, factors } = scoreOf(track, around, params)
        const { R, V, Q, T, K, L } = factors
        for (const [value, least, most] of [
          [R, 0, 1],
          [V, 0, 1],
          [Q, 0.6, 1],
          [T, 0.2, 1],
          [K, 1, 1.1],
          [L, 0.8, 1],
          [score, 0, 1],
        ] as const) {
          expect(value).toBeGreaterThanOrEqual(least)
          expect(value).toBeLessThanOrEqual(most)
          expect(Number(value.toFixed(6))).toBe(value)
        }
        expect(score).toBe(productOf(factors))
        if (faulty) expect(score).toBe(0)
      }),
      runs,
    )
  })

  test('a success never lowers reliability, and a failure or dispute never raises it', () => {
    fc.assert(
      fc.property(history(), unforgotten, anyFact(), (facts, around, fact) => {
        const before = scoreOf(trackOf(facts), around, params).factors
        const after = scoreOf(trackOf([...facts, fact]), around, params).factors
        if (fact.fact === 'served') expect(after.R).toBeGreaterThanOrEqual(before.R)
        else if (fact.fact !== 'audit') expect(after.R).toBeLessThanOrEqual(before.R)
      }),
      runs,
    )
  })

  test('a passed audit never lowers what is verified or tenure, a failed one never raises them', () => {
    fc.assert(
      fc.property(history(), anyAround(), fc.nat(60 * day), fc.boolean(), (facts, around, when, passed) => {
        const before = scoreOf(trackOf(facts), around, params).factors
        const after = scoreOf(trackOf([...facts, audit(start + when, passed)]), around, params).factors
        const [low, high] = passed ? [before, after] : [after, before]
        expect(low.V).toBeLessThanOrEqual(high.V)
        expect(low.T).toBeLessThanOrEqual(high.T)
      }),
      runs,
    )
  })

  test('the order of facts changes reliability by rounding only, and audits not at all', () => {
    fc.assert(
      fc.property(history(), anyAround(), fc.infiniteStream(fc.nat()), (facts, around, noise) => {
        const mixed = facts.map(fact => ({ fact, key: noise.next().value })).toSorted((a, b) => a.key - b.key)
        const one = scoreOf(trackOf(facts), around, params).factors
        const other = scoreOf(trackOf(mixed.map(({ fact }) => fact)), around, params).factors
        expect(Math.abs(one.R - other.R)).toBeLessThanOrEqual(1.5e-6)
        expect(other.V).toBe(one.V)
      }),
      runs,
    )
  })

  test('reliability is what the whole history says, summed afresh', () => {
    fc.assert(
      fc.property(history(), fc.nat(20 * day), (facts, later) => {
        const now = start + 60 * day + later
        let s = 1
        let f = 2
        for (const fact of facts) {
          if (fact.fact === 'audit' || fact.fact === 'fault') continue
          const left = fact.weight * 2 ** -((now - fact.at) / (7 * day))
          if (fact.fact === 'served') s += left
          else f += left
        }
        const mean = s / (s + f)
        const { R } = scoreOf(trackOf(facts), at(now), params).factors
        expect(Math.abs(R - (mean - Math.sqrt((mean * (1 - mean)) / (1 + s + f))))).toBeLessThan(1e-6)
      }),
      runs,
    )
  })

  test('stake never makes up for reliability: five per cent more of it beat all stake there is', () => {
    const factor = fc.integer({ min: 0, max: 1_000_000 }).map(n => n / 1e6)
    fc.assert(
      fc.property(factor, factor, factor, factor, factor, factor, units(), (R, more, V, Q, T, L, stakeUnits) => {
        const { K } = scoreOf(openTrack(), at(start, { stakeUnits, stakeRef: 100 }), params).factors
        const better = Math.min(1, 1.05 * R + more * (1 - 1.05 * R))
        if (better < 1.05 * R) return
        expect(productOf({ R: better, V, Q, T, K: 1, L })).toBeGreaterThanOrEqual(productOf({ R, V, Q, T, K, L }))
      }),
      runs,
    )
  })

  test('stake adds in proportion and at most ten per cent', () => {
    const K = (stakeUnits: number, stakeRef = 100) =>
      scoreOf(openTrack(), at(start, { stakeUnits, stakeRef }), params).factors.K
    expect([K(0), K(50), K(100), K(1e9), K(-5), K(5, 0), K(Number.NaN)]).toEqual([1, 1.05, 1.1, 1.1, 1, 1, 1])
  })

  test('the same track and surroundings give the same digits, and looking changes nothing', () => {
    fc.assert(
      fc.property(history(), anyAround(), (facts, around) => {
        const track = trackOf(facts)
        const copy = { ...track }
        expect(scoreOf(track, around, params)).toEqual(scoreOf(trackOf(facts), around, params))
        expect(track).toEqual(copy)
      }),
      { numRuns: 1_000 },
    )
  })
})

function units() {
  return fc.double({ min: 0, max: 1e9, noNaN: true })
}
