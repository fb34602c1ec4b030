import { beforeAll, describe, expect, test } from 'vitest'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { ldkNet, ldkPair, ldkWallet } from '../src/payments/ldk.ts'
import { ask, faults, orderOf, secretOf, type TestStore, testStore } from './ldk-world.ts'

let clock: HandClock
let fresh: TestStore
beforeAll(async () => {
  clock = handClock()
  fresh = testStore()
  await (await ldkPair({ clock, store: fresh })).close()
})

const hours = (many: number) => many * 3_600_000

describe('a pair that comes back', () => {
  test('is the same pair: keys, aliases as asked, bills by their keys, history in its order', async () => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const asks = [ask(1_000n), ask(2_000n), ask(3_000n)]
    for (const one of asks) await pair.payer.pay(orderOf(await pair.payee.bill(one)))
    const { hash } = secretOf('a hold bill')
    const hold = await pair.payee.holdBill({ ...ask(4_000n), key: 'hold', hash })
    const before = [await pair.payee.transactions({ unpaid: true }), await pair.payer.transactions({ unpaid: true })]
    const [payer, payee] = [await pair.payer.info(), await pair.payee.info()]
    const again = await ldkPair({ clock, store: testStore(store), aliases: ['x', 'payee'] })
    expect(await again.payer.info()).toEqual({ ...payer, alias: 'x' })
    expect(await again.payee.info()).toEqual(payee)
    expect([
      await again.payee.transactions({ unpaid: true }),
      await again.payer.transactions({ unpaid: true }),
    ]).toEqual(before)
    expect((await again.payee.bill(asks[1] ?? ask(0n))).hash).toBe(before[0]?.[2]?.hash)
    expect(await again.payee.holdBill({ ...ask(4_000n), key: 'hold', hash })).toEqual(hold)
    await pair.close()
    await again.close()
  })

  test('bills in the present, however long it was away, and no deadline came closer', async () => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const { hash, preimage } = secretOf('for a day')
    const bill = await pair.payee.holdBill({ ...ask(5_000n, 3_600), hash })
    void pair.payer.pay(orderOf(bill))
    const height = pair.chain.height
    const left = testStore(store)
    await pair.close()
    await clock.advance(hours(24))
    const again = await ldkPair({ clock, store: left })
    expect(again.chain.height).toBe(height)
    const read = readInvoice((await again.payee.bill(ask(1_000n))).bolt11)
    expect(read).toMatchObject({ ok: true, invoice: { timestamp: seconds(clock) } })
    expect(await again.payee.billState(hash)).toMatchObject({ state: 'held', msats: 5_000n })
    expect(await again.payer.payState(hash)).toEqual({ state: 'pending' })
    const settled = await again.payee.settle(preimage)
    expect(await again.payer.pay(orderOf(bill))).toMatchObject({ state: 'paid', preimage })
    expect(await again.payee.settle(preimage)).toEqual(settled)
    expect(await faults(again)).toEqual([])
    await again.close()
  })

  test('gives held money back at the same block as if it had never gone', async () => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const { hash, preimage } = secretOf('too late')
    void pair.payer.pay(orderOf(await pair.payee.holdBill({ ...ask(5_000n), hash })))
    const { settleDeadline = 0 } = (await pair.payee.billState(hash)) as { settleDeadline?: number }
    pair.net.mine(settleDeadline - pair.chain.height - 1)
    const again = await ldkPair({ clock, store: testStore(store) })
    expect(await again.payee.billState(hash)).toMatchObject({ state: 'held', settleDeadline })
    again.net.mine(1)
    expect(await again.payer.payState(hash)).toMatchObject({ state: 'failed' })
    const balance = await again.payee.balance()
    await expect(again.payee.settle(preimage)).rejects.toMatchObject({ name: 'PaymentError' })
    expect(await again.payee.balance()).toBe(balance)
    expect(await faults(again)).toEqual([])
    await pair.close()
    await again.close()
  })

  test('ends a payment that was on the wire, and whoever waits for it is told', async () => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const bill = await pair.payee.bill(ask(7_000n))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    const outcome = pair.payer.pay(orderOf(bill))
    const again = await ldkPair({ clock, store: testStore(store) })
    expect(await again.payer.pay(orderOf(bill))).toMatchObject({ state: 'paid' })
    expect(await faults(again)).toEqual([])
    await again.close()
    await pair.close()
    expect((await outcome).state).toBe('unknown')
  })

  test('comes back again and again without growing', async () => {
    let store = testStore(fresh)
    let size = 0
    for (let i = 0; i < 12; i++) {
      const pair = await ldkPair({ clock, store })
      expect((await pair.payer.pay(orderOf(await pair.payee.bill(ask(1_000n))))).state).toBe('paid')
      pair.net.mine(3)
      expect(await faults(pair)).toEqual([])
      await pair.close()
      store = testStore(store)
      size = [...store.rows].reduce((sum, [key, value]) => sum + key.length + value.length, 0)
    }
    expect(size).toBeLessThan(80_000)
  })

  test('one node of a net that lives on comes back alone', async () => {
    const store = testStore()
    const net = await ldkNet({ clock, store })
    const a = net.node('a')
    let b = net.node('b')
    expect(() => net.node('b')).toThrow(/another name/)
    const payer = ldkWallet(net, a)
    let payee = ldkWallet(net, b)
    net.open(a, b, { sats: 100_000n })
    const { hash, preimage } = secretOf('alone')
    const outcome = payer.pay(orderOf(await payee.holdBill({ ...ask(5_000n), hash })))
    await payee.close()
    net.mine(7)
    b = net.node('b')
    payee = ldkWallet(net, b)
    net.connect(a, b)
    expect(await payee.billState(hash)).toMatchObject({ state: 'held' })
    await payee.settle(preimage)
    expect((await outcome).state).toBe('paid')
    net.close()
  })
})

describe('what the rows and LDK disagree about', () => {
  const lost = async (change: (store: TestStore) => void) => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const bill = await pair.payee.bill(ask(9_000n))
    pair.net.stall(pair.payerNode, pair.payeeNode, true)
    void pair.payer.pay(orderOf(bill))
    const left = testStore(store)
    pair.net.stall(pair.payerNode, pair.payeeNode, false)
    change(left)
    const again = await ldkPair({ clock, store: left })
    await pair.close()
    return { bill, again, rowKey: `node/payer/row/outgoing/${bill.hash}` }
  }

  test('a payment that only a row knows was never sent, and can be paid', async () => {
    const { bill, again } = await lost(store => {
      const row = [...store.rows].find(([key]) => key.startsWith('node/payer/row/outgoing/'))
      for (const [key, value] of fresh.rows) store.rows.set(key, value)
      for (const key of store.rows.keys()) if (key.includes('/update/')) store.rows.delete(key)
      expect(store.rows.get(row?.[0] ?? '')).toBeDefined()
    })
    expect(await again.payer.payState(bill.hash)).toMatchObject({ state: 'failed' })
    const before = await again.payer.balance()
    expect((await again.payer.pay(orderOf(bill))).state).toBe('paid')
    expect(await again.payer.balance()).toBe(before - 9_000n)
    await again.close()
  })

  test('a payment under way that only LDK knows is not paid twice, and ends as it ends', async () => {
    const { hash, preimage } = secretOf('forgotten')
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const bill = await pair.payee.holdBill({ ...ask(9_000n), hash })
    void pair.payer.pay(orderOf(bill))
    const left = testStore(store)
    left.rows.delete(`node/payer/row/outgoing/${hash}`)
    await pair.close()
    const again = await ldkPair({ clock, store: left })
    const before = await again.payer.balance()
    const outcome = again.payer.pay(orderOf(bill))
    expect(await again.payer.payState(hash)).toEqual({ state: 'pending' })
    await again.payee.settle(preimage)
    expect(await outcome).toMatchObject({ state: 'paid', preimage })
    expect(await again.payer.balance()).toBe(before)
    expect(await faults(again)).toEqual([])
    await again.close()
  })

  test('a payment that LDK ended and the wallet forgot is settled without a proof, never failed', async () => {
    const store = testStore(fresh)
    const pair = await ldkPair({ clock, store })
    const bill = await pair.payee.bill(ask(9_000n))
    expect((await pair.payer.pay(orderOf(bill))).state).toBe('paid')
    const left = testStore(store)
    left.rows.delete(`node/payer/row/outgoing/${bill.hash}`)
    await pair.close()
    const again = await ldkPair({ clock, store: left })
    const before = await again.payer.balance()
    expect((await again.payer.pay(orderOf(bill))).state).toBe('unproven')
    expect(await again.payer.balance()).toBe(before)
    await again.close()
  })
})

describe('a store that cannot be used', () => {
  test.each<[string, (store: TestStore) => void, RegExp]>([
    ['of another version', store => store.rows.set('form', '9'), /another version/],
    ['without channels', store => store.rows.delete('node/payee/manager'), /whole copy/],
    ['with half a node', store => store.rows.set('node/payer/manager', Uint8Array.of(1, 2, 3)), /cannot be read/],
    ['with half a row', store => store.rows.set('node/payer/row/outgoing/x', '{"type":'), /have stopped: SyntaxError/],
  ])('%s is refused in words', async (_, spoil, says) => {
    const store = testStore(fresh)
    spoil(store)
    const rows = new Map(store.rows)
    await expect(ldkPair({ clock, store })).rejects.toThrow(says)
    await expect(ldkPair({ clock, store })).rejects.toMatchObject({ name: 'PaymentError' })
    expect(store.rows).toEqual(rows)
  })

  test('that fails while the pair is made leaves nothing, and the next one makes a new pair', async () => {
    for (const kept of [false, true]) {
      const store = testStore()
      store.failAt(1, kept)
      await expect(ldkPair({ clock, store })).rejects.toThrow(/disk full/)
      const again = await ldkPair({ clock, store: testStore(store) })
      expect(await faults(again)).toEqual([])
      await again.close()
    }
  })
})

test('what a payment writes does not grow with the payments before it', { timeout: 120_000 }, async () => {
  const store = testStore(fresh)
  const pair = await ldkPair({ clock, store })
  const costs: number[] = []
  for (let i = 0; i < 4; i++) {
    const before = store.bytes
    for (let j = 0; j < 40; j++) {
      const commits = store.commits
      expect((await pair.payer.pay(orderOf(await pair.payee.bill(ask(1_000n))))).state).toBe('paid')
      expect(store.commits - commits).toBeLessThanOrEqual(2)
    }
    costs.push((store.bytes - before) / 40)
    await clock.advance(2_000)
  }
  expect(Math.max(...costs)).toBeLessThan(40_000)
  expect(costs[3]).toBeLessThan((costs[0] ?? 0) * 2)
  await pair.close()
})
