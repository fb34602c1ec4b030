/** Routers that ask each other: when nobody here has room, no further than they may, and never in circles. */
import { describe, expect, test } from 'vitest'
import { type Event, quoteRequest, type Routing, routing } from '../kinds/index.ts'
import { defaultParams, paramsHash } from '../src/ledger/index.ts'
import { routerWorld } from './router-world.ts'

/** Which nodes a router hears; the others are on relays that it does not read. */
const only = (...nodes: string[]) => {
  const own = new Set(nodes)
  return { hears: (event: Event) => event.kind !== 31_990 || own.has(event.pubkey) }
}

describe('a router without room', () => {
  test('asks another and passes its candidates on as that one’s, without a score of its own', async () => {
    const world = await routerWorld()
    const node = await world.node({ msats: 1_234n })
    const full = await world.router(only())
    const other = await world.router()
    await world.sheet(other, 1)
    const said = await world.asker().ask(full.pubkey, { hops: 1 }, 4_000)
    expect(said?.refusal).toBeUndefined()
    const [candidate] = said?.candidates ?? []
    expect(candidate).toMatchObject({ node: node.pubkey, msats: 1_234n, via: other.pubkey, score: 0, log: -1 })
    expect(candidate?.factors).toEqual({ R: 0, V: 0, Q: 0, T: 0, K: 0, L: 0 })
    expect(said?.sample).toEqual([])
    const theirs = world.routings().find(({ to }) => to === full.pubkey)
    const event = world.seen.find(({ kind, pubkey }) => kind === routing.number && pubkey === other.pubkey)
    expect(said?.via).toEqual([event?.id])
    const passed = theirs?.asked && quoteRequest.read(theirs.asked)
    expect(passed?.ok && passed.value.hops).toBe(0)
    expect(passed?.ok && passed.value.origin).toBe(said?.request)
    for (const one of world.routings()) expect(world.agrees(one)).toBe(true)
    await world.close()
  })

  test('asks nobody when no hop is left, or when it has somebody itself', async () => {
    const world = await routerWorld()
    const node = await world.node()
    const full = await world.router(only())
    const other = await world.router()
    await world.sheet(other, 1)
    expect((await world.asker().ask(full.pubkey, {}, 4_000))?.refusal?.code).toBe('no-node')
    expect((await world.asker().ask(other.pubkey, { hops: 3 }, 4_000))?.candidates[0]?.node).toBe(node.pubkey)
    expect(full.events.some(({ event }) => event === 'forwarded')).toBe(false)
    expect(other.events.some(({ event }) => event === 'forwarded')).toBe(false)
    await world.close()
  })

  test('asks no router that takes a fee, and at most three', async () => {
    const world = await routerWorld()
    const full = await world.router(only())
    const dear = await world.router()
    await world.sheet(dear, 50, 1n)
    const peers = []
    for (let i = 0; i < 5; i++) {
      const peer = await world.router(only())
      await world.sheet(peer, i + 1)
      peers.push(peer.pubkey)
    }
    await world.asker().ask(full.pubkey, { hops: 1 }, 4_000)
    const asked = full.events.flatMap(one => (one.event === 'forwarded' ? one.asked : []))
    expect(asked).toEqual([peers[4], peers[3], peers[2]])
    await world.close()
  })

  test('keeps the caps of the customer, whatever others say', async () => {
    const world = await routerWorld()
    const [node, denied] = [await world.node(), await world.node()]
    const full = await world.router(only())
    const other = await world.router()
    await world.sheet(other, 2)
    const said = await world.asker().ask(full.pubkey, { hops: 1, deny: [denied.pubkey], capMsats: 2_000n }, 4_000)
    expect(said?.candidates.map(one => one.node)).toEqual([node.pubkey])
    await world.close()
  })
})

describe('three routers that all have no room', () => {
  test('ask each other in a circle and stop', async () => {
    const world = await routerWorld()
    const routers = [await world.router(only()), await world.router(only()), await world.router(only())]
    for (const one of routers) await world.sheet(one, 1)
    const [first] = routers
    const said = await world.asker().ask(first?.pubkey, { hops: 3 }, 20_000)
    expect(said?.refusal?.code).toBe('no-node')
    const requests = new Set(world.seen.filter(({ kind }) => kind === quoteRequest.number).map(({ id }) => id))
    expect(requests.size).toBeLessThanOrEqual(7)
    expect(routers.every(one => one.underWay() === 0)).toBe(true)
    for (const one of world.routings()) expect(world.agrees(one)).toBe(true)
    await world.close()
  })

  test('find the one node that the last of them knows', async () => {
    const world = await routerWorld()
    const node = await world.node()
    const [first, second] = [await world.router(only()), await world.router(only())]
    const last = await world.router()
    for (const one of [second, last]) await world.sheet(one, 1)
    // The second is the only one that the first knows.
    const blind = await world.router({ ...only(), peers: [second.pubkey] })
    const said = await world.asker().ask(blind.pubkey, { hops: 2 }, 20_000)
    expect(said?.candidates[0]?.node).toBe(node.pubkey)
    expect(first.underWay()).toBe(0)
    for (const one of world.routings()) expect(world.agrees(one)).toBe(true)
    await world.close()
  })
})

describe('a lying router', () => {
  async function lied(lie: (honest: Routing) => Routing) {
    const world = await routerWorld()
    await world.node({ msats: 1_000n })
    await world.node({ msats: 9_000n })
    const full = await world.router(only())
    const secret = world.secretOf()
    const pubkey = world.keys.publicKey(secret)
    const honest = await world.router()
    const relays = world.connect()
    await world.sheet({ ...honest, pubkey, secret }, 9)
    const asker = world.asker()
    relays.listen([{ kinds: [quoteRequest.number], '#p': [pubkey] }], {
      onEvent(asked) {
        // It lets an honest one decide, and changes the answer.
        const read = quoteRequest.read(asked)
        if (!read.ok) return
        const template = world.routings().find(({ to }) => to === asker.pubkey)
        if (!template) return
        const value = lie({ ...template, request: asked.id, to: asked.pubkey, asked })
        void relays.publish(world.keys.sign(routing.write(value, world.now()), secret))
      },
    })
    await asker.ask(honest.pubkey)
    const said = await asker.ask(full.pubkey, { hops: 1 }, 4_000)
    await world.close()
    return said
  }

  test('whose order does not follow from its dice is not believed', async () => {
    const said = await lied(honest => honest)
    expect(said?.refusal?.code).toBe('no-node')
    expect(said?.candidates).toEqual([])
  })

  test('that says another price than its node is not passed on, and who asks for a score gets no hearsay', async () => {
    const world = await routerWorld()
    const node = await world.node({ msats: 2_000n })
    const full = await world.router(only())
    const began = world.now()
    const liar = await world.router({ hears: event => event.kind !== 31_990 || event.created_at <= began })
    await world.clock.advance(2_000)
    await world.sheet(liar, 1)
    expect((await world.asker().ask(full.pubkey, { hops: 1 }, 4_000))?.candidates[0]?.node).toBe(node.pubkey)
    await node.announce(9_000n)
    expect((await world.asker().ask(liar.pubkey, {}, 4_000))?.candidates[0]?.msats).toBe(2_000n)
    expect((await world.asker().ask(full.pubkey, { hops: 1 }, 4_000))?.refusal?.code).toBe('no-node')
    await node.announce(2_000n)
    expect((await world.asker().ask(full.pubkey, { hops: 1, minScore: 1 }, 4_000))?.refusal?.code).toBe('no-node')
    await world.close()
  })

  test('with other parameters or an unknown policy is not believed', async () => {
    expect((await lied(honest => ({ ...honest, params: 'ab'.repeat(32) })))?.candidates).toEqual([])
    expect((await lied(honest => ({ ...honest, policy: 'mine' })))?.candidates).toEqual([])
    expect(paramsHash(defaultParams)).not.toBe('ab'.repeat(32))
  })
})
