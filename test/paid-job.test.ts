/** The story that everything is for: ask, pay, read; in every world. */
import { describe, expect } from 'vitest'
import { PaymentError } from '../src/payments/payment.ts'
import { type Market, type MarketOptions, openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { inEveryWorld, type World } from './worlds.ts'

const cheap = {
  ...{ id: 'x', kinds: [5050], topics: [], name: 'x', about: '', encrypted: true, models: [], nodeKeys: [] },
  ...{ zappers: [], custodial: false, relays: [], v: 1 },
}
const secretQuestion = 'what is the colour of the hidden door'

inEveryWorld('a paid job', open => {
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

  keeps('pay.exact', 'the price is paid once, the answer comes, the receipt holds', () =>
    within({}, async ({ ask, payee, payer, node, nodeEvents, askEvents }) => {
      const outcome = await ask({ text: 'one two three' })
      expect(outcome).toMatchObject({ ok: true, text: 'one two three', msats: 2_000n })
      expect(outcome.receipt?.pubkey).toBe(node.pubkey)
      expect(await payer.balance()).toBe(walletMsats - 2_000n)
      expect(await payee.balance()).toBe(walletMsats + 2_000n)
      const shown = askEvents.flatMap(event => (event.event === 'chunk' ? [event.text] : []))
      expect(shown.join('')).toBe('one two three')
      expect(nodeEvents.map(event => event.event)).toContain('delivered')
      expect(node.jobs()).toEqual([])
    }),
  )

  keeps('privacy.sealed', 'no event that the relay was given shows the question or the answer', () =>
    within({}, async ({ ask }, world) => {
      expect((await ask({ text: secretQuestion })).text).toBe(secretQuestion)
      const all = JSON.stringify(world.seen)
      expect(world.seen.length).toBeGreaterThan(5)
      for (const word of ['colour', 'hidden', 'door']) expect(all).not.toContain(word)
    }),
  )

  keeps('pay.cap', 'a price above what was allowed is refused, and the refusal says how to allow it', () =>
    within({}, async ({ ask, payer }) => {
      const outcome = await ask({ text: 'x', capMsats: 1_999n })
      expect(outcome).toMatchObject({ ok: false, msats: 0n })
      expect(outcome.code).toMatch(/over-cap|underbid/)
      expect(outcome.says).toMatch(/2000 msats/)
      expect(await payer.balance()).toBe(walletMsats)
    }),
  )

  keeps('pay.cap', 'a price above the announced one is not paid although the cap would allow it', () =>
    within({}, async ({ client, node, payer }) => {
      const announcement = { ...cheap, priceMsats: 1_999n }
      const outcome = await client.ask({ text: 'x', node: { pubkey: node.pubkey, announcement }, capMsats: 9_000n })
      expect(outcome).toMatchObject({ ok: false, msats: 0n })
      expect(outcome.code).toMatch(/underbid|over-announced/)
      expect(await payer.balance()).toBe(walletMsats)
    }),
  )

  keeps('job.refused', 'work that does not fit is refused before anything is billed', () =>
    within({ echo: { contextTokens: 4 } }, async ({ ask, nodeEvents, payer }) => {
      const outcome = await ask({ text: 'far more words than fit into this context' })
      expect(outcome).toMatchObject({ ok: false, code: 'too-long', msats: 0n })
      expect(nodeEvents.map(event => event.event)).not.toContain('invoice')
      expect(await payer.balance()).toBe(walletMsats)
    }),
  )

  keeps('proof.receipt', 'a wallet that cannot commit to a zap request still sells, without a receipt', () =>
    within({}, async ({ ask, payee, told }) => {
      const bill = payee.bill.bind(payee)
      payee.bill = (wish, signal) =>
        wish.descriptionHash ? Promise.reject(new PaymentError('NOT_IMPLEMENTED', 'no hash')) : bill(wish, signal)
      const outcome = await ask({ text: 'no receipt' })
      expect(outcome).toMatchObject({ ok: true, text: 'no receipt', msats: 2_000n })
      expect(outcome.receipt).toBeUndefined()
      expect((await told('trouble')).says).toContain('no hash')
    }),
  )

  keeps('job.ends', 'a runner that dies ends the job as failed, and the money is the customer’s credit', () =>
    within({ echo: { fault: 'dies' } }, async ({ ask, told }) => {
      const outcome = await ask({ text: 'one two three four' })
      expect(outcome).toMatchObject({ ok: false, code: 'runner', msats: 2_000n })
      expect(outcome.preimage).toMatch(/^[0-9a-f]{64}$/)
      expect((await told('credit')).msats).toBe(2_000n)
    }),
  )

  for (const [what, text] of [
    ['one word', 'patience'],
    ['words in many scripts', 'ñandú 漢字 🫡 end'],
    ['fifty thousand bytes', 'word '.repeat(9_999).trim()],
  ] as const)
    keeps('job.ends', `an answer of ${what} arrives whole`, () =>
      within({ echo: { contextTokens: 1_000_000 }, priceMsats: 0n }, async ({ ask, askEvents }) => {
        const outcome = await ask({ text, maxTokens: 20_000 })
        expect(outcome).toMatchObject({ ok: true })
        expect(outcome.text).toBe(text)
        expect(askEvents.flatMap(event => (event.event === 'chunk' ? [event.text] : [])).join('')).toBe(text)
      }),
    )

  keeps(
    'job.ends',
    'question and answer that no event can carry come in chunks, and no event is larger than relays take',
    () =>
      within({ echo: { contextTokens: 1_000_000 } }, async ({ ask }, world) => {
        const text = `${'word '.repeat(12_500)}end`
        const outcome = await ask({ text, maxTokens: 20_000 })
        expect(outcome).toMatchObject({ ok: true, msats: 2_000n, privacy: { level: 1 } })
        expect(outcome.text).toBe(text)
        expect(world.seen.filter(({ kind }) => kind === 4635).length).toBeGreaterThanOrEqual(4)
        for (const event of world.seen) expect(JSON.stringify(event).length).toBeLessThanOrEqual(65_536)
      }),
  )

  keeps('job.cancelled', 'a job that is withdrawn is stopped and not answered', () =>
    within({ echo: { fault: 'hangs' }, priceMsats: 0n }, async ({ ask, told, node }) => {
      const stop = new AbortController()
      const asked = ask({ text: 'one two' }, stop.signal)
      await told('running')
      stop.abort()
      expect(await asked).toMatchObject({ ok: false, code: 'cancelled' })
      await told('cancelled')
      expect(node.jobs()).toEqual([])
    }),
  )

  keeps('relay.outage', 'the relay dies while the node works and comes back: the answer comes', () =>
    within({ echo: { delayMs: 300 } }, async ({ ask, told, payer }, world) => {
      const asked = ask({ text: 'still here' })
      await told('running')
      const back = await world.outage()
      await told('delivered')
      await back()
      expect(await asked).toMatchObject({ ok: true, text: 'still here' })
      expect(await payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps(
    'proof.preimage',
    'a wallet that hides the preimage leaves the payment unproven, and no receipt is believed',
    () =>
      within({}, async ({ ask, payer, askEvents }) => {
        payer.faults = { pay: 'unproven' }
        const outcome = await ask({ text: 'trust me' })
        expect(outcome.ok).toBe(true)
        expect(outcome.job.pay).toBe('unproven')
        expect(outcome.preimage).toBeUndefined()
        expect(askEvents.some(event => event.event === 'unproven')).toBe(true)
      }),
  )

  keeps('work.paid', 'a wallet that refuses to pay gets no work', () =>
    within({}, async ({ ask, payer, nodeEvents }) => {
      payer.faults = { pay: 'fail' }
      expect(await ask({ text: 'please' })).toMatchObject({ ok: false, msats: 0n })
      expect(nodeEvents.map(event => event.event)).not.toContain('running')
      expect(await payer.balance()).toBe(walletMsats)
    }),
  )
})

describe('pay after', () => {
  inEveryWorld('credit', open => {
    keeps('job.late-money', 'the answer comes first, then its bill, which is paid under the same cap', async () => {
      const market = await openMarket(await open(), { node: { when: 'after' } })
      try {
        const outcome = await market.ask({ text: 'on credit' })
        expect(outcome).toMatchObject({ ok: true, text: 'on credit', msats: 2_000n })
        expect(await market.payee.balance()).toBe(walletMsats + 2_000n)
        await market.told('paid')
      } finally {
        await market.close()
      }
    })
  })
})
