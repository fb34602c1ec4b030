import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../src/hash.ts'
import { auditShare, drawn } from '../src/ledger/index.ts'
import { audit, day, failed, history, params, proven, served, start, times, trackOf } from './ledger-world.ts'

describe('the share that is audited', () => {
  test('is everything until a node is proven, then the inverse of its audited jobs, and never under the floor', () => {
    expect(auditShare(proven(3), 'probation', 0, params)).toBe(1)
    expect(auditShare(proven(300), 'ejected', 1e9, params)).toBe(1)
    expect(auditShare(proven(300), 'new', 1e9, params)).toBe(1)
    expect([20, 50, 1_000].map(n => auditShare(proven(n), 'proven', 0, params))).toEqual([0.1, 0.1, 0.1])
    expect([20, 25, 1_000].map(n => auditShare(proven(n), 'proven', 20, params))).toEqual([0.05, 0.05, 0.05])
    expect([4, 5].map(n => auditShare(proven(n), 'proven', 0, params))).toEqual([0.25, 0.2])
  })

  test('falls with a bond of twenty jobs, and with fifty and a thousand clean jobs', () => {
    const share = (jobs: number, bonded: number) => auditShare(proven(jobs), 'proven', bonded, params)
    expect([share(2_000, 19.9), share(2_000, 20), share(2_000, 50)]).toEqual([0.1, 0.05, 0.02])
    expect([share(1_000, 50), share(1_001, 50)]).toEqual([0.05, 0.02])
  })

  test('a failed audit leaves nobody clean for ninety days', () => {
    const spoiled = trackOf([audit(start + 1, false), ...times(100, i => audit(start + 2 + i))], proven(2_000))
    expect(auditShare(spoiled, 'proven', 50, params)).toBe(0.05)
    const later = trackOf([...times(120, i => served(start + i * day))], spoiled)
    expect(auditShare(later, 'proven', 50, params, start + 120 * day)).toBe(0.02)
  })

  test('two idle weeks put it back to a tenth, until new audits bring it down', () => {
    const track = proven(2_000)
    const at = (later: number) => auditShare(track, 'proven', 50, params, track.at + later)
    expect([at(0), at(14 * day - 1), at(14 * day)]).toEqual([0.02, 0.02, 0.1])
    trackOf([served(track.at + 14 * day)], track)
    expect(at(0)).toBe(0.1)
    trackOf(
      times(10, () => audit(track.at)),
      track,
    )
    expect(at(0)).toBe(0.05)
    trackOf(
      times(30, () => audit(track.at)),
      track,
    )
    expect(at(0)).toBe(0.02)
  })

  test('is a share, and an audit passed never raises it', () => {
    const bonded = fc.constantFrom(0, 20, 50)
    fc.assert(
      fc.property(history(), bonded, fc.constantFrom('proven' as const, 'probation' as const), (facts, jobs, stage) => {
        const now = start + 61 * day
        const before = auditShare(trackOf(facts), stage, jobs, params, now)
        expect(before).toBeGreaterThanOrEqual(0.02)
        expect(before).toBeLessThanOrEqual(1)
        expect(auditShare(trackOf([...facts, audit(now)]), stage, jobs, params, now)).toBeLessThanOrEqual(before)
        expect(auditShare(trackOf([...facts, failed(now), audit(now, false)]), stage, jobs, params, now)).toBe(1)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** Chance of at most `k` of `n`, by summing the binomial distribution. */
function atMost(k: number, n: number, p: number): number {
  let log = n * Math.log1p(-p)
  let sum = 0
  for (let i = 0; i <= k; i++) {
    sum += Math.exp(log)
    log += Math.log((n - i) / (i + 1)) + Math.log(p) - Math.log1p(-p)
  }
  return sum
}

describe('the draw', () => {
  const id = (name: string, i: number) => sha256Hex(`${name} ${i}`)

  test.each([0.02, 0.05, 0.1, 0.5, 0.9])(
    'draws %d of the answers, within what chance does once in a billion times',
    share => {
      const n = 20_000
      let hits = 0
      for (let i = 0; i < n; i++) if (drawn(id('result', i), id('beacon', i >> 4), share)) hits++
      expect(atMost(hits, n, share)).toBeGreaterThan(1e-9)
      expect(1 - atMost(hits - 1, n, share)).toBeGreaterThan(1e-9)
    },
  )

  test('everything is drawn at one, nothing at zero, and more at a higher share', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.double({ min: 0, max: 1 }),
        fc.double({ min: 0, max: 1 }),
        (a, b, one, other) => {
          const at = (share: number) => drawn(id('r', a), id('b', b), share)
          expect([at(0), at(1), at(Number.NaN)]).toEqual([false, true, false])
          if (at(Math.min(one, other))) expect(at(Math.max(one, other))).toBe(true)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('is the first 52 bits of the digest of result and beacon', () => {
    const [result, beacon] = [id('result', 1), id('beacon', 1)]
    const value = Number(BigInt(`0x${sha256Hex(result + beacon)}`) >> 204n) / 2 ** 52
    expect([drawn(result, beacon, value), drawn(result, beacon, value + 2 ** -52)]).toEqual([false, true])
    expect(drawn(beacon, result, value + 2 ** -52)).toBe(sha256Hex(beacon + result) < sha256Hex(result + beacon))
  })

  test('another beacon draws others: no node knows beforehand', () => {
    const hits = (beacon: string) => times(2_000, i => drawn(id('result', i), beacon, 0.1))
    const [one, other] = [hits(id('beacon', 1)), hits(id('beacon', 2))]
    const both = one.filter((hit, i) => hit && other[i]).length
    expect(atMost(both, 2_000, 0.01)).toBeGreaterThan(1e-9)
    expect(1 - atMost(both - 1, 2_000, 0.01)).toBeGreaterThan(1e-9)
  })
})
