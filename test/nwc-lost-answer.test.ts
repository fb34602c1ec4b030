/** The relay dies with the wallet's answer to a payment: the books tell of it long before the time-out. */
import { beforeEach, expect, test } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import type { PayOrder, PayState } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { type Asked, connection, join, scripted } from './nwc-world.ts'

let clock: HandClock
let client: NwcWallet
let asked: Asked[]
let order: PayOrder
let row: object | undefined
let preimage: string

beforeEach(async () => {
  clock = handClock()
  const net = simNet({ clock })
  const bill = await net
    .wallet({ alias: 'shop', msats: 0n })
    .bill({ key: 'a', msats: 5_000n, expirySeconds: 3_600, description: 'x' })
  order = { bolt11: bill.bolt11, hash: bill.hash, msats: bill.msats }
  const paid = await net.wallet({ alias: 'payer', msats: 5_000n }).pay(order)
  if (paid.state !== 'paid') throw new Error('the simulated net does not pay')
  preimage = paid.preimage
  const hub = memoryHub({ clock })
  const conn = connection([hub.url])
  row = undefined
  asked = scripted(conn, hub.connect(), clock, request => {
    if (request.method === 'pay_invoice') return
    const books = { type: 'outgoing', payment_hash: order.hash, amount: 5_000, created_at: 1, fees_paid: 3, ...row }
    const error = row ? null : { code: 'NOT_FOUND', message: 'no' }
    request.reply({ result_type: request.method, error, result: row ? books : null })
  })
  client = join(conn, hub.connect(), clock)
})

const count = (method: string) => asked.filter(one => one.method === method).length

test('a settled row with the preimage ends the wait, and every timer with it', async () => {
  const state: PayState[] = []
  void client.pay(order).then(one => state.push(one))
  await clock.advance(4_000)
  expect(state).toEqual([])
  row = { state: 'settled', preimage }
  await clock.advance(2_000)
  expect(state).toEqual([{ state: 'paid', preimage, feeMsats: 3n }])
  expect(count('pay_invoice')).toBe(1)
  const looks = count('lookup_invoice')
  await clock.advance(300_000)
  expect(count('lookup_invoice')).toBe(looks)
  await client.close()
  await clock.advance(60_000)
  expect(clock.waiting).toBe(0)
})

test.each([
  ['nothing', undefined],
  ['a failure', { state: 'failed' }],
  ['a payment under way', { state: 'pending' }],
  ['a settled row without a preimage', { state: 'settled' }],
  ['a false preimage', { state: 'settled', preimage: '11'.repeat(32) }],
])('books that say %s do not end the wait: the answer may still come', async (_, said) => {
  const state: PayState[] = []
  void client.pay(order).then(one => state.push(one))
  row = said
  await clock.advance(50_000)
  expect(state).toEqual([])
  expect(count('lookup_invoice')).toBeGreaterThan(1)
  const [first] = asked
  first?.reply({ result_type: 'pay_invoice', error: null, result: { preimage } })
  await clock.advance(100)
  expect(state).toMatchObject([{ state: 'paid', preimage }])
  expect(count('pay_invoice')).toBe(1)
})
