/** A node that asks prices of tokens: billed for all that a job may take, up to the bid, and owing what it did not take. */
import { describe, expect, test } from 'vitest'
import { cancel, handler, nodeState, usageReceipt } from '../kinds/index.ts'
import { seconds } from '../src/clock.ts'
import type { NodeJob } from '../src/job.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { askedMsats } from '../src/ledger/index.ts'
import { readOpening, replay } from '../src/node/keeping.ts'
import { openNode } from '../src/node/node.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { buy, keys, openTown, type Town } from './node-world.ts'
import { keeps } from './promises.ts'

const words = 'one two three four'
/** 10 msats for each token of the prompt, 100 for each of the answer. */
const tariff = { promptMsatsPer1k: 10_000n, answerMsatsPer1k: 100_000n }
const opened = async (more: Parameters<Town['open']>[0] = {}) => {
  const town = openTown()
  const node = await town.open({ priceMsats: 0n, tariff, usage: 'all', ...more })
  return { town, node }
}
const kept = (town: Town, customer: string) => town.journal.bills.creditMsats(customer)
const jobOf = (town: Town, id: string): NodeJob | undefined => {
  const row = town.journal.jobs.find('node', id)
  const opening = row && readOpening(row.opening)
  return opening && replay(opening.ask, row.facts)
}

describe('the bill and the cost', () => {
  keeps('pay.metered', 'all that may come is billed, what came is kept, and the rest is the customer’s', async () => {
    const { town } = await opened()
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10 })
    const { text, msats, result } = await buy(town, job)
    expect(text).toBe(words)
    expect(msats).toEqual([40n + 1_000n])
    expect(result).toMatchObject({ usage: { promptTokens: 4, outputTokens: 4 }, creditMsats: 600n })
    expect(kept(town, customer.pubkey)).toBe(600n)
    expect(town.journal.bills.credits({ job: job.id }).map(({ id, msats: of }) => [id, of])).toEqual([
      [`unused:${job.id}`, 600n],
    ])
    const usage = await town.until('the usage receipt', () => town.read(usageReceipt)[0])
    expect(usage.value).toMatchObject({ msats: 440n, payments: [{ msats: 1_040n }] })
  })

  test('the flat part is owed beside the tokens', async () => {
    const { town } = await opened({ priceMsats: 7n })
    const { msats, result } = await buy(town, town.customer().ask(words, { maxTokens: 10 }))
    expect(msats).toEqual([1_047n])
    expect(result.creditMsats).toBe(600n)
  })

  test('a bid buys fewer tokens, of which the answer is made, and not one more', async () => {
    const { town } = await opened()
    const customer = town.customer()
    const { text, msats, result } = await buy(town, customer.ask(words, { maxTokens: 10, bidMsats: 299n }))
    expect(msats).toEqual([240n])
    expect(text).toBe('one two')
    expect(result.creditMsats).toBeUndefined()
    expect(kept(town, customer.pubkey)).toBe(0n)
  })

  test('a bid below the prompt and one token is refused with both numbers and the way out', async () => {
    const { town } = await opened()
    const job = town.customer().ask(words, { bidMsats: 139n })
    const refusal = await town.until('the refusal', () => town.refusal(job))
    expect(refusal.code).toBe('underbid')
    expect(refusal.says).toMatch(/140 msats.*139.*Bid more/)
    const flat = await opened({ priceMsats: 500n })
    const cheap = flat.town.customer().ask(words, { bidMsats: 499n })
    expect((await flat.town.until('the refusal', () => flat.town.refusal(cheap))).code).toBe('underbid')
  })
})

describe('on every term', () => {
  test('parts are shares of the most that it may cost; what was paid beyond the cost at the end is kept', async () => {
    const { town } = await opened()
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 6, terms: { word: 'parts', parts: 2 } })
    const { msats, result } = await buy(town, job)
    expect(msats).toEqual([320n, 320n])
    expect(result.creditMsats).toBe(200n)
    const early = await buy(town, customer.ask('one', { maxTokens: 100, terms: { word: 'parts', parts: 2 } }))
    expect(early.msats).toEqual([5_005n])
    expect(early.result.creditMsats).toBe(5_005n - 110n)
  })

  test('the parts of a bid that buys less are parts of less', async () => {
    const { town } = await opened()
    const terms = { word: 'parts' as const, parts: 2 }
    const { text, msats, result } = await buy(
      town,
      town.customer().ask(words, { maxTokens: 10, bidMsats: 240n, terms }),
    )
    expect(msats).toEqual([120n, 120n])
    expect(text).toBe('one two')
    expect(result.creditMsats).toBeUndefined()
  })

  test('after the work the bill is the cost', async () => {
    const { town } = await opened({ terms: { after: { startMsats: 100_000n } } })
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10, terms: { word: 'after' } })
    const result = await town.until('the result', () => town.result(job))
    expect(result).toMatchObject({ msats: 440n })
    expect(result.creditMsats).toBeUndefined()
    if (result.bolt11 !== undefined) await town.pay(result as { bolt11: string })
    await town.until('the end', () => jobOf(town, job.id)?.state === 'delivered' || undefined)
    expect(kept(town, customer.pubkey)).toBe(0n)
  })

  test('held money is the most that it may cost, and the rest is kept once it was taken', async () => {
    const { town } = await opened()
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10, terms: { word: 'hold' } })
    const bill = await town.until('the bill', () => town.bills(job)[0])
    expect([bill.msats, bill.terms?.word]).toEqual([1_040n, 'hold'])
    const paid = town.pay(bill)
    const result = await town.until('the result', () => town.result(job))
    expect(result.sealedUnder).toBeDefined()
    await paid
    await town.until('the credit', () => kept(town, customer.pubkey) > 0n || undefined)
    expect(kept(town, customer.pubkey)).toBe(600n)
  })

  test('what is kept pays for the next job, and of that, too, the rest is kept', async () => {
    const { town } = await opened()
    const customer = town.customer()
    await buy(town, customer.ask(words, { maxTokens: 20 }))
    expect(kept(town, customer.pubkey)).toBe(1_600n)
    const { msats, result } = await buy(town, customer.ask('one two', { maxTokens: 10 }))
    expect(msats).toEqual([])
    expect(result.creditMsats).toBe(800n)
    expect(kept(town, customer.pubkey)).toBe(1_600n - 220n)
  })

  test('who works for nothing owes nothing', async () => {
    const { town } = await opened({ tariff: { promptMsatsPer1k: 0n, answerMsatsPer1k: 0n } })
    const { msats, result } = await buy(town, town.customer().ask(words))
    expect([msats, result.creditMsats]).toEqual([[], undefined])
  })

  test('withdrawn work costs what was made until then, and the customer is told', async () => {
    const { town, node } = await opened({ echo: { pieceMs: 1_000 } })
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10 })
    await town.pay(await town.until('the bill', () => town.bills(job)[0]))
    await town.until('the work', () => node.jobs().find(({ state }) => state === 'running'))
    await town.clock.advance(1_500)
    customer.send(cancel.write({ events: [job.id], kinds: [5050], reason: '' }, seconds(town.clock)))
    const word = await town.until('the word', () => town.refusal(job))
    const cost = 1_040n - kept(town, customer.pubkey)
    expect(word).toMatchObject({ code: 'cancelled', creditMsats: 1_040n - cost })
    expect(cost >= 140n && cost < 440n).toBe(true)
  })
})

describe('a node that comes back', () => {
  test('finishes at the price and for the tokens that it had billed, whatever it asks now', async () => {
    const journal = memoryJournal()
    const town = openTown()
    const first = await town.open({ priceMsats: 0n, tariff, journal, echo: { delayMs: 3_600_000 } })
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10, bidMsats: 340n })
    await town.pay(await town.until('the bill', () => town.bills(job)[0]))
    await town.until('the work', () => first.jobs().find(({ state }) => state === 'running'))
    await first.close()
    const dearer = { promptMsatsPer1k: 1n, answerMsatsPer1k: 9_000_000n }
    await town.open({ priceMsats: 0n, tariff: dearer, journal })
    const result = await town.until('the result', () => town.result(job))
    expect(result.text).toBe('one two three')
    expect(result.creditMsats).toBeUndefined()
    expect(journal.bills.credits({ job: job.id })).toEqual([])
  })

  test('keeps the rest once, however often it comes back', async () => {
    const journal = memoryJournal()
    const town = openTown()
    const open = () => town.open({ priceMsats: 0n, tariff, journal })
    const node = await open()
    const customer = town.customer()
    const job = customer.ask(words, { maxTokens: 10 })
    await buy(town, job)
    await node.close()
    const again = await open()
    await again.close()
    await open()
    expect(journal.bills.creditMsats(customer.pubkey)).toBe(600n)
    expect(journal.bills.credits({ job: job.id })).toHaveLength(1)
  })
})

describe('what others see', () => {
  test('both units and no price of a job, in the announcement and in the lease', async () => {
    const { town } = await opened()
    const announced = town.read(handler)[0]?.value
    expect(announced?.priceMsats).toBeUndefined()
    const rows = [
      { kind: 5050, model: 'echo', msats: 10_000n, unit: '1k-in' },
      { kind: 5050, model: 'echo', msats: 100_000n, unit: '1k-out' },
    ]
    expect(announced?.prices).toEqual(rows)
    expect(JSON.parse(town.read(handler)[0]?.event.content ?? '{}')).toMatchObject({ amount: 'flexible' })
    const lease = await town.until('the lease', () => town.read(nodeState)[0]?.value)
    expect(lease.prices).toEqual(rows)
    expect(askedMsats(announced ?? {}, { kind: 5050, model: 'echo' })).toBe(10_000n + 50_000n)
  })

  test('a quote is of a thousand tokens of prompt and the answer that was asked for, and not firm', async () => {
    const { town } = await opened({ priceMsats: 5n })
    const customer = town.customer()
    customer.rfq({ maxTokens: 20 })
    const quoted = await town.until('the quote', () => town.quotes()[0])
    expect([quoted.msats, quoted.firm]).toEqual([5n + 10_000n + 2_000n, false])
    customer.rfq()
    const plain = await town.until('the second quote', () => town.quotes()[1])
    expect(plain.msats).toBe(5n + 10_000n + 50_000n)
  })

  test('without a wallet it does not begin, nor with shares', async () => {
    const town = openTown()
    const service = { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] }
    const base = {
      ...{ keys, clock: town.clock, relays: town.hub.connect(), secret: keys.newSecret(), priceMsats: 0n, tariff },
      runner: echoRunner({ clock: town.clock }),
    }
    await expect(openNode({ ...base, service })).rejects.toThrow(/by the token needs a wallet/)
    const splits = [{ pubkey: town.me, relay: '', weight: 1 }]
    const shared = openNode({ ...base, payee: town.payee, service: { ...service, splits } })
    await expect(shared).rejects.toThrow(/cannot be shared/)
  })
})
