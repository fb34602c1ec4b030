/** Routers that help, refuse, keep silent, want money or lie: what a client believes, pays and does without them. */
import { describe, expect, test } from 'vitest'
import { type Event, nodeState, type Routing, routing } from '../kinds/index.ts'
import type { Relays } from '../relays/relay.ts'
import type { RoutedQuestion, RouterWord } from '../src/client/client.ts'
import { openClient } from '../src/client/client.ts'
import { type Grid, type GridNodeOptions, walletMsats, withGrid, words } from './client-grid.ts'
import { keeps } from './promises.ts'
import { memoryWorld, type World } from './worlds.ts'

const within = (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) =>
  withGrid(memoryWorld, nodes, body)
const quick = { auctionMs: 100, slackMs: 400, hedge: false, refundMs: 300 }
const ask = (grid: Grid, routers: readonly { pubkey: string }[], question: Partial<RoutedQuestion> = {}) =>
  grid.client.askRouted({
    ...{ text: words, capMsats: 5_000n, routers: routers.map(({ pubkey }) => pubkey), onEvent: grid.onEvent },
    ...quick,
    ...question,
  })
const routesTold = (grid: Grid) => grid.events.filter(event => event.event === 'route')
const wordOf = (words: readonly RouterWord[], { pubkey }: { pubkey: string }) =>
  words.find(({ router }) => router === pubkey)

const swapped = (said: Routing): Routing => {
  const [first, second, ...rest] = said.candidates
  return first && second ? { ...said, candidates: [second, first, ...rest] } : said
}
const firstBut = (said: Routing, change: Partial<Routing['candidates'][number]>): Routing => {
  const [first, ...rest] = said.candidates
  return first ? { ...said, candidates: [{ ...first, ...change }, ...rest] } : said
}
/** Changes price of a candidate and of the sample alike, so that only the node itself contradicts. */
const priced = (said: Routing, msats: bigint): Routing => {
  const node = said.candidates[0]?.node
  const sample = said.sample.map(one => (one.node === node ? { ...one, msats: Number(msats) } : one))
  return { ...firstBut(said, { msats }), sample }
}

const lies: readonly (readonly [what: string, rule: string, lie: (said: Routing) => Routing])[] = [
  ['another order than its dice give', 'order', swapped],
  ['a candidate left out', 'order', said => ({ ...said, candidates: said.candidates.slice(1) })],
  ['a seed that gives other dice', 'start', said => ({ ...said, seed: said.commit })],
  ['a price over the cap', 'conditions', said => priced(said, 6_000n)],
  ['a price under the announced one', 'score', said => firstBut(said, { msats: 1n })],
  ['a better score than its factors', 'score', said => firstBut(said, { score: 0.9 })],
  [
    'the announcement of another node',
    'announcement',
    said => firstBut(said, { announcement: said.candidates[1]?.announcement ?? '' }),
  ],
  ['parameters that nobody knows', 'params', said => ({ ...said, params: said.commit })],
  ['a policy that nobody knows', 'policy', said => ({ ...said, policy: 'mine' })],
  ['no request', 'request', ({ asked: _, ...said }) => said],
]

/** All prices lowered alike: order and draw stay, only the announcements contradict. */
function lowest(said: Routing): Routing {
  const sample = said.sample.map(one => ({ ...one, msats: one.msats / 2 }))
  const candidates = said.candidates.map(one => ({ ...one, msats: one.msats / 2n }))
  return { ...said, sample, candidates, median: said.median / 2 }
}

describe('a router that lies', () => {
  for (const [what, rule, lie] of lies)
    keeps('route.recomputed', `${what}: it is not believed, told, and not asked again; the client chooses itself`, () =>
      within([{}, {}], async grid => {
        const liar = await grid.router({ lie })
        const outcome = await ask(grid, [liar])
        expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
        expect(outcome.route.by).toBe('own')
        expect(wordOf(outcome.route.routers, liar)).toMatchObject({ state: 'lied', code: rule })
        expect(outcome.attempts.every(one => one.state === 'answered')).toBe(true)
        const again = await ask(grid, [liar])
        expect(again.ok).toBe(true)
        expect(wordOf(again.route.routers, liar)).toMatchObject({ state: 'lied', code: 'distrusted' })
        expect(liar.asked).toHaveLength(1)
        expect(routesTold(grid)).toHaveLength(2)
      }),
    )

  keeps('pay.chosen', 'a price that only the node itself contradicts: it is not believed', () =>
    within([{}, {}], async (grid, world) => {
      const liar = await grid.router({ lie: lowest })
      const secret = world.keys.newSecret()
      const client = openClient({
        ...{ keys: world.keys, secret, clock: world.clock, payer: grid.payer, network: 'regtest' },
        relays: deafTo(world.connect(secret), nodeState.number),
      })
      const outcome = await client.askRouted({ text: words, capMsats: 5_000n, routers: [liar.pubkey], ...quick })
      expect(outcome).toMatchObject({ ok: true, route: { by: 'own', routers: [{ state: 'lied', code: 'price' }] } })
    }),
  )

  keeps('pay.exact', 'a price that a fresh lease may excuse is not believed either, but what the node announces', () =>
    within([{}, {}], async grid => {
      const outcome = await ask(grid, [await grid.router({ lie: lowest })])
      expect(outcome).toMatchObject({
        ok: true,
        msats: 2_000n,
        route: { by: 'routers', candidates: [{ msats: 2_000n }, {}] },
      })
    }),
  )

  keeps('pay.chosen', 'beside an honest one: only the honest one is followed', () =>
    within([{}, {}], async grid => {
      const liar = await grid.router({ lie: swapped })
      const honest = await grid.router({ order: [1, 0] })
      const outcome = await ask(grid, [liar, honest])
      expect(outcome).toMatchObject({ ok: true, text: words })
      expect(outcome.route).toMatchObject({ by: 'routers', candidates: [{ routers: [honest.pubkey] }, {}] })
      expect(outcome.attempts).toMatchObject([{ node: grid.nodes[1]?.pubkey, state: 'answered' }])
    }),
  )
})

describe('routers', () => {
  test('two of them: both are asked by one request, and their lists become one', () =>
    within([{}, {}, {}], async grid => {
      const one = await grid.router({ knows: [0, 1], order: [0, 1] })
      const two = await grid.router({ knows: [1, 2], order: [1, 2] })
      const outcome = await ask(grid, [one, two])
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      expect(one.asked[0]?.to).toEqual([one.pubkey, two.pubkey])
      const named = outcome.route.candidates
      expect(new Set(named.map(({ node }) => node)).size).toBe(3)
      const shared = named.find(({ node }) => node === grid.nodes[1]?.pubkey)
      expect(new Set(shared?.routers)).toEqual(new Set([one.pubkey, two.pubkey]))
    }))

  test('silent: the client chooses itself after the time of the auction', () =>
    within([{}], async grid => {
      const silent = await grid.router({ says: 'silent' })
      const outcome = await ask(grid, [silent])
      expect(outcome).toMatchObject({ ok: true, text: words, route: { by: 'own', routers: [{ state: 'silent' }] } })
    }))

  test('a relay that loses the routing event: as if the router were silent', () =>
    within([{}], async (grid, world) => {
      const router = await grid.router()
      const secret = world.keys.newSecret()
      const client = openClient({
        ...{ keys: world.keys, secret, clock: world.clock, payer: grid.payer, network: 'regtest' },
        relays: deafTo(world.connect(secret), routing.number),
      })
      const outcome = await client.askRouted({ text: words, capMsats: 5_000n, routers: [router.pubkey], ...quick })
      expect(outcome).toMatchObject({ ok: true, text: words, route: { by: 'own', routers: [{ state: 'silent' }] } })
      expect(router.asked).toHaveLength(1)
    }))

  keeps('route.unneeded', 'a router that is gone after its answer changes nothing', () =>
    within([{ echo: { pieceMs: 30 } }], async grid => {
      const router = await grid.router()
      const asking = ask(grid, [router])
      await grid.onceEvent('attempt')
      router.close()
      expect(await asking).toMatchObject({ ok: true, text: words, msats: 2_000n, route: { by: 'routers' } })
    }),
  )

  for (const [code, by, ok] of [
    ['over-cap', 'routers', false],
    ['min-score', 'routers', false],
    ['stale', 'own', true],
    ['unpaid-fee', 'own', true],
    ['over-credit', 'own', true],
  ] as const)
    test(`a refusal "${code}" ${ok ? 'does not bind the client' : 'binds the client and is told'}`, () =>
      within([{}], async grid => {
        const router = await grid.router({ says: { refuses: code } })
        const outcome = await ask(grid, [router])
        expect(outcome).toMatchObject({ ok, route: { by, routers: [{ state: 'refused', code, says: 'no' }] } })
        if (!ok) expect(outcome).toMatchObject({ code, says: 'no', msats: 0n })
      }))

  test('what the client rules out is ruled out for its own choice, too', () =>
    within([{}, {}], async grid => {
      const [first, second] = grid.nodes
      const outcome = await ask(grid, [], { deny: [first?.pubkey ?? ''] })
      expect(outcome.attempts).toMatchObject([{ node: second?.pubkey, state: 'answered' }])
      const cheap = await ask(grid, [], { capMsats: 10n })
      expect(cheap).toMatchObject({ ok: false, code: 'over-cap', msats: 0n })
    }))
})

describe('the fee of a router', () => {
  keeps('pay.cap', 'is not paid where none was allowed', () =>
    within([{}], async grid => {
      const router = await grid.router({ feeMsats: 300n })
      const outcome = await ask(grid, [router])
      expect(outcome).toMatchObject({ ok: true, msats: 2_000n, feeMsats: 0n, route: { by: 'own' } })
      expect(wordOf(outcome.route.routers, router)).toMatchObject({ state: 'refused', code: 'fee-over-cap' })
      expect(await router.payee.balance()).toBe(0n)
    }),
  )

  keeps('pay.once', 'is paid once under its own cap, beside the cap of the answer', () =>
    within([{}], async grid => {
      const router = await grid.router({ feeMsats: 300n })
      const outcome = await ask(grid, [router], { capMsats: 2_000n, routerFeeMsats: 300n })
      expect(outcome).toMatchObject({ ok: true, msats: 2_000n, feeMsats: 300n, route: { by: 'routers' } })
      expect(await router.payee.balance()).toBe(300n)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_300n)
      expect(grid.journal.orders.list({ state: 'planned' })).toEqual([])
    }),
  )
})

describe('recomputing', () => {
  test('a router that does not pass the full recomputation is not used any more', () =>
    within([{}], async (grid, world) => {
      const router = await grid.router()
      const secret = world.keys.newSecret()
      const seen: Event[] = []
      const client = openClient({
        ...{ relays: world.connect(secret), keys: world.keys, secret, clock: world.clock, payer: grid.payer },
        ...{ network: 'regtest', recomputedShare: 1 },
        async deepCheck(event) {
          seen.push(event)
          return { ok: false, findings: [{ check: 'score', ok: false, says: 'The log gives another score.' }] }
        },
      })
      const question = { text: words, capMsats: 5_000n, routers: [router.pubkey], onEvent: grid.onEvent, ...quick }
      expect(await client.askRouted(question)).toMatchObject({ ok: true, route: { by: 'routers' } })
      expect(seen.map(({ pubkey }) => pubkey)).toEqual([router.pubkey])
      expect(grid.events.find(({ event }) => event === 'recomputed')).toMatchObject({
        ok: false,
        router: router.pubkey,
      })
      expect(await client.askRouted(question)).toMatchObject({ ok: true, route: { by: 'own' } })
      expect(router.asked).toHaveLength(1)
    }))
})

/** These relays, as one hears them that loses every event of a kind. */
function deafTo(relays: Relays, kind: number): Relays {
  return {
    ...relays,
    listen: (filters, options, signal) =>
      relays.listen(
        filters,
        { ...options, onEvent: (event, relay) => (event.kind === kind ? undefined : options.onEvent(event, relay)) },
        signal,
      ),
  }
}
