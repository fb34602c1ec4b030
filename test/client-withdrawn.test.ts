/** A job that was paid and withdrawn: what its node keeps of the money is heard, believed up to what was paid, and comes back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Relays } from '../relays/relay.ts'
import { type AskEvent, chooseNode, openClient, type Question, readMarket } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import { openClientJob } from '../src/job/client-side.ts'
import { type ClientFact, step } from '../src/job.ts'
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
  const hub = town.hub.connect()
  let closed = false
  const relays: Relays = {
    ...hub,
    listen: (filters, ears) =>
      hub.listen(filters, { ...ears, onEvent: (event, relay) => closed || ears.onEvent(event, relay) }),
  }
  const deaf = (yes = true) => {
    closed = yes
  }
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
  return { client, relays, events, ask, heard, deaf, withdraw: () => stop.abort() }
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

  test.each([1, 2] as const)('comes back to the next process where this one was killed: level %i', async privacy => {
    const town = await openShop()
    const had = await town.payer.balance()
    const journal = memoryJournal()
    const secret = keys.newSecret()
    const customer = processOf(town, journal, secret)
    const asking = customer.ask({ privacy })
    await town.until('some words', () => customer.heard('chunk'))
    // Nothing is heard or said any more, and the withdrawal is in the journal.
    await customer.relays.close()
    customer.withdraw()
    const outcome = await town.until('the outcome', settled(asking))
    await town.until('nothing', settled(customer.client.settled(AbortSignal.abort())))
    expect(journal.jobs.unfinished('client')).toHaveLength(1)
    const next = processOf(town, journal, secret)
    const resumed: AskEvent[] = []
    const [job] = next.client.resume(event => resumed.push(event))
    expect(job?.request.id).toBe(outcome.request.id)
    await town.until('its end', settled(job?.outcome ?? Promise.reject(new Error('no job'))))
    await town.until('the money', settled(next.client.settled()), 60_000)
    const kept = had - (await town.payer.balance())
    expect(kept).toBeGreaterThanOrEqual(200n)
    expect(kept).toBeLessThan(inFull)
    expect(refunds(resumed)).toContainEqual({ event: 'refund', msats: inFull - kept, state: 'paid' })
    expect([journal.jobs.unfinished('client'), journal.shelf('claims').size]).toEqual([[], 0])
  })

  test('under the last of the keys that are heard together', async () => {
    const town = await openShop()
    const customer = processOf(town, memoryJournal())
    for (let key = 1; key < 8; key++)
      await town.until('an answer', settled(customer.ask({ privacy: 2, text: 'a', maxTokens: 1 })))
    await town.until('the money', settled(customer.client.settled()), 60_000)
    customer.events.length = 0
    const asking = customer.ask({ privacy: 2 })
    await town.until('some words', () => customer.heard('chunk'))
    customer.withdraw()
    await town.until('the outcome', settled(asking))
    await town.until('the money', settled(customer.client.settled()), 60_000)
    // Heard, and not asked for blindly.
    expect(refunds(customer.events).slice(-2)).toMatchObject([{ state: 'asked' }, { state: 'paid' }])
  })

  test('in parts costs the parts that were made', async () => {
    const town = await openShop()
    const had = await town.payer.balance()
    const customer = processOf(town, memoryJournal())
    const asking = customer.ask({ terms: { word: 'parts', parts: 2 } })
    await town.until('some words', () => customer.heard('chunk'))
    customer.withdraw()
    const { msats } = await town.until('the outcome', settled(asking))
    await town.until('the money', settled(customer.client.settled()), 60_000)
    const kept = had - (await town.payer.balance())
    expect([msats, kept >= 200n && kept < msats]).toEqual([inFull / 2n, true])
  })

  test('where the word of the node is lost, what was paid is claimed, and the node says what it keeps', async () => {
    const town = await openShop()
    const had = await town.payer.balance()
    const journal = memoryJournal()
    const customer = processOf(town, journal)
    const asking = customer.ask({ privacy: 2 })
    await town.until('some words', () => customer.heard('chunk'))
    const { id } = journal.jobs.unfinished('client')[0] ?? {}
    customer.deaf()
    customer.withdraw()
    await town.until('the outcome', settled(asking))
    await town.clock.advance(4_000)
    customer.deaf(false)
    await town.until('the money', settled(customer.client.settled()), 60_000)
    const kept = had - (await town.payer.balance())
    expect(kept >= 200n && kept < inFull).toBe(true)
    expect(refunds(customer.events)).toEqual([{ event: 'refund', msats: inFull - kept, state: 'paid' }])
    expect(journal.jobs.find('client', id ?? '')?.endedAt).toBeDefined()
    expect(journal.shelf('claims').size).toBe(0)
  })
})

test("a whole price is the node's where its work had begun: nothing stays open", async () => {
  const town = await openShop(2_000n)
  const had = await town.payer.balance()
  const journal = memoryJournal()
  const customer = processOf(town, journal)
  const asking = customer.ask()
  await town.until('some words', () => customer.heard('chunk'))
  customer.withdraw()
  expect(await town.until('the outcome', settled(asking))).toMatchObject({ code: 'cancelled', msats: 2_000n })
  expect(await town.until('an end', settled(customer.client.settled()), 60_000)).toBe(true)
  expect(had - (await town.payer.balance())).toBe(2_000n)
  expect(refunds(customer.events)).toEqual([])
  expect([journal.jobs.unfinished('client'), journal.shelf('claims').size]).toEqual([[], 0])
})

test.each(['before', 'hold'] as const)('money that was on its way when the job was withdrawn: %s', async word => {
  const town = await openShop(2_000n)
  const had = await town.payer.balance()
  const journal = memoryJournal()
  const customer = processOf(town, journal)
  const asking = customer.ask({ terms: { word } })
  await town.until('the payment', () => customer.heard('paying'))
  customer.withdraw()
  const outcome = await town.until('the outcome', settled(asking), 200_000)
  await town.until('an end', settled(customer.client.settled()), 60_000)
  const cost = had - (await town.payer.balance())
  // Withdrawn before the node began: all of it is back. After: it is the price, and no more.
  expect([0n, 2_000n]).toContain(cost)
  expect(outcome.msats).toBeGreaterThanOrEqual(cost)
  expect([journal.jobs.unfinished('client'), journal.shelf('claims').size]).toEqual([[], 0])
  expect(town.journal.bills.creditMsats(outcome.request.pubkey)).toBe(0n)
})

test('whatever a node says and when, no more is believed than was paid to it, and nobody else is', () => {
  const said = fc.record({ by: fc.constantFrom('N', 'M'), creditMsats: fc.bigInt({ min: 0n, max: 5_000n }) })
  const pay = fc.constantFrom('paid' as const, 'pay-failed' as const, 'unproven' as const)
  fc.assert(
    fc.property(fc.array(said, { maxLength: 6 }), fc.nat(6), pay, (words, at, end) => {
      const why = { code: 'cancelled', says: '' }
      const order = { bolt11: 'b', hash: 'h', msats: 2_000n, expiresAt: 500 }
      const error = words.map(word => ({ fact: 'error' as const, why, ...word }))
      const paid = {
        paid: { fact: 'paid', preimage: 'p', feeMsats: 0n },
        'pay-failed': { fact: 'pay-failed', why },
      } as const
      const facts: ClientFact[] = [
        { fact: 'quote', quote: { by: 'N', msats: 2_000n, bolt11: 'b' } },
        { fact: 'cleared', order },
        { fact: 'cancel' },
        ...error.slice(0, at),
        end === 'unproven' ? { fact: 'unproven', why } : paid[end],
        ...error.slice(at),
      ]
      let [job] = openClientJob({ id: 'j', node: 'N', capMsats: 5_000n, now: 0, ttlSeconds: 100 })
      for (const fact of facts) [job] = step(job, fact)
      expect(job.state).toBe('cancelled')
      const most = end === 'pay-failed' ? 0n : 2_000n
      const heard = words.filter(({ by }) => by === 'N').map(({ creditMsats }) => creditMsats)
      const { creditMsats = 0n } = job
      expect(creditMsats <= most).toBe(true)
      const late = words.slice(at).flatMap(one => (one.by === 'N' ? [one.creditMsats] : []))
      for (const one of late) expect(creditMsats >= (one < most ? one : most)).toBe(true)
      expect(creditMsats === 0n || creditMsats === most || heard.includes(creditMsats)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})
