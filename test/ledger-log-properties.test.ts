import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { factOf, foldLog, openLedger, openMedian, stageOf } from '../src/ledger/index.ts'
import { chain, label, type Said } from './ledger-chain.ts'
import { day, params, start, times, trackOf } from './ledger-world.ts'

const anyLabel: fc.Arbitrary<Said> = fc.oneof(
  fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    model: fc.constantFrom('m', ''),
    at: fc.integer({ min: start, max: start + 200 * day }),
    ...{ topic: fc.constant('outcome' as const), label: fc.constantFrom('served', 'served', 'failed', 'disputed') },
    ...{ weight: fc.constantFrom(0, 0.25, 1), firstMs: fc.integer({ min: 0, max: 9_000 }), ms: fc.nat(20_000) },
    outputTokens: fc.nat(40),
  }),
  fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    at: fc.integer({ min: start, max: start + 200 * day }),
    ...{ topic: fc.constant('audit' as const), label: fc.constantFrom('passed', 'passed', 'failed') },
    code: fc.constantFrom('margin', 'margin', 'margin', 'E5'),
  }),
  fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd'),
    at: fc.integer({ min: start, max: start + 200 * day }),
    ...{ topic: fc.constant('payment' as const), label: fc.constantFrom('settled', 'forged') },
    ...{ customer: fc.constantFrom('x', 'y', 'z'), msats: fc.bigInt(1n, 9_000n) },
  }),
)
const anyLog = fc
  .array(fc.oneof({ weight: 6, arbitrary: anyLabel }, { weight: 1, arbitrary: fc.constant('routing' as const) }), {
    maxLength: 80,
  })
  .chain(said =>
    fc
      .boolean()
      .map(sorted =>
        sorted
          ? said.toSorted((a, b) => Number(typeof a !== 'string' && a.at) - Number(typeof b !== 'string' && b.at))
          : said,
      ),
  )

const around = (at: number) => ({ at, stakeUnits: 1, stakeRef: 3 })
const wholeOf = (ledger: ReturnType<typeof openLedger>, at: number) => ({
  tracks: [...ledger.tracks()],
  standings: ['a', 'b', 'c', 'd'].flatMap(node =>
    ['m', ''].map(model => ledger.standing(node, 5050, model, around(at))),
  ),
  medians: ['m', ''].map(model => ledger.medians(5050, model)),
  weights: ['x', 'y', 'z'].map(ledger.payers.walk(['x']).weightOf),
  ...{ seq: ledger.seq, id: ledger.id },
})

describe('properties of the log', () => {
  test('one entry at a time, with questions between, gives what all at once give: to the digit', () => {
    fc.assert(
      fc.property(anyLog, fc.nat(220 * day), (said, later) => {
        const entries = chain(said)
        const live = openLedger(params)
        for (const entry of entries) {
          expect(live.fold(entry)).toBeUndefined()
          live.standing('a', 5050, 'm', around(start + later))
          live.medians(5050, 'm')
          live.payers.walk(['x'])
        }
        const { ledger } = foldLog(entries, params)
        expect(wholeOf(live, start + later)).toEqual(wholeOf(ledger, start + later))
      }),
      { numRuns: 1_000 },
    )
  })

  test('each track is the fold of its own labels, as long as nobody is forgotten', () => {
    fc.assert(
      fc.property(fc.array(anyLabel, { maxLength: 60 }), said => {
        const young = said.map(one => ({ ...one, at: start + ((one.at ?? 0) % (30 * day)) }))
        const { ledger } = foldLog(chain(young), params)
        for (const [key, track] of ledger.tracks()) {
          const [node = '', , model = ''] = key.split(':')
          const own = young
            .map(one => label(one))
            .filter(one => one.node === node && one.topic !== 'payment')
            .filter(one => one.model === model || factOf(one).fact === 'fault')
          expect(track).toEqual(trackOf(own.map(factOf)))
          expect(ledger.stage(node, 5050, model, start)).toBe(stageOf(track, params, start, true))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the median', () => {
  test('is that of the sorted row, within three per cent, whoever came and went', () => {
    const us = fc.integer({ min: 0, max: 2 ** 30 - 1 }).chain(most => fc.integer({ min: 0, max: most }))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), us), { maxLength: 60 }), moves => {
        const median = openMedian()
        const members = times(10, () => 0)
        for (const [who, after] of moves) {
          median.change(members[who] ?? 0, after)
          members[who] = after
          if (who === 3) expect(median.ms).toBeGreaterThanOrEqual(0)
        }
        const known = members.filter(one => one > 0).toSorted((a, b) => a - b)
        const middle = (known[Math.ceil(known.length / 2) - 1] ?? 0) / 1000
        expect(Math.abs(median.ms - middle)).toBeLessThanOrEqual(middle * 0.0334)
      }),
      { numRuns: 3_000 },
    )
  })
})
