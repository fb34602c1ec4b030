/** The purse: whatever is asked at once and however it ends, no msat is spent beyond the budget, lost or counted twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openPurse } from '../src/session/purse.ts'

const msats = fc.bigInt({ min: 0n, max: 50n })
const move = fc.oneof(
  fc.record({ hold: msats }),
  fc.record({ settle: fc.nat(20), part: fc.nat(100), doubt: fc.nat(100), twice: fc.boolean() }),
)

test('spent and set aside are what was spent and set aside, and never pass the total', () =>
  fc.assert(
    fc.property(fc.option(msats, { nil: undefined }), fc.array(move, { maxLength: 60 }), (total, moves) => {
      const purse = openPurse(total)
      const open: { hold: NonNullable<ReturnType<typeof purse.hold>>; msats: bigint }[] = []
      let spent = 0n
      let doubtful = 0n
      for (const one of moves) {
        const before = purse.budget()
        if ('hold' in one) {
          const hold = purse.hold(one.hold)
          const fits = total === undefined || before.spentMsats + before.heldMsats + one.hold <= total
          expect(hold !== undefined).toBe(fits)
          if (hold) open.push({ hold, msats: one.hold })
        } else {
          const [taken] = open.splice(one.settle % Math.max(1, open.length), 1)
          if (!taken) continue
          const paid = (taken.msats * BigInt(one.part)) / 100n
          const doubt = ((taken.msats - paid) * BigInt(one.doubt)) / 100n
          taken.hold.settle(paid, doubt)
          if (one.twice) taken.hold.settle(taken.msats, taken.msats)
          spent += paid
          doubtful += doubt
        }
        const { spentMsats, heldMsats } = purse.budget()
        expect(spentMsats).toBe(spent)
        expect(heldMsats).toBe(open.reduce((sum, { msats }) => sum + msats, doubtful))
        if (total !== undefined) expect(spentMsats + heldMsats).toBeLessThanOrEqual(total)
      }
    }),
    { numRuns: 2_000 },
  ))

test('a cap below zero holds nothing', () => {
  expect(openPurse().hold(-1n)).toBeUndefined()
  expect(openPurse(0n).hold(0n)).toBeDefined()
  expect(openPurse(0n).budget()).toEqual({ totalMsats: 0n, spentMsats: 0n, heldMsats: 0n })
})
