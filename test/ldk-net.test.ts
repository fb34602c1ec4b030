import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HandClock, handClock } from '../src/clock.ts'
import { type LdkNet, ldkNet, ldkPair, ldkWallet } from '../src/payments/ldk.ts'
import { ask, orderOf, testStore } from './ldk-world.ts'

describe('a net of LDK nodes', () => {
  let clock: HandClock
  let net: LdkNet
  beforeEach(async () => {
    clock = handClock()
    net = await ldkNet({ clock })
  })
  afterEach(() => net.close())

  test('a payment over a hub costs the payer amount and fee, and the hub earns the fee', async () => {
    const [a, hub, c] = [net.node('a'), net.node('hub'), net.node('c')]
    const payer = ldkWallet(net, a)
    const payee = ldkWallet(net, c)
    net.open(a, hub, { sats: 1_000_000n, pushMsats: 100_000_000n })
    net.open(hub, c, { sats: 1_000_000n, pushMsats: 100_000_000n })
    const hubMsats = () => hub.channels().reduce((sum, { outboundMsats }) => sum + outboundMsats, 0n)
    const before = { payer: await payer.balance(), hub: hubMsats(), payee: await payee.balance() }
    const bill = await payee.bill(ask(5_000_000n))
    const outcome = await payer.pay(orderOf(bill))
    if (outcome.state !== 'paid') throw new Error(`the payment is ${outcome.state}`)
    expect(outcome.feeMsats).toBeGreaterThan(0n)
    expect(await payer.balance()).toBe(before.payer - 5_000_000n - outcome.feeMsats)
    expect(await payee.balance()).toBe(before.payee + 5_000_000n)
    expect(hubMsats()).toBe(before.hub + outcome.feeMsats)
    expect(await payer.transaction(bill.hash)).toMatchObject({ feeMsats: outcome.feeMsats, state: 'settled' })
  })

  test('a node that starts late joins at the present tip', async () => {
    const early = net.node('early')
    net.mine(30)
    const late = net.node('late')
    net.open(late, early, { sats: 500_000n })
    expect(late.channels()).toMatchObject([{ peer: early.key, usable: true, capacityMsats: 500_000_000n, pending: 0 }])
  })

  test('a node without a wallet refuses what is paid to it', async () => {
    const [a, b] = [net.node('a'), net.node('b')]
    const payer = ldkWallet(net, a)
    const payee = ldkWallet(net, b)
    net.open(a, b, { sats: 1_000_000n })
    const bill = await payee.bill(ask(1_000_000n))
    b.hears = undefined
    expect(await payer.pay(orderOf(bill))).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
  })

  test('an impossible channel is an error that says so, and the net lives on', () => {
    const [a, b] = [net.node('a'), net.node('b')]
    expect(() => net.open(a, b, { sats: 10n })).toThrow(/cannot open a channel of 10 sat/)
    expect(() => net.stall(a, net.node('c'), true)).toThrow(/not connected/)
    net.open(a, b, { sats: 100_000n })
    expect(a.channels()[0]?.usable).toBe(true)
  })

  test('a store that fails stops the net: the payment is unknown, what follows says why', async () => {
    const store = testStore()
    const kept = await ldkNet({ clock, store })
    const [a, b] = [kept.node('a'), kept.node('b')]
    const [payer, payee] = [ldkWallet(kept, a), ldkWallet(kept, b)]
    kept.open(a, b, { sats: 1_000_000n })
    const bill = await payee.bill(ask(1_000_000n))
    const heard: string[] = []
    for (const wallet of [payer, payee]) wallet.onSettled(({ type }) => heard.push(type))
    payee.watch(bill.hash, () => heard.push('watch'))
    store.failAt(store.commits + 1, false)
    expect((await payer.pay(orderOf(bill))).state).toBe('unknown')
    expect((await payer.payState(bill.hash)).state).toBe('unknown')
    await expect(payer.balance()).rejects.toThrow(/disk full/)
    await expect(payee.bill(ask(1n))).rejects.toMatchObject({ name: 'PaymentError', code: 'INTERNAL' })
    expect(kept.broken?.message).toMatch(/disk full/)
    await clock.advance(60_000)
    expect(heard).toEqual([])
    kept.close()
  })

  test('bills are bounded: open ones are kept, expired ones make room', async () => {
    const wallet = ldkWallet(net, net.node('a'), { maxRows: 3 })
    const first = await wallet.bill(ask(1_000n, 60))
    await wallet.bill(ask(1_000n, 600))
    await wallet.bill(ask(1_000n, 600))
    await expect(wallet.bill(ask(1_000n, 600))).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' })
    await clock.advance(61_000)
    await wallet.bill(ask(1_000n, 600))
    expect(await wallet.billState(first.hash)).toEqual({ state: 'unknown' })
    expect(await wallet.transactions({ unpaid: true })).toHaveLength(3)
  })

  test('too many payments under way: the next one fails definitely and sends nothing', async () => {
    const [a, b] = [net.node('a'), net.node('b')]
    const [payer, payee] = [ldkWallet(net, a, { maxRows: 2 }), ldkWallet(net, b)]
    net.open(a, b, { sats: 1_000_000n })
    net.stall(a, b, true)
    const under = [payer.pay(orderOf(await payee.bill(ask(1_000n)))), payer.pay(orderOf(await payee.bill(ask(1_000n))))]
    const third = await payee.bill(ask(1_000n))
    expect(await payer.pay(orderOf(third))).toMatchObject({ state: 'failed', code: 'QUOTA_EXCEEDED' })
    net.stall(a, b, false)
    expect((await Promise.all(under)).map(({ state }) => state)).toEqual(['paid', 'paid'])
    expect((await payer.pay(orderOf(third))).state).toBe('paid')
  })

  test('a trap inside LDK stops the net instead of leaving it half alive', async () => {
    const wallet = ldkWallet(net, net.node('a'))
    const trap = () => {
      throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' })
    }
    expect(() => net.run(trap)).toThrow(/unreachable/)
    await expect(wallet.balance()).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(clock.waiting).toBe(0)
  })

  test('a peer that LDK drops is dialled again within a minute', async () => {
    const [a, b] = [net.node('a'), net.node('b')]
    net.open(a, b, { sats: 100_000n })
    a.peers.disconnect_all_peers()
    net.pump()
    expect(a.channels()[0]?.usable).toBe(false)
    await clock.advance(60_000)
    expect(a.channels()[0]?.usable).toBe(true)
  })
})

test('many pairs live side by side and end by themselves', async () => {
  const clock = handClock()
  const pairs = await Promise.all([ldkPair({ clock }), ldkPair({ clock }), ldkPair({ clock, aliases: ['x', 'y'] })])
  expect((await pairs[2].payer.info()).alias).toBe('x')
  const outcomes = await Promise.all(
    pairs.map(async ({ payer, payee }) => payer.pay(orderOf(await payee.bill(ask(1_000n))))),
  )
  expect(outcomes.map(({ state }) => state)).toEqual(['paid', 'paid', 'paid'])
  const stranger = await pairs[0].payer.pay(orderOf(await pairs[1].payee.bill(ask(1_000n))))
  expect(stranger.state).toBe('failed')
  for (const pair of pairs) await pair.close()
  expect(clock.waiting).toBe(0)
})

test('a process ends by itself once its pair is closed, and nothing is written but its own output', async () => {
  const source = new URL('../src/', import.meta.url)
  const script = `
    import { wallClock } from '${new URL('clock.ts', source)}'
    import { ldkPair } from '${new URL('payments/ldk.ts', source)}'
    const { payer, payee, close } = await ldkPair({ clock: wallClock() })
    const { bolt11, hash, msats } = await payee.bill({ key: 'k', msats: 1000n, expirySeconds: 60, description: '' })
    payee.watch('00'.repeat(32), () => {})
    console.log((await payer.pay({ bolt11, hash, msats })).state)
    await close()`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 60_000,
  })
  expect({ stdout, stderr }).toEqual({ stdout: 'paid\n', stderr: '' })
}, 90_000)
