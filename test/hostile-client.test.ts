/** Strangers and dishonest nodes against our client: who is paid, what is shown, and what is believed. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Announcement, Event, Feedback } from '../kinds/index.ts'
import { feedback, frame, textResult } from '../kinds/index.ts'
import { type AskEvent, type Outcome, openClient } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import type { Bill } from '../src/payments/payment.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { receiptFor, zapRequestFor } from '../src/payments/zap.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { clock, openStage, type Stage, type Stranger } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await openStage()
})
afterEach(() => stage.close())

const now = () => seconds(clock)
const shown = (events: readonly AskEvent[]) =>
  events.flatMap(event => (event.event === 'chunk' || event.event === 'replaced' ? [event.text] : []))

/** What any key may say about any job, sealed to the customer as a real answer would be. */
function lies(who: Stranger, job: Event) {
  const to = { job: job.id, customer: job.pubkey }
  const encrypt = (text: string) => who.seal.encrypt(job.pubkey, text)
  return {
    feedback: (value: Omit<Feedback, 'job' | 'customer'>) =>
      who.say(feedback.write({ ...value, ...to }, now(), encrypt)),
    bill: (bill: Bill, msats = bill.msats) =>
      who.say(
        feedback.write(
          { ...to, status: 'payment-required', says: 'pay', content: '', msats, bolt11: bill.bolt11 },
          now(),
          encrypt,
        ),
      ),
    result: (text: string) => who.say(textResult.write({ ...to, text, status: 'success' }, now(), encrypt)),
    frame: (seq: number, text: string) =>
      who.say(frame.write({ job: job.id, to: job.pubkey, seq, text, last: false }, now(), encrypt)),
  }
}

describe('a stranger speaks about our job before the chosen node does', () => {
  /** An honest node that says nothing before the strangers have had their say. */
  async function story(
    say: (job: Event, stranger: Stranger, wallet: SimWallet, friend: SimWallet) => Promise<unknown>,
  ) {
    let open = () => {}
    const gate = new Promise<void>(resolve => {
      open = resolve
    })
    const echo = echoRunner({ clock })
    const runner = { ...echo, check: (...args: Parameters<typeof echo.check>) => gate.then(() => echo.check(...args)) }
    const market = await openMarket(stage, { node: { runner } })
    const stranger = stage.stranger()
    const wallet = market.net.wallet({ alias: 'stranger', msats: 0n })
    const friend = market.net.wallet({ alias: 'friend', msats: 7n })
    await stranger.hear(event => {
      if (event.kind === 5050) void say(event, stranger, wallet, friend).finally(open)
    })
    const outcome = await market.ask({ text: 'the true words', ttlSeconds: 20 })
    const [earned, left] = [await wallet.balance(), await market.payer.balance()]
    await wallet.close()
    await friend.close()
    await market.close()
    return { outcome, events: market.askEvents, node: market.node.pubkey, stranger, earned, left }
  }

  keeps('pay.chosen', 'a cheaper quote, a result, frames and an error of a stranger change nothing', async () => {
    const { outcome, events, node, earned, left } = await story(async (job, stranger, wallet) => {
      const lie = lies(stranger, job)
      await lie.bill(await wallet.bill({ key: job.id, msats: 1n, expirySeconds: 60, description: 'cheap' }))
      await lie.feedback({ status: 'error', says: 'The node is gone.', content: '', code: 'gone' })
      await lie.frame(0, 'false words')
      await lie.result('false words')
    })
    expect(outcome).toMatchObject({ ok: true, text: 'the true words', msats: 2_000n })
    expect(outcome.result?.pubkey).toBe(node)
    expect(shown(events).join('')).toBe('the true words')
    expect([earned, left]).toEqual([0n, walletMsats - 2_000n])
    expect(stage.seen.filter(event => event.pubkey !== node && event.kind === 6050)).toHaveLength(1)
  })

  keeps('pay.chosen', 'plain lies about a sealed job change nothing either', async () => {
    const { outcome, events, earned } = await story(async (job, stranger, wallet) => {
      const bill = await wallet.bill({ key: job.id, msats: 5n, expirySeconds: 60, description: 'plain' })
      const tags = [
        ['e', job.id, '', 'job'],
        ['p', job.pubkey],
      ]
      await stranger.say({
        kind: 7000,
        tags: [...tags, ['status', 'payment-required'], ['amount', '5', bill.bolt11]],
        content: '',
      })
      await stranger.say({ kind: 6050, tags: [...tags, ['amount', '5', bill.bolt11]], content: 'false words' })
    })
    expect(outcome).toMatchObject({ ok: true, text: 'the true words' })
    expect(shown(events).join('')).toBe('the true words')
    expect(earned).toBe(0n)
  })

  keeps(
    'proof.receipt',
    'a zap receipt signed by a stranger is not believed, with a paid invoice and a true preimage in it',
    async () => {
      const { outcome, events, node } = await story(async (job, stranger, wallet, friend) => {
        const request = stranger.sign(
          zapRequestFor({ node: stranger.pubkey, job: job.id, msats: 7n, relays: [stage.url] }, now()),
        )
        const json = JSON.stringify(request)
        const bill = await wallet.bill({ key: job.id, msats: 7n, expirySeconds: 60, description: 'mine' })
        const paid = await friend.pay({ bolt11: bill.bolt11, hash: bill.hash, msats: bill.msats })
        if (paid.state !== 'paid') throw new Error('the stranger could not pay itself')
        await stranger.say(
          receiptFor({ zapRequestJson: json, bolt11: bill.bolt11, preimage: paid.preimage, paidAt: now() }),
        )
      })
      expect(outcome.receipt?.pubkey).toBe(node)
      expect(events.filter(event => event.event === 'receipt')).toMatchObject([{ ok: true }])
    },
  )
})

describe('the chosen node is dishonest', () => {
  const announced = (who: Stranger): Announcement => ({
    ...{ id: 'x', kinds: [5050], topics: [], name: 'x', about: '', encrypted: true, priceMsats: 2_000n, models: [] },
    ...{ nodeKeys: [], zappers: [who.pubkey], custodial: false, relays: [], v: 1 },
  })

  interface Ended {
    readonly outcome: Outcome
    readonly events: readonly AskEvent[]
    readonly paid: bigint
  }

  /** Asks a node that the test plays by hand. */
  async function askOf(
    serve: (
      say: ReturnType<typeof lies>,
      bill: (msats: bigint, key?: string) => Promise<Bill>,
      settled: (hash: string) => Promise<string>,
      job: Event,
      who: Stranger,
    ) => Promise<unknown>,
  ): Promise<Ended> {
    const net = simNet({ clock, pollMs: 20 })
    const payee = net.wallet({ alias: 'node', msats: 0n })
    const payer = net.wallet({ alias: 'client', msats: walletMsats })
    const who = stage.stranger()
    const bill = (msats: bigint, key = 'a') => payee.bill({ key, msats, expirySeconds: 60, description: 'x' })
    const settled = (hash: string) =>
      new Promise<string>(resolve => payee.watch(hash, ({ preimage }) => resolve(preimage)))
    const served: Promise<unknown>[] = []
    await who.hear(event => {
      if (event.kind === 5050) served.push(serve(lies(who, event), bill, settled, event, who))
    })
    const { keys } = stage
    const events: AskEvent[] = []
    const client = openClient({
      relays: stage.connect(),
      keys,
      secret: keys.newSecret(),
      clock,
      payer,
      network: 'regtest',
    })
    const outcome = await client.ask({
      text: 'hello',
      node: { pubkey: who.pubkey, announcement: announced(who) },
      capMsats: 5_000n,
      ttlSeconds: 20,
      onEvent: event => void events.push(event),
    })
    await Promise.all(served)
    const paid = walletMsats - (await payer.balance())
    expect(net.conserved()).toBe(true)
    await payer.close()
    await payee.close()
    return { outcome, events, paid }
  }

  keeps('pay.once', 'a second quote for the same job is not paid', async () => {
    const { outcome, paid, events } = await askOf(async (say, bill, settled) => {
      const [one, two] = [await bill(2_000n, 'one'), await bill(2_000n, 'two')]
      await say.bill(one)
      await say.bill(two)
      await settled(one.hash)
      await say.bill(two)
      await say.result('done')
    })
    expect(outcome).toMatchObject({ ok: true, msats: 2_000n })
    expect(paid).toBe(2_000n)
    expect(events.filter(event => event.event === 'quote')).toHaveLength(1)
  })

  keeps('pay.once', 'a result that bills again what was paid before is not paid', async () => {
    const { outcome, paid } = await askOf(async (say, bill, settled, job, who) => {
      const [one, two] = [await bill(2_000n, 'one'), await bill(2_000n, 'two')]
      await say.bill(one)
      await settled(one.hash)
      const value = { job: job.id, customer: job.pubkey, text: 'done', msats: 2_000n, bolt11: two.bolt11 }
      await who.say(textResult.write(value, now(), text => who.seal.encrypt(job.pubkey, text)))
    })
    expect(outcome).toMatchObject({ ok: true, msats: 2_000n })
    expect(paid).toBe(2_000n)
  })

  keeps('pay.cap', 'a price far above the announced one is refused at the cap', async () => {
    const { outcome, paid } = await askOf(async (say, bill) => say.bill(await bill(5_001n)))
    expect(outcome).toMatchObject({ ok: false, code: 'over-cap', msats: 0n })
    expect(outcome.says).toContain('--max-sats 6')
    expect(paid).toBe(0n)
  })

  keeps('pay.exact', 'an invoice for more than stands beside it is not paid', async () => {
    const { outcome, paid } = await askOf(async (say, bill) => say.bill(await bill(4_000n), 2_000n))
    expect(outcome).toMatchObject({ ok: false, code: 'amount-mismatch', msats: 0n })
    expect(paid).toBe(0n)
  })

  keeps('pay.exact', 'an amount without an invoice, or with nonsense for one, is not paid', async () => {
    for (const bolt11 of ['lnbcrt20n1nonsense', undefined]) {
      const { outcome, paid } = await askOf(async (_, __, ___, job, who) => {
        const amount = ['amount', '2000', ...(bolt11 ? [bolt11] : [])]
        const hidden = JSON.stringify([['status', 'payment-required'], amount])
        const content = who.seal.encrypt(job.pubkey, hidden)
        await who.say({ kind: 7000, tags: [['e', job.id], ['p', job.pubkey], ['encrypted']], content })
      })
      expect(outcome).toMatchObject({ ok: false, msats: 0n })
      expect(outcome.code).toMatch(/no-invoice|bad-invoice/)
      expect(paid).toBe(0n)
    }
  })

  keeps('relay.hostile', 'results that cannot be opened are no answer; the one that can be is', async () => {
    const { outcome } = await askOf(async (say, bill, settled, job, who) => {
      const due = await bill(2_000n)
      await say.bill(due)
      await settled(due.hash)
      const tags = [['e', job.id], ['p', job.pubkey], ['encrypted']]
      const good = who.seal.encrypt(job.pubkey, 'not this')
      for (const content of [
        '',
        'AgAA',
        `A${good.slice(1, -8)}AAAAAAA=`,
        `${good.slice(0, 40)}${good[40] === 'x' ? 'y' : 'x'}${good.slice(41)}`,
      ])
        await who.say({ kind: 6050, tags, content })
      await who.say({
        kind: 6050,
        tags: [
          ['e', who.pubkey],
          ['p', job.pubkey],
        ],
        content: 'of another job',
      })
      await say.result('the answer')
    })
    expect(outcome).toMatchObject({ ok: true, text: 'the answer' })
  })

  keeps(
    'proof.receipt',
    'the node itself signs a receipt with a false preimage: paid, answered, and not proven by it',
    async () => {
      const { outcome, events } = await askOf(async (say, bill, settled, job, who) => {
        const due = await bill(2_000n)
        await say.bill(due)
        await settled(due.hash)
        const request = who.sign(
          zapRequestFor({ node: who.pubkey, job: job.id, msats: 2_000n, relays: [stage.url] }, now()),
        )
        const claim = { bolt11: due.bolt11, preimage: '11'.repeat(32), paidAt: now() }
        await who.say(receiptFor({ zapRequestJson: JSON.stringify(request), ...claim }))
        await say.result('done')
      })
      expect(outcome).toMatchObject({ ok: true, msats: 2_000n })
      expect(outcome.receipt).toBeUndefined()
      const [judged] = events.filter(event => event.event === 'receipt')
      expect(judged).toMatchObject({ ok: false })
      expect(judged?.reasons).toEqual(expect.arrayContaining(['preimage', 'payer-not-customer', 'self-zap']))
    },
  )

  test('silence after the payment ends the job with the proof in the customer’s hand', async () => {
    const { outcome, paid } = await askOf(async (say, bill, settled) => {
      const due = await bill(2_000n)
      await say.bill(due)
      await settled(due.hash)
      await say.feedback({ status: 'error', says: 'I keep it.', content: '', code: 'mine-now' })
    })
    expect(outcome).toMatchObject({ ok: false, code: 'mine-now', msats: 2_000n })
    expect(outcome.preimage).toMatch(/^[0-9a-f]{64}$/)
    expect(paid).toBe(2_000n)
  })
})
