import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maxReceivers, type Receiver, splitShares } from '../src/payments/split.ts'

const msatsOf = (total: bigint, ...weights: (number | undefined)[]) =>
  splitShares(
    total,
    weights.map((weight, i) => ({ pubkey: `${i}`, ...(weight === undefined ? {} : { weight }) })),
  ).map(({ pubkey, msats }) => `${pubkey}:${msats}`)

describe('splitShares', () => {
  test.each<[string, string[], string[]]>([
    [
      'without any weights all get the same',
      msatsOf(900n, undefined, undefined, undefined),
      ['0:300', '1:300', '2:300'],
    ],
    ['weights of NIP-57: 1, 1 and 2', msatsOf(1_000n, 1, 1, 2), ['0:250', '1:250', '2:500']],
    ['beside weights, who has none gets nothing', msatsOf(1_000n, 1, undefined, 1), ['0:500', '2:500']],
    ['the largest remainders get what is left', msatsOf(100n, 1, 1, 4), ['0:17', '1:17', '2:66']],
    ['among equals the lower key', msatsOf(100n, 1, 1, 1), ['0:34', '1:33', '2:33']],
    ['a share of nothing is no payment', msatsOf(2n, 1, 1, 1_000_000), ['2:2']],
    ['one receiver gets all', msatsOf(7n, 3), ['0:7']],
    ['nothing to divide', msatsOf(0n, 1, 1), []],
    ['nobody to pay', msatsOf(100n), []],
    ['nobody with a weight that counts', msatsOf(100n, 0, 0), []],
    ['weights that are no whole numbers count as none', msatsOf(100n, 1, 0.5, -1, Number.NaN, 2 ** 60), ['0:100']],
    [
      'more than all bitcoin by the largest weights',
      msatsOf(10n ** 30n, 2 ** 53 - 1, 1),
      ['0:999999999999999888977697537484', '1:111022302462516'],
    ],
  ])('%s', (_what, shares, expected) => expect(shares).toEqual(expected))

  test('a debt is not divided', () => expect(() => splitShares(-1n, [])).toThrow(RangeError))

  test('what else is known of a receiver stays with its share', () => {
    expect(splitShares(5n, [{ pubkey: 'a', relay: 'wss://relay.example', weight: 1 }])).toEqual([
      { pubkey: 'a', relay: 'wss://relay.example', weight: 1, msats: 5n },
    ])
  })

  const receiver = fc
    .record({
      pubkey: fc.uuid(),
      weight: fc.option(fc.oneof(fc.nat(5), fc.nat(), fc.maxSafeInteger(), fc.double()), { nil: undefined }),
    })
    .map(({ pubkey, weight }): Receiver => ({ pubkey, ...(weight === undefined ? {} : { weight }) }))
  const receivers = fc.uniqueArray(receiver, { maxLength: 12, selector: one => one.pubkey })
  const total = fc.oneof(fc.bigInt(0n, 50n), fc.bigInt(0n, 2n ** 64n))

  test('shares make up the total, are within one msat of exact, and do not depend on the order: 10000 splits', {
    timeout: 60_000,
  }, () => {
    let divided = 0
    fc.assert(
      fc.property(total, receivers, (msats, all) => {
        const shares = splitShares(msats, all)
        const few = all.slice(0, maxReceivers)
        const none = few.every(({ weight }) => weight === undefined)
        const counts = ({ weight = 0 }: Receiver) =>
          none ? 1n : Number.isSafeInteger(weight) && weight > 0 ? BigInt(weight) : 0n
        const whole = few.reduce((sum, one) => sum + counts(one), 0n)
        expect(shares.reduce((sum, share) => sum + share.msats, 0n)).toBe(whole === 0n ? 0n : msats)
        if (whole === 0n) return
        divided++
        for (const one of few) {
          const got = shares.find(({ pubkey }) => pubkey === one.pubkey)?.msats ?? 0n
          const error = got * whole - msats * counts(one)
          expect(error > -whole && error < whole).toBe(true)
          if (counts(one) === 0n) expect(got).toBe(0n)
        }
        const byKey = (a: Receiver, b: Receiver) => (a.pubkey < b.pubkey ? -1 : 1)
        expect(splitShares(msats, few.toReversed()).toSorted(byKey)).toEqual(shares.toSorted(byKey))
      }),
      { numRuns: 10_000 },
    )
    expect(divided).toBeGreaterThan(5_000)
  })

  test('who weighs more never gets less: 10000 splits', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        total,
        fc.array(fc.integer({ min: 1, max: 2 ** 53 - 1 }), { minLength: 2, maxLength: 8 }),
        (msats, weights) => {
          const all = weights.map((weight, i) => ({ pubkey: `${i}`, weight }))
          const shares = splitShares(msats, all)
          const got = all.map(({ pubkey }) => shares.find(share => share.pubkey === pubkey)?.msats ?? 0n)
          for (const [i, one] of all.entries())
            for (const [j, other] of all.entries())
              if (one.weight > other.weight) expect((got[i] ?? 0n) >= (got[j] ?? 0n)).toBe(true)
        },
      ),
      { numRuns: 10_000 },
    )
  })
})
