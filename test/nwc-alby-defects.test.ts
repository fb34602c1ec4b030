/** What is known to go wrong between NIP-47 peers, once with the stock library on the other side: ours survives each. */
import { NWCClient } from '@getalby/sdk/nwc'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  addressedTo,
  type Event,
  walletInfo,
  walletNotification,
  walletRequest,
  walletResponse,
} from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { seconds, wallClock } from '../src/clock.ts'
import { fromHex, proves, sha256Hex } from '../src/payments/hash.ts'
import { notificationBody } from '../src/payments/nwc/body.ts'
import { memoryStore } from '../src/payments/nwc/store.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import type { PayOrder } from '../src/payments/payment.ts'
import { type SimNet, type SimWallet, simNet } from '../src/payments/sim.ts'
import { type Lies, type StockService, stockService } from './nwc-alby-world.ts'
import { admit, type Connection, connection, join, keys, seal, serve } from './nwc-world.ts'

const clock = wallClock()
let relay: EmbeddedRelay
let net: SimNet
let mine: SimWallet
let shop: SimWallet
let conn: Connection
const open: { close(): Promise<void> | void }[] = []
const pool = (...urls: string[]): Relays => {
  const relays = openPool({ urls: urls.length > 0 ? urls : [relay.url], clock, admit })
  open.push(relays)
  return relays
}

beforeAll(async () => {
  relay = await startRelay({ clock, verify: keys.verify })
})
beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  net = simNet({ clock, pollMs: 20 })
  mine = net.wallet({ alias: 'mine', msats: 1_000_000n })
  shop = net.wallet({ alias: 'shop', msats: 1_000_000n })
  conn = connection([relay.url])
})
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
  vi.restoreAllMocks()
})
afterAll(() => relay.close())

const order = async (key: string): Promise<PayOrder> => {
  const { bolt11, hash, msats } = await shop.bill({ key, msats: 5_000n, expirySeconds: 600, description: key })
  return { bolt11, hash, msats }
}
/** Every request that the relay sees. */
const overheard = async (): Promise<Event[]> => {
  const seen: Event[] = []
  const filter = addressedTo([conn.uri.wallet], [walletRequest.number])
  await pool().listen([filter], { onEvent: event => seen.push(event) }).live
  return seen
}

describe('our client against NWCWalletService', () => {
  let stock: StockService
  let client: NwcWallet
  const start = async (lies: Lies = {}, limits: { payMs?: number } = {}, relays = () => pool()) => {
    stock = await stockService(relay.url, conn, mine, lies)
    client = join(conn, relays, clock, { pollMs: 50, ...limits })
    open.push(stock, client)
  }
  const theirs = () => {
    const other = new NWCClient({ nostrWalletConnectUrl: writeNwcUri(conn.uri) })
    open.push(other)
    return other
  }
  /** Publishes an answer to a request in the wallet's name. */
  const answer = (to: Event, content: string) => {
    const body = { result_type: '', error: null, result: {} }
    const template = walletResponse.write({ client: conn.clientPubkey, request: to.id, body }, seconds(clock))
    return pool().publish(keys.sign({ ...template, content }, conn.walletSecret))
  }

  test('error and bogus result in one reply: ours counts the error, theirs resolves with the result', async () => {
    const bogus = { preimage: '00'.repeat(32), fees_paid: 0 }
    await start({ pay: async () => ({ result: bogus, error: { code: 'QUOTA_EXCEEDED', message: 'no' } }) })
    const one = await order('a')
    expect(await client.pay(one)).toEqual({ state: 'failed', code: 'QUOTA_EXCEEDED', says: 'no' })
    expect(await theirs().payInvoice({ invoice: one.bolt11 })).toMatchObject(bogus)
  })

  test('an undecryptable reply first: ours drops it and takes the true one', async () => {
    const seen = await overheard()
    let pay = () => {}
    const gate = new Promise<void>(resolve => {
      pay = resolve
    })
    const one = await order('a')
    await start({
      async pay() {
        await gate
        const state = await mine.pay(one)
        return { result: state.state === 'paid' ? { preimage: state.preimage, fees_paid: 0 } : {} }
      },
    })
    const paying = client.pay(one)
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    const [request] = seen
    if (request) await answer(request, `${'A'.repeat(120)}?iv=${'B'.repeat(24)}`)
    await vi.waitFor(() => expect(client.dropped).toBe(1))
    pay()
    expect((await paying).state).toBe('paid')
  })

  test('a lost reply: unknown, then the books tell; nothing is sent twice', async () => {
    await start({}, { payMs: 400 })
    await client.balance()
    const publish = stock.service.pool.publish.bind(stock.service.pool)
    stock.service.pool.publish = (urls, event, ...rest) =>
      event.kind === walletResponse.number ? [Promise.resolve('')] : publish(urls, event, ...rest)
    const one = await order('a')
    expect((await client.pay(one)).state).toBe('unknown')
    stock.service.pool.publish = publish
    expect(await client.payState(one.hash)).toMatchObject({ state: 'paid' })
    expect((await client.pay(one)).state).toBe('paid')
    expect(stock.calls.get('payInvoice')).toBe(1)
  })

  test('a relay that still holds an old announcement without ciphers: ours stays with NIP-44', async () => {
    const stale = await startRelay({ clock, verify: keys.verify })
    open.push(stale)
    const old = walletInfo.write(
      { methods: ['pay_invoice'], encryption: ['nip04'], notifications: [] },
      seconds(clock) - 1_000,
    )
    await pool(stale.url).publish(keys.sign({ ...old, tags: [] }, conn.walletSecret))
    const seen = await overheard()
    await start({}, {}, () => pool(stale.url, relay.url))
    expect(await client.balance()).toBe(1_000_000n)
    expect((await client.pay(await order('a'))).state).toBe('paid')
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter(({ content }) => content.includes('?iv='))).toEqual([])
  })

  test('a service that forgets on restart and runs old requests again: one debit, one answer, the same bill', async () => {
    const seen = await overheard()
    const keeps = await startRelay({ clock, verify: keys.verify })
    open.push(keeps)
    await start({}, {}, () => pool(relay.url, keeps.url))
    const one = await order('a')
    const paid = await client.pay(one)
    const bill = await client.bill({ key: 'k', msats: 3_000n, expirySeconds: 600, description: 'tea' })
    await stock.close()
    open.splice(open.indexOf(stock), 1)
    // A relay that keeps requests, which NIP-47 calls ideal, hands them to the next process.
    const again = await stockService(keeps.url, conn, mine)
    open.push(again)
    for (const event of seen.slice()) await pool(keeps.url).publish(event)
    await vi.waitFor(() => expect([again.calls.get('payInvoice'), again.calls.get('makeInvoice')]).toEqual([1, 1]))
    expect(await client.balance()).toBe(995_000n)
    expect(await client.pay(one)).toEqual(paid)
    expect(await client.bill({ key: 'k', msats: 3_000n, expirySeconds: 600, description: 'tea' })).toEqual(bill)
  })

  test('one settlement told many times, late and before: told once', async () => {
    await start()
    const bill = await client.bill({ key: 'k', msats: 3_000n, expirySeconds: 600, description: 'tea' })
    const heard: unknown[] = []
    const all: unknown[] = []
    client.onSettled(row => all.push(row.hash))
    const settled = new Promise<void>(resolve =>
      client.watch(bill.hash, state => {
        heard.push(state)
        resolve()
      }),
    )
    await shop.pay({ bolt11: bill.bolt11, hash: bill.hash, msats: bill.msats })
    const row = await mine.transaction(bill.hash)
    if (!row) throw new Error('no row')
    const box = seal(conn.walletSecret)
    const notify = (at: number) => {
      const body = { client: conn.clientPubkey, body: notificationBody(row) }
      const template = walletNotification.write(body, at, text => box.encrypt(conn.clientPubkey, text, 'nip44'))
      return pool().publish(keys.sign(template, conn.walletSecret))
    }
    for (let i = 0; i < 4; i++) await notify(seconds(clock) - i)
    await settled
    await notify(seconds(clock) - 9)
    await client.balance()
    expect(heard).toHaveLength(1)
    expect(all).toEqual([bill.hash])
  })

  test('an invoice that is held for longer than anybody waits: unknown, pending, then paid', async () => {
    await start({}, { payMs: 300 })
    const preimage = sha256Hex('k')
    const hash = sha256Hex(fromHex(preimage))
    const holder = await shop.hold?.()
    const bill = await holder?.holdBill({ key: 'h', msats: 5_000n, expirySeconds: 600, description: '', hash })
    if (!bill) throw new Error('the simulated net holds')
    expect((await client.pay({ bolt11: bill.bolt11, hash, msats: 5_000n })).state).toBe('unknown')
    expect(await client.payState(hash)).toEqual({ state: 'pending' })
    await holder?.settle(preimage)
    expect(await client.payState(hash)).toMatchObject({ state: 'paid', preimage })
  })
})

describe('our service against NWCClient', () => {
  const start = async (more: Parameters<typeof serve>[4] = {}) => {
    const service = serve(conn, mine, pool(), clock, more)
    await service.ready
    const client = new NWCClient({ nostrWalletConnectUrl: writeNwcUri(conn.uri) })
    open.push(service, client)
    return { service, client }
  }
  const hold = async (client: NWCClient, word: string) => {
    const preimage = sha256Hex(word)
    const payment_hash = sha256Hex(fromHex(preimage))
    const { invoice } = await client.makeHoldInvoice({ amount: 5_000, payment_hash, description: word })
    const paying = shop.pay({ bolt11: invoice, hash: payment_hash, msats: 5_000n })
    return { preimage, payment_hash, paying }
  }

  test('hold invoices: made, told of as accepted, looked up, settled and cancelled', async () => {
    const { client } = await start()
    const told: string[] = []
    const before = relay.stats().subscriptions
    const stop = await client.subscribeNotifications(({ notification_type, notification }) => {
      told.push(`${notification_type} ${notification.state} ${(notification.settle_deadline ?? 0) > 0}`)
    })
    await vi.waitFor(() => expect(relay.stats().subscriptions).toBeGreaterThan(before))
    expect((await client.getInfo()).methods).toEqual(
      expect.arrayContaining(['make_hold_invoice', 'cancel_hold_invoice']),
    )
    const one = await hold(client, 'one')
    await vi.waitFor(() => expect(told).toEqual(['hold_invoice_accepted accepted true']))
    expect(await client.lookupInvoice({ payment_hash: one.payment_hash })).toMatchObject({ state: 'accepted' })
    await client.settleHoldInvoice({ preimage: one.preimage })
    expect((await one.paying).state).toBe('paid')
    const two = await hold(client, 'two')
    await vi.waitFor(() => expect(told).toHaveLength(3))
    await client.cancelHoldInvoice({ payment_hash: two.payment_hash })
    expect((await two.paying).state).toBe('failed')
    await expect(client.settleHoldInvoice({ preimage: two.preimage })).rejects.toMatchObject({ code: 'OTHER' })
    expect(await client.getBalance()).toEqual({ balance: 1_005_000 })
    stop()
  })

  test('a budget that renews is told as Alby’s own wallet tells it', async () => {
    const { client } = await start({ budgetMsats: 20_000n, renewal: 'monthly' })
    await client.payInvoice({ invoice: (await order('a')).bolt11 })
    const budget = await client.getBudget()
    expect(budget).toMatchObject({ used_budget: 5_000, total_budget: 20_000, renewal_period: 'monthly' })
    expect('renews_at' in budget && (budget.renews_at ?? 0)).toBeGreaterThan(seconds(clock))
  })

  test('they stop waiting for a held payment after a fixed minute: ours ends it, and keeps its budget true', async () => {
    const wait = globalThis.setTimeout
    // Their minute, without waiting for it.
    const hurried = (run: () => void, ms?: number) => wait(run, ms === 60_000 ? 200 : ms)
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(Object.assign(hurried, { __promisify__: wait.__promisify__ }))
    const store = memoryStore()
    const { client, service } = await start({ budgetMsats: 20_000n, store })
    const preimage = sha256Hex('k')
    const hash = sha256Hex(fromHex(preimage))
    const holder = await shop.hold?.()
    const bill = await holder?.holdBill({ key: 'h', msats: 5_000n, expirySeconds: 600, description: '', hash })
    await expect(client.payInvoice({ invoice: bill?.bolt11 ?? '' })).rejects.toThrow(/timeout/)
    expect(await client.lookupInvoice({ payment_hash: hash })).toMatchObject({ state: 'pending' })
    expect(await client.getBudget()).toMatchObject({ used_budget: 5_000 })
    // Killed and started again while it is held.
    await service.close()
    const second = await start({ budgetMsats: 20_000n, store })
    await holder?.settle(preimage)
    await vi.waitFor(async () => {
      const row = await second.client.lookupInvoice({ payment_hash: hash })
      expect(row.state === 'settled' && proves(row.preimage, hash)).toBe(true)
    })
    expect(await second.client.getBudget()).toMatchObject({ used_budget: 5_000 })
    expect(await mine.balance()).toBe(995_000n)
  })
})
