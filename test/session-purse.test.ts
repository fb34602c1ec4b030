/** The purse: whatever is asked at once and however it ends, no msat is spent beyond the budget, lost or counted twice. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openPurse } from '../src/session/purse.ts'
import { keeps } from './promises.ts'

const msats = fc.bigInt({ min: 0n, max: 50n })
const move = fc.oneof(
  fc.record({ hold: msats }),
  fc.record({ settle: fc.nat(20), part: fc.nat(100), doubt: fc.nat(100), twice: fc.boolean() }),
  fc.record({ back: fc.nat(20), part: fc.nat(120), of: fc.constantFrom('open' as const, 'ended' as const) }),
)

keeps('session.budget', 'spent and set aside are what was spent and set aside, and never pass the total', () =>
  fc.assert(
    fc.property(fc.option(msats, { nil: undefined }), fc.array(move, { maxLength: 60 }), (total, moves) => {
      const purse = openPurse(total)
      type Hold = NonNullable<ReturnType<typeof purse.hold>>
      const open: { hold: Hold; back: bigint }[] = []
      const ended: { hold: Hold; left: bigint; doubt: bigint }[] = []
      const least = (a: bigint, b: bigint) => (a < b ? a : b)
      for (const one of moves) {
        const before = purse.budget()
        if ('hold' in one) {
          const hold = purse.hold(one.hold)
          const fits = total === undefined || before.spentMsats + before.heldMsats + one.hold <= total
          expect(hold !== undefined).toBe(fits)
          if (hold) open.push({ hold, back: 0n })
        } else if ('settle' in one) {
          const [taken] = open.splice(one.settle % Math.max(1, open.length), 1)
          if (!taken) continue
          const { hold, back } = taken
          const paid = (hold.msats * BigInt(one.part)) / 100n
          const doubt = ((hold.msats - paid) * BigInt(one.doubt)) / 100n
          hold.settle(paid, doubt)
          if (one.twice) hold.settle(hold.msats, hold.msats)
          const rest = least(back, paid)
          ended.push({ hold, left: paid - rest, doubt: doubt - least(back - rest, doubt) })
        } else if (one.of === 'open') {
          const taken = open[one.back % Math.max(1, open.length)]
          if (!taken) continue
          const came = (taken.hold.msats * BigInt(one.part)) / 100n
          taken.hold.giveBack(came)
          taken.back += came
          expect(purse.budget()).toEqual(before)
        } else {
          const taken = ended[one.back % Math.max(1, ended.length)]
          if (!taken) continue
          const came = (taken.hold.msats * BigInt(one.part)) / 100n
          taken.hold.giveBack(came)
          const ofLeft = least(came, taken.left)
          taken.left -= ofLeft
          taken.doubt -= least(came - ofLeft, taken.doubt)
        }
        const { spentMsats, heldMsats } = purse.budget()
        expect(spentMsats).toBe(ended.reduce((sum, { left }) => sum + left, 0n))
        const aside = open.reduce((sum, { hold }) => sum + hold.msats, 0n)
        expect(heldMsats).toBe(ended.reduce((sum, { doubt }) => sum + doubt, aside))
        if (total !== undefined) expect(spentMsats + heldMsats).toBeLessThanOrEqual(total)
      }
    }),
    { numRuns: 2_000 },
  ),
)

test('a cap below zero holds nothing', () => {
  expect(openPurse().hold(-1n)).toBeUndefined()
  expect(openPurse(0n).hold(0n)).toBeDefined()
  expect(openPurse(0n).budget()).toEqual({ totalMsats: 0n, spentMsats: 0n, heldMsats: 0n })
})
