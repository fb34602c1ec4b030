/** A wallet service that is killed and started again on a relay that delivers every request anew: one truth, one debit. */
import { describe, expect, test } from 'vitest'
import { readInvoice } from '../src/payments/bolt11.ts'
import { fromHex, proves, sha256Hex } from '../src/payments/hash.ts'
import { memoryStore, type NwcStore } from '../src/payments/nwc/store.ts'
import { never, restartWorld as world } from './nwc-restart-world.ts'
import { serviceWorld } from './nwc-wire.ts'

describe('pay_invoice', () => {
  const begun = async (where: 'before' | 'after' | 'nothing', over: { expiresAt?: number } = {}) => {
    const all = world()
    await all.service.ready
    const { bolt11, hash } = await all.bill('a', 5_000n)
    all.dieIn(where)
    const event = all.request('pay_invoice', { invoice: bolt11 }, over)
    all.line.deliver(event)
    await all.clock.advance(10)
    return { ...all, event, hash, bolt11 }
  }

  test('killed before it left: it leaves once, and the answer comes', async () => {
    const { kill, start, dieIn, event, answers, hash, debited, used, line, calls, clock } = await begun('before')
    await kill()
    dieIn('nothing')
    await start()
    line.deliver(event)
    await clock.advance(100)
    const [answer] = answers(event.id)
    expect(proves(answer?.result?.['preimage'], hash)).toBe(true)
    expect(calls).toEqual([hash])
    expect([await debited(), await used()]).toEqual([5_000n, 5_000])
  })

  test('killed before it left, and started when the request is over: it never leaves, and the budget comes back', async () => {
    const at = 1_800_000_000
    const { kill, start, dieIn, event, answers, debited, used, clock, calls } = await begun('before', {
      expiresAt: at + 60,
    })
    await kill()
    dieIn('nothing')
    await clock.advance(61_000)
    await start()
    expect(answers(event.id)).toMatchObject([{ error: { code: 'PAYMENT_FAILED' } }])
    expect([await debited(), await used(), calls]).toEqual([0n, 0, []])
  })

  test('killed after it was paid and before that was written: the books tell, nothing is paid again', async () => {
    const { kill, start, dieIn, event, answers, hash, debited, used, line, calls, clock } = await begun('after')
    await kill()
    dieIn('nothing')
    await start()
    line.deliver(event)
    await clock.advance(100)
    const all = answers(event.id)
    expect(all).toHaveLength(2)
    expect(proves(all[0]?.result?.['preimage'], hash)).toBe(true)
    expect(all[1]).toEqual(all[0])
    expect(calls).toEqual([hash])
    expect([await debited(), await used()]).toEqual([5_000n, 5_000])
  })

  test.each(['paid', 'failed'] as const)('killed while it is on its way, and %s later: answered then', async end => {
    const all = world()
    await all.service.ready
    const { bolt11, hash } = await all.bill('a', 5_000n)
    all.wallet.faults = { pay: 'hang' }
    const event = all.request('pay_invoice', { invoice: bolt11 })
    all.line.deliver(event)
    await all.clock.advance(10)
    await all.kill()
    await all.start()
    all.line.deliver(event)
    await all.clock.advance(10_000)
    expect(all.answers(event.id)).toEqual([])
    expect(await all.used()).toBe(5_000)
    all.net.finish(hash, end)
    await all.clock.advance(60_000)
    const [answer, second] = all.answers(event.id)
    expect(second).toBeUndefined()
    expect(answer?.error?.code).toBe(end === 'paid' ? undefined : 'PAYMENT_FAILED')
    expect(all.calls).toEqual([hash])
    expect(await all.used()).toBe(end === 'paid' ? 5_000 : 0)
  })

  test('the wallet cannot be asked after the restart: nothing is said and nothing paid until it can', async () => {
    const { kill, start, dieIn, event, answers, hash, debited, used, clock, calls, wallet } = await begun('after')
    await kill()
    dieIn('nothing')
    wallet.faults = { reach: 'down' }
    await start()
    await clock.advance(120_000)
    expect(answers(event.id)).toEqual([])
    wallet.faults = {}
    await clock.advance(120_000)
    expect(proves(answers(event.id)[0]?.result?.['preimage'], hash)).toBe(true)
    expect([await debited(), await used(), calls]).toEqual([5_000n, 5_000, [hash]])
  })

  test('in doubt when it was answered: the budget follows the truth over the restart', async () => {
    const all = world()
    await all.service.ready
    const { bolt11, hash } = await all.bill('a', 5_000n)
    all.wallet.faults = { pay: 'unknown-then-failed', delayMs: 20_000 }
    expect((await all.ask('pay_invoice', { invoice: bolt11 })).error?.code).toBe('INTERNAL')
    await all.kill()
    await all.start()
    expect(await all.used()).toBe(5_000)
    await all.clock.advance(120_000)
    expect(await all.used()).toBe(0)
    expect(all.calls).toEqual([hash])
  })

  test('the claim and what it reserves are one write: where that fails nothing ran and nothing is reserved', async () => {
    const memory = memoryStore()
    let full = false
    const store: NwcStore = {
      ...memory,
      shelf: {
        ...memory.shelf,
        set(key, value, weight) {
          if (full && key.startsWith('claim ')) throw new Error('the disk is full')
          memory.shelf.set(key, value, weight)
        },
      },
    }
    const { ask, bill, request, line, clock, answers, mine, service } = serviceWorld({ store, budgetMsats: 6_000n })
    await service.ready
    const { bolt11 } = await bill('a', 5_000n)
    const event = request('pay_invoice', { invoice: bolt11 })
    full = true
    line.deliver(event)
    await clock.advance(100)
    expect(answers(event.id)).toEqual([])
    expect(await mine.balance()).toBe(1_000_000n)
    expect([...memory.shelf.entries()]).toEqual([])
    full = false
    expect((await ask('get_budget')).result).toMatchObject({ used_budget: 0 })
    line.deliver(event)
    await clock.advance(100)
    expect(answers(event.id)).toMatchObject([{ error: null }])
  })
})

test('what became of a payment cannot be kept for a while: it is told, and kept once that is possible', async () => {
  const memory = memoryStore()
  let full = false
  const store: NwcStore = {
    ...memory,
    shelf: {
      ...memory.shelf,
      set(key, value, weight) {
        if (full) throw new Error('the disk is full')
        memory.shelf.set(key, value, weight)
      },
    },
  }
  const { bill, request, line, clock, answers, mine, service } = serviceWorld({ store, budgetMsats: 6_000n })
  await service.ready
  const { bolt11, hash } = await bill('a', 5_000n)
  mine.faults = { delayMs: 1_000 }
  const event = request('pay_invoice', { invoice: bolt11 })
  line.deliver(event)
  full = true
  await clock.advance(10_000)
  expect(proves(answers(event.id)[0]?.result?.['preimage'], hash)).toBe(true)
  expect(memory.shelf.get(`spent ${hash}`)).toMatchObject({ settled: false })
  full = false
  await clock.advance(120_000)
  expect(memory.shelf.get(`spent ${hash}`)).toMatchObject({ settled: true })
})

describe('other acts', () => {
  test('answered before the kill: the same answer again, and no second invoice', async () => {
    const { ask, kill, start, line, clock, request, answers, mine } = world()
    const event = request('make_invoice', { amount: 7_000, description: 'x' })
    await ask('get_info')
    line.deliver(event)
    await clock.advance(100)
    await kill()
    await start()
    line.deliver(event)
    await clock.advance(100)
    const [first, second] = answers(event.id)
    expect(second).toEqual(first)
    expect(await mine.transactions({ unpaid: true })).toHaveLength(1)
  })

  test('claimed and not answered: ended after the restart, to the same invoice', async () => {
    const { service, kill, start, line, clock, request, answers, mine } = world()
    await service.ready
    const made = mine.bill.bind(mine)
    mine.bill = async ask => {
      await made(ask)
      return never()
    }
    const event = request('make_invoice', { amount: 7_000, description: 'x' })
    line.deliver(event)
    await clock.advance(100)
    await kill()
    mine.bill = made
    await start()
    const rows = await mine.transactions({ unpaid: true })
    expect(rows).toHaveLength(1)
    expect(answers(event.id)).toMatchObject([{ error: null, result: { payment_hash: rows[0]?.hash } }])
  })

  test('a hold invoice: its money is told of after the restart, and settled twice without harm', async () => {
    const { ask, kill, start, shop, clock, notifications, debited, mine } = world()
    const preimage = sha256Hex('k')
    const hash = sha256Hex(fromHex(preimage))
    const { result } = await ask('make_hold_invoice', { amount: 5_000, payment_hash: hash })
    const read = readInvoice(String(result?.['invoice']))
    if (!read.ok) throw new Error(read.says)
    await kill()
    void shop.pay({ bolt11: read.invoice.bolt11, hash, msats: 5_000n })
    await clock.advance(1_000)
    expect(notifications()).toEqual([])
    await start()
    await clock.advance(5_000)
    expect(notifications()).toMatchObject([{ notification_type: 'hold_invoice_accepted' }])
    await kill()
    await start()
    await clock.advance(5_000)
    expect(notifications()).toHaveLength(1)
    for (let i = 0; i < 2; i++) expect((await ask('settle_hold_invoice', { preimage })).error).toBeNull()
    expect(await debited()).toBe(-5_000n)
    expect(await mine.billState(hash)).toMatchObject({ state: 'settled' })
  })

  test('claims of the last five minutes are kept, older ones let go; stale requests stay unheard', async () => {
    const { service, line, clock, request, store, start, kill, answers } = world()
    await service.ready
    const old = request('make_invoice', { amount: 1_000 })
    line.deliver(old)
    await clock.advance(301_000)
    line.deliver(request('make_invoice', { amount: 2_000 }))
    await clock.advance(100)
    const claims = () => [...store.shelf.entries('claim ')].map(([key]) => key)
    expect(claims()).toHaveLength(1)
    await kill()
    await start()
    line.deliver(old)
    await clock.advance(100)
    expect(answers(old.id)).toHaveLength(1)
    expect(claims()).not.toContain(`claim ${old.id}`)
  })
})
