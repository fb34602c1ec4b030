/** When money moves: parts, hold, credit, what is kept and what comes back; in every world. */
import { describe, expect } from 'vitest'
import { memoryJournal } from '../src/journal/memory.ts'
import { type Market, type MarketOptions, openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { inEveryWorld, type World } from './worlds.ts'

const words = 'one two three four five six seven eight'

inEveryWorld('terms', open => {
  const within = async (options: MarketOptions, body: (market: Market, world: World) => Promise<void>) => {
    const world = await open()
    const market = await openMarket(world, options)
    try {
      await body(market, world)
      expect(market.net.conserved()).toBe(true)
    } finally {
      await market.close()
    }
  }
  const billed = ({ nodeEvents }: Market) =>
    nodeEvents.flatMap(event => (event.event === 'invoice' ? [event.msats ?? 0n] : []))

  describe('parts', () => {
    keeps('pay.parts', 'each part is billed when the one before is made, and the parts add up', () =>
      within({ priceMsats: 2_003n }, async market => {
        const outcome = await market.ask({ text: words, maxTokens: 8, terms: { word: 'parts', parts: 4 } })
        expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_003n })
        expect(billed(market)).toEqual([501n, 501n, 501n, 500n])
        expect(await market.payer.balance()).toBe(walletMsats - 2_003n)
      }),
    )

    keeps('pay.parts', 'an answer that ends early leaves the later parts unbilled', () =>
      within({ priceMsats: 2_000n }, async market => {
        const outcome = await market.ask({ text: 'one two three', maxTokens: 8, terms: { word: 'parts', parts: 4 } })
        expect(outcome).toMatchObject({ ok: true, text: 'one two three', msats: 1_000n })
        expect(billed(market)).toEqual([500n, 500n])
      }),
    )

    keeps('pay.parts', 'work that dies in a part gives that part back and keeps the earlier ones', () => {
      const journal = memoryJournal()
      return within({ priceMsats: 2_000n, echo: { fault: 'dies' }, node: { journal } }, async market => {
        const outcome = await market.ask({ text: words, maxTokens: 8, terms: { word: 'parts', parts: 2 } })
        expect(outcome).toMatchObject({ ok: false, code: 'runner', msats: 1_000n })
        expect(outcome.job.creditMsats).toBe(1_000n)
        expect(journal.bills.creditMsats(market.client.pubkey)).toBe(1_000n)
      })
    })

    keeps('pay.parts', 'who did not wish for parts never pays a second bill', () =>
      within({ priceMsats: 2_000n }, async market => {
        await market.ask({ text: words, maxTokens: 8 })
        expect(billed(market)).toEqual([2_000n])
      }),
    )
  })

  describe('hold', () => {
    keeps('pay.hold', 'the money is held, the answer comes sealed, and paying opens it', () =>
      within({}, async (market, world) => {
        const outcome = await market.ask({ text: words, terms: { word: 'hold' } })
        expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
        expect(outcome.receipt).toBeDefined()
        expect(outcome.job.sealed?.hash).toBe(outcome.job.order?.hash)
        const told = market.nodeEvents.map(({ event }) => event)
        expect(told.indexOf('held')).toBeLessThan(told.indexOf('delivered'))
        expect(told.indexOf('delivered')).toBeLessThan(told.indexOf('paid'))
        expect(JSON.stringify(world.seen)).not.toContain('seven')
      }),
    )

    keeps('pay.hold', 'work that fails costs nothing: the held money goes back', () =>
      within({ echo: { fault: 'dies' } }, async market => {
        const outcome = await market.ask({ text: words, terms: { word: 'hold' } })
        expect(outcome).toMatchObject({ ok: false, msats: 0n })
        expect(await market.payer.balance()).toBe(walletMsats)
        expect(await market.payee.balance()).toBe(walletMsats)
      }),
    )

    keeps('pay.hold', 'a customer who withdraws gets the held money back', () =>
      within({ echo: { fault: 'hangs' } }, async market => {
        const stop = new AbortController()
        const asked = market.ask({ text: words, terms: { word: 'hold' } }, stop.signal)
        await market.told('held')
        stop.abort()
        expect(await asked).toMatchObject({ ok: false, msats: 0n })
        expect(await market.payer.balance()).toBe(walletMsats)
      }),
    )

    keeps('pay.hold', 'a wallet that cannot hold bills plainly before', () =>
      within({ node: { terms: { hold: false } } }, async market => {
        const outcome = await market.ask({ text: words, terms: { word: 'hold' } })
        expect(outcome).toMatchObject({ ok: true, text: words, msats: 2_000n })
        expect(outcome.job.sealed).toBeUndefined()
        expect(outcome.job.quote?.terms?.word).toBe('before')
      }),
    )
  })

  describe('credit', () => {
    keeps('pay.back', 'work that fails after it was paid comes back to a client that can take it', () => {
      const journal = memoryJournal()
      return within({ echo: { fault: 'dies' }, node: { journal }, refunds: true }, async market => {
        const outcome = await market.ask({ text: words })
        expect(outcome).toMatchObject({ ok: false, code: 'runner', msats: 2_000n })
        // The outcome does not wait for refunds.
        expect(await market.client.settled()).toBe(true)
        expect(await market.payer.balance()).toBe(walletMsats)
        expect(journal.bills.creditMsats(market.client.pubkey)).toBe(0n)
        expect(journal.orders.list({ state: 'paid' })).toMatchObject([{ purpose: 'refund', msats: 2_000n }])
        const refunds = market.askEvents.flatMap(event => (event.event === 'refund' ? [event.state] : []))
        expect(refunds).toEqual(['asked', 'paid'])
      })
    })

    keeps('pay.back', 'what is kept pays for the next job of the same customer, once', () => {
      const journal = memoryJournal()
      return within({ node: { journal } }, async market => {
        const customer = market.client.pubkey
        const row = { customer, job: 'ab'.repeat(32), why: 'late', at: 1 }
        journal.bills.credit({ ...row, id: 'x', msats: 3_000n })
        expect(await market.ask({ text: words })).toMatchObject({ ok: true, text: words, msats: 0n })
        expect(journal.bills.creditMsats(customer)).toBe(1_000n)
        expect(await market.ask({ text: words })).toMatchObject({ ok: true, msats: 2_000n })
        expect(journal.bills.creditMsats(customer)).toBe(1_000n)
      })
    })
  })

  describe('after', () => {
    keeps('pay.after', 'a stranger pays before, whoever has paid may pay after, and a debt uses up the line', () => {
      const journal = memoryJournal()
      const terms = { after: { startMsats: 0n } }
      return within({ node: { journal, when: 'after', terms } }, async market => {
        const whens: string[] = []
        for (let i = 0; i < 4; i++) {
          const outcome = await market.ask({ text: words })
          expect(outcome).toMatchObject({ ok: true, msats: 2_000n })
          whens.push(outcome.job.quote?.terms?.word === 'before' ? 'before' : 'after')
        }
        expect(whens).toEqual(['before', 'before', 'after', 'after'])
        // Now the customer takes work and pays nothing: at most what it has earned.
        market.payer.faults = { pay: 'fail' }
        for (let i = 0; i < 2; i++) expect(await market.ask({ text: words })).toMatchObject({ ok: true, msats: 0n })
        expect(await market.ask({ text: words })).toMatchObject({ ok: false, msats: 0n })
        await market.told('cancelled')
        expect(journal.bills.list({ customer: market.client.pubkey, state: 'open' })).toHaveLength(2)
      })
    })
  })
})
