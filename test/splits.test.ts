/** Who shares in a price is paid beside the node, exactly and once; in every world. */
import { expect, test } from 'vitest'
import { keeps } from './promises.ts'
import { openSplitTown, price, type SplitTown, type SplitTownOptions } from './splits-town.ts'
import { inEveryWorld } from './worlds.ts'

inEveryWorld('splits', open => {
  const within = async (options: SplitTownOptions, body: (town: SplitTown) => Promise<void>) => {
    const town = await openSplitTown(await open(), options)
    try {
      await body(town)
    } finally {
      await town.close()
    }
  }

  keeps('pay.splits', 'node and receivers get their shares to the msat, and every receipt holds', () =>
    within({ weights: [2, 1, 1] }, async town => {
      const { others, journal, world, events } = town
      const outcome = await town.ask()
      expect(outcome).toMatchObject({ ok: true, text: 'one two three', msats: price })
      const [own = 0n, ...shares] = await town.gains()
      expect(shares.pop()).toBe(-price)
      expect([own, ...shares].reduce((sum, msats) => sum + msats, 0n)).toBe(price)
      expect([own, ...shares.toSorted()]).toEqual([1_001n, 501n, 501n])
      expect(outcome.splits).toMatchObject(
        others.map(({ pubkey }, i) => ({ pubkey, msats: shares[i], state: 'paid', receipt: { pubkey } })),
      )
      expect(outcome.receipt?.pubkey).toBe(town.seller.pubkey)
      for (const { receipt } of outcome.splits ?? []) expect(world.seen.map(({ id }) => id)).toContain(receipt?.id)
      expect(events.flatMap(event => (event.event === 'split' ? [event.state] : []))).toEqual(['paid', 'paid'])
      const orders = journal.orders.list().map(({ purpose, state, peer }) => [purpose, state, peer].join())
      expect(orders.toSorted()).toEqual(
        [`job,paid,${town.seller.pubkey}`, ...others.map(({ pubkey }) => `split,paid,${pubkey}`)].toSorted(),
      )
      expect(journal.jobs.unfinished('client')).toEqual([])
      expect(town.seller.journal.bills.list().map(({ purpose }) => purpose)).toEqual(['job'])
      for (const one of others) {
        expect(one.events.flatMap(({ event }) => (event === 'tip' ? [event] : []))).toEqual(['tip'])
        expect(one.journal.bills.list()).toMatchObject([{ purpose: 'split', state: 'paid' }])
      }
    }),
  )

  test('a node that does not list itself bills nothing, and the others share the whole price', () =>
    within({ weights: [0, 1] }, async town => {
      expect(await town.ask()).toMatchObject({ ok: true, msats: price, splits: [{ state: 'paid', msats: price }] })
      expect(await town.gains()).toEqual([0n, price, -price])
    }))

  test('an answer that is bought by hold shares its price, too', () =>
    within({ weights: [1, 1] }, async town => {
      const outcome = await town.ask({ terms: { word: 'hold' } })
      expect(outcome).toMatchObject({ ok: true, msats: price, splits: [{ state: 'paid' }] })
      expect((await town.gains()).at(-1)).toBe(-price)
    }))

  test('of an answer that ends early, everybody gets the same part', () =>
    within({ weights: [1, 1] }, async town => {
      const terms = { word: 'parts', parts: 4 } as const
      const outcome = await town.ask({ text: 'one two three', maxTokens: 8, terms })
      const [own = 0n, other = 0n] = await town.gains()
      expect(outcome).toMatchObject({ ok: true, msats: own + other, splits: [{ msats: other, state: 'paid' }] })
      expect([own, other].every(msats => msats >= 500n && msats <= 502n)).toBe(true)
    }))
})
