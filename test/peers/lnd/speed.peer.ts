/** How fast it is. Only the money is judged: times are printed, never asserted. */
import { describe, expect, test } from 'vitest'
import type { HoldPayee } from '../../../src/payments/payment.ts'
import type { PaymentWorld } from '../../suites/payments.ts'
import { ask, directWorld, newPreimage, nwcWorld, orderOf } from './stage.ts'

const MSATS = 2_000n
const WARM = 3
const IN_A_ROW = 40
const AT_ONCE = 20
const ROUNDS = 3

const worlds: [string, () => Promise<PaymentWorld>][] = [
  ['direct', directWorld],
  ['NIP-47', nwcWorld],
]

for (const [name, open] of worlds)
  describe(`speed: lnd, ${name}`, () => {
    test('bills made and paid in a row, many at once, and held in between: to the last msat', {
      timeout: 300_000,
    }, async context => {
      const world = await open()
      const holds = await world.payee.hold?.()
      if (!holds) throw new Error('This wallet cannot hold.')
      const before = { payer: await world.payer.balance(), payee: await world.payee.balance() }
      const one = () => billAndPay(world)
      let paid = 0n
      const many = async (count: number, work: (count: number) => Promise<string[]>) => {
        const began = performance.now()
        const states = await work(count)
        const ms = performance.now() - began
        expect(states).toEqual(Array(count).fill('paid'))
        paid += BigInt(count)
        return (count * 1000) / ms
      }
      const row = async (count: number, each: () => Promise<string>) => {
        const states = []
        for (let i = 0; i < count; i++) states.push(await each())
        return states
      }
      const crowd = async (count: number) => {
        const states = []
        for (let i = 0; i < count / AT_ONCE; i++)
          states.push(...(await Promise.all(Array.from({ length: AT_ONCE }, one))))
        return states
      }
      await many(WARM, count => row(count, one))
      const figures = {
        [`bills made and paid per second, one after another, ${name}`]: await many(IN_A_ROW, count => row(count, one)),
        [`bills made and paid per second, ${AT_ONCE} at once, ${name}`]: await many(AT_ONCE * ROUNDS, crowd),
        [`bills held and settled per second, one after another, ${name}`]: await many(IN_A_ROW, count =>
          row(count, () => holdAndSettle(world, holds)),
        ),
      }
      context.task.meta.figures = Object.fromEntries(
        Object.entries(figures).map(([what, perSecond]) => [what, perSecond.toFixed(1)]),
      )
      expect(await world.payer.balance()).toBe(before.payer - paid * MSATS)
      expect(await world.payee.balance()).toBe(before.payee + paid * MSATS)
      await world.close()
    })
  })

async function billAndPay({ payee, payer }: PaymentWorld): Promise<string> {
  return (await payer.pay(orderOf(await payee.bill(ask(MSATS))))).state
}

async function holdAndSettle({ payer }: PaymentWorld, holds: HoldPayee): Promise<string> {
  const { preimage, hash } = newPreimage()
  const bill = await holds.holdBill({ ...ask(MSATS), hash })
  const held = new Promise(resolve => holds.watchHeld(hash, resolve))
  const outcome = payer.pay(orderOf(bill))
  await held
  await holds.settle(preimage)
  return (await outcome).state
}
