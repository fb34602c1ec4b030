/** What happens when a wallet does not say what became of a payment. Time is in the test's hand. */
import { describe, expect } from 'vitest'
import { type HandClock, handClock } from '../src/clock.ts'
import { type Market, openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { memoryWorld } from './worlds.ts'

/** Lets time pass, second by second, until the promise is settled. */
async function passTime<T>(clock: HandClock, promise: Promise<T>, seconds = 900): Promise<T> {
  let settled = false
  const mark = () => {
    settled = true
  }
  promise.then(mark, mark)
  for (let i = 0; i < seconds && !settled; i++) {
    await clock.advance(1000)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  return promise
}

async function story(body: (market: Market, clock: HandClock) => Promise<void>): Promise<void> {
  const clock = handClock()
  const market = await openMarket(await memoryWorld(clock))
  try {
    await body(market, clock)
    expect(market.net.conserved()).toBe(true)
  } finally {
    await market.close()
  }
}

describe('money in doubt', () => {
  keeps('pay.once', 'a wallet whose answer is lost is asked until it knows, and pays once', () =>
    story(async ({ ask, payer }, clock) => {
      payer.faults = { pay: 'unknown-then-paid', delayMs: 20_000 }
      const outcome = await passTime(clock, ask({ text: 'patience' }))
      expect(outcome).toMatchObject({ ok: true, text: 'patience', msats: 2_000n })
      expect(await payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps('pay.once', 'a payment that fails after long doubt ends the job unpaid', () =>
    story(async ({ ask, payer }, clock) => {
      payer.faults = { pay: 'unknown-then-failed', delayMs: 20_000 }
      const outcome = await passTime(clock, ask({ text: 'patience' }))
      expect(outcome).toMatchObject({ ok: false, msats: 0n })
      expect(await payer.balance()).toBe(walletMsats)
    }),
  )

  keeps('pay.once', 'a wallet that never got the order is ordered again, the same invoice and no other', () =>
    story(async ({ ask, payer, askEvents }, clock) => {
      payer.faults = { reach: 'down' }
      const asked = ask({ text: 'wake up' })
      await passTime(clock, Promise.race([asked, clock.advance(20_000)]), 30)
      payer.faults = {}
      const outcome = await passTime(clock, asked)
      expect(outcome).toMatchObject({ ok: true, msats: 2_000n })
      const hashes = askEvents.flatMap(event => (event.event === 'paying' ? [event.hash] : []))
      expect(hashes.length).toBeGreaterThan(1)
      expect(new Set(hashes).size).toBe(1)
      expect(await payer.balance()).toBe(walletMsats - 2_000n)
    }),
  )

  keeps(
    'pay.once',
    'who cannot wait for a silent wallet is told the payment hash to ask about, and pays nothing else',
    () =>
      story(async ({ ask, payer, askEvents }, clock) => {
        payer.faults = { pay: 'hang' }
        const giveUp = new AbortController()
        const asked = ask({ text: 'hurry', giveUp: giveUp.signal })
        await clock.advance(5_000)
        giveUp.abort()
        const outcome = await passTime(clock, asked)
        const order = askEvents.find(event => event.event === 'paying')
        expect(outcome).toMatchObject({ ok: false, code: 'payment-unknown', msats: 0n })
        expect(outcome.says).toContain(order?.event === 'paying' ? order.hash : 'nothing was ordered')
      }),
  )

  keeps('job.ends', 'an invoice that nobody pays expires, and the node asks its wallet before it says so', () =>
    story(async ({ ask, payer, payee, told, node }, clock) => {
      payer.faults = { pay: 'hang' }
      payee.faults = { reach: 'ok' }
      const stop = new AbortController()
      const asked = ask({ text: 'too slow' }, stop.signal)
      await passTime(clock, told('expired'))
      expect(node.jobs()).toEqual([])
      payer.faults = {}
      stop.abort()
      void asked
    }),
  )

  keeps('job.late-money', 'money that settles after the invoice has expired is told as the customer’s credit', () =>
    story(async ({ ask, payer, payee, told, net, askEvents }, clock) => {
      payer.faults = { pay: 'hang' }
      const asked = ask({ text: 'very late' })
      await passTime(clock, told('expired'))
      const order = askEvents.find(event => event.event === 'paying')
      if (order?.event !== 'paying') throw new Error('nothing was ordered')
      net.finish(order.hash, 'paid')
      const outcome = await passTime(clock, asked)
      expect(outcome).toMatchObject({ ok: false, msats: 2_000n })
      expect((await passTime(clock, told('credit'))).msats).toBe(2_000n)
      expect(await payee.balance()).toBe(walletMsats + 2_000n)
    }),
  )
})
