/** Every method and notification of our NIP-47 service once, answered by lnd: the rows of the table that `run.ts` prints. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bill, Held, HoldPayee, Transaction, Wallet } from '../../../src/payments/payment.ts'
import { ask, newPreimage, nwcWorld, orderOf } from './stage.ts'

describe('methods: lnd, NIP-47', () => {
  let world: Awaited<ReturnType<typeof nwcWorld>>
  let payee: HoldPayee
  beforeAll(async () => {
    world = await nwcWorld()
    const found = await world.payee.hold?.()
    if (!found) throw new Error('This wallet cannot hold.')
    payee = found
  })
  afterAll(() => world.close())

  const paid = async (): Promise<Bill> => {
    const bill = await world.payee.bill(ask(21_000n))
    expect((await world.payer.pay(orderOf(bill))).state).toBe('paid')
    return bill
  }
  const held = async () => {
    const { preimage, hash } = newPreimage()
    const bill = await payee.holdBill({ ...ask(21_000n), hash })
    const came = new Promise<Held>(resolve => payee.watchHeld(hash, resolve))
    const outcome = world.payer.pay(orderOf(bill))
    return { preimage, hash, held: await came, outcome }
  }
  const told = (wallet: Wallet, type: Transaction['type']) =>
    new Promise<Transaction>(resolve => wallet.onSettled(row => row.type === type && resolve(row)))

  const methods: Record<string, () => Promise<void>> = {
    get_info: async () => expect((await world.payer.info()).network).toBe('regtest'),
    get_balance: async () => expect(await world.payer.balance()).toBeGreaterThan(0n),
    make_invoice: async () => expect((await world.payee.bill(ask(21_000n))).msats).toBe(21_000n),
    pay_invoice: async () => void (await paid()),
    lookup_invoice: async () => {
      const { hash } = await paid()
      expect(await world.payee.transaction(hash)).toMatchObject({ type: 'incoming', state: 'settled' })
      expect(await world.payer.transaction(hash)).toMatchObject({ type: 'outgoing', state: 'settled' })
    },
    list_transactions: async () => {
      const { hash } = await paid()
      const rows = await world.payer.transactions({ type: 'outgoing', limit: 1 })
      expect(rows.map(row => row.hash)).toEqual([hash])
    },
    make_hold_invoice: async () => {
      const { hash } = newPreimage()
      expect((await payee.holdBill({ ...ask(21_000n), hash })).hash).toBe(hash)
    },
    settle_hold_invoice: async () => {
      const { preimage, outcome } = await held()
      await payee.settle(preimage)
      expect(await outcome).toMatchObject({ state: 'paid', preimage })
    },
    cancel_hold_invoice: async () => {
      const { hash, outcome } = await held()
      await payee.cancel(hash)
      expect((await outcome).state).toBe('failed')
    },
  }
  for (const [method, call] of Object.entries(methods))
    test(method, async () => {
      expect((await world.payer.info()).methods).toContain(method)
      const before = world.ran()
      await call()
      expect(world.ran()).toBeGreaterThan(before)
    })

  test('payment_received, payment_sent', async () => {
    const news = Promise.all([told(world.payee, 'incoming'), told(world.payer, 'outgoing')])
    const { hash } = await paid()
    expect((await news).map(row => row.hash)).toEqual([hash, hash])
  })

  test('hold_invoice_accepted', async () => {
    const one = await held()
    expect(one.held).toMatchObject({ hash: one.hash, msats: 21_000n, settleDeadline: expect.any(Number) })
    await payee.cancel(one.hash)
    await one.outcome
  })
})
