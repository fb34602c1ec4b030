import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { send } from '../src/payments/ldk/invoice.ts'
import { type LdkPair, ldkPair } from '../src/payments/ldk.ts'
import { ask, channelMsats, orderOf } from './ldk-world.ts'

const MINUTE_MS = 60_000

describe('payments on an LDK pair', () => {
  let clock: HandClock
  let pair: LdkPair
  beforeEach(async () => {
    clock = handClock()
    pair = await ldkPair({ clock })
  })
  afterEach(() => pair.close())

  const paid = async (msats = 21_000n) => {
    const bill = await pair.payee.bill(ask(msats))
    expect(await pair.payer.pay(orderOf(bill))).toMatchObject({ state: 'paid' })
    return bill
  }

  test('an invoice of LDK reads as asked: payee, amount, description hash, expiry, time', async () => {
    const { nodeKey } = await pair.payee.info()
    await clock.advance(3 * 60 * MINUTE_MS)
    const height = pair.chain.height
    const descriptionHash = sha256Hex('a zap request')
    const bill = await pair.payee.bill({ key: 'zap', msats: 123_456_789n, expirySeconds: 77, descriptionHash })
    const read = readInvoice(bill.bolt11)
    expect(read).toMatchObject({
      ok: true,
      invoice: {
        network: 'regtest',
        payee: nodeKey,
        msats: 123_456_789n,
        hash: bill.hash,
        descriptionHash,
        timestamp: seconds(clock),
        expirySeconds: 77,
        expiresAt: bill.expiresAt,
      },
    })
    expect(nodeKey).toBe(pair.payeeNode.key)
    // Time went on without blocks: nothing that is held came closer to its deadline.
    expect(pair.chain.height).toBe(height)
  })

  test('100 payments in both directions move exactly their amounts and nothing else', { timeout: 60_000 }, async () => {
    const sum = channelMsats(pair)
    const before = { payer: await pair.payer.balance(), payee: await pair.payee.balance() }
    let moved = 0n
    for (let i = 1n; i <= 100n; i++) {
      const back = i % 3n === 0n
      const [from, to] = back ? [pair.payee, pair.payer] : [pair.payer, pair.payee]
      const msats = i * 1_001n
      const outcome = await from.pay(orderOf(await to.bill(ask(msats))))
      expect(outcome).toMatchObject({ state: 'paid', feeMsats: 0n })
      moved += back ? -msats : msats
      expect(channelMsats(pair)).toBe(sum)
    }
    expect(await pair.payer.balance()).toBe(before.payer - moved)
    expect(await pair.payee.balance()).toBe(before.payee + moved)
    expect(pair.payerNode.channels()[0]?.pending).toBe(0)
  })

  test('more than the channel carries fails definitely, on either side of the exact limit', async () => {
    const before = await pair.payer.balance()
    const limit = pair.payerNode.channels()[0]?.nextMsats ?? 0n
    expect(limit).toBeLessThan(before)
    const tooMuch = await pair.payer.pay(orderOf(await pair.payee.bill(ask(before + 1n))))
    expect(tooMuch).toMatchObject({ state: 'failed', code: 'INSUFFICIENT_BALANCE' })
    // Within the balance, but the opener must keep the commitment fee.
    const overLimit = await pair.payer.pay(orderOf(await pair.payee.bill(ask(limit + 1n))))
    expect(overLimit).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
    expect(await pair.payer.balance()).toBe(before)
    expect((await pair.payer.pay(orderOf(await pair.payee.bill(ask(limit))))).state).toBe('paid')
  })

  test('a peer that is not there is a definite failure; after reconnecting the same bill can be paid', async () => {
    const before = await pair.payer.balance()
    const bill = await pair.payee.bill(ask(21_000n))
    pair.net.disconnect(pair.payerNode, pair.payeeNode)
    expect((await pair.payer.pay(orderOf(bill))).state).toBe('failed')
    expect(await pair.payer.payState(bill.hash)).toMatchObject({ state: 'failed' })
    pair.net.connect(pair.payerNode, pair.payeeNode)
    expect(await pair.payer.balance()).toBe(before)
    expect((await pair.payer.pay(orderOf(bill))).state).toBe('paid')
    expect(await pair.payer.balance()).toBe(before - 21_000n)
  })

  test('a wire cut in mid-payment loses nothing: the payment ends after reconnecting', async () => {
    const before = await pair.payer.balance()
    const bill = await pair.payee.bill(ask(21_000n))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    const outcome = pair.payer.pay(orderOf(bill))
    expect(await pair.payer.payState(bill.hash)).toEqual({ state: 'pending' })
    pair.net.disconnect(pair.payerNode, pair.payeeNode)
    expect(await pair.payer.payState(bill.hash)).toEqual({ state: 'pending' })
    pair.net.connect(pair.payerNode, pair.payeeNode)
    expect((await outcome).state).toBe('paid')
    expect(await pair.payer.balance()).toBe(before - 21_000n)
  })

  test('a wallet closed with a payment on its way says unknown, then and later, and never throws', async () => {
    const bill = await pair.payee.bill(ask(21_000n))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    const outcome = pair.payer.pay(orderOf(bill))
    await pair.payer.close()
    expect((await outcome).state).toBe('unknown')
    expect((await pair.payer.pay(orderOf(bill))).state).toBe('unknown')
    expect((await pair.payer.payState(bill.hash)).state).toBe('unknown')
    await expect(pair.payer.balance()).rejects.toMatchObject({ name: 'PaymentError' })
    const other = await pair.payee.bill(ask(1_000n))
    expect((await pair.payer.pay(orderOf(other))).state).toBe('failed')
  })

  test('a caller who stops waiting is told unknown, and the payment goes on', async () => {
    const before = await pair.payer.balance()
    const bill = await pair.payee.bill(ask(21_000n))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    const stop = new AbortController()
    const outcome = pair.payer.pay(orderOf(bill), stop.signal)
    stop.abort()
    expect((await outcome).state).toBe('unknown')
    const again = pair.payer.pay(orderOf(bill))
    pair.net.stall(pair.payerNode, pair.payeeNode, false)
    expect((await again).state).toBe('paid')
    expect(await pair.payer.balance()).toBe(before - 21_000n)
  })

  test('money that arrives after the expiry settles the bill all the same', async () => {
    const bill = await pair.payee.bill(ask(21_000n, 30))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    const outcome = pair.payer.pay(orderOf(bill))
    await clock.advance(31_000)
    expect(await pair.payee.billState(bill.hash)).toEqual({ state: 'expired' })
    pair.net.stall(pair.payerNode, pair.payeeNode, false)
    expect((await outcome).state).toBe('paid')
    expect(await pair.payee.billState(bill.hash)).toMatchObject({ state: 'settled', at: seconds(clock) })
  })

  test('LDK refuses a hash twice by itself; once it has forgotten, the payee gives the money back', async () => {
    const bill = await paid()
    const before = await pair.payer.balance()
    expect(send(pair.payerNode, bill.bolt11)).toBe('duplicate')
    for (let minutes = 0; minutes < 20; minutes++) await clock.advance(MINUTE_MS)
    expect(send(pair.payerNode, bill.bolt11)).toBe('sent')
    pair.net.pump()
    expect(await pair.payer.balance()).toBe(before)
    expect(await pair.payee.billState(bill.hash)).toMatchObject({ state: 'settled', msats: 21_000n })
  })

  test('bills that no invoice can carry are errors with a code, and a wallet does not pay itself', async () => {
    const bad = [
      ask(-1n),
      ask(2_100_000_000_000_000_001n),
      ask(1_000n, 0),
      ask(1_000n, 1.5),
      { ...ask(1_000n), description: 'x'.repeat(640) },
      { key: 'hash', msats: 1_000n, expirySeconds: 60, descriptionHash: 'ff' },
    ]
    for (const one of bad)
      await expect(pair.payee.bill(one)).rejects.toMatchObject({ name: 'PaymentError', code: 'OTHER' })
    const own = await pair.payer.bill(ask(1_000n))
    expect(await pair.payer.pay(orderOf(own))).toMatchObject({ state: 'failed' })
    await paid()
  })

  test('hours of housekeeping keep the channel usable', async () => {
    for (let minutes = 0; minutes < 180; minutes++) await clock.advance(MINUTE_MS)
    await paid()
  })

  test('a closed pair leaves no timer behind, whatever was being watched', async () => {
    const bill = await pair.payee.bill(ask(21_000n))
    pair.payee.watch(bill.hash, () => {})
    expect(clock.waiting).toBeGreaterThan(0)
    await pair.close()
    await clock.advance(0)
    expect(clock.waiting).toBe(0)
  })
})
