/** Hold invoices over NIP-47: what our service answers, and what our client makes of wallets of other makes. */
import { beforeEach, describe, expect, test } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import { rowFields } from '../src/payments/nwc/body.ts'
import { HOLD_METHODS } from '../src/payments/nwc/hold.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import type { Held } from '../src/payments/payment.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { serviceWorld } from './nwc-wire.ts'
import { type Asked, connection, join, scripted, until } from './nwc-world.ts'

const preimage = sha256Hex('mine to show')
const payment_hash = sha256Hex(fromHex(preimage))
const hold = { amount: 5_000, description: 'a job', payment_hash, min_cltv_expiry_delta: 40 }

describe('our service', () => {
  const made = async () => {
    const world = serviceWorld()
    const { result } = await world.ask('make_hold_invoice', hold)
    const read = readInvoice(String(result?.['invoice']))
    if (!read.ok) throw new Error(read.says)
    const pay = () => world.shop.pay({ bolt11: read.invoice.bolt11, hash: payment_hash, msats: 5_000n })
    return { ...world, result, invoice: read.invoice, pay }
  }
  const code = async (world: Pick<ReturnType<typeof serviceWorld>, 'ask'>, method: string, params: object) =>
    (await world.ask(method, params)).error?.code ?? 'done'

  test('make: an invoice for the given hash, the same one for the same hash', async () => {
    const { ask, result, invoice } = await made()
    expect(invoice).toMatchObject({ hash: payment_hash, msats: 5_000n, description: 'a job' })
    expect(result).toMatchObject({ type: 'incoming', state: 'pending', amount: 5_000, payment_hash })
    expect((await ask('make_hold_invoice', hold)).result?.['invoice']).toBe(result?.['invoice'])
    expect((await ask('make_hold_invoice', { ...hold, amount: 6_000 })).error?.code).toBe('OTHER')
  })

  test('accepted: told with its deadline, looked up and listed; settled: told as received', async () => {
    const { ask, clock, pay, notifications } = await made()
    const outcome = pay()
    await clock.advance(100)
    const accepted = {
      type: 'incoming',
      state: 'accepted',
      payment_hash,
      amount: 5_000,
      settle_deadline: expect.any(Number),
    }
    expect(notifications()).toMatchObject([{ notification_type: 'hold_invoice_accepted', notification: accepted }])
    expect((await ask('lookup_invoice', { payment_hash })).result).toMatchObject(accepted)
    expect((await ask('list_transactions', { unpaid: true })).result).toMatchObject({ transactions: [accepted] })
    // What an old reader does not know would make the whole answer unreadable to it.
    const old = { scheme: 'nip04' } as const
    expect((await ask('lookup_invoice', { payment_hash }, old)).result).toMatchObject({ state: 'pending' })
    expect((await ask('list_transactions', { unpaid: true }, old)).result).toMatchObject({
      transactions: [{ state: 'pending' }],
    })
    expect(await ask('settle_hold_invoice', { preimage })).toEqual({
      ...{ result_type: 'settle_hold_invoice', error: null, result: {} },
    })
    expect(await outcome).toMatchObject({ state: 'paid', preimage })
    expect(notifications().map(body => body.notification_type)).toEqual(['hold_invoice_accepted', 'payment_received'])
    expect((await ask('settle_hold_invoice', { preimage })).error).toBeNull()
    expect((await ask('lookup_invoice', { payment_hash })).result).toMatchObject({ state: 'settled', preimage })
  })

  test('the money came while the wallet could not tell: polling tells of it all the same', async () => {
    const { mine, clock, pay, notifications } = await made()
    mine.faults = { notify: 'lost' }
    void pay()
    await clock.advance(10_000)
    expect(notifications().map(body => body.notification_type)).toEqual(['hold_invoice_accepted'])
  })

  test('cancel: the money goes back, twice without harm, and a settled one is kept', async () => {
    const world = await made()
    const outcome = world.pay()
    await world.clock.advance(100)
    expect(await code(world, 'cancel_hold_invoice', { payment_hash })).toBe('done')
    expect(await code(world, 'cancel_hold_invoice', { payment_hash })).toBe('done')
    expect((await outcome).state).toBe('failed')
    expect(await code(world, 'settle_hold_invoice', { preimage })).toBe('OTHER')
    expect((await world.ask('lookup_invoice', { payment_hash })).result).toMatchObject({ state: 'failed' })
  })

  test.each([
    ['make_hold_invoice', { amount: 5_000 }, 'OTHER'],
    ['make_hold_invoice', { ...hold, payment_hash: 'zz' }, 'OTHER'],
    ['make_hold_invoice', { ...hold, amount: 0 }, 'OTHER'],
    ['make_hold_invoice', { ...hold, min_cltv_expiry_delta: 0 }, 'OTHER'],
    ['make_hold_invoice', { ...hold, min_cltv_expiry_delta: '40' }, 'OTHER'],
    ['settle_hold_invoice', {}, 'OTHER'],
    ['settle_hold_invoice', { preimage: 'xyz' }, 'OTHER'],
    ['settle_hold_invoice', { preimage }, 'OTHER'],
    ['cancel_hold_invoice', { payment_hash }, 'NOT_FOUND'],
    ['cancel_hold_invoice', {}, 'NOT_FOUND'],
  ])('%s %j: %s', async (method, params, expected) => {
    expect(await code(serviceWorld(), method, params)).toBe(expected)
  })

  test('a wallet that cannot hold: NOT_IMPLEMENTED; a connection that may not: RESTRICTED', async () => {
    for (const method of HOLD_METHODS) {
      const params = { ...hold, preimage }
      expect(await code(serviceWorld({ holds: false }), method, params)).toBe('NOT_IMPLEMENTED')
      expect(await code(serviceWorld({ methods: ['get_info'] }), method, params)).toBe('RESTRICTED')
    }
  })

  test('closed: nothing that waits is told any more', async () => {
    const { service, clock, pay, line } = await made()
    await service.close()
    const before = line.published.length
    void pay()
    await clock.advance(60_000)
    expect(line.published).toHaveLength(before)
  })
})

describe('our client and wallets of other makes', () => {
  let clock: HandClock
  let shop: SimWallet
  let client: NwcWallet
  let asked: Asked[]
  let answer: (request: Asked) => void
  let notify: (body: object) => void
  const say = (request: Asked, result: object) => request.reply({ result_type: request.method, error: null, result })
  const refuse = (request: Asked, code: string) =>
    request.reply({ result_type: request.method, error: { code, message: 'said so' }, result: null })
  const wait = <T>(promise: Promise<T>) => until(clock, promise)
  const row = async (more: object = {}) => {
    const found = await shop.transaction(payment_hash)
    if (!found) throw new Error('no row')
    return { ...rowFields(found), ...more }
  }
  const ask = { key: 'job', msats: 5_000n, expirySeconds: 600, description: 'a job', hash: payment_hash }
  const holding = async () => {
    const found = await wait(client.hold?.() ?? Promise.resolve(undefined))
    if (!found) throw new Error('this wallet can hold')
    return found
  }

  beforeEach(async () => {
    clock = handClock()
    const net = simNet({ clock })
    shop = net.wallet({ alias: 'shop', msats: 0n })
    const holder = await shop.hold?.()
    await holder?.holdBill(ask)
    const hub = memoryHub({ clock })
    const conn = connection([hub.url])
    answer = () => {}
    asked = scripted(conn, hub.connect(), clock, request => {
      if (request.method === 'get_info') say(request, { methods: ['pay_invoice', ...HOLD_METHODS] })
      else answer(request)
    })
    client = join(conn, hub.connect(), clock)
    notify = body => asked[0]?.notify(body)
  })
  const count = (method: string) => asked.filter(one => one.method === method).length

  test('get_info is asked once; a wallet without one of the three methods cannot hold', async () => {
    await Promise.all([holding(), holding()])
    await holding()
    expect(count('get_info')).toBe(1)
    for (const missing of HOLD_METHODS) {
      const hub = memoryHub({ clock })
      const conn = connection([hub.url])
      const methods = HOLD_METHODS.filter(method => method !== missing)
      scripted(conn, hub.connect(), clock, request => say(request, { methods }))
      const other = join(conn, hub.connect(), clock)
      expect(await wait(other.hold?.() ?? Promise.reject(new Error('asked')))).toBeUndefined()
    }
  })

  test('a wallet that cannot be asked is asked again', async () => {
    const hub = memoryHub({ clock })
    const conn = connection([hub.url])
    const other = join(conn, hub.connect(), clock)
    const held = other.hold?.() ?? Promise.resolve(undefined)
    await expect(wait(held)).rejects.toMatchObject({ name: 'PaymentError', code: 'TIMEOUT' })
    scripted(conn, hub.connect(), clock, request => say(request, { methods: HOLD_METHODS }))
    expect(await wait(other.hold?.() ?? Promise.resolve(undefined))).toBeDefined()
  })

  test('the answer to make was lost and the hash is taken now: the first invoice is found in the books', async () => {
    const mine = await row()
    answer = request => (request.method === 'lookup_invoice' ? say(request, mine) : refuse(request, 'INTERNAL'))
    const bill = await wait((await holding()).holdBill(ask))
    expect(bill).toMatchObject({ hash: payment_hash, msats: 5_000n, bolt11: mine['invoice'] })
  })

  test.each([
    ['for another hash', { hash: sha256Hex('another') }, {}],
    ['over another amount', { msats: 6_000n }, {}],
    ['that was cancelled', {}, { state: 'failed' }],
  ])('an invoice %s is not taken', async (_, other, over) => {
    const mine = await row(over)
    const failing = 'state' in over
    answer = request =>
      failing && request.method !== 'lookup_invoice' ? refuse(request, 'INTERNAL') : say(request, mine)
    const promise = (await holding()).holdBill({ ...ask, ...other })
    await expect(wait(promise)).rejects.toMatchObject({ name: 'PaymentError' })
  })

  test('settle: a lost or unkind answer is looked up; a yes that settles nothing is no settlement', async () => {
    const settled = await row({ state: 'SETTLED', settled_at: 5, preimage })
    const open = await row({ state: 'accepted' })
    const payee = await holding()
    answer = request => request.method === 'lookup_invoice' && say(request, settled)
    expect(await wait(payee.settle(preimage))).toMatchObject({ state: 'settled', preimage, msats: 5_000n })
    answer = request => (request.method === 'lookup_invoice' ? say(request, settled) : refuse(request, 'INTERNAL'))
    expect(await wait(payee.settle(preimage.toUpperCase()))).toMatchObject({ state: 'settled', preimage })
    answer = request => say(request, request.method === 'lookup_invoice' ? open : {})
    await expect(wait(payee.settle(preimage))).rejects.toMatchObject({ code: 'TIMEOUT' })
    answer = request => (request.method === 'lookup_invoice' ? say(request, open) : refuse(request, 'OTHER'))
    await expect(wait(payee.settle(preimage))).rejects.toMatchObject({ code: 'OTHER' })
  })

  test('settle: the books come after the yes', async () => {
    const [open, settled] = [await row({ state: 'accepted' }), await row({ state: 'settled', settled_at: 5, preimage })]
    answer = request =>
      say(request, request.method !== 'lookup_invoice' ? {} : count('lookup_invoice') < 3 ? open : settled)
    expect(await wait((await holding()).settle(preimage))).toMatchObject({ state: 'settled' })
    expect(count('settle_hold_invoice')).toBe(1)
  })

  test('cancel: an unkind answer is looked up', async () => {
    const payee = await holding()
    const over = await row({ state: 'failed' })
    answer = request => (request.method === 'lookup_invoice' ? say(request, over) : refuse(request, 'INTERNAL'))
    await wait(payee.cancel(payment_hash))
    answer = request => refuse(request, 'NOT_FOUND')
    await expect(wait(payee.cancel(payment_hash))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test.each([
    ['a notification tells at once', true],
    ['polling tells without one', false],
  ])('held: %s, once', async (_, told) => {
    const payee = await holding()
    const accepted = await row({ state: 'ACCEPTED', settle_deadline: 840_000 })
    let polled = accepted
    if (told) polled = await row()
    answer = request => say(request, polled)
    const heard: Held[] = []
    payee.watchHeld(payment_hash, held => heard.push(held))
    if (told) notify({ notification_type: 'hold_invoice_accepted', notification: accepted })
    await clock.advance(told ? 10 : 5_000)
    expect(heard).toEqual([{ hash: payment_hash, msats: 5_000n, settleDeadline: 840_000 }])
    notify({ notification_type: 'hold_invoice_accepted', notification: accepted })
    await clock.advance(120_000)
    expect(heard).toHaveLength(1)
    expect(clock.waiting).toBe(0)
    polled = accepted
    expect(await wait(client.billState(payment_hash))).toEqual({
      state: 'held',
      msats: 5_000n,
      settleDeadline: 840_000,
    })
    expect(await wait(client.transaction(payment_hash))).not.toHaveProperty('held')
  })
})
