import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { fromHex, proves, sha256Hex } from '../src/payments/hash.ts'
import { type Bill, type HoldPayee, PaymentError, type PayState } from '../src/payments/payment.ts'
import { type SimFaults, simNet } from '../src/payments/sim.ts'

const WALLETS = 3
const START = 50_000n
const pick = fc.nat(WALLETS - 1)
const fault = fc.record(
  {
    pay: fc.constantFrom<SimFaults['pay'][]>(
      'ok',
      'ok',
      'fail',
      'hang',
      'unknown-then-paid',
      'unknown-then-failed',
      'unproven',
    ),
    notify: fc.constantFrom<SimFaults['notify'][]>('ok', 'lost'),
    reach: fc.constantFrom<SimFaults['reach'][]>('ok', 'ok', 'ok', 'down'),
    delayMs: fc.constantFrom(0, 1, 3_000),
  },
  { requiredKeys: [] },
)
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('bill' as const),
      who: pick,
      key: fc.nat(4),
      msats: fc.constantFrom(1n, 20_000n, 45_000n, 90_000n),
      hold: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('decide' as const), which: fc.nat(9), settle: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pay' as const),
      who: pick,
      which: fc.nat(9),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 3_000, 61_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fault' as const), who: pick, fault }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      which: fc.nat(9),
      end: fc.constantFrom('paid' as const, 'failed' as const),
    }),
  },
)

test('whatever is billed, paid, lost and late: money is conserved and no hash is paid twice', {
  timeout: 120_000,
}, async () => {
  let settledEver = 0
  let heldEver = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const clock = handClock()
      const net = simNet({ clock, seed: 'money' })
      const wallets = Array.from({ length: WALLETS }, (_, i) => net.wallet({ alias: `w${i}`, msats: START }))
      const bills: Bill[] = []
      const settlements = new Map<string, number>()
      const arrivals = new Map<string, number>()
      /** Of each hold bill: what opens it, and whose it is. */
      const holds = new Map<string, { preimage: string; payee: HoldPayee }>()
      const decide = async (hash: string, settle: boolean) => {
        const { preimage, payee } = holds.get(hash) ?? {}
        const end = settle ? payee?.settle(preimage ?? '') : payee?.cancel(hash)
        return end?.then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(PaymentError)
            return false
          },
        )
      }
      const answers: Promise<PayState>[] = []
      const wallet = (i: number) => wallets[i] ?? expect.unreachable()

      for (const each of steps) {
        if (each.do === 'bill') {
          const known = bills.length
          const payee = each.hold
            ? await wallet(each.who)
                .hold?.()
                .catch(() => undefined)
            : undefined
          const preimage = sha256Hex(`${each.who} ${each.key} ${each.msats}`)
          const ask = { key: String(each.key), msats: each.msats, expirySeconds: 60 }
          const made = payee
            ? payee.holdBill({ ...ask, key: `h ${each.key}`, hash: sha256Hex(fromHex(preimage)) })
            : wallet(each.who).bill(ask)
          const bill = await made.catch(() => undefined)
          if (!bill || bills.some(({ hash }) => hash === bill.hash)) continue
          bills.push(bill)
          expect(bills.length).toBe(known + 1)
          if (payee) {
            holds.set(bill.hash, { preimage, payee })
            payee.watchHeld(bill.hash, () => arrivals.set(bill.hash, (arrivals.get(bill.hash) ?? 0) + 1))
          }
          wallet(each.who).watch(bill.hash, () => settlements.set(bill.hash, (settlements.get(bill.hash) ?? 0) + 1))
        } else if (each.do === 'pay') {
          const bill = bills[each.which % Math.max(1, bills.length)]
          if (bill) for (let i = 0; i < each.times; i++) answers.push(wallet(each.who).pay(bill))
        } else if (each.do === 'pass') await clock.advance(each.ms)
        else if (each.do === 'decide')
          await decide(bills[each.which % Math.max(1, bills.length)]?.hash ?? '', each.settle)
        else if (each.do === 'fault') wallet(each.who).faults = each.fault
        else {
          const bill = bills[each.which % Math.max(1, bills.length)]
          try {
            if (bill) net.finish(bill.hash, each.end)
          } catch (error) {
            expect((error as Error).message).toMatch(/under way|held/)
          }
        }
        expect(net.conserved()).toBe(true)
      }

      for (const one of wallets) one.faults = {}
      for (const { hash } of bills) {
        try {
          net.finish(hash, 'paid')
        } catch {
          // Nothing of this hash is under way, or it is held.
        }
      }
      // What has arrived is taken; what somebody may still pay is nobody's any more.
      for (const hash of holds.keys()) if (!(await decide(hash, true))) await decide(hash, false)
      await clock.advance(120_000)
      expect(net.conserved()).toBe(true)
      for (const answer of await Promise.all(answers))
        if (answer.state === 'paid') expect(bills.some(({ hash }) => proves(answer.preimage, hash))).toBe(true)

      const sum = { in: new Map<string, number>(), out: new Map<string, number>() }
      for (const one of wallets) {
        let owed = START
        for (const row of await one.transactions({ limit: 1000, unpaid: true })) {
          if (row.state !== 'settled') continue
          owed += row.type === 'incoming' ? row.msats : -row.msats
          const side = row.type === 'incoming' ? sum.in : sum.out
          side.set(row.hash, (side.get(row.hash) ?? 0) + 1)
        }
        expect(await one.balance()).toBe(owed)
      }
      for (const times of arrivals.values()) expect(times).toBe(1)
      heldEver += [...holds.keys()].filter(hash => sum.in.has(hash)).length
      // Every hash was received and paid once, by exactly one payer, and its watch called once.
      expect(sum.out).toEqual(sum.in)
      expect(settlements).toEqual(sum.in)
      for (const times of sum.in.values()) expect(times).toBe(1)
      settledEver += sum.in.size
    }),
    { numRuns: 1000 },
  )
  expect(settledEver).toBeGreaterThan(100)
  expect(heldEver).toBeGreaterThan(20)
})
