/** A router with its real book, three nodes as they are, and a customer with nothing but a key: over memory and sockets. */
import { expect, test } from 'vitest'
import { type Event, type QuoteRequest, quoteRequest, type Routing, routing } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import { defaultParams } from '../src/ledger/index.ts'
import { openNode } from '../src/node/node.ts'
import { simNet } from '../src/payments/sim.ts'
import { openAgreement } from '../src/router/agreement.ts'
import { openRouter, type RouterEvent } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { inEveryWorld, type World } from './worlds.ts'

async function openTown(world: World) {
  const { keys, clock } = world
  const net = simNet({ clock, pollMs: 50 })
  const events: RouterEvent[] = []
  const hearers = new Set<() => void>()
  const routerSecret = keys.newSecret()
  const router = openRouter({
    ...{ relays: world.connect(routerSecret), keys, secret: routerSecret, clock, policy: openPolicy() },
    judging: { network: 'regtest' },
    onEvent(event) {
      events.push(event)
      for (const hear of [...hearers]) hear()
    },
  })
  await router.ready
  const nodes = await Promise.all(
    [1_000n, 2_000n, 3_000n].map(async priceMsats => {
      const secret = keys.newSecret()
      const node = await openNode({
        ...{ relays: world.connect(secret), keys, secret, clock, priceMsats, runner: echoRunner({ clock }) },
        payee: net.wallet({ alias: `node ${priceMsats}`, msats: 0n }),
        service: { id: 'test', name: 'test', about: 'a test', kinds: [5050], nodeKeys: [] },
      })
      if (!(await node.ready)) throw new Error('the node does not hear itself')
      return node
    }),
  )
  const secret = keys.newSecret()
  const relays = world.connect(secret)
  const me = keys.publicKey(secret)
  const answers: Event[] = []
  const listening = relays.listen([{ kinds: [routing.number], '#p': [me] }], {
    onEvent(event) {
      answers.push(event)
      for (const hear of [...hearers]) hear()
    },
  })
  await listening.live

  const until = (found: () => boolean) =>
    new Promise<void>(resolve => {
      const look = () => {
        // What the router hears it does not always tell of.
        if (!found()) return void clock.after(20, look)
        hearers.delete(look)
        return resolve()
      }
      hearers.add(look)
      look()
    })

  return {
    ...{ router, nodes, events, keys, until },
    async ask(value: Partial<QuoteRequest> = {}): Promise<Routing> {
      const now = seconds(clock)
      const request = {
        ...{ kind: 5050, privacy: 0 as const, allow: [], deny: [], auctionMs: 1_500, hops: 0, relays: [] },
        ...{ to: [router.pubkey], expiresAt: now + 50 },
        ...value,
      }
      const event = keys.sign(quoteRequest.write(request, now), secret)
      const before = answers.length
      void relays.publish(event)
      await until(() => answers.length > before)
      const said = answers.at(-1)
      const read = said && routing.read(said)
      if (!read?.ok) throw new Error(read?.says ?? 'no answer')
      return read.value
    },
    async close() {
      await router.close()
      for (const node of nodes) await node.close()
      await world.close()
    },
  }
}

const agrees = openAgreement(defaultParams)

inEveryWorld('a router among nodes', open => {
  test('names all three with firm quotes and reasons, and refuses what nobody does', { timeout: 30_000 }, async () => {
    const town = await openTown(await open())
    await town.until(() => town.router.book.market(5050).size === 3)
    const said = await town.ask()
    expect(new Set(said.candidates.map(({ node }) => node))).toEqual(new Set(town.nodes.map(({ pubkey }) => pubkey)))
    expect(said.candidates.map(({ msats }) => msats).toSorted()).toEqual([1_000n, 2_000n, 3_000n])
    expect(said.candidates.every(({ firm, quote }) => firm && quote !== undefined)).toBe(true)
    expect(said.candidates.every(({ rttMs }) => rttMs !== undefined)).toBe(true)
    const request = said.asked && quoteRequest.read(said.asked)
    expect(request?.ok && agrees(said, request.value)).toBe(true)
    const refused = await town.ask({ capMsats: 10n })
    expect(refused.refusal?.code).toBe('over-cap')
    expect((await town.ask({ model: 'unheard-of' })).refusal?.code).toBe('no-model')
    expect(town.events.filter(({ event }) => event === 'trouble')).toEqual([])
    await town.close()
  })
})
