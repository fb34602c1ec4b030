/** A job that was paid and withdrawn: what its node keeps of the money is heard, believed up to what was paid, and comes back. */
import { describe, expect, test } from 'vitest'
import { type AskEvent, chooseNode, openClient, type Question, readMarket } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { keys, openTown, type Town } from './node-world.ts'

const words = 'one two three four five six seven eight nine ten'
/** 10 msats for each token of the prompt, 100 for each of the answer. */
const tariff = { promptMsatsPer1k: 10_000n, answerMsatsPer1k: 100_000n }
const inFull = 1_100n

async function openShop(priceMsats = 0n) {
  const town = openTown()
  const refunder = { payer: town.payee, network: async () => 'regtest' as const }
  await town.open({ priceMsats, ...(priceMsats === 0n ? { tariff } : {}), refunder, echo: { pieceMs: 400 } })
  return town
}

/** A process of one customer: asks under a key of one job. */
function processOf(town: Town, journal: Journal, secret = keys.newSecret()) {
  const relays = town.hub.connect()
  const client = openClient({
    ...{ relays, keys, secret, clock: town.clock, payer: town.payer, payee: town.payer, network: 'regtest', journal },
    identity: 'one-job',
  })
  const events: AskEvent[] = []
  const stop = new AbortController()
  async function ask(more: Partial<Question> = {}) {
    const choice = chooseNode(await readMarket(relays, seconds(town.clock)), { capMsats: 5_000n })
    if (!choice.ok) throw new Error(choice.says)
    const onEvent = (event: AskEvent) => void events.push(event)
    const base = { text: words, capMsats: 5_000n, maxTokens: 10, ttlSeconds: 60, node: choice.offer, onEvent }
    return client.ask({ ...base, ...more }, stop.signal)
  }
  const heard = (event: AskEvent['event']) => (events.some(one => one.event === event) ? true : undefined)
  return { client, relays, events, ask, heard, withdraw: () => stop.abort() }
}

/** A look at a promise: what it brought, or nothing yet. */
function settled<T>(promise: Promise<T>): () => T | undefined {
  let found: T | undefined
  void promise.then(value => {
    found = value
  })
  return () => found
}

const refunds = (events: readonly AskEvent[]) => events.filter(({ event }) => event === 'refund')

describe('a job by the token that is withdrawn while it is made', () => {
  test.each([1, 2] as const)('costs what was made, and the rest comes back: level %i', async privacy => {
    const town = await openShop()
    const had = await town.payer.balance()
    const customer = processOf(town, memoryJournal())
    const asking = customer.ask({ privacy })
    await town.until('some words', () => customer.heard('chunk'))
    customer.withdraw()
    const began = town.clock.now()
    const outcome = await town.until('the outcome', settled(asking))
    expect(outcome).toMatchObject({ ok: false, code: 'cancelled', msats: inFull })
    expect(town.clock.now() - began).toBeLessThan(3_000)
    expect(await town.until('the money', settled(customer.client.settled()), 60_000)).toBe(true)
    const kept = had - (await town.payer.balance())
    expect(kept).toBeGreaterThanOrEqual(200n)
    expect(kept).toBeLessThan(inFull)
    expect(refunds(customer.events)).toEqual([
      { event: 'refund', msats: inFull - kept, state: 'asked' },
      { event: 'refund', msats: inFull - kept, state: 'paid' },
    ])
    expect(town.journal.bills.creditMsats(outcome.request.pubkey)).toBe(0n)
  })
})
