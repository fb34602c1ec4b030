import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decay, logShare } from '../src/ledger/digits.ts'
import { defaultParams, openTrack, paramsHash, productOf, scoreOf } from '../src/ledger/index.ts'
import { audit, bare, day, failed, params, proven, served, start, times, trackOf } from './ledger-world.ts'

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
