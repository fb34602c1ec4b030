/** The client against the router of the house: its routes pass every check, its fee is paid, and it is not needed after. */
import { expect } from 'vitest'
import type { RoutedQuestion } from '../src/client/client.ts'
import { openRouter, type RouterEvent, type RouterOptions } from '../src/router/router.ts'
import { openPolicy } from '../src/routing/index.ts'
import { type Grid, type GridNodeOptions, openGrid, walletMsats, words } from './client-grid.ts'
import { keeps } from './promises.ts'
import { inEveryWorld, type World } from './worlds.ts'

inEveryWorld('a real router', open => {
  const within = async (
    nodes: readonly GridNodeOptions[],
    how: (grid: Grid) => Partial<RouterOptions>,
    body: (
      grid: Grid,
      router: { pubkey: string; events: RouterEvent[]; close(): Promise<void> },
      world: World,
    ) => Promise<void>,
  ) => {
    const world = await open()
    const grid = await openGrid(world, { nodes, client: { recomputedShare: 1 } })
    const secret = world.keys.newSecret()
    const events: RouterEvent[] = []
    const relays = world.connect(secret)
    const router = openRouter({
      ...{ relays, keys: world.keys, secret, clock: world.clock, policy: openPolicy() },
      judging: { network: 'regtest' },
      onEvent: event => void events.push(event),
      ...how(grid),
    })
    try {
      await router.ready
      await body(grid, { pubkey: router.pubkey, events, close: router.close }, world)
      expect(grid.net.conserved()).toBe(true)
    } finally {
      await router.close()
      await relays.close()
      await grid.close()
    }
  }
  const ask = (grid: Grid, router: { pubkey: string }, question: Partial<RoutedQuestion> = {}) =>
    grid.client.askRouted({
      ...{ text: words, capMsats: 5_000n, routers: [router.pubkey], auctionMs: 250, onEvent: grid.onEvent },
      ...{ refundMs: 300, ...question },
    })

  keeps('pay.exact', 'routes the job to the cheap one or the other, and every word of it is believed', () =>
    within(
      [{ priceMsats: 1_000n }, { priceMsats: 4_000n }],
      () => ({}),
      async (grid, router) => {
        for (const terms of [undefined, { word: 'hold' }, { word: 'parts', parts: 2 }] as const) {
          const outcome = await ask(grid, router, terms ? { terms } : {})
          expect(outcome.route.routers).toMatchObject([{ router: router.pubkey, state: 'routed' }])
          expect(outcome).toMatchObject({ ok: true, text: words, route: { by: 'routers' } })
          expect(outcome.attempts).toHaveLength(1)
          expect([500n, 1_000n, 2_000n, 4_000n]).toContain(outcome.msats)
        }
        const recomputed = grid.events.filter(({ event }) => event === 'recomputed')
        expect(recomputed).toHaveLength(3)
        expect(recomputed.every(event => event.event === 'recomputed' && event.ok)).toBe(true)
      },
    ),
  )

  keeps('pay.cap', 'a price over the cap is refused by the router, and its refusal is told', () =>
    within(
      [{ priceMsats: 4_000n }],
      () => ({}),
      async (grid, router) => {
        const outcome = await ask(grid, router, { capMsats: 3_999n })
        expect(outcome).toMatchObject({ ok: false, code: 'over-cap', msats: 0n, route: { by: 'routers' } })
      },
    ),
  )

  keeps('pay.once', 'its fee is paid once, and never without leave', () =>
    within(
      [{}],
      grid => ({ fee: { msats: 200n, payee: grid.net.wallet({ alias: 'router', msats: 0n }) } }),
      async (grid, router) => {
        const refused = await ask(grid, router)
        expect(refused).toMatchObject({ ok: true, feeMsats: 0n, route: { by: 'own' } })
        expect(refused.route.routers).toMatchObject([{ state: 'refused', code: 'fee-over-cap' }])
        const paid = await ask(grid, router, { routerFeeMsats: 200n })
        expect(paid).toMatchObject({ ok: true, feeMsats: 200n, route: { by: 'routers' } })
        expect(await grid.payer.balance()).toBe(walletMsats - 4_200n)
        // Who has paid is answered first and pays then.
        const later = await ask(grid, router, { routerFeeMsats: 200n, maxTokens: 100 })
        expect(later).toMatchObject({ ok: true, feeMsats: 200n, route: { by: 'routers' } })
        expect(await grid.payer.balance()).toBe(walletMsats - 6_400n)
        expect(grid.journal.orders.list({ state: 'planned' })).toEqual([])
      },
    ),
  )

  keeps('job.ends', 'it is killed in the middle of the job: nothing changes', () =>
    within(
      [{ echo: { pieceMs: 30 } }],
      () => ({}),
      async (grid, router) => {
        const asking = ask(grid, router)
        await grid.onceEvent('attempt')
        await router.close()
        expect(await asking).toMatchObject({ ok: true, text: words, msats: 2_000n, route: { by: 'routers' } })
      },
    ),
  )
})
