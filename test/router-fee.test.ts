/** The router's fee: who pays first, who later, who owes; what is late is kept; nobody else's money is touched. */
import { describe, expect, test } from 'vitest'
import { feedback, type Routing, routing } from '../kinds/index.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { simNet } from '../src/payments/sim.ts'
import type { RouterOptions } from '../src/router/router.ts'
import { type Asker, routerWorld } from './router-world.ts'

const fee = 1_000n

async function feeWorld(options: Partial<RouterOptions> = {}, line = {}) {
  const world = await routerWorld()
  const net = simNet({ clock: world.clock, seed: 'fee', pollMs: 200 })
  const payee = net.wallet({ alias: 'router', msats: 0n })
  const payer = net.wallet({ alias: 'customer', msats: 100_000n })
  const router = await world.router({ fee: { msats: fee, payee, ...line }, ...options })
  await world.node()
  /** The latest bill that this customer was sent. */
  const billOf = (asker: Asker) => {
    const bills = asker.answers().flatMap(event => {
      const read = feedback.read(event)
      return read.ok && read.value.status === 'payment-required' ? [read.value] : []
    })
    return bills.at(-1)
  }
  const pay = async (bolt11: string | undefined) => {
    const read = readInvoice(bolt11 ?? '')
    if (!read.ok || bolt11 === undefined) throw new Error('no invoice')
    const { hash, msats = 0n } = read.invoice
    const paid = payer.pay({ bolt11, hash, msats })
    await world.clock.advance(1_000)
    expect(await paid).toMatchObject({ state: 'paid' })
  }
  const routedOf = (asker: Asker): Routing[] =>
    asker.answers().flatMap(event => {
      const read = routing.read(event)
      return read.ok ? [read.value] : []
    })
  /** A whole request of a stranger, paid first. */
  const paidRequest = async (asker: Asker) => {
    await asker.ask(router.pubkey, { auctionMs: 250 })
    await pay(billOf(asker)?.bolt11)
    await world.clock.advance(1_000)
    return routedOf(asker).at(-1)
  }
  return { ...world, router2: world.router, net, payee, payer, router, billOf, pay, routedOf, paidRequest }
}

describe('a stranger', () => {
  test('is billed by the router alone and gets nothing before it has paid', async () => {
    const world = await feeWorld()
    const asker = world.asker()
    expect(await asker.ask(world.router.pubkey, {}, 5_000)).toBeUndefined()
    const bill = world.billOf(asker)
    expect(bill?.msats).toBe(fee)
    expect(asker.answers()[0]?.pubkey).toBe(world.router.pubkey)
    await world.pay(bill?.bolt11)
    await world.clock.advance(1_000)
    const [said] = world.routedOf(asker)
    expect(said?.candidates.length).toBe(1)
    expect(said?.fee).toEqual({ msats: fee })
    expect(said && world.agrees(said)).toBe(true)
    expect(await world.payee.balance()).toBe(fee)
    expect(world.router.journal.bills.creditMsats(asker.pubkey)).toBe(0n)
    await world.close()
  })

  test('is not billed for a refusal', async () => {
    const world = await feeWorld()
    const asker = world.asker()
    const said = await asker.ask(world.router.pubkey, { capMsats: 1n })
    expect(said?.refusal?.code).toBe('over-cap')
    expect(said?.fee).toBeUndefined()
    expect(world.billOf(asker)).toBeUndefined()
    expect(world.router.journal.bills.list()).toEqual([])
    await world.close()
  })

  test('who pays too late has that request lost and the next one paid', async () => {
    const world = await feeWorld()
    const asker = world.asker()
    await asker.ask(world.router.pubkey, { expiresAt: world.now() + 10 }, 15_000)
    await world.pay(world.billOf(asker)?.bolt11)
    await world.clock.advance(2_000)
    expect(world.routedOf(asker)).toEqual([])
    expect(world.router.journal.bills.creditMsats(asker.pubkey)).toBe(fee)
    const said = await asker.ask(world.router.pubkey)
    expect(said?.fee).toEqual({ msats: fee })
    expect(world.router.journal.bills.creditMsats(asker.pubkey)).toBe(0n)
    expect(await world.payee.balance()).toBe(fee)
    await world.close()
  })

  test('who never pays holds a place for minutes, however long it says that it waits', async () => {
    const world = await feeWorld({ limits: { underWay: 1 } })
    await world.asker().ask(world.router.pubkey, { expiresAt: world.now() + 5_000_000 }, 100)
    expect((await world.asker().ask(world.router.pubkey))?.refusal?.code).toBe('full')
    await world.clock.advance(310_000)
    const asker = world.asker()
    await asker.ask(world.router.pubkey)
    expect(world.billOf(asker)?.msats).toBe(fee)
    await world.close()
  })

  test('with too many unpaid bills is refused until they have expired', async () => {
    const world = await feeWorld({ limits: { billsPerCustomer: 2 } })
    const asker = world.asker()
    for (let i = 0; i < 2; i++) await asker.ask(world.router.pubkey, {}, 100)
    const said = await asker.ask(world.router.pubkey)
    expect(said?.refusal?.code).toBe('unpaid-fee')
    expect(said && world.agrees(said)).toBe(true)
    await world.clock.advance(70_000)
    expect(await asker.ask(world.router.pubkey)).toBeUndefined()
    expect(world.router.journal.bills.list({ state: 'void' }).length).toBe(2)
    await world.close()
  })
})

describe('a customer with a line', () => {
  test('gets the answer at once with the bill in it, earned by having paid', async () => {
    const world = await feeWorld()
    const asker = world.asker()
    for (let i = 0; i < 2; i++) expect((await world.paidRequest(asker))?.candidates.length).toBe(1)
    const said = await asker.ask(world.router.pubkey)
    expect(said?.fee?.msats).toBe(fee)
    const read = readInvoice(said?.fee?.bolt11 ?? '')
    expect(read.ok && read.invoice.msats).toBe(fee)
    await world.pay(said?.fee?.bolt11)
    await world.clock.advance(1_000)
    expect(world.router.journal.bills.creditMsats(asker.pubkey)).toBe(0n)
    expect((await asker.ask(world.router.pubkey))?.fee?.bolt11).toBeDefined()
    expect(await world.payee.balance()).toBe(3n * fee)
    await world.close()
  })

  test('that does not pay is refused by name, and pays first again after it has defaulted', async () => {
    const world = await feeWorld({}, { line: { startMsats: fee } })
    const asker = world.asker()
    const first = await asker.ask(world.router.pubkey)
    expect(first?.fee?.bolt11).toBeDefined()
    const second = await asker.ask(world.router.pubkey)
    expect(second?.refusal).toEqual({
      code: 'unpaid-fee',
      says: 'You owe 1000 msats for 1 route: pay that first.',
    })
    expect(second && world.agrees(second)).toBe(true)
    await world.clock.advance(310_000)
    expect(world.router.journal.bills.list({ state: 'defaulted' }).length).toBe(1)
    await asker.ask(world.router.pubkey)
    expect(world.billOf(asker)?.msats).toBe(fee)
    await world.close()
  })

  test('gets no more on credit than its line when it asks many times at once', async () => {
    const world = await feeWorld({}, { line: { startMsats: 2n * fee } })
    const asker = world.asker()
    const relays = world.connect()
    for (let i = 0; i < 8; i++) void relays.publish(asker.request(world.router.pubkey, { deadlineMs: i + 1 }))
    await world.clock.advance(3_000)
    const said = world.routedOf(asker)
    expect(said.filter(one => one.candidates.length > 0).length).toBe(2)
    expect(said.filter(one => one.refusal?.code === 'unpaid-fee').length).toBeGreaterThan(0)
    expect(world.router.journal.bills.list({ state: 'open' }).filter(({ credit }) => credit).length).toBe(2)
    await world.close()
  })
})

describe('a router that was killed', () => {
  test('keeps what came meanwhile for its payer and answers what was paid in time, once', async () => {
    const journal = memoryJournal()
    const world = await feeWorld({ journal })
    const { secret } = world.router
    const [asker, late] = [world.asker(), world.asker()]
    await asker.ask(world.router.pubkey, {}, 500)
    await late.ask(world.router.pubkey, { expiresAt: world.now() + 5 }, 500)
    await world.router.close()
    await world.pay(world.billOf(asker)?.bolt11)
    await world.pay(world.billOf(late)?.bolt11)
    await world.clock.advance(6_000)
    const again = await world.router2({ journal, secret, fee: { msats: fee, payee: world.payee } })
    await world.clock.advance(10_000)
    expect(world.routedOf(asker).length).toBe(1)
    expect(world.routedOf(late).length).toBe(0)
    expect(again.journal.bills.creditMsats(late.pubkey)).toBe(fee)
    expect(again.journal.bills.creditMsats(asker.pubkey)).toBe(0n)
    await world.close()
  })
})
