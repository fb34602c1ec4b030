/** A node refuses, fails or keeps silent, and a cap that is used up: what is asked next, and what is told. */
import { describe, expect } from 'vitest'
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
import { memoryWorld, type World } from './worlds.ts'

describe('fail-over', () => {
  const within = (nodes: readonly GridNodeOptions[], body: (grid: Grid, world: World) => Promise<void>) =>
    withGrid(memoryWorld, nodes, body)

  keeps('pay.parts', 'all parts paid and no answer: the last part is bought once more and claimed back', () =>
    within([{ echo: { pieceMs: 30 } }, {}], async grid => {
      const [first] = grid.nodes
      const asking = ask(grid, [0, 1], { maxTokens: 12, terms: { word: 'parts', parts: 2 } })
      await first?.told('paid', 2).catch(() => {})
      await first?.told('invoice', 2)
      await first?.kill()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words })
      expect(shown(grid.events)).toBe(words)
      const [one, two] = outcome.attempts
      expect(two?.parts).toBe(1)
      expect(outcome.msats).toBe((one?.msats ?? 0n) + (two?.msats ?? 0n))
      expect(outcome.msats).toBeLessThanOrEqual(3_000n)
      expect(await grid.payer.balance()).toBe(walletMsats - outcome.msats)
    }),
  )

  keeps('pay.hold', 'a node that comes back with held money answers or gives it back: one answer, paid once', () =>
    within([{ echo: { delayMs: 3_000 } }, {}], async grid => {
      const [first] = grid.nodes
      const asking = ask(grid, [0, 1], { terms: { word: 'hold' } })
      await first?.told('held')
      await first?.kill()
      await grid.withdrawn()
      await first?.restart()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps('pay.cap', 'the next node is not asked where the cap has no room for it, and the outcome says so', () =>
    within([{ echo: { fault: 'hangs' } }, {}], async grid => {
      const [first, second] = grid.nodes
      const asking = ask(grid, [0, 1], { capMsats: 3_999n })
      await first?.told('running')
      await first?.kill()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: false, code: 'cap', msats: 2_000n })
      expect(outcome.says).toContain('asks 2000 msats and 1999 are left of the 3999')
      expect(outcome.attempts[1]).toMatchObject({ node: second?.pubkey, state: 'skipped', msats: 0n })
      expect(second?.events.map(({ event }) => event)).not.toContain('accepted')
    }),
  )

  keeps('pay.back', 'work that fails is paid back and makes room for the next node under the same cap', () =>
    within([{ echo: { fault: 'dies' } }, {}], async grid => {
      const outcome = await ask(grid, [0, 1], { capMsats: 2_000n })
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      expect(outcome.attempts).toMatchObject([
        { state: 'failed', msats: 2_000n, refund: 'paid', refundMsats: 2_000n },
        { state: 'answered', msats: 2_000n, refundMsats: 0n },
      ])
      expect(shown(grid.events)).toBe(words)
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps('pay.once', 'a node that refuses and one that is silent cost nothing', () =>
    within([{ echo: { contextTokens: 4 } }, {}, {}], async grid => {
      const [first, second, third] = grid.nodes
      await second?.kill()
      const outcome = await ask(grid, [0, 1, 2])
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
      expect(outcome.attempts).toMatchObject([
        { node: first?.pubkey, state: 'refused', msats: 0n, why: { code: 'too-long' } },
        { node: second?.pubkey, state: 'silent', msats: 0n, why: { code: 'silent' } },
        { node: third?.pubkey, state: 'answered', msats: 2_000n },
      ])
      expect(await grid.payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps('job.ends', 'half an answer for nothing is gone on with from where it stands, and nothing is shown twice', () =>
    within([{ priceMsats: 0n, echo: { pieceMs: 40 } }, { priceMsats: 0n }], async grid => {
      const [first] = grid.nodes
      const asking = ask(grid, [0, 1], { capMsats: 0n })
      await grid.onceEvent('chunk', 3)
      await first?.kill()
      const outcome = await asking
      expect(outcome).toMatchObject({ ok: true, text: words, msats: 0n })
      expect(shown(grid.events)).toBe(words)
      expect(grid.events.some(({ event }) => event === 'replaced')).toBe(false)
      expect(outcome.attempts.map(({ state }) => state)).toEqual(['dead', 'answered'])
    }),
  )

  keeps('job.ends', 'a second node with another story replaces what was shown', () =>
    within(
      [
        { priceMsats: 0n, echo: { pieceMs: 40 } },
        { priceMsats: 0n, echo: { fault: 'lies' } },
      ],
      async grid => {
        const [first] = grid.nodes
        const asking = ask(grid, [0, 1], { capMsats: 0n })
        await grid.onceEvent('chunk', 2)
        await first?.kill()
        const outcome = await asking
        expect(outcome.text).toMatch(/^not twelve eleven/)
        expect(grid.events.some(({ event }) => event === 'replaced')).toBe(true)
        expect(shown(grid.events)).toBe(outcome.text)
      },
    ),
  )
})
