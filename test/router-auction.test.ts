/** Auctions: what nodes bid, in time and late, firm and not, honest and forged. */
import { describe, expect, test } from 'vitest'
import { quote, quoteRequest } from '../kinds/index.ts'
import { routerWorld } from './router-world.ts'

describe('an auction', () => {
  test('asks the nodes in the name of the first request and ends when all have answered', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const nodes = [
      await world.node({ msats: 3_000n, bids: () => ({ msats: 900n }), delayMs: 20 }),
      await world.node({ bids: () => ({ msats: 1_800n, firm: false }), delayMs: 40 }),
    ]
    const asker = world.asker()
    const said = await asker.ask(router.pubkey, { auctionMs: 1_500, hops: 2, model: 'echo' }, 120)
    expect(said?.candidates.length).toBe(2)
    const [asked] = nodes[0]?.asked ?? []
    const read = asked && quoteRequest.read(asked)
    expect(read?.ok && read.value.origin).toBe(said?.request)
    expect(read?.ok && read.value.hops).toBe(0)
    expect(asked?.pubkey).toBe(router.pubkey)
    const [firm, loose] = nodes.map(({ pubkey }) => said?.candidates.find(({ node }) => node === pubkey))
    expect(firm?.msats).toBe(900n)
    expect(firm?.firm).toBe(true)
    expect(firm?.quote).toMatch(/^[0-9a-f]{64}$/)
    expect(firm?.quoteExpiresAt).toBe(world.now() + 60)
    expect(firm?.reasons.some(line => line.startsWith('firm quote until '))).toBe(true)
    expect(loose?.msats).toBe(1_800n)
    expect(loose?.firm).toBe(false)
    expect(loose?.reasons).toContain('quote, not firm')
    expect(said && world.agrees(said)).toBe(true)
    await world.close()
  })

  test('measures how far the nodes are, and the next score has it', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const near = await world.node({ bids: () => ({}), delayMs: 5 })
    const far = await world.node({ bids: () => ({}), delayMs: 200 })
    const said = await world.asker().ask(router.pubkey)
    expect(router.book.rttOf(near.pubkey)).toBe(5)
    expect(router.book.rttOf(far.pubkey)).toBe(200)
    expect(said?.candidates.find(({ node }) => node === far.pubkey)?.rttMs).toBe(200)
    await world.close()
  })

  test.each([
    [100, 250],
    [300, 300],
    [1_500, 1_500],
    [5_000, 5_000],
  ])('of %d ms takes %d ms when somebody keeps silent, who stays as an indication', async (wish, takes) => {
    const world = await routerWorld()
    const router = await world.router()
    const silent = await world.node()
    const bidder = await world.node({ bids: () => ({ msats: 500n }) })
    const asker = world.asker()
    await asker.ask(router.pubkey, { auctionMs: wish }, takes - 20)
    expect(asker.answers().length).toBe(0)
    await world.clock.advance(40)
    const [said] = world.routings()
    expect(said?.candidates.find(({ node }) => node === bidder.pubkey)?.msats).toBe(500n)
    expect(said?.candidates.find(({ node }) => node === silent.pubkey)?.firm).toBe(false)
    expect(said?.candidates.find(({ node }) => node === silent.pubkey)?.quote).toBeUndefined()
    await world.close()
  })

  test('of a job that is due in seconds does not take seconds', async () => {
    const world = await routerWorld()
    const router = await world.router()
    await world.node()
    const said = await world.asker().ask(router.pubkey, { auctionMs: 5_000, deadlineMs: 10_000 }, 1_600)
    expect(said?.candidates.length).toBe(1)
    await world.close()
  })

  test('drops a quote that has expired when it is decided, and says so when nothing is left', async () => {
    const world = await routerWorld()
    const router = await world.router()
    await world.node({ bids: () => ({ expiresAt: world.now() + 1 }) })
    const silent = await world.node()
    const said = await world.asker().ask(router.pubkey, { auctionMs: 1_400 })
    expect(said?.candidates.map(({ node }) => node)).toEqual([silent.pubkey])
    expect(said?.refused['quote-expired']).toBe(1)
    const asker = world.asker()
    await asker.ask(router.pubkey, { auctionMs: 1_400 }, 200)
    router.book.learn(silent.pubkey, { fact: 'fault', at: world.now() })
    await world.clock.advance(2_000)
    const alone = world.routings().find(({ to }) => to === asker.pubkey)
    expect(alone?.refusal?.code).toBe('quote-expired')
    expect(said && world.agrees(said)).toBe(true)
    expect(alone && world.agrees(alone)).toBe(true)
    await world.close()
  })

  test('drops who bids above the cap or has no seat left', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const dear = await world.node({ bids: () => ({ msats: 9_000n }) })
    const full = await world.node({ bids: () => ({ free: 0 }) })
    await full.state({ total: 2, busy: 0, queued: 0 })
    const good = await world.node({ bids: () => ({ msats: 1_000n }) })
    const said = await world.asker().ask(router.pubkey, { capMsats: 5_000n })
    expect(said?.candidates.map(({ node }) => node)).toEqual([good.pubkey])
    expect(said?.refused).toMatchObject({ 'over-cap': 1, full: 1 })
    expect(router.book.market(5050).get(dear.pubkey)?.msats).toBe(2_000)
    expect(said && world.agrees(said)).toBe(true)
    await world.close()
  })

  test('hears only the first word of who was asked: no stranger, no second bid, nothing for another request, nothing late', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const honest = await world.node({
      bids(request, self) {
        self.quote(request, { msats: 700n })
        return { msats: 1n }
      },
      delayMs: 10,
    })
    const late = await world.node({ bids: () => ({ msats: 2n }), delayMs: 600 })
    const other = await world.node({ bids: () => ({ kind: 5100, msats: 3n }) })
    const stranger = await world.node({ model: 'nothing' })
    const asker = world.asker()
    const request = asker.request(router.pubkey, { model: 'echo', auctionMs: 500 })
    void world.connect().publish(request)
    await world.clock.advance(5)
    const [asked] = honest.asked
    if (!asked) throw new Error('nobody was asked')
    stranger.quote(asked, { msats: 4n })
    await world.clock.advance(2_000)
    const [said] = world.routings()
    const prices = new Map(said?.candidates.map(({ node, msats }) => [node, msats]))
    expect(prices).toEqual(
      new Map([
        [honest.pubkey, 700n],
        [late.pubkey, 2_000n],
        [other.pubkey, 2_000n],
      ]),
    )
    expect(said && world.agrees(said)).toBe(true)
    await world.close()
  })

  test('never believes a quote that its node did not sign', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const node = await world.node({ bids: () => undefined })
    const asker = world.asker()
    void world.connect().publish(asker.request(router.pubkey, { auctionMs: 400 }))
    await world.clock.advance(5)
    const [asked] = node.asked
    if (!asked) throw new Error('nobody was asked')
    const value = {
      ...{ request: asked.id, to: router.pubkey, kind: 5050, msats: 1n, firm: true, reserve: 'none' as const },
    }
    const signed = world.keys.sign(
      quote.write({ ...value, terms: ['before'], free: 1, expiresAt: world.now() + 60 }, world.now()),
      world.secretOf(),
    )
    const forged = {
      ...signed,
      pubkey: node.pubkey,
      id: signed.id.replace(/^./, signed.id.startsWith('0') ? '1' : '0'),
    }
    world.hub.faults = {}
    void world.connect().publish(forged)
    await world.clock.advance(1_000)
    expect(world.routings()[0]?.candidates[0]?.msats).toBe(2_000n)
    await world.close()
  })
})
