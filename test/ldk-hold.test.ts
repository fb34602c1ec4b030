import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HandClock, handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { type LdkPair, ldkPair, ldkWallet } from '../src/payments/ldk.ts'
import type { Held } from '../src/payments/payment.ts'
import { ask, channelMsats, orderOf } from './ldk-world.ts'

describe('hold bills on an LDK pair', () => {
  let clock: HandClock
  let pair: LdkPair
  let made = 0
  beforeEach(async () => {
    clock = handClock()
    pair = await ldkPair({ clock })
  })
  afterEach(() => pair.close())

  /** A hold bill of 50 sats whose preimage the test knows. */
  const hold = async (minFinalCltvDelta = 40) => {
    const preimage = sha256Hex(`preimage ${++made}`)
    const hash = sha256Hex(Buffer.from(preimage, 'hex'))
    const bill = await pair.payee.holdBill({ ...ask(50_000n), hash, minFinalCltvDelta })
    expect(bill.hash).toBe(hash)
    return { bill, preimage, hash }
  }
  /** Pays it until it is held. */
  const heldBill = async (minFinalCltvDelta?: number) => {
    const made = await hold(minFinalCltvDelta)
    const arrived = new Promise<Held>(resolve => pair.payee.watchHeld(made.hash, resolve))
    const outcome = pair.payer.pay(orderOf(made.bill))
    return { ...made, outcome, held: await arrived }
  }

  test('accepted, then settled: the payer pays only when the preimage is shown', async () => {
    const before = { payer: await pair.payer.balance(), payee: await pair.payee.balance() }
    const { bill, preimage, hash, outcome, held } = await heldBill()
    expect(held).toMatchObject({ hash, msats: 50_000n })
    expect(held.settleDeadline).toBeGreaterThan(pair.chain.height + 30)
    expect(await pair.payer.payState(hash)).toEqual({ state: 'pending' })
    const { settleDeadline } = held
    expect(await pair.payee.billState(hash)).toEqual({ state: 'held', msats: 50_000n, settleDeadline })
    expect(await pair.payer.balance()).toBe(before.payer - 50_000n)
    expect(await pair.payee.balance()).toBe(before.payee)
    expect(await pair.payee.transaction(hash)).toMatchObject({ state: 'pending', hash })
    expect((await pair.payee.transaction(hash))?.preimage).toBeUndefined()
    const settled = await pair.payee.settle(preimage)
    expect(settled).toMatchObject({ state: 'settled', msats: 50_000n, preimage })
    expect(await outcome).toMatchObject({ state: 'paid', preimage })
    expect(await pair.payee.balance()).toBe(before.payee + 50_000n)
    expect(await pair.payee.billState(hash)).toEqual(settled)
    expect(await pair.payee.settle(preimage)).toEqual(settled)
    await expect(pair.payee.cancel(hash)).rejects.toMatchObject({ name: 'PaymentError' })
    expect(await pair.payer.pay(orderOf(bill))).toMatchObject({ state: 'paid' })
    expect(await pair.payer.balance()).toBe(before.payer - 50_000n)
  })

  test('cancelled: the money goes back and the bill cannot be paid any more', async () => {
    const before = await pair.payer.balance()
    const { bill, preimage, hash, outcome } = await heldBill()
    await pair.payee.cancel(hash)
    await pair.payee.cancel(hash)
    expect(await outcome).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
    expect(await pair.payer.balance()).toBe(before)
    expect(await pair.payee.billState(hash)).toEqual({ state: 'failed' })
    expect((await pair.payer.pay(orderOf(bill))).state).toBe('failed')
    await expect(pair.payee.settle(preimage)).rejects.toMatchObject({ name: 'PaymentError' })
    expect(await pair.payer.balance()).toBe(before)
  })

  test('nobody decides: at the deadline the money goes back, the channel lives, a late preimage earns nothing', async () => {
    const sum = channelMsats(pair)
    const { preimage, hash, outcome, held } = await heldBill()
    pair.net.mine((held.settleDeadline ?? 0) - pair.chain.height - 1)
    expect(await pair.payer.payState(hash)).toEqual({ state: 'pending' })
    pair.net.mine(1)
    expect(await outcome).toMatchObject({ state: 'failed' })
    expect(await pair.payee.billState(hash)).toEqual({ state: 'pending' })
    await expect(pair.payee.settle(preimage)).rejects.toMatchObject({ name: 'PaymentError' })
    expect(channelMsats(pair)).toBe(sum)
    expect((await pair.payer.pay(orderOf(await pair.payee.bill(ask(1_000n))))).state).toBe('paid')
  })

  test('a wallet closed while its payment is held says unknown', async () => {
    const { outcome, hash } = await heldBill()
    await pair.payer.close()
    expect((await outcome).state).toBe('unknown')
    expect((await pair.payer.payState(hash)).state).toBe('unknown')
  })

  test('the clock alone brings no deadline closer: money held for days is still settled', async () => {
    const { preimage, outcome } = await heldBill()
    for (let hours = 0; hours < 48; hours++) {
      await clock.advance(3_600_000)
      await pair.payee.bill(ask(1_000n))
    }
    await pair.payee.settle(preimage)
    expect((await outcome).state).toBe('paid')
  })

  test('many held micro-payments leave the channel usable', async () => {
    const all = []
    for (let i = 0; i < 20; i++) all.push(await heldBill())
    for (const { hash } of all) expect(await pair.payee.billState(hash)).toMatchObject({ state: 'held' })
    expect((await pair.payer.pay(orderOf(await pair.payee.bill(ask(1_000n))))).state).toBe('paid')
    for (const { preimage } of all) await pair.payee.settle(preimage)
    expect((await Promise.all(all.map(({ outcome }) => outcome))).map(({ state }) => state)).toEqual(
      Array(20).fill('paid'),
    )
  })

  test('money that is held is never forgotten for want of room, even after its bill expired', async () => {
    const node = pair.net.node('small')
    const small = ldkWallet(pair.net, node, { maxRows: 2 })
    pair.net.open(pair.payerNode, node, { sats: 100_000n })
    const preimage = sha256Hex('held in a small wallet')
    const hash = sha256Hex(Buffer.from(preimage, 'hex'))
    const bill = await small.holdBill({ ...ask(10_000n, 60), hash })
    const outcome = pair.payer.pay(orderOf(bill))
    await clock.advance(61_000)
    expect(await small.billState(hash)).toMatchObject({ state: 'held', msats: 10_000n })
    expect(await small.transaction(hash)).toMatchObject({ state: 'pending' })
    for (let i = 0; i < 3; i++) {
      await small.bill(ask(1_000n, 1))
      await clock.advance(3_000)
    }
    expect(await small.settle(preimage)).toMatchObject({ state: 'settled', msats: 10_000n })
    expect((await outcome).state).toBe('paid')
  })

  test('a watch for held money calls once, also when it starts late, and never when it was stopped or nothing came', async () => {
    expect(await pair.payee.hold()).toBe(pair.payee)
    const { bill, hash, preimage } = await hold()
    const unpaid = await hold()
    const calls: string[] = []
    pair.payee.watchHeld(unpaid.hash, () => calls.push('unpaid'))
    pair.payee.watchHeld(hash, () => calls.push('early'))
    pair.payee.watchHeld(hash, () => calls.push('stopped'))()
    const outcome = pair.payer.pay(orderOf(bill))
    const late = await new Promise<Held>(resolve => pair.payee.watchHeld(hash, resolve))
    expect(late).toMatchObject({ hash, msats: 50_000n })
    await pair.payee.settle(preimage)
    pair.payee.watchHeld(hash, () => calls.push('after the settlement'))
    expect((await outcome).state).toBe('paid')
    await pair.payee.cancel(unpaid.hash)
    await clock.advance(60_000)
    expect(calls).toEqual(['early'])
  })

  test('wrong preimages, hashes and keys are errors', async () => {
    const { hash, bill } = await hold()
    await expect(pair.payee.settle('no hex')).rejects.toMatchObject({ code: 'OTHER' })
    await expect(pair.payee.settle(sha256Hex('another'))).rejects.toMatchObject({ code: 'OTHER' })
    await expect(pair.payee.cancel(sha256Hex('nothing'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await pair.payee.billState(sha256Hex('nothing'))).toEqual({ state: 'unknown' })
    await expect(pair.payee.holdBill({ ...ask(1_000n), hash })).rejects.toThrow(/another bill/)
    await expect(pair.payee.holdBill({ ...ask(1_000n), hash: 'AB' })).rejects.toThrow(/32 bytes/)
    const plain = await pair.payee.bill(ask(1_000n))
    await expect(pair.payee.cancel(plain.hash)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(bill.msats).toBe(50_000n)
  })
})
