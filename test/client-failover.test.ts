/** A node is killed: the next one is asked, the text is whole, and nothing is paid twice; in every world. */
import { expect } from 'vitest'
import {
  askInOrder as ask,
  type Grid,
  type GridNodeOptions,
  shown,
  walletMsats,
  withGrid,
  words,
} from './client-grid.ts'
import { keeps } from './promises.ts'
import { inEveryWorld, type World } from './worlds.ts'

inEveryWorld('fail-over', open => {
  const within = (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) =>
    withGrid(open, nodes, body)

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

  keeps('pay.hold', 'a node that dies with held money is not paid, and the next one is paid whole', () =>
    within([{ echo: { fault: 'hangs' } }, {}], async grid => {
      const [first, second] = grid.nodes
      const asking = ask(grid, [0, 1], { terms: { word: 'hold' } })
      await first?.told('held')
      await first?.kill()
      await grid.withdrawn()
      // Held money is nobody's: no second order before it is back.
      expect(grid.events.filter(({ event }) => event === 'attempt')).toHaveLength(1)
      const [order] = grid.journal.orders.list({ state: 'planned' })
      expect(order).toMatchObject({ peer: first?.pubkey, msats: 2_000n })
      // As the wallet does by itself at its deadline.
      const holder = await first?.payee.hold?.()
      await holder?.cancel(order?.hash ?? '')
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      expect(outcome.attempts).toMatchObject([
        { node: first?.pubkey, state: 'dead', msats: 0n },
        { node: second?.pubkey, state: 'answered', msats: 2_000n },
      ])
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
      expect(await first?.payee.balance()).toBe(walletMsats)
    }),
  )

  keeps('pay.back', 'a node that is killed after it was paid is asked for the money, and the next one is paid', () =>
    within([{ echo: { fault: 'hangs' } }, {}], async grid => {
      const [first, second] = grid.nodes
      const asking = ask(grid, [0, 1])
      await first?.told('running')
      await first?.kill()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 4_000n })
      expect(outcome.attempts).toMatchObject([
        { node: first?.pubkey, state: 'dead', msats: 2_000n, refund: 'asked' },
        { node: second?.pubkey, state: 'answered', msats: 2_000n },
      ])
      expect(grid.events.find(({ event }) => event === 'failover')).toMatchObject({ asks: 'whole', paidMsats: 2_000n })
      // The claim outlives the question.
      expect([...grid.journal.shelf('claims').entries()]).toHaveLength(1)
      expect(await grid.payer.balance()).toBe(walletMsats - 4_000n)
    }),
  )
})
