/**
 * What every rail that can hold money keeps: a payee who decides after the money came against a payer who waits.
 * @module
 */
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { readInvoice } from '../../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../../src/payments/hash.ts'
import type { Bill, Held, HoldPayee, PayOrder } from '../../src/payments/payment.ts'
import { type PaymentWorld, untilDone, untilTrue } from './payments-world.ts'

const AMOUNT = 50_000n
const PaymentErrorLike = { name: 'PaymentError', code: expect.stringMatching(/^[A-Z_]+$/) }

/** Runs the suite over one world of its own; a payee that cannot hold is skipped aloud. */
export function holdSuite(name: string, open: () => Promise<PaymentWorld>): void {
  describe(`holding: ${name}`, () => {
    let world: PaymentWorld
    let payee: HoldPayee | undefined
    let made = 0
    beforeAll(async () => {
      world = await open()
      payee = await untilDone(world, Promise.resolve(world.payee.hold?.()))
    })
    afterAll(() => world.close())

    const until = <T>(promise: Promise<T>) => untilDone(world, promise)
    const eventually = (check: () => Promise<void>) => untilTrue(world, check)
    const holder = (context: TestContext): HoldPayee => payee ?? context.skip(`${name} cannot hold`)
    const order = ({ bolt11, hash, msats }: Bill): PayOrder => ({ bolt11, hash, msats })
    const balances = async () => [await until(world.payer.balance()), await until(world.payee.balance())] as const
    const moved = async (before: readonly [bigint, bigint], msats: bigint) => {
      await eventually(async () => {
        const [payer, payeeNow] = await balances()
        expect([before[0] - payer, payeeNow - before[1]]).toEqual([msats, msats])
      })
    }

    const ask = () => {
      const preimage = sha256Hex(`${name} preimage ${++made}`)
      const hash = sha256Hex(fromHex(preimage))
      return {
        preimage,
        hash,
        order: { key: `hold-${made}`, msats: AMOUNT, expirySeconds: 600, description: 'a job', hash },
      }
    }
    /** A hold bill, unpaid. */
    const unpaid = async (context: TestContext) => {
      const holds = holder(context)
      const asked = ask()
      return { ...asked, holds, bill: await until(holds.holdBill({ ...asked.order, minFinalCltvDelta: 40 })) }
    }
    /** A hold bill whose money waits. */
    const paid = async (context: TestContext) => {
      const one = await unpaid(context)
      const arrived = new Promise<Held>(resolve => one.holds.watchHeld(one.hash, resolve))
      const outcome = world.payer.pay(order(one.bill))
      return { ...one, outcome, held: await until(arrived) }
    }

    test('a hold bill is an invoice for the hash that was given', async context => {
      const { bill, hash } = await unpaid(context)
      expect(bill.hash).toBe(hash)
      expect(readInvoice(bill.bolt11)).toMatchObject({
        ok: true,
        invoice: { hash, msats: AMOUNT, network: world.network },
      })
      expect(await until(world.payee.billState(hash))).toEqual({ state: 'pending' })
    })

    test('held, then settled: the payer has paid only once the preimage was shown', async context => {
      holder(context)
      const before = await balances()
      const { bill, holds, held, hash, outcome, preimage } = await paid(context)
      expect(held).toMatchObject({ hash, msats: AMOUNT })
      if (held.settleDeadline !== undefined) expect(held.settleDeadline).toBeGreaterThan(0)
      const { hash: _, ...money } = held
      expect(await until(world.payee.billState(hash))).toEqual({ state: 'held', ...money })
      expect(await until(world.payer.payState(hash))).toMatchObject({
        state: expect.stringMatching(/^(pending|unknown)$/),
      })
      expect((await balances())[1]).toBe(before[1])
      const row = await until(world.payee.transaction(hash))
      expect(row).toMatchObject({ type: 'incoming', state: 'pending', hash })
      expect(row?.preimage).toBeUndefined()
      const settled = await until(holds.settle(preimage))
      expect(settled).toMatchObject({ state: 'settled', msats: AMOUNT, preimage })
      expect(await until(outcome)).toMatchObject({ state: 'paid', preimage })
      expect(await until(world.payer.pay(order(bill)))).toMatchObject({ state: 'paid', preimage })
      expect(await until(holds.settle(preimage))).toEqual(settled)
      expect(await until(world.payee.billState(hash))).toEqual(settled)
      await moved(before, AMOUNT)
    })

    test('cancelled: the money goes back, and nobody can pay or settle any more', async context => {
      holder(context)
      const before = await balances()
      const { bill, holds, hash, outcome, preimage } = await paid(context)
      await until(holds.cancel(hash))
      await until(holds.cancel(hash))
      expect(await until(outcome)).toMatchObject({ state: 'failed' })
      expect(await until(world.payee.billState(hash))).toEqual({ state: 'failed' })
      expect((await until(world.payer.pay(order(bill)))).state).toBe('failed')
      await expect(until(holds.settle(preimage))).rejects.toMatchObject(PaymentErrorLike)
      await moved(before, 0n)
    })

    test('cancelled before anybody paid: it cannot be paid', async context => {
      const { bill, holds, hash } = await unpaid(context)
      await until(holds.cancel(hash))
      expect((await until(world.payer.pay(order(bill)))).state).toBe('failed')
      expect(await until(world.payee.billState(hash))).toEqual({ state: 'failed' })
    })

    test('nothing came: settling is refused, and the bill can still be paid', async context => {
      const { bill, holds, hash, preimage } = await unpaid(context)
      await expect(until(holds.settle(preimage))).rejects.toMatchObject(PaymentErrorLike)
      const arrived = new Promise<Held>(resolve => holds.watchHeld(hash, resolve))
      const outcome = world.payer.pay(order(bill))
      await until(arrived)
      await until(holds.settle(preimage))
      expect((await until(outcome)).state).toBe('paid')
    })

    test('the same key and hash get the same bill; another hash for the key is refused', async context => {
      const { bill, holds, order: asked } = await unpaid(context)
      expect(await until(holds.holdBill(asked))).toEqual(bill)
      await expect(until(holds.holdBill({ ...asked, hash: 'AB' }))).rejects.toMatchObject(PaymentErrorLike)
    })

    test('unknown hashes, wrong and malformed preimages are errors with a code', async context => {
      const { holds, hash } = await paid(context)
      for (const wrong of [sha256Hex('another'), 'no hex', ''])
        await expect(until(holds.settle(wrong))).rejects.toMatchObject(PaymentErrorLike)
      for (const wrong of [sha256Hex('nothing'), 'no hex'])
        await expect(until(holds.cancel(wrong))).rejects.toMatchObject(PaymentErrorLike)
      expect(await until(world.payee.billState(hash))).toMatchObject({ state: 'held' })
      await until(holds.cancel(hash))
    })

    test('a plain bill cannot be cancelled, and a settled one is kept', async context => {
      const { holds, hash, preimage } = await paid(context)
      await until(holds.settle(preimage))
      await expect(until(holds.cancel(hash))).rejects.toMatchObject(PaymentErrorLike)
      const plain = await until(
        world.payee.bill({ key: `plain-${++made}`, msats: AMOUNT, expirySeconds: 60, description: '' }),
      )
      await expect(until(holds.cancel(plain.hash))).rejects.toMatchObject(PaymentErrorLike)
    })

    test('a watch calls once, also when it starts after the money came; a stopped one never', async context => {
      const one = await unpaid(context)
      let calls = 0
      let stopped = 0
      one.holds.watchHeld(one.hash, () => calls++)
      one.holds.watchHeld(one.hash, () => stopped++)()
      const first = new Promise<Held>(resolve => one.holds.watchHeld(one.hash, resolve))
      const outcome = world.payer.pay(order(one.bill))
      await until(first)
      const late = await until(new Promise<Held>(resolve => one.holds.watchHeld(one.hash, resolve)))
      expect(late).toEqual(await first)
      await until(one.holds.settle(one.preimage))
      await until(outcome)
      expect([calls, stopped]).toEqual([1, 0])
    })

    test('a settlement is watched beside what is held', async context => {
      const one = await paid(context)
      const settled = new Promise<{ preimage: string }>(resolve => world.payee.watch(one.hash, resolve))
      await until(one.holds.settle(one.preimage))
      expect((await until(settled)).preimage).toBe(one.preimage)
    })

    test('a lost notification: polling still finds the money', async context => {
      const lose = world.loseNotifications ?? context.skip(`${name} cannot lose notifications`)
      lose(true)
      try {
        const { holds, held, hash } = await paid(context)
        expect(held).toMatchObject({ hash, msats: AMOUNT })
        await until(holds.cancel(hash))
      } finally {
        lose(false)
      }
    })

    test('ten held at once, every other one settled: exactly those move', async context => {
      holder(context)
      const before = await balances()
      const all = []
      for (let i = 0; i < 10; i++) all.push(await paid(context))
      await Promise.all(
        all.map(({ holds, hash, preimage }, at) =>
          until<unknown>(at % 2 ? holds.cancel(hash) : holds.settle(preimage)),
        ),
      )
      const states = await Promise.all(all.map(async ({ outcome }) => (await until(outcome)).state))
      expect(states).toEqual(all.map((_, at) => (at % 2 ? 'failed' : 'paid')))
      await moved(before, AMOUNT * 5n)
    })

    test('no money appeared or vanished', context => {
      holder(context)
      const conserved = world.conserved ?? context.skip(`${name} cannot count all its money`)
      expect(conserved()).toBe(true)
    })
  })
}
