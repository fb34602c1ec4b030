/** A customer of a node that counts tokens: what it pays, what it is owed, and how it gets that back. */
import { describe, expect, test } from 'vitest'
import { type AskEvent, chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds, timeLimit } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { keys, openTown, type Town } from './node-world.ts'

const words = 'one two three four'
/** 10 msats for each token of the prompt, 100 for each of the answer. */
const tariff = { promptMsatsPer1k: 10_000n, answerMsatsPer1k: 100_000n }

async function openShop(paysBack = true) {
  const town = openTown()
  const refunder = { payer: town.payee, network: async () => 'regtest' as const }
  await town.open({ priceMsats: 0n, tariff, ...(paysBack ? { refunder } : {}) })
  return town
}

/** A customer who asks the node that the market names; `back` says whether it has a wallet to be paid with. */
function customerOf(town: Town, back: boolean) {
  const secret = keys.newSecret()
  const relays = town.hub.connect()
  const journal = memoryJournal()
  const client = openClient({
    ...{ relays, keys, secret, clock: town.clock, payer: town.payer, network: 'regtest', journal },
    ...(back ? { payee: town.payer } : {}),
  })
  const events: AskEvent[] = []
  async function ask(capMsats: bigint, more: { text?: string; maxTokens?: number } = {}) {
    const offers = await town.until('the market', settled(readMarket(relays, seconds(town.clock))))
    const choice = chooseNode(offers, { capMsats })
    if (!choice.ok) throw new Error(choice.says)
    const onEvent = (event: AskEvent) => void events.push(event)
    const asked = client.ask({ text: words, node: choice.offer, capMsats, ttlSeconds: 60, onEvent, ...more })
    return town.until('the outcome', settled(asked), 120_000)
  }
  return { ask, events, pubkey: client.pubkey, journal, client }
}

/** A look at a promise: what it brought, or nothing yet. */
function settled<T>(promise: Promise<T>): () => T | undefined {
  let found: T | undefined
  void promise.then(value => {
    found = value
  })
  return () => found
}

describe('a job by the token', () => {
  test('is paid within the cap, and what was not used comes back to a customer with a wallet', async () => {
    const town = await openShop()
    const had = await town.payer.balance()
    const { ask, events, client } = customerOf(town, true)
    const outcome = await ask(5_000n, { maxTokens: 10 })
    expect(outcome).toMatchObject({ ok: true, text: words, msats: 1_040n, creditMsats: 600n })
    expect(outcome.job.creditMsats).toBe(600n)
    expect(await town.until('the money', settled(client.settled()))).toBe(true)
    expect(events.filter(({ event }) => event === 'refund')).toEqual([
      { event: 'refund', msats: 600n, state: 'asked' },
      { event: 'refund', msats: 600n, state: 'paid' },
    ])
    expect(had - (await town.payer.balance())).toBe(440n)
    expect(town.journal.bills.creditMsats(outcome.request.pubkey)).toBe(0n)
  })

  test('the cap is the bid: it buys as much of an answer as it pays for', async () => {
    const town = await openShop()
    const { ask } = customerOf(town, true)
    const outcome = await ask(240n)
    expect(outcome).toMatchObject({ ok: true, text: 'one two', msats: 240n })
    expect(outcome.creditMsats).toBeUndefined()
    const poor = await ask(139n)
    expect(poor).toMatchObject({ ok: false, code: 'underbid', msats: 0n })
    expect(poor.says).toContain('140 msats')
  })

  test('nobody waits for a node that does not pay back: the claim is kept', async () => {
    const town = await openShop(false)
    const { ask, events, journal, client } = customerOf(town, true)
    const began = town.clock.now()
    const outcome = await ask(5_000n, { maxTokens: 10 })
    expect(outcome).toMatchObject({ ok: true, creditMsats: 600n })
    expect(town.clock.now() - began).toBeLessThan(1_000)
    expect(events.at(-1)).toEqual({ event: 'refund', msats: 600n, state: 'asked' })
    const late = timeLimit(town.clock, 5_000)
    expect(await town.until('an end', settled(client.settled(late.signal)))).toBe(false)
    expect(events.at(-1)).toEqual({ event: 'refund', msats: 600n, state: 'unpaid' })
    expect(journal.shelf('claims').size).toBe(1)
    expect(town.journal.bills.creditMsats(outcome.request.pubkey)).toBe(600n)
  })

  test('without a wallet to be paid with nothing is claimed', async () => {
    const town = await openShop()
    const { ask, events } = customerOf(town, false)
    expect(await ask(5_000n, { maxTokens: 10 })).toMatchObject({ ok: true, creditMsats: 600n })
    expect(events.some(({ event }) => event === 'refund')).toBe(false)
  })
})

test('among nodes that say no price of a job, the market is sorted by the standard job', async () => {
  const announcement = {
    ...{ id: '', kinds: [5050], topics: [], name: '', about: '', encrypted: true, models: [], v: 1 },
  }
  const rest = { nodeKeys: [], zappers: [], custodial: false, relays: [] }
  const offer = (pubkey: string, msats: bigint, more: { priceMsats?: bigint } = {}) => ({
    ...{ pubkey, announcedAt: 1, alive: true },
    announcement: {
      ...{ ...announcement, ...rest, ...more },
      ...(more.priceMsats === undefined ? { prices: [{ kind: 5050, model: '', msats, unit: '1k-out' as const }] } : {}),
    },
  })
  const choose = (...offers: ReturnType<typeof offer>[]) => {
    const choice = chooseNode(offers, { capMsats: 10_000n })
    return choice.ok ? choice.offer.pubkey : choice.code
  }
  expect(choose(offer('dear', 9_000n), offer('cheap', 2_000n))).toBe('cheap')
  expect(choose(offer('tokens', 4_000n), offer('job', 0n, { priceMsats: 1_999n }))).toBe('job')
  expect(choose(offer('tokens', 3_998n), offer('job', 0n, { priceMsats: 2_000n }))).toBe('tokens')
})
