/** What a client finds again of its jobs: in its journal, on the relays, and in wraps nothing that a relay could learn of. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cancel, ephemeralWrap } from '../kinds/index.ts'
import type { Relays } from '../relays/relay.ts'
import { type Desk, openDesk } from './client-desk.ts'
import { askInOrder, withGrid, words } from './client-grid.ts'
import { openMarket } from './market.ts'
import { memoryWorld } from './worlds.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk(await memoryWorld())
})
afterEach(() => desk.close())

const level = (privacy: 1 | 2) => ({
  privacy,
  node: { pubkey: desk.node, announcement: desk.announcement({ privacy: [1, 2] }) },
})

/** A job whose process ended before its answer came. */
async function leave(privacy: 1 | 2) {
  const life = new AbortController()
  const first = desk.ask({ text: 'a secret', giveUp: life.signal, ...level(privacy) })
  const job = await desk.next()
  life.abort()
  await first
  return job
}

describe('jobs of the journal', () => {
  test('one that runs, by its id and in the list; none of a stranger', async () => {
    const job = await leave(1)
    const known = { request: job.request.id, kind: 5050, node: desk.node, state: 'asked', msats: 0n, privacy: 1 }
    const client = desk.again()
    expect(client.jobs()).toEqual([expect.objectContaining(known)])
    expect(client.job(job.request.id)).toMatchObject(known)
    expect(client.job('e'.repeat(64))).toBeUndefined()
    expect(await client.lookUp('e'.repeat(64))).toBeUndefined()
  })

  test('one that was paid, with its answer, when it has ended', async () => {
    const market = await openMarket(await memoryWorld(), { client: { identity: 'one-job' } })
    const { request } = await market.ask({ text: 'the words' })
    expect(market.client.jobs()).toMatchObject([
      { request: request.id, state: 'delivered', msats: 2_000n, text: 'the words', node: market.node.pubkey },
    ])
    await market.close()
  })

  test('the answer that came meanwhile is found on the relays', async () => {
    const job = await leave(1)
    expect(await desk.again().lookUp(job.request.id)).not.toHaveProperty('text')
    await job.result({ text: 'late', finish: 'length' })
    expect(await desk.again().lookUp(job.request.id)).toMatchObject({ text: 'late', finish: 'length', state: 'asked' })
  })

  test('and so is why there is none; what a stranger says of it is not', async () => {
    const job = await leave(1)
    const { keys } = desk.world
    const stranger = keys.newSecret()
    const tags = [
      ['e', job.request.id],
      ['p', job.request.pubkey],
    ]
    await desk.world
      .connect()
      .publish(keys.sign({ kind: 6050, created_at: 1_800_000_000, tags, content: 'lies' }, stranger))
    await job.say({ status: 'error', says: 'The node burned.', content: '', code: 'fire' })
    const found = await desk.again().lookUp(job.request.id)
    expect(found).toMatchObject({ says: 'The node burned.' })
    expect(found).not.toHaveProperty('text')
  })

  test('about a job in wraps no relay is asked', async () => {
    const job = await leave(2)
    const relays = desk.world.connect()
    let asked = 0
    const listen: Relays['listen'] = (...args) => {
      asked++
      return relays.listen(...args)
    }
    const found = await desk.again({ relays: { ...relays, listen } }).lookUp(job.request.id)
    expect(found).toMatchObject({ request: job.request.id, privacy: 2 })
    expect(asked).toBe(0)
  })

  test.each([1, 2] as const)('one of level %i is withdrawn as it was asked, and not twice', async privacy => {
    const job = await leave(privacy)
    const client = desk.again()
    expect(await client.withdraw(job.request.id)).toBe(true)
    expect(await desk.letter(cancel.number)).toMatchObject({ wrapped: privacy === 2 })
    expect(client.job(job.request.id)).toMatchObject({ state: 'cancelled' })
    expect(await client.withdraw(job.request.id)).toBe(false)
    const open = desk.world.seen.filter(({ kind }) => kind !== ephemeralWrap.number)
    expect(JSON.stringify(open).includes(job.request.id)).toBe(privacy === 1)
  })

  test('one that runs here is withdrawn by its own signal alone', async () => {
    const asking = desk.ask({ text: 'x' })
    const job = await desk.next()
    expect(await desk.client.withdraw(job.request.id)).toBe(false)
    await job.result({ text: 'done' })
    expect(await asking).toMatchObject({ ok: true })
  })
})

describe('a routed question under keys of one job', () => {
  const within = (body: Parameters<typeof withGrid>[2], nodes = [{}, {}]) => withGrid(memoryWorld, nodes, body)

  test('has a key for each attempt; whoever asked the routers asks the first, and acknowledges it', () =>
    within(
      async (grid, world) => {
        const { openClient } = await import('../src/client/client.ts')
        const secret = world.keys.newSecret()
        const client = openClient({
          ...{ relays: world.connect(), keys: world.keys, secret, clock: world.clock, payer: grid.payer },
          ...{ payee: grid.payer, network: 'regtest', identity: 'one-job', recomputedShare: 0 },
        })
        const outcome = await askInOrder({ ...grid, client }, [0, 1])
        expect(outcome).toMatchObject({ ok: true, text: words })
        const jobs = outcome.attempts.map(({ job }) => world.seen.find(({ id }) => id === job))
        const authors = jobs.map(job => job?.pubkey ?? '')
        expect(new Set([...authors, client.pubkey]).size).toBe(3)
        const asked = world.seen.filter(({ kind }) => kind === 26_803)
        expect(asked.map(({ pubkey }) => pubkey)).toEqual([authors[0]])
        const said = world.seen.filter(({ kind }) => kind === 4633)
        expect(said.map(({ pubkey }) => pubkey).sort()).toEqual([...authors].sort())
        expect(outcome.privacy).toMatchObject({ level: 1, identity: { kind: 'one-job' } })
        expect(outcome.privacy?.readers.filter(({ who }) => who === 'node')).toHaveLength(2)
        expect(JSON.stringify(world.seen)).not.toContain(client.pubkey)
      },
      [{ echo: { fault: 'dies' } }, {}],
    ))

  test('in wraps says nothing publicly of what came of it, nor which route it took', () =>
    within(async (grid, world) => {
      const about = { text: words, routers: [], capMsats: 5_000n, hedge: false, privacy: 2 } as const
      const found = await grid.client.route(about)
      // As if routers had named them.
      const candidates = found.candidates.map(one => ({ ...one, routing: 'd'.repeat(64) }))
      const outcome = await grid.client.askRouted({ ...about, route: { ...found, candidates } })
      expect(outcome).toMatchObject({ ok: true, acknowledged: [], privacy: { level: 2, wanted: 2 } })
      const ours = world.seen.filter(({ kind }) => [5050, 6050, 7000, 4632, 4633, 26_800, 9735].includes(kind))
      expect(ours).toEqual([])
      expect(JSON.stringify(world.seen)).not.toContain('d'.repeat(64))
    }))

  test('a route that is known is gone again without asking anybody', () =>
    within(async (grid, world) => {
      const router = await grid.router({ order: [1, 0] })
      const about = { text: words, routers: [router.pubkey], capMsats: 5_000n, hedge: false }
      const route = await grid.client.route(about)
      const asked = () => world.seen.filter(({ kind }) => kind === 26_803).length
      const before = asked()
      const outcome = await grid.client.askRouted({ ...about, route })
      expect(outcome).toMatchObject({ ok: true, feeMsats: 0n, attempts: [{ node: grid.nodes[1]?.pubkey }] })
      expect(asked()).toBe(before)
    }))
})
