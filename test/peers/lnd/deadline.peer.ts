/** Nobody decides on held money: what lnd does at its deadline, and what our side says then. Mines blocks. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Held, type HoldPayee, PaymentError } from '../../../src/payments/payment.ts'
import type { PaymentWorld } from '../../suites/payments.ts'
import { ask, chain, directWorld, newPreimage, nwcWorld, orderOf, payeeRest, payerRest } from './stage.ts'

const worlds: [string, () => Promise<PaymentWorld>][] = [
  ['direct', directWorld],
  ['NIP-47', nwcWorld],
]

for (const [name, open] of worlds)
  describe(`deadline: lnd, ${name}`, () => {
    let world: PaymentWorld
    let payee: HoldPayee
    beforeAll(async () => {
      world = await open()
      const found = await world.payee.hold?.()
      if (!found) throw new Error('This wallet cannot hold.')
      payee = found
    })
    afterAll(() => world.close())

    /** Mines block by block, so that nobody falls behind. */
    const mineTo = async (height: number) => {
      for (let at = await chain.height(); at < height; at++) {
        await chain.mine(1)
        await vi.waitFor(
          async () => {
            for (const rest of [payerRest, payeeRest])
              expect(Number((await rest.ask('GET', '/v1/getinfo'))['block_height'])).toBeGreaterThan(at)
          },
          { timeout: 10_000, interval: 5 },
        )
      }
    }

    test('money that nobody decides on goes back at the deadline, and the channel lives', async () => {
      const before = await world.payer.balance()
      const { preimage, hash } = newPreimage()
      const bill = await payee.holdBill({ ...ask(50_000n), hash, minFinalCltvDelta: 24 })
      const came = new Promise<Held>(resolve => payee.watchHeld(hash, resolve))
      const outcome = world.payer.pay(orderOf(bill))
      const { settleDeadline = 0 } = await came
      expect(settleDeadline).toBeGreaterThan(await chain.height())
      await mineTo(settleDeadline - 1)
      expect(await world.payee.billState(hash)).toMatchObject({ state: 'held', settleDeadline })
      expect((await world.payer.payState(hash)).state).toMatch(/^(pending|unknown)$/)
      await mineTo(settleDeadline)
      expect(await outcome).toMatchObject({ state: 'failed' })
      expect(await world.payee.billState(hash)).toEqual({ state: 'failed' })
      expect(await world.payer.payState(hash)).toMatchObject({ state: 'failed' })
      const late = await payee.settle(preimage).catch((error: unknown) => error)
      expect(late).toBeInstanceOf(PaymentError)
      await payee.cancel(hash)
      await vi.waitFor(async () => expect(await world.payer.balance()).toBe(before), 10_000)
      const next = await world.payee.bill(ask(21_000n))
      expect((await world.payer.pay(orderOf(next))).state).toBe('paid')
    })

    test('a preimage that is shown one block before the deadline earns the money', async () => {
      const { preimage, hash } = newPreimage()
      const bill = await payee.holdBill({ ...ask(50_000n), hash, minFinalCltvDelta: 24 })
      const came = new Promise<Held>(resolve => payee.watchHeld(hash, resolve))
      const outcome = world.payer.pay(orderOf(bill))
      const { settleDeadline = 0 } = await came
      await mineTo(settleDeadline - 1)
      expect(await payee.settle(preimage)).toMatchObject({ state: 'settled', preimage })
      expect(await outcome).toMatchObject({ state: 'paid', preimage })
      await mineTo(settleDeadline + 20)
      expect(await world.payee.billState(hash)).toMatchObject({ state: 'settled' })
    })
  })
