/** What a node says of itself: its lease, its announcement and its claim of speed. */
import { expect, test } from 'vitest'
import { benchmark, handler, heartbeat, nodeState, textInput } from '../kinds/index.ts'
import { handClock, seconds } from '../src/clock.ts'
import type { NodeJob } from '../src/job.ts'
import { openLoad } from '../src/node/load.ts'
import { openMeter } from '../src/node/meter.ts'
import { openTown } from './node-world.ts'

const words = 'one two three'
const facts = { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] }

test('the lease comes with each heartbeat, ends when it does, and names seats, prices and the life of the process', async () => {
  const town = openTown()
  const start = seconds(town.clock)
  await town.open({ service: { ...facts, slots: 3 } })
  const leases = () => town.read(nodeState).map(({ value }) => value)
  const beats = () => town.read(heartbeat).map(({ value }) => value)
  const first = await town.until('the lease', () => leases()[0])
  expect(first).toEqual({
    ...{ service: 'x', kinds: [5050], slots: { total: 3, busy: 0, queued: 0 }, generation: start },
    prices: [{ kind: 5050, model: 'echo', msats: 2_000n, unit: 'job' }],
    expiresAt: beats()[0]?.expiresAt,
  })
  await town.clock.advance(900_000)
  expect(leases().length).toBeGreaterThan(3)
  expect(leases().map(({ expiresAt }) => expiresAt)).toEqual(beats().map(({ expiresAt }) => expiresAt))
  // At no moment a living node is unknown.
  const made = town.read(nodeState).map(({ event }) => event.created_at)
  for (const [i, at] of made.entries()) if (i > 0) expect(at).toBeLessThan(leases()[i - 1]?.expiresAt ?? 0)
})

test('a change of load is told within ten seconds and not more often, and only if it is one', async () => {
  const town = openTown()
  await town.open({ priceMsats: 0n, echo: { delayMs: 3_000 }, service: { ...facts, slots: 2 } })
  const leases = () => town.read(nodeState)
  await town.until('the lease', () => leases()[0])
  await town.clock.advance(15_000)
  expect(leases()).toHaveLength(1)
  for (let i = 0; i < 3; i++) town.customer().ask(words)
  await town.clock.advance(100)
  const busy = leases()[1]
  expect(busy?.value.slots.busy).toBe(1)
  expect(busy?.value.expiresAt).toBe(leases()[0]?.value.expiresAt)
  await town.clock.advance(2_000)
  expect(leases()).toHaveLength(2)
  await town.clock.advance(10_000)
  expect(leases().at(-1)?.value.slots).toEqual({ total: 2, busy: 0, queued: 0 })
  expect(leases()).toHaveLength(3)
  // Work that came and went between two leases is no news.
  town.customer().ask(words)
  await town.clock.advance(7_000)
  expect(leases().length).toBeLessThanOrEqual(4)
  const times = leases().map(({ event }) => event.created_at)
  for (const [i, at] of times.entries()) if (i > 0) expect(at - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(10)
})

test('more work than seats is a queue', async () => {
  const town = openTown()
  await town.open({ priceMsats: 0n, echo: { fault: 'hangs' }, service: { ...facts, slots: 2 } })
  for (let i = 0; i < 5; i++) town.customer().ask(words)
  const full = await town.until('the lease', () => town.read(nodeState).find(({ value }) => value.slots.queued > 0))
  expect(full.value.slots).toEqual({ total: 2, busy: 2, queued: 3 })
})

test('a closed node ends its lease within seconds, in an event that replaces the one before', async () => {
  const town = openTown()
  const node = await town.open()
  await town.until('the lease', () => town.read(nodeState)[0])
  await node.close()
  await town.clock.advance(10)
  const [first, last] = town.read(nodeState)
  expect(last?.value.expiresAt).toBeLessThanOrEqual(seconds(town.clock) + 5)
  expect(last?.event.created_at).toBeGreaterThan(first?.event.created_at ?? 0)
  await town.clock.advance(600_000)
  expect(town.read(nodeState)).toHaveLength(2)
})

test('a node that does not hear itself tells no lease', async () => {
  const town = openTown()
  await town.open({ priceMsats: 0n })
  await town.until('the lease', () => town.read(nodeState)[0])
  town.hub.down()
  await town.clock.advance(600_000)
  const before = town.read(nodeState).length
  town.hub.up()
  expect(before).toBe(1)
})

test('the announcement says where, how private, how determined, how many and at which price', async () => {
  const town = openTown()
  const node = await town.open()
  const plain = await town.until('the announcement', () => town.read(handler)[0])
  expect(plain.value).toMatchObject({
    ...{
      privacy: [0, 1, 2],
      retentionSeconds: 7 * 86_400,
      slots: 2,
      prices: [{ kind: 5050, model: 'echo', msats: 2_000n, unit: 'job' }],
    },
  })
  expect(plain.value.region).toBeUndefined()
  await node.close()
  await town.open({
    surge: true,
    service: { ...facts, region: 'eu', privacy: [1, 2], determinism: 'greedy', slots: 500 },
  })
  const rich = await town.until('the second announcement', () => town.read(handler)[1])
  expect(rich.value).toMatchObject({
    region: 'eu',
    privacy: [1, 2],
    determinism: 'greedy',
    slots: 64,
    priceMsats: 2_000n,
  })
})

test('the own speed is measured without a relay, claimed once, and by no one who was not told to', async () => {
  const town = openTown()
  const quiet = await town.open()
  await town.clock.advance(60_000)
  expect(town.read(benchmark)).toEqual([])
  await quiet.close()
  await town.open({ benchmark: true, echo: { delayMs: 200, pieceMs: 100 } })
  const claim = await town.until('the claim', () => town.read(benchmark)[0])
  expect(claim.value).toMatchObject({
    ...{ node: town.me, kind: 5050, model: 'echo', profile: 'chat-32', samples: 3, firstMs: 200, tokensPerSecond: 10 },
    at: seconds(town.clock),
  })
  await town.clock.advance(600_000)
  expect(town.read(benchmark)).toHaveLength(1)
  expect(town.told.filter(({ event }) => event === 'measured')).toHaveLength(1)
})

test('a runner that cannot be measured is said to be, and the node lives on', async () => {
  const town = openTown()
  await town.open({ priceMsats: 0n, benchmark: true, echo: { fault: 'dies' } })
  const trouble = await town.until('the trouble', () => town.told.find(({ event }) => event === 'trouble'))
  expect(trouble.says).toMatch(/speed of echo could not be measured/)
  expect(town.read(benchmark)).toEqual([])
  const job = town.customer().ask('', { inputs: [textInput('x')] })
  await town.until('a word', () => town.words(job)[0])
})

test('the wait for a seat is learnt from the work that was done', async () => {
  const clock = handClock()
  const jobs: NodeJob[] = []
  const load = openLoad({ seats: 1, clock, jobs: () => jobs })
  jobs.push({ state: 'running' } as NodeJob)
  const guess = load.queueMs()
  expect(guess).toBeGreaterThan(0)
  for (let i = 0; i < 50; i++) {
    load.heard({ event: 'running', job: `${i}` })
    await clock.advance(400)
    load.heard({ event: 'delivered', job: `${i}` })
  }
  expect(load.queueMs()).toBe(400)
  jobs.push({ state: 'running' } as NodeJob)
  expect(load.queueMs()).toBe(800)
  // A failure says nothing of how long work takes.
  load.heard({ event: 'running', job: 'x' })
  await clock.advance(90_000)
  load.heard({ event: 'failed', job: 'x' })
  expect(load.queueMs()).toBe(800)
  jobs.length = 0
  expect(load.queueMs()).toBe(0)
})

test('a meter counts from the first beginning, and every moment once', async () => {
  const clock = handClock()
  const meter = openMeter(clock)
  await clock.advance(500)
  meter.begin()
  await clock.advance(30)
  meter.first()
  await clock.advance(5)
  meter.begin()
  meter.first()
  await clock.advance(65)
  meter.end()
  await clock.advance(1_000)
  meter.end()
  expect(meter.timing()).toEqual({ firstMs: 30, ms: 100 })
  const unseen = openMeter(clock)
  await clock.advance(7)
  expect(unseen.timing()).toEqual({ ms: 7 })
})
