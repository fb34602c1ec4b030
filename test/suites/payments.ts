/**
 * What every rail of `src/payments` keeps: a payee against a payer. Rails in real time and rails with a clock in hand
 * run the same tests; nothing sleeps, everything waits for an event or moves the clock.
 * @module
 */
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { readInvoice, writeInvoice } from '../../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../../src/payments/hash.ts'
import type { Bill, BillState, Network, PayOrder, Wallet } from '../../src/payments/payment.ts'
import { verifier } from '../../src/payments/verifier.ts'
import { holdSuite } from './payments-hold.ts'
import { type PaymentWorld, untilDone, untilTrue } from './payments-world.ts'

export type { PaymentWorld } from './payments-world.ts'

type Settled = Extract<BillState, { state: 'settled' }>

/** Whole sats, because some wallets refuse fractions of one. */
const AMOUNT = 21_000n

/** Runs the suite over one world, which is opened once, and what is held over another. */
export function paymentSuite(name: string, open: () => Promise<PaymentWorld>): void {
  holdSuite(name, open)
  describe(`payments: ${name}`, () => {
    let world: PaymentWorld
    let made = 0
    beforeAll(async () => {
      world = await open()
    })
    afterAll(() => world.close())

    const bill = (msats = AMOUNT, expirySeconds = 600): Promise<Bill> =>
      world.payee.bill({ key: `job-${++made}`, msats, expirySeconds, description: 'a job' })
    const order = ({ bolt11, hash, msats }: Bill): PayOrder => ({ bolt11, hash, msats })
    const until = <T>(promise: Promise<T>) => untilDone(world, promise)
    const eventually = (check: () => Promise<void>) => untilTrue(world, check)
    const pay = (of: Bill) => until(world.payer.pay(order(of)))
    const settled = (hash: string): Promise<Settled> => until(new Promise(done => world.payee.watch(hash, done)))
    const only = (context: TestContext, able: unknown, what: string) => {
      if (!able) context.skip(`${name} cannot ${what}`)
    }

    test('a bill is an invoice for exactly what was asked', async () => {
      const of = await bill()
      const read = readInvoice(of.bolt11)
      if (!read.ok) throw new Error(read.says)
      expect(read.invoice).toMatchObject({ network: world.network, msats: AMOUNT, hash: of.hash, description: 'a job' })
      expect(read.invoice.expiresAt).toBe(of.expiresAt)
      expect(Math.abs(of.expiresAt - world.now() - 600)).toBeLessThanOrEqual(10)
      const info = await world.payee.info()
      expect(info.network).toBe(world.network)
      if (info.nodeKey !== undefined) expect(read.invoice.payee).toBe(info.nodeKey)
    })

    test('a bill commits to a description hash', async () => {
      const descriptionHash = sha256Hex('{"kind":"zap request"}')
      const of = await world.payee.bill({ key: `job-${++made}`, msats: AMOUNT, expirySeconds: 600, descriptionHash })
      const read = readInvoice(of.bolt11)
      if (!read.ok) throw new Error(read.says)
      expect(read.invoice.descriptionHash).toBe(descriptionHash)
      expect(read.invoice.description).toBeUndefined()
    })

    test('the same key and amount get the same bill, another amount another bill', async () => {
      const ask = { key: `job-${++made}`, msats: AMOUNT, expirySeconds: 600, description: 'a job' }
      const [first, second] = await Promise.all([world.payee.bill(ask), world.payee.bill(ask)])
      expect(second).toEqual(first)
      expect(await world.payee.bill(ask)).toEqual(first)
      const dearer = await world.payee.bill({ ...ask, msats: AMOUNT * 2n })
      expect(dearer.hash).not.toBe(first.hash)
    })

    test('a bill of nothing is refused with a code', async () => {
      await expect(bill(0n)).rejects.toMatchObject({ name: 'PaymentError', code: expect.stringMatching(/^[A-Z_]+$/) })
    })

    test('bill, pay, settled, judged: balances move by the amount and the preimage proves it', async () => {
      const before = { payer: await world.payer.balance(), payee: await world.payee.balance() }
      const of = await bill()
      expect(await world.payee.billState(of.hash)).toEqual({ state: 'pending' })
      const seen = settled(of.hash)
      const paid = await pay(of)
      if (paid.state !== 'paid') throw new Error(`the payment is ${paid.state}`)
      const news = await seen
      expect(news).toMatchObject({ state: 'settled', msats: AMOUNT, preimage: paid.preimage })
      expect(Math.abs(news.at - world.now())).toBeLessThanOrEqual(60)
      expect(await world.payee.billState(of.hash)).toEqual(news)
      expect(await world.payer.payState(of.hash)).toEqual(paid)
      expect(sha256Hex(fromHex(paid.preimage))).toBe(of.hash)
      const evidence = { bolt11: of.bolt11, preimage: paid.preimage, msats: AMOUNT, network: world.network }
      expect(verifier().judge(evidence)).toEqual({ ok: true, reasons: [] })
      await eventually(async () => {
        expect(await world.payer.balance()).toBe(before.payer - AMOUNT - paid.feeMsats)
        expect(await world.payee.balance()).toBe(before.payee + AMOUNT)
      })
    })

    test('paying twice debits once and answers the same', async () => {
      const before = await world.payer.balance()
      const of = await bill()
      const first = await pay(of)
      expect(first.state).toBe('paid')
      expect(await pay(of)).toEqual(first)
      await eventually(async () => {
        const fee = first.state === 'paid' ? first.feeMsats : 0n
        expect(before - (await world.payer.balance())).toBe(AMOUNT + fee)
      })
    })

    test('two payments of one invoice at the same time debit once', async () => {
      const before = { payer: await world.payer.balance(), payee: await world.payee.balance() }
      const of = await bill()
      const both = await Promise.all([pay(of), pay(of)])
      // The second may learn only that the first is under way; what counts is the money.
      expect(both.some(({ state }) => state === 'paid')).toBe(true)
      expect(both.every(({ state }) => state !== 'failed')).toBe(true)
      await eventually(async () => {
        expect((await world.payer.payState(of.hash)).state).toBe('paid')
        expect(await world.payee.balance()).toBe(before.payee + AMOUNT)
        expect(before.payer - (await world.payer.balance())).toBeLessThan(AMOUNT * 2n)
      })
    })

    test('a watch calls once, also when it starts after the settlement', async () => {
      const of = await bill()
      let calls = 0
      world.payee.watch(of.hash, () => calls++)
      await pay(of)
      const late = await settled(of.hash)
      expect(late.msats).toBe(AMOUNT)
      const other = await bill()
      await pay(other)
      await settled(other.hash)
      expect(calls).toBe(1)
    })

    test('a stopped watch never calls', async () => {
      const of = await bill()
      let calls = 0
      const stop = world.payee.watch(of.hash, () => calls++)
      stop()
      const started = world.payee.watch(of.hash, () => calls++)
      const seen = settled(of.hash)
      started()
      await pay(of)
      await seen
      const other = await bill()
      await pay(other)
      await settled(other.hash)
      expect(calls).toBe(0)
    })

    test('a lost notification: polling still finds the settlement', async context => {
      only(context, world.loseNotifications, 'lose notifications')
      world.loseNotifications?.(true)
      try {
        let heard = 0
        const deaf = world.payee.onSettled(() => heard++)
        const of = await bill()
        const seen = settled(of.hash)
        await pay(of)
        expect((await seen).msats).toBe(AMOUNT)
        expect(heard).toBe(0)
        deaf()
      } finally {
        world.loseNotifications?.(false)
      }
    })

    test('both wallets tell their listeners of a settled payment', async () => {
      const of = await bill()
      const heard = (wallet: Wallet, type: string) =>
        new Promise<bigint>(done => {
          const stop = wallet.onSettled(row => {
            if (row.hash !== of.hash || row.type !== type) return
            stop()
            done(row.msats)
          })
        })
      const both = Promise.all([heard(world.payee, 'incoming'), heard(world.payer, 'outgoing')])
      await pay(of)
      expect(await until(both)).toEqual([AMOUNT, AMOUNT])
    })

    test('the payer has never heard of an unknown hash, nor the payee', async () => {
      const hash = sha256Hex(`nobody's hash ${name}`)
      expect(await world.payer.payState(hash)).toEqual({ state: 'unsent' })
      expect(await world.payee.billState(hash)).toEqual({ state: 'unknown' })
      expect(await world.payee.transaction(hash)).toBeUndefined()
    })

    test('an unpaid bill of another is unsent', async () => {
      const of = await bill()
      expect(await world.payer.payState(of.hash)).toEqual({ state: 'unsent' })
    })

    const foreign = (fields: { network?: Network; msats?: bigint; timestamp?: number; expirySeconds?: number }) => {
      const hash = sha256Hex(`foreign ${++made} ${name}`)
      const rest = { network: world.network, timestamp: world.now(), secret: sha256Hex('secret'), description: 'x' }
      const bolt11 = writeInvoice({ ...rest, hash, ...fields }, fromHex(sha256Hex('a stranger')))
      return { bolt11, hash, msats: fields.msats ?? AMOUNT }
    }
    const fails: [string, () => PayOrder][] = [
      ['without an amount', () => foreign({})],
      ['of another network', () => foreign({ msats: AMOUNT, network: 'simnet' })],
      ['that expired', () => foreign({ msats: AMOUNT, timestamp: world.now() - 7200, expirySeconds: 60 })],
      ['that is garbage', () => ({ ...foreign({ msats: AMOUNT }), bolt11: 'lnbcrt1garbage' })],
      ['of a payee whom nobody can reach', () => foreign({ msats: AMOUNT })],
    ]
    for (const [what, make] of fails)
      test(`an invoice ${what} fails definitely and costs nothing`, async () => {
        const before = await world.payer.balance()
        const answer = await until(world.payer.pay(make()))
        expect(answer).toMatchObject({ state: 'failed', code: expect.stringMatching(/^[A-Z_]+$/) })
        expect(await world.payer.balance()).toBe(before)
      })

    test('an order whose hash or amount is not that of its invoice fails definitely', async () => {
      const before = await world.payer.balance()
      const of = await bill()
      const hash = sha256Hex('another hash')
      expect((await until(world.payer.pay({ ...order(of), hash }))).state).toBe('failed')
      expect((await until(world.payer.pay({ ...order(of), msats: AMOUNT - 1000n }))).state).toBe('failed')
      expect(await world.payer.balance()).toBe(before)
    })

    test('a bill that expired in hand fails definitely and is told as expired', async context => {
      only(context, world.pass, 'move its clock')
      const of = await bill(AMOUNT, 10)
      await world.pass?.(11_000)
      expect(await world.payee.billState(of.hash)).toEqual({ state: 'expired' })
      expect((await pay(of)).state).toBe('failed')
    })

    test('more than the balance fails definitely with a code', async () => {
      const before = await world.payer.balance()
      const of = await bill(((before + 1_000_000n) / 1000n) * 1000n)
      const answer = await pay(of)
      expect(answer).toMatchObject({ state: 'failed', code: expect.stringMatching(/^[A-Z_]+$/) })
      expect(await world.payer.balance()).toBe(before)
    })

    test('a payment called off before it was sent costs nothing', async () => {
      const before = await world.payer.balance()
      const of = await bill()
      const answer = await until(world.payer.pay(order(of), AbortSignal.abort()))
      expect(answer.state).toBe('failed')
      expect(await world.payer.balance()).toBe(before)
    })

    test('history: both sides list the payment, newest first, and an unpaid bill only when asked', async () => {
      const older = await bill()
      await pay(older)
      const newer = await bill()
      await pay(newer)
      await settled(newer.hash)
      const open = await bill()
      const incoming = await world.payee.transactions({ type: 'incoming', limit: 2 })
      expect(incoming.map(({ state }) => state)).toEqual(['settled', 'settled'])
      expect(incoming.map(({ hash }) => hash)).toContain(newer.hash)
      await eventually(async () => {
        const outgoing = await world.payer.transactions({ type: 'outgoing', limit: 1 })
        expect(outgoing[0]).toMatchObject({ type: 'outgoing', state: 'settled', hash: newer.hash, msats: AMOUNT })
      })
      const every = await world.payee.transactions({ type: 'incoming', unpaid: true, limit: 3 })
      expect(every.map(({ hash }) => hash)).toContain(open.hash)
      const row = await world.payee.transaction(newer.hash)
      if (!row) throw new Error('the payee does not know its own bill')
      expect(row).toMatchObject({ type: 'incoming', state: 'settled', bolt11: newer.bolt11, description: 'a job' })
      expect(sha256Hex(fromHex(row.preimage ?? ''))).toBe(newer.hash)
      expect((await world.payee.transaction(open.hash))?.preimage).toBeUndefined()
    })

    test('no money appeared or vanished', context => {
      only(context, world.conserved, 'count all its money')
      expect(world.conserved?.()).toBe(true)
    })
  })
}
