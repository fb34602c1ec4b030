/** Histories of nodes for the tests of the ledger. */
import fc from 'fast-check'
import { type Around, defaultParams, fold, openTrack, type Track, type TrackFact } from '../src/ledger/index.ts'

export const params = defaultParams
export const day = 86_400
/** Some Tuesday, unix seconds. */
export const start = 1_790_000_000

/** Nothing known but the time. */
export const bare: Around = { at: start, medianFirstMs: 0, medianPerTokenMs: 0, stakeUnits: 0, stakeRef: 0 }

export const served = (at: number, weight = 1): TrackFact => ({ fact: 'served', at, weight })
export const failed = (at: number, weight = 1): TrackFact => ({ fact: 'failed', at, weight })
export const audit = (at: number, passed = true): TrackFact => ({ fact: 'audit', at, passed })

export function trackOf(facts: Iterable<TrackFact>, track: Track = openTrack()): Track {
  for (const fact of facts) fold(track, fact, params)
  return track
}

export const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i))

/** A node that is proven: `n` jobs, each served and audited, one second apart. */
export const proven = (n = params.probationJobs, at = start): Track =>
  trackOf(times(n, i => [served(at + i), audit(at + i)]).flat())

const weight = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }))
const speed = fc.option(fc.double({ min: 0.01, max: 100_000, noNaN: true }), { nil: undefined })

/** One fact within `days` of the start. */
export const anyFact = (days = 60): fc.Arbitrary<TrackFact> => {
  const at = fc.integer({ min: start, max: start + days * day })
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ fact: fc.constant('served' as const), at, weight, firstMs: speed, perTokenMs: speed }),
    },
    { weight: 2, arbitrary: fc.record({ fact: fc.constantFrom('failed' as const, 'disputed' as const), at, weight }) },
    { weight: 3, arbitrary: fc.record({ fact: fc.constant('audit' as const), at, passed: fc.boolean() }) },
  )
}

/** Facts in the order of time. */
export const history = (days = 60, maxLength = 60): fc.Arbitrary<TrackFact[]> =>
  fc.array(anyFact(days), { maxLength }).map(facts => facts.toSorted((a, b) => a.at - b.at))

const units = fc.double({ min: 0, max: 1e6, noNaN: true })
const ms = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined })

/** Whatever may surround a track, at or after `from`. */
export const anyAround = (from = start + 60 * day): fc.Arbitrary<Around> =>
  fc.record({
    at: fc.integer({ min: from, max: from + 120 * day }),
    medianFirstMs: units,
    medianPerTokenMs: units,
    stakeUnits: units,
    stakeRef: units,
    rttMs: ms,
    medianRttMs: ms,
  })
