/** Usage receipts: one for each job that earned it, a chain without forks, and not a word that opens an answer. */
import { describe, expect, test } from 'vitest'
import { type Event, messagesInput, textResult, usageReceipt, zapReceipt } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { zapRequestFor } from '../src/payments/zap.ts'
import { wrapEvent } from '../src/seal.ts'
import { buy, keys, openTown, type Town } from './node-world.ts'

const words = 'one two three four'
const routing = 'ef'.repeat(32)

const receipts = (town: Town) => town.read(usageReceipt)
const next = (town: Town, n: number) => town.until('the usage receipt', () => receipts(town)[n])
const resultId = (town: Town, job: Event) => town.read(textResult).find(({ value }) => value.job === job.id)?.event.id

describe('what it says', () => {
  test('job, result, customer, money, tokens and times, after the answer', async () => {
    const town = openTown()
    await town.open({ echo: { delayMs: 300, pieceMs: 100 } })
    const customer = town.customer()
    const job = customer.ask(words, { routing })
    const { bills } = { bills: await town.until('the bill', () => town.bills(job)[0]) }
    const hash = await town.pay(bills)
    const { value, event } = await next(town, 0)
    expect(value).toEqual({
      ...{ job: job.id, result: resultId(town, job), customer: customer.pubkey, kind: 5050, model: 'echo', routing },
      ...{ msats: 2_000n, payments: [{ hash, msats: 2_000n }], promptTokens: 4, outputTokens: 4, seq: 0 },
      ...{ firstMs: 300, ms: 600 },
    })
    expect(event.content).toBe('')
    const at = (kind: number) => town.seen.findIndex(one => one.kind === kind && one.pubkey === town.me)
    expect(at(usageReceipt.number)).toBeGreaterThan(at(textResult.number))
  })

  test('every part, none of what was bought elsewhere, nothing for a free job, and credit by its price', async () => {
    const town = openTown()
    const node = await town.open({ usage: 'all' })
    const terms = { word: 'parts' as const, parts: 4, from: 1 }
    const inputs = [
      messagesInput([
        { role: 'user', content: words },
        { role: 'assistant', content: 'one' },
      ]),
    ]
    await buy(town, town.customer().ask('', { inputs, terms, maxTokens: 4 }))
    const rest = (await next(town, 0)).value
    expect(rest.payments.map(({ msats }) => msats)).toEqual([500n, 500n, 500n])
    expect(rest).toMatchObject({ msats: 1_500n, outputTokens: 3, seq: 0 })
    const rich = town.customer()
    town.journal.bills.credit({ id: 'x', customer: rich.pubkey, job: rest.job, msats: 2_000n, why: 'late', at: 1 })
    await buy(town, rich.ask(words))
    expect((await next(town, 1)).value).toMatchObject({
      msats: 2_000n,
      payments: [],
      seq: 1,
      prev: receipts(town)[0]?.event.id,
    })
    await node.close()
    await town.open({ usage: 'all', priceMsats: 0n })
    await buy(town, rich.ask('free'))
    expect((await next(town, 2)).value).toMatchObject({ msats: 0n, payments: [], outputTokens: 1, seq: 2 })
  })
})

describe('who gets one', () => {
  test.each([
    ['routed', [true, false]],
    ['all', [true, true]],
    ['none', [false, false]],
  ] as const)('%s', async (usage, gets) => {
    const town = openTown()
    await town.open({ usage, priceMsats: 0n })
    const jobs = [town.customer().ask(words, { routing }), town.customer().ask(words)]
    for (const job of jobs) await buy(town, job)
    await town.clock.advance(1_000)
    const named = receipts(town).map(({ value }) => value.job)
    expect(jobs.map(({ id }) => named.includes(id))).toEqual(gets)
  })

  test('a job that failed, was withdrawn or was paid for in vain has none', async () => {
    const town = openTown()
    await town.open({ usage: 'all', echo: { fault: 'dies' } })
    const failed = town.customer().ask(words, { routing })
    await town.pay(await town.until('the bill', () => town.bills(failed)[0]))
    await town.until('the failure', () => town.told.find(({ event }) => event === 'failed'))
    const unpaid = town.customer().ask(words, { routing })
    const bill = await town.until('the bill', () => town.bills(unpaid)[0])
    await town.clock.advance(400_000)
    await town.pay(bill).catch(() => {})
    await town.clock.advance(10_000)
    expect(receipts(town)).toEqual([])
  })

  test('work on credit has none until it is paid, and none where the money comes too late', async () => {
    const town = openTown()
    await town.open({ usage: 'all', when: 'after' })
    const good = town.customer().ask(words)
    const bad = town.customer().ask(words)
    const billOf = (job: Event) => town.until('the result', () => town.result(job)?.bolt11)
    const [first, second] = [await billOf(good), await billOf(bad)]
    await town.clock.advance(1_000)
    expect(receipts(town)).toEqual([])
    await town.pay({ bolt11: first })
    expect((await next(town, 0)).value).toMatchObject({ job: good.id, msats: 2_000n })
    await town.clock.advance(4_000_000)
    await town.pay({ bolt11: second }).catch(() => {})
    await town.clock.advance(10_000)
    expect(receipts(town)).toHaveLength(1)
  })
})

describe('what opens an answer', () => {
  /** A job under hold whose customer announces a zap request, public or sealed. */
  async function held(town: Town) {
    const secret = keys.newSecret()
    const customer = town.customer(secret)
    const job = customer.ask(words, { routing, receipt: true, terms: { word: 'hold' } })
    const asked = zapRequestFor(
      { node: town.me, job: job.id, msats: 2_000n, relays: ['wss://r.example'] },
      seconds(town.clock),
    )
    const wrap = wrapEvent(keys, keys.sign(asked, secret), town.me, seconds(town.clock))
    void town.hub.connect().publish(wrap, { want: 1 })
    const bill = await town.until('the bill', () => town.bills(job)[0])
    void town.pay(bill)
    return job
  }

  test('no receipt of a public job under hold shows its preimage', async () => {
    const town = openTown()
    await town.open({ usage: 'all' })
    const job = await held(town)
    await next(town, 0)
    const zap = await town.until('the zap receipt', () => town.read(zapReceipt)[0])
    expect(zap.value).toMatchObject({ event: job.id })
    expect(zap.value.preimage).toBeUndefined()
    const preimage = town.journal.bills.list({ job: job.id })[0]?.preimage ?? 'none'
    expect(preimage).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify(town.seen)).not.toContain(preimage)
    expect(receipts(town)[0]?.value.payments).toMatchObject([{ msats: 2_000n }])
  })
})

describe('the chain', () => {
  const chained = (town: Town) => {
    const all = receipts(town)
    const ids = new Set(all.map(({ event }) => event.id))
    expect(ids.size).toBe(all.length)
    for (const [i, { value }] of all.entries()) {
      expect(value.seq).toBe(i)
      expect(value.prev).toBe(i === 0 ? undefined : all[i - 1]?.event.id)
    }
    expect(new Set(all.map(({ value }) => value.job)).size).toBe(all.length)
    return all.length
  }
  const free = { priceMsats: 0n, usage: 'all' } as const

  test('goes on from process to process', async () => {
    const town = openTown()
    for (let life = 0; life < 3; life++) {
      const node = await town.open(free)
      for (let i = 0; i < 3; i++) await buy(town, town.customer().ask(words))
      await next(town, life * 3 + 2)
      await node.close()
    }
    expect(chained(town)).toBe(9)
  })

  test('goes on from what the relays know where the journal is gone', async () => {
    const town = openTown()
    const first = await town.open(free)
    for (let i = 0; i < 2; i++) await buy(town, town.customer().ask(words))
    await next(town, 1)
    await first.close()
    await town.open({ ...free, journal: memoryJournal() })
    await buy(town, town.customer().ask(words))
    await next(town, 2)
    expect(chained(town)).toBe(3)
  })

  /** A journal whose process stops at the n-th write of a receipt, before or after it. */
  function dying(journal: Journal, after: boolean, die: () => void): Journal {
    const keep: Journal['outbox']['keep'] = (said, weight) => {
      if (said.slot !== 'usage') return journal.outbox.keep(said, weight)
      die()
      if (!after) throw new Error('this process is dead')
      return journal.outbox.keep(said, weight)
    }
    return { ...journal, outbox: { ...journal.outbox, keep } }
  }

  test.each([false, true])('a node that dies at its receipt (kept: %s) publishes it once, in one form', async kept => {
    const town = openTown()
    const first = await town.open(free)
    await buy(town, town.customer().ask(words))
    await next(town, 0)
    await first.close()
    let dead = false
    const hub = town.hub.connect()
    const relays = {
      ...hub,
      publish: (...said: Parameters<typeof hub.publish>) =>
        dead ? new Promise<never>(() => {}) : hub.publish(...said),
    }
    const journal = dying(town.journal, kept, () => {
      dead = true
    })
    const second = await town.open({ ...free, relays, journal })
    const job = town.customer().ask(words)
    await town.until('the result', () => town.result(job))
    await town.until('the death', () => dead || undefined)
    await second.close()
    expect(receipts(town)).toHaveLength(1)
    const promised = town.journal.outbox.of(job.id).find(({ slot }) => slot === 'usage')?.event.id
    expect(promised !== undefined).toBe(kept)
    await town.open(free)
    const { event } = await next(town, 1)
    if (kept) expect(event.id).toBe(promised)
    await buy(town, town.customer().ask(words))
    await next(town, 2)
    expect(chained(town)).toBe(3)
  })
})
