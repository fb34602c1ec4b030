/** The most used NIP-47 library as the other side, over a real socket. */
import { NWCClient } from '@getalby/sdk/nwc'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { wallClock } from '../src/clock.ts'
import { proves } from '../src/payments/hash.ts'
import type { NwcService } from '../src/payments/nwc/service.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import type { PayOrder, Wallet } from '../src/payments/payment.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { type Lies, type StockService, stockService } from './nwc-alby-world.ts'
import { admit, type Connection, connection, join, keys, serve } from './nwc-world.ts'

const clock = wallClock()
let relay: EmbeddedRelay
let mine: SimWallet
let shop: SimWallet
let conn: Connection
const pools: Relays[] = []
const pool = () => {
  const opened = openPool({ urls: [relay.url], clock, admit })
  pools.push(opened)
  return opened
}

beforeAll(async () => {
  relay = await startRelay({ clock, verify: keys.verify })
})
beforeEach(() => {
  // The library prints every refusal that it also throws.
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const net = simNet({ clock })
  mine = net.wallet({ alias: 'mine', msats: 1_000_000n })
  shop = net.wallet({ alias: 'shop', msats: 1_000_000n })
  conn = connection([relay.url])
})
afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(pools.splice(0).map(open => open.close()))
})
afterAll(() => relay.close())

const bill = (msats: bigint, key = 'a') => shop.bill({ key, msats, expirySeconds: 600, description: key })

describe('NWCClient against our service', () => {
  let service: NwcService
  let client: NWCClient
  const open = async (more: Parameters<typeof serve>[4] = {}) => {
    service = serve(conn, mine, pool(), clock, more)
    await service.ready
    client = new NWCClient({ nostrWalletConnectUrl: writeNwcUri(conn.uri) })
  }
  afterEach(async () => {
    client.close()
    await service.close()
  })
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'answered',
      (error: { code?: string }) => error.code,
    )

  test('the whole life of a payment', async () => {
    await open({ budgetMsats: 100_000n })
    expect(await client.getInfo()).toMatchObject({
      alias: 'mine',
      network: 'regtest',
      methods: expect.arrayContaining(['pay_invoice']),
    })
    expect(client.encryptionType).toBe('nip44_v2')
    expect(await client.getBalance()).toEqual({ balance: 1_000_000 })

    const made = await client.makeInvoice({ amount: 3_000, description: 'tea' })
    expect(made).toMatchObject({ type: 'incoming', state: 'pending', amount: 3_000, description: 'tea' })

    const { bolt11, hash } = await bill(5_000n)
    const paid = await client.payInvoice({ invoice: bolt11 })
    expect(proves(paid.preimage, hash)).toBe(true)
    expect(paid.fees_paid).toBe(0)
    expect(await client.payInvoice({ invoice: bolt11 })).toEqual(paid)
    expect(await client.getBalance()).toEqual({ balance: 995_000 })
    expect(await client.getBudget()).toMatchObject({ used_budget: 5_000, total_budget: 100_000 })

    expect(await client.lookupInvoice({ payment_hash: hash })).toMatchObject({
      state: 'settled',
      preimage: paid.preimage,
    })
    expect(await client.lookupInvoice({ invoice: made.invoice })).toMatchObject({ state: 'pending' })
    const { transactions } = await client.listTransactions({ unpaid: true })
    expect(transactions.map(({ payment_hash }) => payment_hash).sort()).toEqual([hash, made.payment_hash].sort())
  })

  test('errors come with their codes', async () => {
    await open({ budgetMsats: 10_000n, methods: ['pay_invoice', 'lookup_invoice', 'get_info'] })
    expect(await code(client.payInvoice({ invoice: (await bill(11_000n)).bolt11 }))).toBe('QUOTA_EXCEEDED')
    expect(await code(client.getBalance())).toBe('RESTRICTED')
    expect(await code(client.signMessage({ message: 'x' }))).toBe('NOT_IMPLEMENTED')
    expect(await code(client.lookupInvoice({ payment_hash: 'ab'.repeat(32) }))).toBe('NOT_FOUND')
    mine.faults = { pay: 'fail' }
    expect(await code(client.payInvoice({ invoice: (await bill(1_000n, 'b')).bolt11 }))).toBe('PAYMENT_FAILED')
  })

  test('a wallet of NIP-04 alone', async () => {
    await open({ schemes: ['nip04'] })
    expect(await client.getBalance()).toEqual({ balance: 1_000_000 })
    expect(client.encryptionType).toBe('nip04')
  })

  test('notifications arrive', async () => {
    await open()
    const heard: string[] = []
    let done = () => {}
    const both = new Promise<void>(resolve => {
      done = resolve
    })
    const before = relay.stats().subscriptions
    const stop = await client.subscribeNotifications(({ notification_type, notification }) => {
      heard.push(`${notification_type} ${notification.payment_hash}`)
      if (heard.length === 2) done()
    })
    await vi.waitFor(() => expect(relay.stats().subscriptions).toBeGreaterThan(before))
    const out = await bill(5_000n)
    await mine.pay(out)
    const inn = await mine.bill({ key: 'x', msats: 2_000n, expirySeconds: 600, description: '' })
    await shop.pay(inn)
    await both
    expect(heard.sort()).toEqual([`payment_received ${inn.hash}`, `payment_sent ${out.hash}`])
    stop()
  })
})

describe('our client against NWCWalletService', () => {
  let stock: StockService
  let client: NwcWallet
  const open = async (wallet: Wallet, lies: Lies = {}, limits: { payMs?: number } = {}) => {
    stock = await stockService(relay.url, conn, wallet, lies)
    client = join(conn, pool, clock, { pollMs: 50, ...limits })
  }
  afterEach(async () => {
    await client.close()
    await stock.close()
  })
  const order = async (key: string, msats = 5_000n): Promise<PayOrder> => {
    const { bolt11, hash } = await bill(msats, key)
    return { bolt11, hash, msats }
  }

  test('the whole life of a payment', async () => {
    await open(mine)
    expect(await client.info()).toEqual({ alias: 'stock', network: 'regtest', methods: ['pay_invoice'] })
    expect(await client.balance()).toBe(1_000_000n)
    const one = await order('a')
    const paid = await client.pay(one)
    expect(paid).toMatchObject({ state: 'paid', feeMsats: 0n })
    expect(await client.pay(one)).toEqual(paid)
    expect(await client.balance()).toBe(995_000n)
    expect(await client.transactions()).toMatchObject([{ type: 'outgoing', state: 'settled', hash: one.hash }])
    expect(await client.payState((await order('never')).hash)).toEqual({ state: 'unsent' })
    expect(await client.pay(await order('dear', 5_000_000n))).toMatchObject({
      state: 'failed',
      code: 'INSUFFICIENT_BALANCE',
    })
  })

  test('a wallet without notifications: polling finds the settlement', async () => {
    await open(mine)
    const made = await client.bill({ key: 'k', msats: 4_000n, expirySeconds: 600, description: 'tea' })
    const settled = new Promise(resolve => client.watch(made.hash, resolve))
    await shop.pay({ bolt11: made.bolt11, hash: made.hash, msats: made.msats })
    expect(await settled).toMatchObject({ state: 'settled', msats: 4_000n })
  })

  test('a bogus preimage: unproven (their client resolves with it)', async () => {
    await open(mine, { pay: async () => ({ result: { preimage: '00'.repeat(32), fees_paid: 0 } }) })
    const one = await order('a')
    expect((await client.pay(one)).state).toBe('unproven')
    const theirs = new NWCClient({ nostrWalletConnectUrl: writeNwcUri(conn.uri) })
    expect(await theirs.payInvoice({ invoice: one.bolt11 })).toMatchObject({ preimage: '00'.repeat(32) })
    theirs.close()
  })

  test('fifty payments at once on one connection: all answered, one subscription', async () => {
    await open(mine)
    await client.balance()
    const before = relay.stats().subscriptions
    const orders = await Promise.all(Array.from({ length: 50 }, (_, at) => order(`${at}`, 1_000n)))
    const during = orders.map(one => client.pay(one))
    const most = Math.max(
      relay.stats().subscriptions,
      ...(await Promise.all(during.map(one => one.then(() => relay.stats().subscriptions)))),
    )
    expect((await Promise.all(during)).map(({ state }) => state)).toEqual(Array(50).fill('paid'))
    expect(most).toBe(before)
    expect(await client.balance()).toBe(950_000n)
  }, 20_000)

  test('the wallet is gone: unknown; it comes back: the books tell', async () => {
    await open(mine, {}, { payMs: 500 })
    await client.balance()
    await stock.close()
    const one = await order('a')
    expect((await client.pay(one)).state).toBe('unknown')
    // Somebody ran the request after all.
    await mine.pay(one)
    await client.close()
    await open(mine)
    expect(await client.payState(one.hash)).toMatchObject({ state: 'paid' })
  })
})
