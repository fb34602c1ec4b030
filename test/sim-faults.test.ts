import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import type { PayState } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'

const world = (seed = 'faults') => {
  const clock = handClock()
  const net = simNet({ clock, seed })
  const payee = net.wallet({ alias: 'payee', msats: 0n })
  const payer = net.wallet({ alias: 'payer', msats: 100_000n })
  const bill = (key = 'job', expirySeconds = 60) => payee.bill({ key, msats: 40_000n, expirySeconds })
  return { clock, net, payee, payer, bill }
}
/** The state of a promise without waiting for it. */
const peek = async (promise: Promise<PayState>): Promise<string> =>
  (await Promise.race([promise, Promise.resolve({ state: 'waiting' })])).state

describe('faults of the simulated net', () => {
  test('fail: refused with a code, nothing left, and it may be tried again', async () => {
    const { net, payer, payee, bill } = world()
    const of = await bill()
    net.faults = { pay: 'fail' }
    expect(await payer.pay(of)).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
    expect(await payer.payState(of.hash)).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
    expect(await payer.balance()).toBe(100_000n)
    net.faults = {}
    expect((await payer.pay(of)).state).toBe('paid')
    expect([await payer.balance(), await payee.balance()]).toEqual([60_000n, 40_000n])
  })

  test.each(['paid', 'failed'] as const)('hang: the money is held until the end, which is %s', async end => {
    const { net, payer, payee, bill, clock } = world()
    const of = await bill()
    payer.faults = { pay: 'hang' }
    const answer = payer.pay(of)
    await clock.advance(3_600_000)
    expect(await peek(answer)).toBe('waiting')
    expect(await payer.payState(of.hash)).toEqual({ state: 'pending' })
    expect([await payer.balance(), await payee.balance()]).toEqual([60_000n, 0n])
    expect(net.conserved()).toBe(true)
    net.finish(of.hash, end)
    expect((await answer).state).toBe(end)
    expect([await payer.balance(), await payee.balance()]).toEqual(end === 'paid' ? [60_000n, 40_000n] : [100_000n, 0n])
    // Expiry is advisory: what was under way at expiry may still settle.
    expect((await payee.billState(of.hash)).state).toBe(end === 'paid' ? 'settled' : 'expired')
    expect(() => net.finish(of.hash, end)).toThrow('under way')
  })

  test('hang: giving up is unknown, and asking again does not pay again', async () => {
    const { net, payer, bill } = world()
    const of = await bill()
    payer.faults = { pay: 'hang' }
    const patience = new AbortController()
    const answer = payer.pay(of, patience.signal)
    patience.abort()
    expect(await answer).toMatchObject({ state: 'unknown' })
    payer.faults = {}
    const again = payer.pay(of)
    net.finish(of.hash, 'paid')
    expect((await again).state).toBe('paid')
    expect(await payer.balance()).toBe(60_000n)
  })

  test.each([
    ['unknown-then-paid', 'paid', 60_000n],
    ['unknown-then-failed', 'failed', 100_000n],
  ] as const)('%s: only the wallet knows the end', async (pay, end, balance) => {
    const { payer, bill, clock } = world()
    const of = await bill()
    payer.faults = { pay, delayMs: 5_000 }
    expect(await payer.pay(of)).toMatchObject({ state: 'unknown' })
    expect(await payer.payState(of.hash)).toEqual({ state: 'pending' })
    await clock.advance(5_000)
    expect((await payer.payState(of.hash)).state).toBe(end)
    expect(await payer.balance()).toBe(balance)
  })

  test('unproven: paid, but the payer never sees the preimage', async () => {
    const { payer, payee, bill } = world()
    const of = await bill()
    payer.faults = { pay: 'unproven' }
    expect(await payer.pay(of)).toMatchObject({ state: 'unproven' })
    expect(await payer.payState(of.hash)).toMatchObject({ state: 'unproven' })
    expect((await payer.transaction(of.hash))?.preimage).toBeUndefined()
    expect((await payee.billState(of.hash)).state).toBe('settled')
  })

  test('down: asking is an error, paying is unknown and nothing is sent', async () => {
    const { payer, payee, bill } = world()
    const of = await bill()
    payer.faults = { reach: 'down' }
    payee.faults = { reach: 'down' }
    expect(await payer.pay(of)).toMatchObject({ state: 'unknown' })
    expect(await payer.payState(of.hash)).toMatchObject({ state: 'unknown' })
    await expect(payer.balance()).rejects.toMatchObject({ name: 'PaymentError' })
    await expect(payee.billState(of.hash)).rejects.toMatchObject({ name: 'PaymentError' })
    payer.faults = {}
    expect(await payer.payState(of.hash)).toEqual({ state: 'unsent' })
  })

  test('a watch outlives a wallet that is down for a while', async () => {
    const { payer, payee, bill, clock } = world()
    const of = await bill()
    const seen: bigint[] = []
    payee.faults = { reach: 'down', notify: 'lost' }
    payee.watch(of.hash, ({ msats }) => seen.push(msats))
    await payer.pay(of)
    await clock.advance(10_000)
    expect(seen).toEqual([])
    payee.faults = {}
    await clock.advance(10_000)
    expect(seen).toEqual([40_000n])
    expect(clock.waiting).toBe(0)
  })

  test('a watch of an unpaid bill ends an hour after expiry, one of an unknown bill at once', async () => {
    const { payee, bill, clock } = world()
    payee.watch((await bill()).hash, () => expect.unreachable())
    payee.watch(sha256Hex('never billed'), () => expect.unreachable())
    await clock.advance(60_000)
    expect(clock.waiting).toBe(1)
    await clock.advance(3_700_000)
    expect(clock.waiting).toBe(0)
  })

  test('closing stops watches and lets go of who waits', async () => {
    const { net, payer, payee, bill, clock } = world()
    const of = await bill()
    payer.faults = { pay: 'hang' }
    const answer = payer.pay(of)
    payee.watch(of.hash, () => expect.unreachable())
    await clock.advance(10)
    await payee.close()
    await payer.close()
    expect((await answer).state).toBe('unknown')
    net.finish(of.hash, 'paid')
    await clock.advance(10_000)
    expect(clock.waiting).toBe(0)
    const other = { bolt11: of.bolt11, hash: sha256Hex('x'), msats: 1n }
    expect(await payer.pay(other)).toMatchObject({ state: 'failed' })
  })

  test('two payers of one bill: one pays, the other is refused', async () => {
    const { net, payer, payee, bill } = world()
    const rival = net.wallet({ alias: 'rival', msats: 100_000n })
    const of = await bill()
    const states = await Promise.all([payer.pay(of), rival.pay(of)])
    expect(states.map(({ state }) => state).toSorted()).toEqual(['failed', 'paid'])
    expect(await payee.balance()).toBe(40_000n)
    expect(net.conserved()).toBe(true)
  })

  test('nobody pays itself, and nobody owes', async () => {
    const { payer, net } = world()
    const own = await payer.bill({ key: 'own', msats: 1_000n, expirySeconds: 60 })
    expect(await payer.pay(own)).toMatchObject({ state: 'failed' })
    expect(() => net.wallet({ alias: 'debtor', msats: -1n })).toThrow(TypeError)
  })

  test('the same seed gives the same invoices, another seed others', async () => {
    const [first, second, third] = [await world().bill(), await world().bill(), await world('other').bill()]
    expect(second).toEqual(first)
    expect(third.hash).not.toBe(first.hash)
    const keys = [first, third].map(({ bolt11 }) => {
      const read = readInvoice(bolt11)
      return read.ok && read.invoice.payee
    })
    expect(new Set(keys).size).toBe(2)
  })
})
