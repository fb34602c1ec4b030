import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decay, logShare } from '../src/ledger/digits.ts'
import { defaultParams, openTrack, paramsHash, productOf, scoreOf } from '../src/ledger/index.ts'
import {
  anyAround,
  anyFact,
  audit,
  bare,
  day,
  failed,
  history,
  params,
  proven,
  served,
  start,
  times,
  trackOf,
} from './ledger-world.ts'

const at = (seconds: number, more = {}) => ({ ...bare, at: seconds, ...more })
const runs = { numRuns: 2_000 }

describe('decay', () => {
  test('halves exactly with each half-life and follows the power of two between', () => {
    expect(times(12, n => decay(n * 7, 7))).toEqual(times(12, n => 2 ** -n))
    expect(decay(45 * 604_800, 604_800)).toBe(2 ** -45)
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), seconds => {
        const wanted = 2 ** -(seconds / 604_800)
        expect(Math.abs(decay(seconds, 604_800) - wanted)).toBeLessThanOrEqual(wanted * 1e-12 + 1e-300)
      }),
      runs,
    )
  })

  test('never grows, whatever the clock says', () => {
    for (const seconds of [0, -1, -1e12, Number.NaN]) expect(decay(seconds, 604_800)).toBe(1)
    expect(decay(Number.POSITIVE_INFINITY, 604_800)).toBe(0)
  })
})

describe('the score by hand', () => {
  test('of a node of which nothing is known', () => {
    // Beta(1, 2): mean 1/3, deviation sqrt(1/18).
    expect(scoreOf(openTrack(), bare, params)).toEqual({
      score: 0.000686,
      factors: { R: 0.097631, V: 0.5, Q: 0.8, T: 0.2, K: 1, L: 0.9 },
    })
  })

  test('of a node with a history', () => {
    const track = trackOf([
      ...times(8, () => served(start - 7 * day)),
      ...times(2, () => failed(start)),
      ...times(3, () => audit(start)),
      { fact: 'served', at: start, weight: 0.5, firstMs: 200, perTokenMs: 30 },
    ])
    const around = at(start, {
      medianFirstMs: 400,
      medianPerTokenMs: 20,
      stakeUnits: 30,
      stakeRef: 60,
      rttMs: 30,
      medianRttMs: 10,
    })
    // s = 8/2 + 0.5, f = 2.
    const mean = 5.5 / 9.5
    const factors = {
      R: Number((mean - Math.sqrt((mean * (1 - mean)) / 10.5)).toFixed(6)),
      V: 0.8,
      Q: 0.8,
      T: Number((0.2 + (0.8 * Math.log(4)) / Math.log(61)).toFixed(6)),
      K: 1.05,
      L: 0.85,
    }
    expect(scoreOf(track, around, params).factors).toEqual(factors)
    expect(scoreOf(track, around, params).score).toBe(productOf(factors))
  })

  test.each([
    ['one pass', [true], 2 / 3],
    ['one failure weighs ten', [false], 1 / 12],
    ['twenty passes', times(20, () => true), 21 / 22],
    ['twenty passes and a failure', [...times(20, () => true), false], 21 / 32],
  ])('verified share: %s', (_, passes, V) => {
    const track = trackOf(passes.map((passed, i) => audit(start + i, passed)))
    expect(scoreOf(track, at(start + 99), params).factors.V).toBe(Number(V.toFixed(6)))
  })

  test('audits do not fade within 90 days, and are gone a third of that later', () => {
    fc.assert(
      fc.property(fc.nat(400 * day), fc.nat(90 * day), fc.boolean(), (when, later, passed) => {
        const track = trackOf([audit(start + when, passed)])
        const V = (days: number) => scoreOf(track, at(start + when + days), params).factors.V
        expect(V(later)).toBe(passed ? 0.666667 : 0.083333)
        expect(V(120 * day + later)).toBe(0.5)
        // The next job changes nothing about that.
        const worked = trackOf([served(start + when + 120 * day)], { ...track })
        expect(scoreOf(worked, at(start + when + 120 * day), params).factors.V).toBe(0.5)
      }),
      runs,
    )
  })

  test('a count of audits that is full stays full and fails nobody', () => {
    const track = openTrack()
    track.window = Math.floor((start * 3) / params.forgetSeconds)
    track.audits0 = track.audits1 = track.audits2 = track.audits3 = 2 ** 18 - 1
    trackOf(
      times(9, () => audit(start)),
      track,
    )
    expect(scoreOf(track, at(start), params).factors.V).toBe(0.999999)
    const worst = trackOf(times(300, () => audit(start, false)))
    expect(scoreOf(worst, at(start), params).factors.V).toBe(Number((1 / 2_552).toFixed(6)))
  })

  test('audits count by windows of thirty days: this one and the three before', () => {
    const fact = fc.record({ when: fc.nat(400 * day), passed: fc.boolean() })
    const windowOf = (seconds: number) => Math.floor(seconds / (30 * day))
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 40 }), fc.nat(130 * day), (facts, later) => {
        const rows = facts
          .map(({ when, passed }) => ({ when: start + when, passed }))
          .toSorted((a, b) => a.when - b.when)
        const now = (rows.at(-1)?.when ?? start) + later
        const live = rows.filter(({ when }) => windowOf(now) - windowOf(when) <= 3)
        const passed = live.filter(one => one.passed).length
        const V = (1 + passed) / (2 + passed + 10 * (live.length - passed))
        const track = trackOf(rows.map(one => audit(one.when, one.passed)))
        expect(scoreOf(track, at(now), params).factors.V).toBe(Math.round(V * 1e6) / 1e6)
      }),
      runs,
    )
  })

  test('nobody scores over one, though stake adds', () => {
    expect(productOf({ R: 1, V: 1, Q: 1, T: 1, K: 1.1, L: 1 })).toBe(1)
    expect(productOf({ R: 0.5, V: 1, Q: 1, T: 1, K: 1.1, L: 1 })).toBe(0.275)
  })

  test('tenure grows with the logarithm of audited jobs in a row and is full at sixty', () => {
    const T = (n: number) => scoreOf(proven(n), at(start + n), params).factors.T
    expect(times(61, T)).toEqual(times(61, n => Number((0.2 + 0.8 * logShare(n, 60)).toFixed(6))))
    expect([T(0), T(60), T(61), T(500)]).toEqual([0.2, 1, 1, 1])
    const other = { ...params, tenureFloor: 0.5 }
    expect(scoreOf(proven(0), at(start), other).factors.T).toBe(0.5)
    expect(T(0)).toBe(0.2)
  })

  test('speed: what is unknown is neutral, what is known is measured against the median', () => {
    const Q = (
      firstMs: number | undefined,
      perTokenMs: number | undefined,
      medianFirstMs = 100,
      medianPerTokenMs = 10,
    ) =>
      scoreOf(
        trackOf([{ fact: 'served', at: start, weight: 1, firstMs, perTokenMs }]),
        at(start, { medianFirstMs, medianPerTokenMs }),
        params,
      ).factors.Q
    expect(Q(undefined, undefined)).toBe(0.8)
    expect(Q(100, 10)).toBe(0.8)
    expect(Q(100, 10, 0, 0)).toBe(0.8)
    expect(Q(300, undefined)).toBe(0.7)
    expect(Q(undefined, 30)).toBe(0.7)
    expect(Q(300, 10)).toBe(Number((0.6 + 0.4 / 3).toFixed(6)))
    expect(Q(0.001, 0.001)).toBe(0.999978)
  })

  test('speed is a running mean: a fifth of the newest, less of who counts less', () => {
    const timed = (weight: number, firstMs: number) => ({ fact: 'served' as const, at: start, weight, firstMs })
    expect(trackOf([timed(1, 100)]).firstUs).toBe(100_000)
    expect(trackOf([timed(1, 100), timed(1, 200)]).firstUs).toBe(120_000)
    expect(trackOf([timed(1, 100), timed(0.5, 200)]).firstUs).toBe(110_000)
    expect(trackOf([timed(1, 100), timed(0, 200)]).firstUs).toBe(100_000)
    expect(trackOf([timed(1, 100), timed(1, Number.NaN), timed(1, -5)]).firstUs).toBe(100_000)
    expect(trackOf([timed(1, 1e300)]).firstUs).toBe(2 ** 30 - 1)
  })

  test('round-trip time: unknown is neutral, near is better, far loses a fifth at most', () => {
    const L = (rttMs?: number, medianRttMs?: number) =>
      scoreOf(openTrack(), at(start, { rttMs, medianRttMs }), params).factors.L
    expect([L(), L(5), L(undefined, 5), L(5, 0), L(5, 5)]).toEqual([0.9, 0.9, 0.9, 0.9, 0.9])
    expect([L(0, 5), L(15, 5), L(1e12, 5)]).toEqual([1, 0.85, 0.8])
  })
})

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

describe('the hash of the parameters', () => {
  test('does not depend on the order of names and changes with every number', () => {
    const { halfLifeSeconds, ...rest } = params
    const turned = { ...rest, halfLifeSeconds }
    expect(JSON.stringify(turned)).not.toBe(JSON.stringify(params))
    expect(paramsHash(turned)).toBe(paramsHash(defaultParams))
    const hashes = Object.entries(params).map(([name, value]) => paramsHash({ ...params, [name]: value + 1 }))
    expect(new Set([paramsHash(params), ...hashes]).size).toBe(1 + hashes.length)
    expect(paramsHash(params)).toMatch(/^[0-9a-f]{64}$/)
  })
})
