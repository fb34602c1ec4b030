/** A second node is asked where the first keeps silent: one of the two is paid, the other is called off. */
import { describe, expect, test } from 'vitest'
import { cancel } from '../kinds/index.ts'
import type { RoutedQuestion } from '../src/client/client.ts'
import { type Grid, type GridNodeOptions, shown, walletMsats, withGrid, words } from './client-grid.ts'
import { keeps } from './promises.ts'
import { memoryWorld, type World } from './worlds.ts'

const within = (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) =>
  withGrid(memoryWorld, nodes, body)

/** The hedge comes after 250 ms, fail-over long after it. */
const ask = async (grid: Grid, order: readonly number[], question: Partial<RoutedQuestion> = {}) => {
  const router = await grid.router({ order, speed: { p95FirstMs: 250 } })
  return grid.client.askRouted({
    ...{ text: words, routers: [router.pubkey], capMsats: 2_000n, onEvent: grid.onEvent, refundMs: 300 },
    patience: () => ({ billMs: 20_000, firstMs: 20_000, gapMs: 20_000, wholeMs: 20_000 }),
    ...question,
  })
}
const withdrawals = ({ seen }: World) => seen.filter(({ kind }) => kind === cancel.number)
const hedges = (grid: Grid) => grid.events.filter(event => event.event === 'attempt' && event.hedge)

describe('a hedge', () => {
  keeps('pay.once', 'the first is silent: the second bills, is paid, and the first is withdrawn', () =>
    within([{}, {}], async (grid, world) => {
      const [first, second] = grid.nodes
      await first?.kill()
      const outcome = await ask(grid, [0, 1])
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n, hedges: 1 })
      expect(outcome.attempts).toMatchObject([
        { node: first?.pubkey, state: 'slower', msats: 0n },
        { node: second?.pubkey, state: 'answered', msats: 2_000n },
      ])
      expect(withdrawals(world)).toHaveLength(1)
      expect(grid.journal.orders.list({})).toHaveLength(1)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
      // Whoever was slower did nothing wrong.
      expect(outcome.acknowledged).toHaveLength(1)
    }),
  )

  keeps('pay.once', 'the first wakes up after the second was asked: whoever bills first is paid, never both', () =>
    within([{}, {}], async grid => {
      const [first] = grid.nodes
      // Its wallet is slow to bill.
      const bill = first?.payee.bill.bind(first.payee)
      const { promise: awake, resolve: wake } = Promise.withResolvers<void>()
      if (first && bill) first.payee.bill = (wish, signal) => awake.then(() => bill(wish, signal))
      const asking = ask(grid, [0, 1])
      await grid.onceEvent('attempt', 2)
      wake()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n, hedges: 1 })
      expect(outcome.attempts.map(({ state }) => state).sort()).toEqual(['answered', 'slower'])
      expect(grid.journal.orders.list({}).filter(({ state }) => state === 'paid')).toHaveLength(1)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  test('free answers: the first that speaks goes on, and only its words are shown', () =>
    within([{ priceMsats: 0n, echo: { fault: 'lies' } }, { priceMsats: 0n }], async grid => {
      await grid.nodes[0]?.kill()
      const outcome = await ask(grid, [0, 1], { capMsats: 0n })
      expect(outcome).toMatchObject({ ok: true, text: words, hedges: 1 })
      expect(shown(grid.events)).toBe(words)
    }))

  test('a first that has billed is not hedged, however long it works', () =>
    within([{ echo: { delayMs: 600 } }, {}], async grid => {
      const outcome = await ask(grid, [0, 1])
      expect(outcome).toMatchObject({ ok: true, msats: 2_000n, hedges: 0 })
      expect(hedges(grid)).toEqual([])
    }))

  test('none with hedge: false, and none without a second node', () =>
    within([{}, {}], async grid => {
      const [first] = grid.nodes
      await first?.kill()
      const patience = () => ({ billMs: 700, firstMs: 700, gapMs: 700, wholeMs: 700 })
      expect(await ask(grid, [0, 1], { hedge: false, patience })).toMatchObject({ ok: true, hedges: 0 })
      const alone = await ask(grid, [0, 1], { patience, deny: [grid.nodes[1]?.pubkey ?? ''] })
      expect(alone).toMatchObject({ ok: false, code: 'silent', hedges: 0, msats: 0n })
    }))

  keeps('job.cancelled', 'whoever gives up while two are asked withdraws both', () =>
    within([{}, {}], async (grid, world) => {
      for (const node of grid.nodes) await node.kill()
      const stop = new AbortController()
      const router = await grid.router({ order: [0, 1], speed: { p95FirstMs: 250 } })
      const asking = grid.client.askRouted(
        { text: words, routers: [router.pubkey], capMsats: 2_000n, onEvent: grid.onEvent },
        stop.signal,
      )
      await grid.onceEvent('asked', 2)
      stop.abort()
      expect(await asking).toMatchObject({ ok: false, code: 'cancelled', msats: 0n })
      expect(withdrawals(world)).toHaveLength(2)
    }),
  )
})
