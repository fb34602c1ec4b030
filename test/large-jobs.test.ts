/** Questions and answers that no event carries, through a whole market: chains, terms, levels, and customers who bring nothing. */
import { expect, onTestFinished, test } from 'vitest'
import { type Event, embeddingsRequest, isSealed, textsInput } from '../kinds/index.ts'
import type { Published, Relays } from '../relays/relay.ts'
import { openClient } from '../src/client/client.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openPayloads } from '../src/payload/index.ts'
import { echoKinds } from '../src/runners/echo.ts'
import type { Runner } from '../src/runners/runner.ts'
import { letters, loudRunner } from './large/scene.ts'
import { type MarketOptions, openMarket, walletMsats } from './market.ts'
import { memoryWorld, type World } from './worlds.ts'

const loud = { node: { runner: loudRunner() }, client: { identity: 'one-job' } } as const satisfies MarketOptions

async function market(options: MarketOptions = loud) {
  const world = await memoryWorld()
  const all = await openMarket(world, options)
  onTestFinished(all.close)
  return { ...all, world, chunks: () => world.seen.filter(({ kind }) => kind === 4635 || kind === 38_630) }
}

/** Says its manifest, and keeps its chunks to itself. */
async function emptyPayload(world: World, bytes = 100_000): Promise<string> {
  const relays = world.connect()
  const took: Published = { accepted: 1, enough: true, acks: [] }
  const publish: Relays['publish'] = async (event, how) => (event.kind === 4635 ? took : relays.publish(event, how))
  const put = await openPayloads({ relays: { ...relays, publish }, keys: world.keys, clock: world.clock }).put(
    letters(bytes),
    { secret: world.keys.newSecret(), expiresAt: Math.floor(Date.now() / 1000) + 3_600 },
  )
  if (!put.ok) throw new Error(put.says)
  return put.id
}

const chunked = (data: string) => [{ data, type: 'event', relay: 'ws://memory', marker: 'chunked' }] as const

test('a job takes the answer of another as its input, though each has a key of its own', async () => {
  const { ask, client, node, world } = await market()
  const first = await ask({ text: letters(70_000) })
  const second = await client.ask({
    ...{ node: { pubkey: node.pubkey }, capMsats: 5_000n, text: 'and then' },
    inputs: [{ data: first.request.id, type: 'job' }],
  })
  expect(first.text).toBe(letters(70_000).toUpperCase())
  expect(second).toMatchObject({ ok: true })
  expect(second.text).toBe(`${first.text}\n\nAND THEN`)
  expect(second.request.pubkey).not.toBe(first.request.pubkey)
  // Nothing that relays saw of the second names the first.
  const said = world.seen.slice(world.seen.findIndex(({ id }) => id === second.request.id))
  expect(JSON.stringify(said)).not.toContain(first.request.id)
})

test('the chain waits for a job of ours that still runs', async () => {
  const { ask, client, node } = await market()
  let id = ''
  const asked = Promise.withResolvers<void>()
  const first = ask({
    text: 'one',
    onEvent(event) {
      if (event.event !== 'asked') return
      id = event.request
      asked.resolve()
    },
  })
  await asked.promise
  const of = { node: { pubkey: node.pubkey }, capMsats: 5_000n }
  expect(await client.ask({ ...of, inputs: [{ data: id, type: 'job' }] })).toMatchObject({ ok: true, text: 'ONE' })
  expect(await first).toMatchObject({ ok: true })
})

test('in wraps no chunk tells who asks or answers, and no key puts both', async () => {
  const { ask, node, chunks, world } = await market()
  const outcome = await ask({ text: letters(60_000), privacy: 2 })
  expect(outcome).toMatchObject({ ok: true, privacy: { level: 2, transport: { answers: 'wrapped' } } })
  const authors = new Set(chunks().map(({ pubkey }) => pubkey))
  expect(authors.size).toBe(2)
  expect([...authors]).not.toContain(node.pubkey)
  expect([...authors]).not.toContain(outcome.request.pubkey)
  expect(chunks().every(isSealed)).toBe(true)
  expect(JSON.stringify(world.seen)).not.toContain(outcome.request.id)
})

test('sealed chunks are told of as sealed, and open ones as open to everybody', async () => {
  const { ask, client, chunks } = await market()
  const sealed = await ask({ text: letters(60_000) })
  expect(sealed.privacy).toMatchObject({ level: 1, transport: { request: 'sealed', answers: 'sealed' } })
  expect(chunks().every(isSealed)).toBe(true)
  const before = chunks().length
  const open = await ask({ text: letters(60_000, 5), privacy: 0 })
  expect(open).toMatchObject({ ok: true, privacy: { level: 0, transport: { answers: 'open' } } })
  expect(open.privacy.readers.map(({ who }) => who)).toContain('everybody')
  expect(chunks().slice(before).some(isSealed)).toBe(false)
  const event: Event = open.request
  expect(event.tags.filter(tag => tag[0] === 'i').every(tag => (tag[1] ?? '').length <= 1_024)).toBe(true)
  expect(client.job(open.request.id)?.text).toBe(open.text)
})

test('what paying opens goes in chunks as well, and what is too large for that is refused and not paid', async () => {
  const { ask, payer, net } = await market()
  const text = letters(200_000)
  const sold = await ask({ text, terms: { word: 'hold' } })
  expect([sold.ok, sold.text === text.toUpperCase()]).toEqual([true, true])
  expect(await payer.balance()).toBe(walletMsats - 2_000n)
  const more = await ask({ text: letters(400_000), terms: { word: 'hold' } })
  expect(more).toMatchObject({ ok: false, code: 'too-long' })
  expect(await payer.balance()).toBe(walletMsats - 2_000n)
  expect(net.conserved()).toBe(true)
})

test('2,048 long texts are embedded in one job', async () => {
  const echo = { kinds: echoKinds, contextTokens: 1_000_000 }
  const { client, node } = await market({ echo, priceMsats: 0n })
  const texts = Array.from({ length: 2_048 }, (_, index) => `${index} ${letters(600, index + 1)}`)
  const outcome = await client.ask({
    ...{ kind: embeddingsRequest.number, node: { pubkey: node.pubkey }, capMsats: 0n },
    inputs: [textsInput(texts)],
  })
  expect(outcome).toMatchObject({ ok: true })
  expect(JSON.parse(outcome.text ?? '').embeddings).toHaveLength(2_048)
})

test('customers whose chunks never come take bounded seats, others are served, and a withdrawal frees its seat', async () => {
  const { ask, client, node, world, nodeEvents } = await market()
  const id = await emptyPayload(world)
  const of = { node: { pubkey: node.pubkey }, capMsats: 5_000n, privacy: 0, inputs: chunked(id) } as const
  const stops = Array.from({ length: 8 }, () => new AbortController())
  const fetching = stops.map(() => Promise.withResolvers<void>())
  const stuck = stops.map((stop, index) =>
    client.ask({ ...of, onEvent: ({ event }) => event === 'processing' && fetching[index]?.resolve() }, stop.signal),
  )
  await Promise.all(fetching.map(({ promise }) => promise))
  // The ninth that has to be fetched is sent away, and who brings its words with it is served.
  expect(await client.ask(of)).toMatchObject({ ok: false, code: 'payload.busy', msats: 0n })
  expect(await ask({ text: 'me' })).toMatchObject({ ok: true, text: 'ME' })
  expect(node.jobs()).toHaveLength(8)
  expect(nodeEvents.filter(({ event }) => event === 'invoice')).toHaveLength(1)
  stops[0]?.abort()
  expect(await stuck[0]).toMatchObject({ ok: false, code: 'cancelled' })
  await expect.poll(() => node.jobs().length).toBe(7)
  expect(await ask({ text: letters(60_000) })).toMatchObject({ ok: true })
  for (const stop of stops) stop.abort()
  await Promise.all(stuck)
  await expect.poll(() => node.jobs().length).toBe(0)
})

test('a payload that is stalled or too large is refused before anything is billed', async () => {
  const large = { stallMs: 50, bytesPerJob: 150_000 }
  const { client, node, world, nodeEvents } = await market({ ...loud, node: { ...loud.node, large } })
  const ask = async (bytes: number) => {
    const inputs = chunked(await emptyPayload(world, bytes))
    return client.ask({ node: { pubkey: node.pubkey }, capMsats: 5_000n, inputs })
  }
  expect(await ask(100_000)).toMatchObject({ ok: false, code: 'payload.missing', msats: 0n })
  expect(await ask(150_001)).toMatchObject({ ok: false, code: 'payload.size', msats: 0n })
  expect(nodeEvents.map(({ event }) => event)).not.toContain('invoice')
})

test('what is held for jobs that have not ended is bounded, and free again when they end', async () => {
  const running = Promise.withResolvers<void>()
  const runner: Runner = {
    ...loudRunner(),
    run(work, emit, signal) {
      if (work.messages[0]?.content !== letters(80_000)) return loudRunner().run(work, emit, signal)
      running.resolve()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  }
  const large = { bytesHeld: 150_000 }
  const { ask, node } = await market({ ...loud, node: { runner, large } })
  const stop = new AbortController()
  const first = ask({ text: letters(80_000) }, stop.signal)
  await running.promise
  expect(await ask({ text: letters(80_000, 9) })).toMatchObject({ ok: false, code: 'payload.busy', msats: 0n })
  expect(await ask({ text: 'short' })).toMatchObject({ ok: true })
  stop.abort()
  await first
  await expect.poll(() => node.jobs().length).toBe(0)
  expect(await ask({ text: letters(80_000, 9) })).toMatchObject({ ok: true })
})

test('an answer whose chunks no relay takes is an error, and what was paid for it comes back', async () => {
  const world = await memoryWorld()
  const relays = world.connect()
  const no = { relay: 'ws://memory', ok: false, says: 'blocked: no such kind here' }
  const publish: Relays['publish'] = async (event, how) =>
    event.kind === 4635 ? { accepted: 0, enough: false, acks: [no] } : relays.publish(event, how)
  const all = await openMarket(world, {
    ...loud,
    node: { ...loud.node, relays: { ...relays, publish } },
    refunds: true,
  })
  onTestFinished(all.close)
  const outcome = await all.ask({ text: letters(60_000) })
  expect(outcome).toMatchObject({ ok: false, code: 'payload.refused' })
  expect(outcome.says).toMatch(/blocked: no such kind/)
  await expect.poll(() => all.payer.balance()).toBe(walletMsats)
  expect(all.net.conserved()).toBe(true)
})

test('a customer that is killed while its question goes in chunks offers only what is missing', async () => {
  const { client: _, node, world, payer } = await market()
  const secret = world.keys.newSecret()
  const journal = memoryJournal()
  const text = letters(300_000)
  let offered = 0
  const ask = (most: number, signal?: AbortSignal) => {
    const relays = world.connect()
    const publish: Relays['publish'] = async (event, how) => {
      if (event.kind !== 4635) return relays.publish(event, how)
      if (++offered > most) return { accepted: 0, enough: false, acks: [] }
      return relays.publish(event, how)
    }
    const { keys, clock } = world
    const client = openClient({
      ...{ relays: { ...relays, publish }, keys, secret, clock, payer, journal, network: 'regtest' },
    })
    return client.ask({ text, node: { pubkey: node.pubkey }, capMsats: 5_000n }, signal)
  }
  const kill = new AbortController()
  const killed = ask(6, kill.signal)
  await expect.poll(() => offered).toBeGreaterThan(6)
  kill.abort()
  expect(await killed).toMatchObject({ ok: false, code: 'cancelled', msats: 0n })
  offered = 0
  const outcome = await ask(Number.POSITIVE_INFINITY)
  expect([outcome.ok, outcome.text === text.toUpperCase()]).toEqual([true, true])
  expect(offered).toBe(Math.ceil(300_000 / 30_720) - 6)
})

test('an answer larger than the customer takes is an error, and nothing of it is fetched', async () => {
  const { ask, chunks } = await market()
  const outcome = await ask({ text: letters(60_000), mostBytes: 59_999 })
  expect(outcome).toMatchObject({ ok: false, code: 'payload.size' })
  expect(chunks().length).toBeGreaterThan(4)
})
