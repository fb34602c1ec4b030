import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Bond, BondEntry, FaultVerdict } from '../kinds/index.ts'
import { type Kept, stakeOf } from '../src/ledger/index.ts'
import { day, params, start, times } from './ledger-world.ts'

const bond: Bond = {
  id: 'b',
  units: 1_000n,
  proof: 'abstract',
  lockedAt: start,
  expiresAt: start + 90 * day,
  role: 'node',
}
type Act = readonly [act: BondEntry['act'], units: bigint, at?: number, verdict?: string]

const log = (...acts: Act[]): Kept<BondEntry>[] =>
  acts.map(([act, units, at = 0, verdict], seq) => ({
    id: `e${seq}`,
    value: {
      bond: 'b',
      act,
      units,
      at: start + at,
      seq,
      ...(seq > 0 ? { prev: `e${seq - 1}` } : {}),
      ...(verdict === undefined ? {} : { verdict }),
    },
  }))
const lock = log(['lock', 1_000n])
const verdict = (id: string, evidence: string, penalty: bigint, proven = true): Kept<FaultVerdict> => ({
  id,
  value: { evidence, accused: 'a', rule: 'E3', proven, penalty, says: '' },
})
const worth = (entries: Kept<BondEntry>[], later = 0, verdicts: Kept<FaultVerdict>[] = [], of = bond) =>
  stakeOf(of, entries, verdicts, params, start + later)

describe('what a bond is worth', () => {
  test('falls in a line to nothing at its expiry', () => {
    expect([0, 45 * day, 89 * day, 90 * day - 1].map(later => worth(lock, later).units)).toEqual([
      1_000n,
      500n,
      11n,
      0n,
    ])
    expect(worth(lock, 90 * day)).toEqual({ units: 0n, reason: 'expired' })
    expect(worth(lock, -1)).toEqual({ units: 0n, reason: 'not-yet' })
  })

  test('is no more than it says and no more than its log holds', () => {
    expect(worth(log(['lock', 5_000n])).units).toBe(1_000n)
    expect(worth(log(['lock', 400n])).units).toBe(400n)
    expect(worth(log(['lock', 400n], ['topup', 500n, 10], ['unlock', 100n, 20]), 30).units).toBe(799n)
  })

  test('what its log says of later is not yet', () => {
    const entries = log(['lock', 400n], ['topup', 600n, 45 * day])
    expect([44 * day, 45 * day].map(later => worth(entries, later).units)).toEqual([204n, 500n])
  })

  test('a bond for more than ninety days or of no time counts nothing', () => {
    expect(worth(lock, 5, [], { ...bond, expiresAt: start + 90 * day + 1 }).reason).toBe('too-long')
    expect(worth(lock, 5, [], { ...bond, expiresAt: start }).reason).toBe('too-long')
  })

  const change = (seq: number, more: Partial<BondEntry>, id = `e${seq}`) =>
    log(['lock', 100n], ['topup', 10n, 1], ['unlock', 5n, 2]).map(entry =>
      entry.value.seq === seq ? { id, value: { ...entry.value, ...more } } : entry,
    )
  test.each<[string, Kept<BondEntry>[], string]>([
    ['nothing was locked', [], 'no-log'],
    ['entries of another bond', change(0, { bond: 'c' }).slice(0, 1), 'no-log'],
    ['an entry is missing', change(1, {}).filter(({ value }) => value.seq !== 1), 'gap'],
    ['the beginning is missing', change(1, {}).slice(1), 'gap'],
    ['another one is named before', change(2, { prev: 'e0' }), 'prev'],
    ['one names another id', change(1, {}, 'other'), 'prev'],
    [
      'two entries with one number',
      [
        ...change(1, {}),
        { id: 'twin', value: { ...log(['lock', 1n])[0]?.value, ...change(1, {})[1]?.value } as BondEntry },
      ],
      'fork',
    ],
    ['it begins with something else', change(0, { act: 'topup' }), 'first'],
    ['it locks twice', change(1, { act: 'lock' }), 'first'],
    ['time runs backwards', change(2, { at: start }), 'order'],
    ['more is taken back than is there', change(2, { units: 111n }), 'overdrawn'],
  ])('%s: worth nothing', (_, entries, reason) => {
    expect(worth(entries, 10)).toEqual({ units: 0n, reason })
    expect(worth(entries.toReversed(), 10)).toEqual({ units: 0n, reason })
  })

  test('the same entry heard twice is one entry', () => {
    expect(worth([...lock, ...lock]).units).toBe(1_000n)
  })
})

describe('what verdicts take', () => {
  test('a proven one takes its penalty, an unproven one nothing', () => {
    expect(worth(lock, 0, [verdict('v', 'x', 300n)]).units).toBe(700n)
    expect(worth(lock, 0, [verdict('v', 'x', 300n, false)]).units).toBe(1_000n)
    expect(worth(lock, 0, [verdict('v', 'x', 3_000n)])).toEqual({ units: 0n })
  })

  test('one piece of evidence takes once, as much as the hardest verdict', () => {
    const both = [verdict('v', 'x', 300n), verdict('w', 'x', 400n)]
    expect(worth(lock, 0, both).units).toBe(600n)
    expect(worth(lock, 0, [...both, verdict('u', 'y', 50n)]).units).toBe(550n)
  })

  test('whether the log admits it or not', () => {
    const admitted = log(['lock', 1_000n], ['slash', 300n, 1, 'v'])
    expect(worth(admitted, 1).units).toBe(699n)
    expect(worth(admitted, 1, [verdict('v', 'x', 300n)]).units).toBe(699n)
    expect(worth(admitted, 1, [verdict('v', 'x', 400n)]).units).toBe(599n)
  })

  test('who takes everything back before the verdict has nothing, not less', () => {
    expect(worth(log(['lock', 1_000n], ['unlock', 1_000n, 1]), 1, [verdict('v', 'x', 300n)])).toEqual({ units: 0n })
  })
})

describe('properties of stake', () => {
  const acts = fc.array(fc.record({ topup: fc.boolean(), units: fc.bigInt(0n, 300n), gap: fc.nat(10 * day) }), {
    maxLength: 12,
  })
  const verdicts = fc.array(
    fc.record({ id: fc.nat(5), evidence: fc.nat(3), penalty: fc.bigInt(0n, 500n), proven: fc.boolean() }),
    { maxLength: 6 },
  )
  test('it is never negative, never grows with time alone, verdicts only take, and order says nothing', () => {
    fc.assert(
      fc.property(acts, verdicts, fc.nat(100 * day), fc.nat(day), (said, judged, later, more) => {
        let at = 0
        const entries = log(
          ['lock', 600n],
          ...said.map(({ topup, units, gap }): Act => {
            at += gap
            return [topup ? 'topup' : 'unlock', units, at]
          }),
        )
        const against = judged.map(one => verdict(`v${one.id}`, `x${one.evidence}`, one.penalty, one.proven))
        const now = worth(entries, later, against).units
        expect(now >= 0n && now <= bond.units).toBe(true)
        expect(worth(entries.toReversed(), later, against).units).toBe(now)
        for (const n of times(against.length, i => i))
          expect(
            worth(entries, later, against.slice(0, n)).units >= now ||
              new Set(against.map(({ id }) => id)).size < against.length,
          ).toBe(true)
        if (said.every(({ topup }) => !topup)) expect(worth(entries, later + more, against).units <= now).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})
