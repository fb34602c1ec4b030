import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fold,
  isEjected,
  isLetOff,
  jobsOf,
  letOff,
  openTrack,
  scoreOf,
  stageOf,
  type Track,
} from '../src/ledger/index.ts'
import {
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

const runs = { numRuns: 2_000 }
const stage = (track: Track, later = 0) => stageOf(track, params, Math.max(start, track.at) + later)

describe('a track', () => {
  test('is numbers only, before and after whatever happened', () => {
    fc.assert(
      fc.property(history(200), facts => {
        for (const value of Object.values(trackOf(facts))) expect(Number.isFinite(value)).toBe(true)
        expect(Object.keys(trackOf(facts))).toEqual(Object.keys(openTrack()))
      }),
      runs,
    )
  })

  test('half of an outcome is left after a week', () => {
    const track = trackOf([served(start), failed(start), served(start + 7 * day)])
    expect([track.s, track.f]).toEqual([1.5, 0.5])
    expect([trackOf([served(start + 7 * day), served(start)]).s, track.at]).toEqual([1.5, start + 7 * day])
  })

  test('a word that weighs nothing changes nothing', () => {
    fc.assert(
      fc.property(history(), anyFact(), fc.constantFrom(0, -1, Number.NaN), (facts, fact, weight) => {
        if (fact.fact === 'audit' || fact.fact === 'fault') return
        expect(trackOf([...facts, { ...fact, weight }])).toEqual(trackOf(facts))
      }),
      runs,
    )
  })

  test('a weight over one is one', () => {
    expect(trackOf([served(start, 99), failed(start, 7)])).toEqual(trackOf([served(start), failed(start)]))
  })

  test('ninety days after the newest fact all is forgotten, but for what was proven', () => {
    const track = trackOf(
      times(30, i => failed(start + i * 60)),
      proven(40),
    )
    const gone = track.at + 90 * day
    expect(stageOf(track, params, gone - 1)).toBe('probation')
    expect(stageOf(track, params, gone)).toBe('new')
    const { R, T } = scoreOf(track, { ...bare, at: gone }, params).factors
    expect({ R, T }).toEqual({ R: 0.097631, T: 0.2 })
    const fresh = trackOf([served(gone)], { ...track })
    const { s, f, served: jobs, streak, tried, missed, inRow, ejections, ejectedAt } = fresh
    expect({ s, f, jobs, streak, tried, missed, inRow, ejections, ejectedAt }).toEqual({
      ...{ s: 1, f: 0, jobs: 1000, streak: 0, tried: 1000, missed: 0, inRow: 0, ejections: 0, ejectedAt: -1 },
    })
    fold(track, { fact: 'fault', at: start }, params)
    expect(stageOf(trackOf([served(gone)], track), params, gone)).toBe('banned')
  })

  test('what is older than ninety days when it comes is not taken', () => {
    const track = trackOf([served(start + 90 * day)])
    expect(trackOf([failed(start), audit(start)], { ...track })).toEqual(track)
    expect(trackOf([failed(start + 1)], { ...track }).f).toBeGreaterThan(0)
  })

  test('counts jobs by weight', () => {
    expect(jobsOf(trackOf(times(10, () => served(start, 0.25))))).toBe(2)
  })
})

describe('stages', () => {
  test('new, in probation, proven after twenty audited-valid jobs, in probation again after one that was not', () => {
    expect(stage(openTrack())).toBe('new')
    expect(stage(proven(1))).toBe('probation')
    expect(stage(proven(19))).toBe('probation')
    expect(stage(proven(20))).toBe('proven')
    const fallen = trackOf([audit(start + 30, false)], proven(500))
    expect(stage(fallen)).toBe('probation')
    expect(
      stage(
        trackOf(
          times(19, i => audit(start + 31 + i)),
          fallen,
        ),
      ),
    ).toBe('probation')
    expect(stage(trackOf([audit(start + 60)], fallen))).toBe('proven')
  })

  test('work alone, however much of it, proves nobody', () => {
    expect(stage(trackOf(times(5_000, i => served(start + i))))).toBe('probation')
  })

  test('a proven fault bans for good', () => {
    const track = trackOf([{ fact: 'fault', at: start + 5 }], proven(100))
    expect(stage(track)).toBe('banned')
    expect(stage(track, 1_000 * day)).toBe('banned')
    expect(stageOf(track, params, start, true)).toBe('banned')
    expect(scoreOf(track, { ...bare, at: start + 99 }, params)).toMatchObject({ score: 0, factors: { V: 0 } })
  })
})

describe('ejection', () => {
  const rows = (track: Track, words: string, at = start + 100) =>
    trackOf(
      [...words].map((word, i) => (word === 'x' ? failed(at + i) : served(at + i))),
      track,
    )

  test.each([
    ['four in a row', 'xxxx', 'proven'],
    ['five in a row', 'xxxxx', 'ejected'],
    ['an answer between', 'xxxx.x', 'proven'],
    ['four of twelve', 'x..x..x..x..', 'proven'],
    ['five of twelve', 'x.x..x..x..x', 'ejected'],
    ['five of eleven are too few to say', 'x.x..x..x.x', 'proven'],
  ])('%s', (_, words, wanted) => {
    const track = trackOf(times(20, i => audit(start + i)))
    expect(stage(rows(track, words))).toBe(wanted)
  })

  test('only what happened of late counts', () => {
    const long = rows(proven(20), '.'.repeat(200))
    expect(stage(rows(long, '...x..x..x..'.repeat(2), start + 400))).toBe('proven')
    expect(stage(rows(long, 'x.x.x.x.x.x.x.x.', start + 500))).toBe('ejected')
  })

  test('lasts half a minute, the next one longer, and leads through probation', () => {
    const track = rows(proven(60), 'xxxxx')
    expect([stage(track, 29), stage(track, 30)]).toEqual(['ejected', 'probation'])
    rows(track, 'xxxxx', start + 200)
    expect([stage(track, 59), stage(track, 60)]).toEqual(['ejected', 'probation'])
    trackOf(
      times(19, i => audit(start + 300 + i)),
      track,
    )
    expect(stage(track)).toBe('probation')
    trackOf([audit(start + 320)], track)
    expect(stage(track)).toBe('proven')
    rows(track, 'xxxxx', start + 400)
    expect([stage(track, 29), stage(track, 30)]).toEqual(['ejected', 'probation'])
  })

  test('a failed audit after an ejection asks for the same twenty jobs, not for more', () => {
    const track = trackOf([audit(start + 300, false)], rows(proven(60), 'xxxxx'))
    trackOf(
      times(20, i => audit(start + 301 + i)),
      track,
    )
    expect(stage(track)).toBe('proven')
  })

  test('jobs that were under way when it was ejected do not eject it again', () => {
    const track = rows(proven(20), 'x'.repeat(25))
    expect(track.ejections).toBe(1)
    expect(stage(track)).toBe('ejected')
    expect(stageOf(track, params, start + 104 + 30)).toBe('probation')
    expect(track.f).toBeGreaterThan(24.9)
  })

  test('a dispute lowers reliability and ejects nobody', () => {
    const track = trackOf(
      times(100, i => ({ fact: 'disputed' as const, at: start + 100 + i, weight: 1 })),
      proven(20),
    )
    expect(stage(track)).toBe('proven')
    expect(scoreOf(track, { ...bare, at: track.at }, params).factors.R).toBeLessThan(0.2)
  })

  test('customers whose word weighs little need many jobs for it', () => {
    const weak = (n: number) =>
      trackOf(
        times(n, i => failed(start + 100 + i, 0.1)),
        proven(20),
      )
    expect(stage(weak(40))).toBe('proven')
    expect(stage(weak(50))).toBe('ejected')
    // Nor do they clear a row of failures.
    expect(
      stage(
        trackOf(
          [
            ...times(4, i => failed(start + 100 + i)),
            served(start + 105, 0.01),
            failed(start + 106),
            failed(start + 107),
          ],
          proven(20),
        ),
      ),
    ).toBe('ejected')
  })

  test('the pool lets off whom it has no room to eject', () => {
    const track = rows(proven(20), 'xxxxx')
    expect(stageOf(track, params, track.at)).toBe('ejected')
    expect(stageOf(track, params, track.at, true)).toBe('proven')
    expect(stageOf(rows(proven(19), 'xxxxx'), params, track.at, true)).toBe('probation')
  })

  test('at most a tenth of a pool is out for not answering, first come first out; faults take no room', () => {
    const one = fc.record({ at: fc.nat(60), count: fc.nat(3), fault: fc.boolean() })
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), fc.nat(300), fc.nat(90), (rows, others, later) => {
        const pool = rows
          .toSorted((a, b) => a.at - b.at)
          .map(({ at, count, fault }, i): [string, Track] => {
            const ejection = { ejectedAt: count > 0 ? start + at : -1, ejections: count }
            return [`n${i}`, { ...openTrack(), at: start, ...ejection, faultAt: fault ? start : -1 }]
          })
        const now = start + later
        const lucky = letOff(pool, pool.length + others, params, now)
        const out = pool.filter(([, track]) => track.faultAt < 0 && isEjected(track, params, now))
        const stay = out.filter(([node]) => !lucky.has(node))
        expect(stay.length).toBe(Math.min(out.length, Math.floor((pool.length + others) * 0.1)))
        expect(stay).toEqual(out.slice(0, stay.length))
        expect(lucky.size).toBe(out.length - stay.length)
        for (const [node] of pool)
          expect(isLetOff(node, new Map(pool), pool.length + others, params, now)).toBe(lucky.has(node))
      }),
      runs,
    )
  })
})
