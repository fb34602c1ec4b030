/** Many payments at once through one NIP-47 connection, on a relay that allows 20 subscriptions a connection. */
import { NWCClient } from '@getalby/sdk/nwc'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openPool } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { wallClock } from '../src/clock.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import { writeNwcUri } from '../src/payments/nwc/uri.ts'
import type { PayOrder, Wallet } from '../src/payments/payment.ts'
import { simNet } from '../src/payments/sim.ts'
import { channelMsats } from './ldk-world.ts'
import { admit, connection, join, keys, serve } from './nwc-world.ts'

const clock = wallClock()
const CROWD = 200
let relay: EmbeddedRelay
const open: { close(): Promise<void> | void }[] = []
const pool = (): Relays => {
  const relays = openPool({ urls: [relay.url], clock, admit })
  open.push(relays)
  return relays
}

beforeAll(async () => {
  relay = await startRelay({ clock, verify: keys.verify, limits: { subscriptions: 20 } })
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const one of open.splice(0).reverse()) await one.close()
})
afterAll(() => relay.close())

/** Counts what a wallet is asked to pay, by hash. */
function counted(wallet: Wallet): Map<string, number> {
  const calls = new Map<string, number>()
  const pay = wallet.pay.bind(wallet)
  wallet.pay = (order, signal) => {
    calls.set(order.hash, (calls.get(order.hash) ?? 0) + 1)
    return pay(order, signal)
  }
  return calls
}

const orders = (payee: Wallet, count: number): Promise<PayOrder[]> =>
  Promise.all(
    Array.from({ length: count }, (_, at) =>
      payee.bill({ key: `${at}`, msats: 1_000n, expirySeconds: 600, description: '' }),
    ),
  )

test(`${CROWD} payments at once on Lightning: all answered, each asked for once, no msat missing`, async () => {
  const pair = await ldkPair({ clock })
  open.push(pair)
  const before = channelMsats(pair)
  const balance = await pair.payee.balance()
  const calls = counted(pair.payer)
  const conn = connection([relay.url])
  const service = serve(conn, pair.payer, pool(), clock, { budgetMsats: BigInt(CROWD) * 1_000n })
  await service.ready
  const client = join(conn, pool, clock)
  open.push(service, client)
  const all = await orders(pair.payee, CROWD)
  const states = await Promise.all(all.map(one => client.pay(one)))
  expect(states.map(({ state }) => state)).toEqual(Array(CROWD).fill('paid'))
  expect([...calls.values()]).toEqual(Array(CROWD).fill(1))
  expect(service.counts.ignored).toBe(0)
  await vi.waitFor(async () => expect(await pair.payee.balance()).toBe(balance + 200_000n))
  expect(channelMsats(pair)).toBe(before)
  expect(pair.payerNode.channels()[0]?.pending).toBe(0)
}, 120_000)

test('why: a client that subscribes for each request pays 21 and hears of 20', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  const net = simNet({ clock })
  const [payer, payee] = [net.wallet({ alias: 'a', msats: 1_000_000n }), net.wallet({ alias: 'b', msats: 0n })]
  const calls = counted(payer)
  const conn = connection([relay.url])
  const service = serve(conn, payer, pool(), clock)
  await service.ready
  const theirs = new NWCClient({ nostrWalletConnectUrl: writeNwcUri(conn.uri) })
  await theirs.getBalance()
  let answered = 0
  for (const { bolt11 } of await orders(payee, 21))
    theirs.payInvoice({ invoice: bolt11 }).then(
      () => answered++,
      () => {},
    )
  await vi.waitFor(() => expect([answered, calls.size]).toEqual([20, 21]), { timeout: 40_000 })
  // Whatever was on its way has come once a later question is answered.
  const ours = join(conn, pool, clock)
  open.push(service, ours)
  expect(await ours.balance()).toBe(979_000n)
  await theirs.getBalance()
  expect(answered).toBe(20)
  theirs.close()
}, 60_000)
