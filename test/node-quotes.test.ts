/** Quotes: what is promised is kept, to whom it was promised and as long as it was; and junk brings nothing but silence. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeState } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import type { NodeJob } from '../src/job.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { defaultLimits } from '../src/node/limits.ts'
import { openLoad } from '../src/node/load.ts'
import { openPricing } from '../src/node/pricing.ts'
import { openQuotes } from '../src/node/quotes.ts'
import { buy, keys, openTown } from './node-world.ts'

const words = 'one two three'

test('a quote is firm with a free seat, names price and terms, and the job that names it pays that', async () => {
  const town = openTown()
  await town.open()
  const customer = town.customer()
  const asked = customer.rfq({ capMsats: 2_000n, model: 'echo', privacy: 1 })
  const quote = await town.until('the quote', () => town.quotes()[0])
  expect(quote).toMatchObject({
    ...{ request: asked.id, to: customer.pubkey, kind: 5050, model: 'echo', msats: 2_000n, firm: true, free: 2 },
    ...{ reserve: 'none', terms: ['before', 'parts', 'hold', 'escrow'], expiresAt: seconds(town.clock) + 120 },
  })
  expect(quote.queueMs).toBeUndefined()
  expect((await buy(town, customer.ask(words, { quote: quote.id }))).msats).toEqual([2_000n])
  expect(town.told.filter(({ event }) => event === 'quoted')).toHaveLength(1)
})

test('a promise outlives the process and a higher price; a lower price is the customer’s', async () => {
  const town = openTown()
  const first = await town.open()
  const customer = town.customer()
  customer.rfq()
  const { id } = await town.until('the quote', () => town.quotes()[0])
  await first.close()
  const second = await town.open({ priceMsats: 5_000n })
  expect((await buy(town, customer.ask(words, { quote: id, bidMsats: 2_000n }))).msats).toEqual([2_000n])
  const dear = customer.ask(words, { bidMsats: 2_000n })
  expect(await town.until('the refusal', () => town.refusal(dear))).toMatchObject({ code: 'underbid' })
  await second.close()
  await town.open({ priceMsats: 300n })
  expect((await buy(town, customer.ask(words, { quote: id }))).msats).toEqual([300n])
})

test('a quote of another customer, model, kind, time or nobody is ignored, and the job is billed as any other', async () => {
  const town = openTown()
  const cheap = await town.open()
  const customer = town.customer()
  const stranger = town.customer()
  customer.rfq()
  const { id } = await town.until('the quote', () => town.quotes()[0])
  await cheap.close()
  await town.open({ priceMsats: 5_000n })
  expect((await buy(town, stranger.ask(words, { quote: id }))).msats).toEqual([5_000n])
  expect((await buy(town, customer.ask(words, { quote: 'ab'.repeat(32) }))).msats).toEqual([5_000n])
  const other = customer.ask(words, { quote: id, model: 'other' })
  expect(await town.until('the refusal', () => town.refusal(other))).toMatchObject({ code: 'model' })
  await town.clock.advance(120_000)
  expect((await buy(town, customer.ask(words, { quote: id }))).msats).toEqual([5_000n])
})

test('what was asked for on behalf of another belongs to whoever names it first, for good', async () => {
  const town = openTown()
  const cheap = await town.open()
  const [router, customer, late] = [town.customer(), town.customer(), town.customer()]
  router.rfq({ origin: 'cd'.repeat(32) })
  const { id } = await town.until('the quote', () => town.quotes()[0])
  await cheap.close()
  const dear = await town.open({ priceMsats: 5_000n })
  expect((await buy(town, customer.ask(words, { quote: id }))).msats).toEqual([2_000n])
  expect((await buy(town, late.ask(words, { quote: id }))).msats).toEqual([5_000n])
  await dear.close()
  await town.open({ priceMsats: 6_000n })
  expect((await buy(town, late.ask('again', { quote: id }))).msats).toEqual([6_000n])
  expect((await buy(town, customer.ask('again', { quote: id }))).msats).toEqual([2_000n])
})

test('without a free seat the quote is an indication that says how long to wait', async () => {
  const town = openTown()
  const service = { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [], slots: 1 }
  await town.open({ priceMsats: 0n, echo: { fault: 'hangs' }, service })
  const customer = town.customer()
  customer.ask(words)
  await town.until('the work', () => town.told.find(({ event }) => event === 'running'))
  customer.rfq()
  const quote = await town.until('the quote', () => town.quotes()[0])
  expect(quote).toMatchObject({ firm: false, free: 0 })
  expect(quote.queueMs).toBeGreaterThan(0)
  // Who cannot wait so long gets no answer.
  customer.rfq({ deadlineMs: quote.queueMs ?? 0 })
  await town.clock.advance(1_000)
  expect(town.quotes()).toHaveLength(1)
})

test('with surge a busy node asks more: quoted and billed alike, refused to a bid below it, and told in the lease', async () => {
  const town = openTown()
  const service = { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [], slots: 2 }
  await town.open({ surge: true, service, echo: { delayMs: 20_000 } })
  const customer = town.customer()
  customer.rfq()
  const calm = await town.until('the calm quote', () => town.quotes()[0])
  const slow = customer.ask(words)
  await town.pay(await town.until('the bill', () => town.bills(slow)[0]))
  await town.until('the work', () => town.told.find(({ event }) => event === 'running'))
  customer.rfq({ maxTokens: 9 })
  const busy = await town.until('the busy quote', () => town.quotes()[1])
  expect(busy).toMatchObject({ msats: 3_000n, firm: true, free: 1 })
  const bid = customer.ask(words, { bidMsats: 2_000n })
  expect(await town.until('the refusal', () => town.refusal(bid))).toMatchObject({ code: 'surge' })
  const quoted = customer.ask(words, { quote: busy.id, bidMsats: 3_000n })
  expect(await town.until('the bill', () => town.bills(quoted)[0])).toMatchObject({ msats: 3_000n })
  // The promise of a calm hour holds in a busy one.
  const kept = customer.ask(words, { quote: calm.id, bidMsats: 2_000n })
  expect(await town.until('the bill', () => town.bills(kept)[0])).toMatchObject({ msats: 2_000n })
  const lease = await town.until('the lease', () => town.read(nodeState).find(({ value }) => value.slots.busy === 1))
  expect(lease.value.prices).toEqual([{ kind: 5050, model: 'echo', msats: 3_000n, unit: 'job' }])
})

test('what cannot be served is not answered', async () => {
  const town = openTown()
  const node = await town.open()
  const { me } = town
  const customer = town.customer()
  const someone = keys.publicKey(keys.newSecret())
  const wrong = [
    { kind: 5001 },
    { model: 'gpt-5' },
    { capMsats: 1_999n },
    { deny: [me] },
    { allow: [someone] },
    { to: [someone] },
    { privacy: 3 as const },
    { region: 'eu' },
    { determinism: 'bitwise' },
    { terms: { word: 'after' as const } },
    { maxTokens: 100_000 },
    { expiresAt: seconds(town.clock) },
  ]
  for (const more of wrong) customer.rfq(more)
  await town.clock.advance(1_000)
  expect(town.quotes()).toEqual([])
  // Each of them is one fault away from an answer, and nobody in particular may be asked.
  customer.rfq({ to: [], allow: [me, someone], deny: [someone], maxTokens: 100, terms: { word: 'before' } })
  await town.until('the quote', () => town.quotes()[0])
  await node.close()
  await town.open({
    service: {
      ...{ id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [], region: 'eu', determinism: 'bitwise' },
      privacy: [1, 2],
    },
  })
  customer.rfq({ privacy: 2, region: 'eu', determinism: 'bitwise' })
  customer.rfq({ privacy: 3 })
  await town.until('the second quote', () => town.quotes()[1])
  await town.clock.advance(1_000)
  expect(town.quotes()).toHaveLength(2)
})

test('a flood of one asker, or of many keys, is answered within bounds, and junk not at all', async () => {
  const town = openTown()
  await town.open({ limits: { quotesPerMinute: 50, allQuotesPerMinute: 100, firmQuotes: 15 } })
  const loud = town.customer()
  for (let i = 0; i < 100; i++) loud.rfq({ maxTokens: i + 1 })
  await town.clock.advance(100)
  expect(town.quotes()).toHaveLength(10)
  for (let i = 0; i < 100; i++) town.customer().rfq()
  await town.clock.advance(100)
  expect(town.quotes()).toHaveLength(20)
  // Promises are bounded, too: the further ones are indications, and none that was given is broken.
  expect(town.quotes().filter(({ firm }) => firm)).toHaveLength(15)
  expect(town.journal.shelf('quotes').size).toBe(15)
  await town.clock.advance(60_000)
  const before = town.quotes().length
  const honest = town.customer()
  const template = { kind: 26_803, created_at: seconds(town.clock), content: '', tags: [['p', town.me]] }
  const until = ['expiration', String(seconds(town.clock) + 30)]
  for (const tags of [
    [],
    [['k', '5050']],
    [['k', 'x'], until],
    [['k', '5050'], ['k', '5051'], until],
    [['k', '5050'], until, ['bid', '-1']],
    [['k', '5050'], until, ['deny', 'nobody']],
    [['k', '5050'], until, ['privacy', '9']],
    Array.from({ length: 1_900 }, () => ['k', '5050']),
  ])
    honest.send({ ...template, tags: [...template.tags, ...tags] })
  honest.send({ ...template, tags: [...template.tags, ['k', '5050'], until], content: 'x'.repeat(40_000) })
  await town.clock.advance(1_000)
  expect(town.quotes()).toHaveLength(before)
  honest.rfq()
  await town.until('the honest quote', () => town.quotes()[before])
  // Promises that have ended make room again.
  await town.clock.advance(130_000)
  town.customer().rfq()
  const last = await town.until('the last quote', () => town.quotes()[before + 1])
  expect(last.firm).toBe(true)
  expect(town.journal.shelf('quotes').size).toBeLessThan(15)
})

test('any load, price and surge: a quote is never above what is billed for it, and without surge never above the announced price', () => {
  const clock = handClock()
  const relays = memoryHub({ clock, verify: event => keys.verify(event) }).connect()
  const secret = keys.newSecret()
  const customer = keys.newSecret()
  const promised = new Map<string, bigint>()
  const scenes = fc.record({
    priceMsats: fc.bigInt(0n, 10n ** 12n),
    laterMsats: fc.bigInt(0n, 10n ** 12n),
    surge: fc.boolean(),
    seats: fc.integer({ min: 1, max: 64 }),
    running: fc.nat(63),
    laterRunning: fc.nat(63),
    weights: fc.constantFrom([], [1, 3]),
  })
  fc.assert(
    fc.property(scenes, ({ priceMsats, laterMsats, surge, seats, running, laterRunning, weights }) => {
      const journal = memoryJournal()
      const node = keys.publicKey(secret)
      const splits = weights.map((weight, i) => ({ pubkey: i === 0 ? node : 'ab'.repeat(32), relay: '', weight }))
      const open = (msats: bigint, busy: number) => {
        const jobs = Array.from({ length: busy }, () => ({ state: 'running' }) as NodeJob)
        const load = openLoad({ seats, clock, jobs: () => jobs })
        const pricing = openPricing({ priceMsats: msats, surge, splits, node, slots: load.slots })
        const quotes = openQuotes({
          ...{ relays, keys, secret, clock, journal, pricing, load, kinds: [5050], terms: ['before'], privacy: [0] },
          models: [{ name: 'm', contextTokens: 100, about: '' }],
          limits: defaultLimits,
          tell: ({ event, id, msats: said }) => {
            if (event === 'quoted' && id !== undefined && said !== undefined) promised.set(id, said)
          },
        })
        return { pricing, quotes }
      }
      const now = open(priceMsats, running)
      const tags = [
        ['k', '5050'],
        ['expiration', String(seconds(clock) + 9)],
      ]
      promised.clear()
      now.quotes.take(keys.sign({ kind: 26_803, created_at: seconds(clock), tags, content: '' }, customer))
      const [[id, msats] = ['', -1n]] = promised
      if (!surge) expect(msats).toBe(priceMsats)
      expect(msats).toBeGreaterThanOrEqual(priceMsats)
      expect(msats).toBeLessThanOrEqual(priceMsats * 2n)
      const job = keys.sign({ kind: 5050, created_at: 1, tags: [], content: '' }, customer)
      // In another life, at another price and load.
      const later = open(laterMsats, laterRunning)
      const bill = later.pricing.ofJob({}, later.quotes.msatsFor(job, { quote: id })).msats
      if (running < seats) expect(bill).toBeLessThanOrEqual(later.pricing.ownOf(msats))
      expect(bill).toBeLessThanOrEqual(later.pricing.ownOf(later.pricing.nowMsats()))
    }),
    { numRuns: 1_000 },
  )
}, 30_000)
