/** The desk of a router: who is named and why, what is refused, and that all of it can be decided again. */
import { describe, expect, test } from 'vitest'
import { quoteRequest, routing } from '../kinds/index.ts'
import { routerWorld } from './router-world.ts'

const eventsOf = (world: { seen: readonly { kind: number; id: string }[] }, kind: number) =>
  new Set(world.seen.filter(event => event.kind === kind).map(({ id }) => id)).size

describe('a routing event', () => {
  test('names three nodes, best first, with prices, factors and reasons, and comes out again', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const nodes = [await world.node({ msats: 3_000n }), await world.node({ msats: 1_000n }), await world.node()]
    const asker = world.asker()
    const said = await asker.ask(router.pubkey)
    expect(said?.refusal).toBeUndefined()
    expect(new Set(said?.candidates.map(({ node }) => node))).toEqual(new Set(nodes.map(({ pubkey }) => pubkey)))
    expect(said?.candidates.length).toBe(3)
    expect(said?.lane).toBe('bootstrap')
    expect(said?.to).toBe(asker.pubkey)
    expect(said?.asked?.id).toBe(said?.request)
    const cheap = said?.candidates.find(({ node }) => node === nodes[1]?.pubkey)
    expect(cheap?.msats).toBe(1_000n)
    expect(cheap?.firm).toBe(false)
    expect(cheap?.reasons[0]).toMatch(/^score [\d.]+: R \.\d+ V \.5 Q \.8 T \.2 K 1 L \.9$/)
    expect(cheap?.reasons).toContain('cheapest, 1,000 msats')
    expect(cheap?.reasons).toContain('unproven: 0 of 20 audited jobs')
    expect(cheap?.reasons).toContain('posted price, no quote')
    expect(said && world.agrees(said)).toBe(true)
    await world.close()
  })

  test('puts the proven before the unproven, whatever they ask', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const known = await world.node({ msats: 4_000n })
    await world.node({ msats: 10n })
    router.book.learn(known.pubkey, ...world.proven(world.now()))
    const asker = world.asker()
    for (let i = 0; i < 5; i++) {
      const said = await asker.ask(router.pubkey, { auctionMs: 250, minScore: 1 })
      expect(said?.lane).toBe('proven')
      expect(said?.candidates[0]?.node).toBe(known.pubkey)
      expect(said?.candidates[0]?.stage).toBe('proven')
      expect(said && world.agrees(said)).toBe(true)
    }
    await world.close()
  })

  test('is one chain: seq counts, prev names the one before, each seed is what was committed to', async () => {
    const world = await routerWorld()
    const router = await world.router()
    await world.node()
    const asker = world.asker()
    for (let i = 0; i < 4; i++) await asker.ask(router.pubkey, i === 2 ? { capMsats: 1n } : {})
    const entries = [...router.book.entries()].map(({ event }) => routing.read(event))
    const values = entries.map(read => (read.ok ? read.value : undefined))
    expect(values.map(one => one?.seq)).toEqual([0, 1, 2, 3])
    expect(new Set(values.map(one => one?.seed)).size).toBe(4)
    expect(values[2]?.refusal?.code).toBe('over-cap')
    for (const one of values) expect(one && world.agrees(one)).toBe(true)
    await world.close()
  })

  test('reaches who asked without naming a router only where the router is open', async () => {
    const world = await routerWorld()
    await world.router()
    const open = await world.router({ open: true })
    await world.node()
    const asker = world.asker()
    await asker.ask(undefined)
    const said = asker.answers()
    expect(said.map(({ pubkey }) => pubkey)).toEqual([open.pubkey])
    await world.close()
  })
})

describe('a request is refused', () => {
  test('when its cap is under every price, with what the cheapest asks', async () => {
    const world = await routerWorld()
    const router = await world.router()
    await world.node({ msats: 3_000n })
    await world.node({ msats: 2_500n })
    const said = await world.asker().ask(router.pubkey, { capMsats: 2_000n })
    expect(said?.refusal?.code).toBe('over-cap')
    expect(said?.refusal?.says).toMatch(/2,500/)
    expect(said?.refused['over-cap']).toBe(2)
    expect(said?.candidates).toEqual([])
    expect(said && world.agrees(said)).toBe(true)
    expect(eventsOf(world, quoteRequest.number)).toBe(1)
    await world.close()
  })

  test.each([
    ['no-node', {}, 0],
    ['no-model', { model: 'other' }, 1],
    ['denied', {}, 1],
    ['not-allowed', {}, 1],
    ['privacy', { privacy: 3 as const }, 1],
    ['region', { region: 'moon' }, 1],
    ['min-score', { minScore: 90 }, 1],
    ['terms', { terms: { word: 'hold' } as const }, 1],
  ])('with %s', async (code, wish, count) => {
    const world = await routerWorld()
    const router = await world.router()
    const nodes = count > 0 ? [await world.node()] : []
    const keys = nodes.map(({ pubkey }) => pubkey)
    const lists = code === 'denied' ? { deny: keys } : code === 'not-allowed' ? { allow: ['f'.repeat(64)] } : {}
    const said = await world.asker().ask(router.pubkey, { ...wish, ...lists })
    expect(said?.refusal?.code).toBe(code)
    expect(said && world.agrees(said)).toBe(true)
    await world.close()
  })

  test('when all have let their lease run out, or are full by their own word', async () => {
    const world = await routerWorld()
    const router = await world.router()
    const node = await world.node({ alive: false })
    const asker = world.asker()
    expect((await asker.ask(router.pubkey))?.refusal?.code).toBe('stale')
    await node.state({ total: 1, busy: 1, queued: 0 })
    expect((await asker.ask(router.pubkey))?.refusal?.code).toBe('full')
    await node.state({ total: 1, busy: 0, queued: 0 })
    expect((await asker.ask(router.pubkey))?.candidates.length).toBe(1)
    await world.close()
  })
})

describe('who asks too much', () => {
  test('hears so many refusals a minute, then nothing, while others are served', async () => {
    const world = await routerWorld()
    const router = await world.router({ limits: { refusalsPerMinute: 16 } })
    await world.node()
    const greedy = world.asker()
    const relays = world.connect()
    for (let i = 0; i < 60; i++) void relays.publish(greedy.request(router.pubkey, { capMsats: 1n, deadlineMs: i + 1 }))
    await world.clock.advance(1_000)
    expect(greedy.answers().length).toBe(4)
    expect((await world.asker().ask(router.pubkey))?.candidates.length).toBe(1)
    await world.clock.advance(20_000)
    expect((await greedy.ask(router.pubkey, { capMsats: 1n }))?.refusal?.code).toBe('over-cap')
    await world.close()
  })

  test('has so many requests under way, and is told', async () => {
    const world = await routerWorld()
    const router = await world.router({ limits: { perCustomer: 2, refusalsPerMinute: 100 } })
    await world.node()
    const asker = world.asker()
    const relays = world.connect()
    for (let i = 0; i < 5; i++) void relays.publish(asker.request(router.pubkey, { deadlineMs: i + 1 }))
    await world.clock.advance(1_500)
    const said = asker.answers().map(event => routing.read(event))
    expect(said.filter(read => read.ok && read.value.refusal?.code === 'full').length).toBe(3)
    expect(said.filter(read => read.ok && read.value.candidates.length === 1).length).toBe(2)
    await world.close()
  })

  test('by many keys costs no more than so many events a minute', async () => {
    const world = await routerWorld()
    const router = await world.router({ limits: { answersPerMinute: 40 } })
    await world.node()
    const relays = world.connect()
    for (let i = 0; i < 100; i++) void relays.publish(world.asker().request(router.pubkey))
    await world.clock.advance(3_000)
    expect(world.routings().length).toBeLessThanOrEqual(12)
    expect(world.routings().length).toBeGreaterThan(5)
    expect(router.underWay()).toBe(0)
    await world.close()
  })

  test('with the same request again gets no second answer', async () => {
    const world = await routerWorld()
    const router = await world.router()
    await world.node()
    const asker = world.asker()
    const [first, second] = [world.connect(), world.connect()]
    const request = asker.request(router.pubkey)
    void first.publish(request)
    void second.publish(request)
    await world.clock.advance(2_000)
    void first.publish(request)
    await world.clock.advance(2_000)
    expect(asker.answers().length).toBe(1)
    await world.close()
  })
})
