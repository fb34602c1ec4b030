import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../src/payments/hash.ts'
import { memoryStore } from '../src/payments/nwc/store.ts'
import { serviceWorld } from './nwc-wire.ts'

function world(options: Parameters<typeof serviceWorld>[0] = {}) {
  const made = serviceWorld(options)
  const pay = async (invoice: string) => (await made.ask('pay_invoice', { invoice })).error?.code ?? 'paid'
  return { ...made, pay }
}

describe('budget', () => {
  test('three payments at once race for what is left: two pass, one is QUOTA_EXCEEDED', async () => {
    const { line, clock, request, answers, bill, ask, mine } = world({ budgetMsats: 10_000n })
    mine.faults = { delayMs: 50 }
    const events = await Promise.all(
      ['a', 'b', 'c'].map(async key => request('pay_invoice', { invoice: (await bill(key, 5_000n)).bolt11 })),
    )
    for (const event of events) line.deliver(event)
    await clock.advance(1_000)
    const codes = events.map(({ id }) => answers(id)[0]?.error?.code ?? 'paid')
    expect(codes.sort()).toEqual(['QUOTA_EXCEEDED', 'paid', 'paid'])
    expect((await ask('get_budget')).result).toEqual({
      used_budget: 10_000,
      total_budget: 10_000,
      renewal_period: 'never',
    })
  })

  test('a definite failure gives back, doubt does not, until the books say failed', async () => {
    const { pay, bill, ask, mine, clock } = world({ budgetMsats: 10_000n })
    const used = async () => (await ask('get_budget')).result?.['used_budget']
    mine.faults = { pay: 'fail' }
    expect(await pay((await bill('a', 6_000n)).bolt11)).toBe('PAYMENT_FAILED')
    expect(await used()).toBe(0)
    mine.faults = { pay: 'unknown-then-failed' }
    const doubt = await bill('b', 6_000n)
    expect(await pay(doubt.bolt11)).toBe('INTERNAL')
    expect(await used()).toBe(6_000)
    mine.faults = {}
    expect(await pay((await bill('c', 6_000n)).bolt11)).toBe('QUOTA_EXCEEDED')
    await clock.advance(5_000)
    await ask('lookup_invoice', { payment_hash: doubt.hash })
    expect(await used()).toBe(0)
    expect(await pay((await bill('c', 6_000n)).bolt11)).toBe('paid')
  })

  test('the same invoice is charged once, also over a restart that keeps its books', async () => {
    const store = memoryStore()
    const first = world({ budgetMsats: 6_000n, store })
    const { bolt11 } = await first.bill('a', 5_000n)
    expect(await first.pay(bolt11)).toBe('paid')
    expect(await first.pay(bolt11)).toBe('paid')
    const second = world({ budgetMsats: 6_000n, store, wallet: first.mine })
    expect(await second.pay(bolt11)).toBe('paid')
    expect(await second.pay((await first.bill('b', 5_000n)).bolt11)).toBe('QUOTA_EXCEEDED')
  })

  test('fees count, once they are known', async () => {
    const { pay, ask, bill, mine } = world({ budgetMsats: 10_000n })
    const paid = mine.pay.bind(mine)
    mine.pay = async order => {
      const state = await paid(order)
      return state.state === 'paid' ? { ...state, feeMsats: 7n } : state
    }
    expect(await pay((await bill('a', 5_000n)).bolt11)).toBe('paid')
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 5_007 })
  })

  test('looking up a payment under way gives nothing back, not even where the books show an older failure', async () => {
    const { line, request, ask, bill, mine, clock } = world({ budgetMsats: 10_000n })
    const { bolt11, hash } = await bill('a', 5_000n)
    mine.faults = { pay: 'fail' }
    await ask('pay_invoice', { invoice: bolt11 })
    expect(await mine.transaction(hash)).toMatchObject({ state: 'failed' })
    const stale = await mine.transaction(hash)
    mine.transaction = async () => stale
    mine.faults = { pay: 'hang' }
    line.deliver(request('pay_invoice', { invoice: bolt11 }))
    await clock.advance(10)
    await ask('lookup_invoice', { payment_hash: hash })
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 5_000 })
  })

  test('looking up a payment in doubt gives nothing back', async () => {
    const { pay, ask, bill, mine } = world({ budgetMsats: 10_000n })
    const { bolt11, hash } = await bill('a', 5_000n)
    mine.faults = { pay: 'unknown-then-paid', delayMs: 60_000 }
    expect(await pay(bolt11)).toBe('INTERNAL')
    expect((await ask('lookup_invoice', { payment_hash: hash })).result).toMatchObject({ state: 'pending' })
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 5_000 })
  })

  test('two requests for one invoice are one payment of the wallet', async () => {
    const { line, request, answers, bill, mine, clock } = world({ budgetMsats: 5_000n })
    const { bolt11 } = await bill('a', 5_000n)
    let calls = 0
    const paid = mine.pay.bind(mine)
    mine.pay = async order => {
      calls++
      return paid(order)
    }
    const both = [request('pay_invoice', { invoice: bolt11 }), request('pay_invoice', { invoice: bolt11 })]
    for (const event of both) line.deliver(event)
    await clock.advance(100)
    expect(both.map(({ id }) => answers(id)[0]?.error)).toEqual([null, null])
    expect(calls).toBe(1)
  })

  test('a budget that renews: told when, spent anew after it, and the same invoice still charged once', async () => {
    const { pay, ask, bill, clock } = world({ budgetMsats: 6_000n, renewal: 'daily' })
    const first = await bill('a', 5_000n)
    expect(await pay(first.bolt11)).toBe('paid')
    const midnight = Math.ceil(clock.now() / 86_400_000) * 86_400
    expect((await ask('get_budget')).result).toEqual({
      ...{ used_budget: 5_000, total_budget: 6_000, renews_at: midnight, renewal_period: 'daily' },
    })
    expect(await pay((await bill('b', 5_000n)).bolt11)).toBe('QUOTA_EXCEEDED')
    await clock.advance(midnight * 1_000 - clock.now())
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 0, renews_at: midnight + 86_400 })
    expect(await pay(first.bolt11)).toBe('paid')
    expect(await pay((await bill('c', 5_000n)).bolt11)).toBe('paid')
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 5_000 })
  })

  test('what is set aside for a fee is given back but for the fee', async () => {
    const { pay, ask, bill } = world({ budgetMsats: 10_000n, feeReserveMsats: msats => msats / 100n + 1_000n })
    expect(await pay((await bill('a', 9_000n)).bolt11)).toBe('QUOTA_EXCEEDED')
    expect(await pay((await bill('b', 8_000n)).bolt11)).toBe('paid')
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 8_000 })
  })

  test('without a budget get_budget says nothing', async () => {
    expect((await world().ask('get_budget')).result).toEqual({})
  })
})

describe('notifications', () => {
  test('payment_sent and payment_received, with the preimage', async () => {
    const { mine, shop, bill, clock, notifications } = world()
    const out = await bill('a', 5_000n)
    await mine.pay(out)
    const inn = await mine.bill({ key: 'b', msats: 3_000n, expirySeconds: 60, description: '' })
    await shop.pay(inn)
    await clock.advance(100)
    expect(notifications()).toMatchObject([
      { notification_type: 'payment_sent', notification: { type: 'outgoing', payment_hash: out.hash, amount: 5_000 } },
      {
        notification_type: 'payment_received',
        notification: { type: 'incoming', payment_hash: inn.hash, state: 'settled' },
      },
    ])
    for (const { notification } of notifications())
      expect(sha256Hex(Buffer.from(String(notification['preimage']), 'hex'))).toBe(notification['payment_hash'])
  })
})
