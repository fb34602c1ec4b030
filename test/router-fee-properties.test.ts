/** The books of a router's fee under any order of requests, payments, late payments, deaths and silence. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { handClock, seconds } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import type { Bill, BillState, Payee } from '../src/payments/payment.ts'
import { type Fees, openFees, UnpaidError } from '../src/router/fee.ts'

const msats = 1_000n

/** A wallet whose money comes when the test says so. */
function wallet(now: () => number) {
  const bills = new Map<string, Bill>()
  const paid = new Map<string, Extract<BillState, { state: 'settled' }>>()
  const watches = new Map<string, (state: Extract<BillState, { state: 'settled' }>) => void>()
  const payee: Payee = {
    async bill({ key, msats: amount, expirySeconds }) {
      const hash = key.padEnd(64, '0').slice(0, 64)
      const known = bills.get(hash)
      if (known) return known
      const made = { bolt11: `lnbcrt${hash}`, hash, msats: amount, expiresAt: now() + expirySeconds }
      bills.set(hash, made)
      return made
    },
    billState: async hash => paid.get(hash) ?? { state: 'pending' },
    watch(hash, onSettled) {
      watches.set(hash, onSettled)
      const state = paid.get(hash)
      if (state) queueMicrotask(() => watches.get(hash) === onSettled && onSettled(state))
      return () => void (watches.get(hash) === onSettled && watches.delete(hash))
    },
    close: async () => {},
  }
  return {
    ...{ payee, bills },
    received: () => [...paid.values()].reduce((sum, one) => sum + one.msats, 0n),
    pay(hash: string, amount: bigint) {
      if (paid.has(hash)) return
      const state = { state: 'settled', msats: amount, preimage: 'ab'.repeat(32), at: now() } as const
      paid.set(hash, state)
      watches.get(hash)?.(state)
    },
  }
}

const customer = fc.constantFrom('a', 'b')
const move = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), who: customer }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pay' as const), which: fc.nat({ max: 20 }), extra: fc.nat({ max: 2 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 70, 400, 4_000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const) }) },
)

test('what came is used, kept or was owed; nobody gets more on credit than its line', { timeout: 60_000 }, async () => {
  let [lines, firsts, late] = [0, 0, 0]
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 40 }), fc.constantFrom(0n, 2_000n), async (moves, start) => {
      const clock = handClock()
      const journal = memoryJournal()
      const money = wallet(() => seconds(clock))
      const alive = new AbortController().signal
      const open = (): Fees =>
        openFees({
          ...{ fee: { msats, payee: money.payee, line: { startMsats: start } }, journal, clock },
          ...{ billsPerCustomer: 3, bills: 10, onPaid: () => {}, onTrouble: () => {} },
        })
      let fees = open()
      let asked = 0
      const served = new Map<string, bigint>()
      for (const one of moves) {
        if (one.do === 'ask') {
          const event: Event = {
            ...{ id: (++asked).toString(16).padStart(58, '0'), pubkey: one.who.repeat(64), created_at: 0, kind: 0 },
            ...{ tags: [], content: '', sig: '' },
          }
          const { how } = fees.standing(event.pubkey)
          if (how === 'unpaid') continue
          if (how === 'first') {
            firsts++
            await fees.bill(event, 'first', 60, alive)
            continue
          }
          const bill = how === 'line' ? await fees.bill(event, 'line', 300, alive) : undefined
          try {
            const used = journal.atomically(() => fees.use(event, bill))
            if (used === 'line' && bill) fees.watch(bill)
            if (used === 'line') lines++
            served.set(event.pubkey, (served.get(event.pubkey) ?? 0n) + msats)
          } catch (error) {
            if (!(error instanceof UnpaidError)) throw error
          }
        } else if (one.do === 'pay') {
          const bill = [...money.bills.values()][one.which]
          if (bill && bill.expiresAt <= seconds(clock)) late++
          if (bill) money.pay(bill.hash, bill.msats + BigInt(one.extra))
        } else if (one.do === 'wait') await clock.advance(one.seconds * 1_000)
        else {
          fees.stop()
          fees = open()
        }
        await clock.advance(1)
        for (const who of ['a'.repeat(64), 'b'.repeat(64)]) {
          const rows = journal.bills.list({ customer: who })
          const paid = rows.reduce((sum, row) => sum + (row.paidMsats ?? 0n), 0n)
          const owed = rows.reduce((sum, row) => sum + (row.credit && row.state !== 'paid' ? row.msats : 0n), 0n)
          // Money that came + what is owed = what was served + what is kept.
          expect(paid + owed).toBe((served.get(who) ?? 0n) + journal.bills.creditMsats(who))
          expect(journal.bills.creditMsats(who) >= 0n).toBe(true)
          // Whoever defaults takes at most twice the start more than it has paid.
          expect((served.get(who) ?? 0n) <= paid + 2n * start).toBe(true)
        }
      }
      fees.stop()
    }),
    { numRuns: 1_000 },
  )
  expect(lines).toBeGreaterThan(100)
  expect(firsts).toBeGreaterThan(100)
  expect(late).toBeGreaterThan(4)
})
