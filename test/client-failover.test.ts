/** A node dies, refuses or keeps silent: the next one is asked, the text is whole, and nothing is paid twice. */
import { expect } from 'vitest'
import type { RoutedEvent, RoutedQuestion } from '../src/client/client.ts'
import { type Grid, type GridNodeOptions, openGrid, walletMsats } from './client-grid.ts'
import { keeps } from './promises.ts'
import { inEveryWorld, type World } from './worlds.ts'

const words = 'one two three four five six seven eight nine ten eleven twelve'
const fast = { billMs: 1_500, firstMs: 1_500, gapMs: 1_000, wholeMs: 2_000 }

export const shown = (events: readonly RoutedEvent[]): string =>
  events.reduce(
    (text, event) => (event.event === 'chunk' ? text + event.text : event.event === 'replaced' ? event.text : text),
    '',
  )

inEveryWorld('fail-over', open => {
  const within = async (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) => {
    const world = await open()
    const grid = await openGrid(world, { nodes })
    try {
      await body(grid, world)
      expect(grid.net.conserved()).toBe(true)
    } finally {
      await grid.close()
    }
  }
  const ask = async (grid: Grid, order: readonly number[], question: Partial<RoutedQuestion> = {}) => {
    const router = await grid.router({ order })
    return grid.client.askRouted({
      ...{ text: words, routers: [router.pubkey], capMsats: 5_000n, patience: () => fast, hedge: false },
      ...{ onEvent: grid.onEvent, ...question },
    })
  }

  keeps('pay.exact', 'the first of the route answers, is paid once, and nobody else hears of the job', () =>
    within([{}, {}], async (grid, world) => {
      const outcome = await ask(grid, [1, 0])
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n, feeMsats: 0n })
      expect(outcome.attempts).toMatchObject([{ node: grid.nodes[1]?.pubkey, state: 'answered', msats: 2_000n }])
      expect(shown(grid.events)).toBe(words)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
      expect(grid.nodes[0]?.events.map(({ event }) => event)).not.toContain('accepted')
      expect(JSON.stringify(world.seen)).not.toContain('eleven')
    }),
  )

  keeps('pay.parts', 'a node that is killed in its stream is paid for its parts, and the next one for the rest', () =>
    within([{ echo: { pieceMs: 20 } }, {}], async grid => {
      const [first, second] = grid.nodes
      const asking = ask(grid, [0, 1], { maxTokens: 12, terms: { word: 'parts', parts: 4 } })
      await first?.told('invoice', 3)
      await first?.kill()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words })
      expect(shown(grid.events)).toBe(words)
      expect(grid.events.some(({ event }) => event === 'replaced')).toBe(false)
      const [one, two] = outcome.attempts
      expect(one).toMatchObject({ node: first?.pubkey, state: 'dead' })
      expect(two).toMatchObject({ node: second?.pubkey, state: 'answered' })
      expect((one?.parts ?? 0) + (two?.parts ?? 0)).toBe(4)
      expect(one?.parts).toBeGreaterThanOrEqual(2)
      expect(outcome.msats).toBe(2_000n)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
      expect(grid.events.find(({ event }) => event === 'failover')).toMatchObject({ asks: 'rest' })
    }),
  )
})
