/** Trials from end to end: a router, real nodes on a relay, a wallet; no customer at all. */
import { afterEach, describe, expect, test } from 'vitest'
import { addressees, attestation, cancel, type Event, isSealed, textRequest, textResult } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { auditorOf, samenessOf } from '../src/cli/auditing.ts'
import { promptOf } from '../src/cli/prompts.ts'
import { type TrierOptions, trierOf } from '../src/cli/trying.ts'
import { handClock, seconds } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { defaultParams } from '../src/ledger/index.ts'
import { openNode } from '../src/node/node.ts'
import { simNet } from '../src/payments/sim.ts'
import { openRouter } from '../src/router/router.ts'
import type { TrialLimits } from '../src/router/trials.ts'
import { openPolicy } from '../src/routing/index.ts'
import { type EchoOptions, echoRunner } from '../src/runners/echo.ts'
import type { Runner } from '../src/runners/runner.ts'

const keys = await openKeys()
const params = { ...defaultParams, probationJobs: 3 }
const quick = { everyMs: 1_000, restMs: 500, idleMs: 2_000, unableMs: 2_000 }
const patience = { billMs: 3_000, firstMs: 3_000, gapMs: 3_000, wholeMs: 6_000 }
const price = 2_000n

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function openTown() {
  const clock = handClock()
  const hub = memoryHub({ clock, verify: event => keys.verify(event) })
  const seen = new Map<string, Event>()
  hub.watch(event => void seen.set(event.id, event))
  const net = simNet({ clock, pollMs: 200 })

  async function until(what: string, holds: () => boolean, ms = 240_000) {
    for (let passed = 0; passed <= ms; passed += 250) {
      if (holds()) return
      await new Promise(resolve => setImmediate(resolve))
      await clock.advance(250)
    }
    throw new Error(`never came: ${what}`)
  }

  async function node(msats: bigint, fault: NonNullable<EchoOptions['fault']> = 'none', other?: Runner) {
    const secret = keys.newSecret()
    const wallet = net.wallet({ alias: fault, msats: 1_000_000n })
    const opening = openNode({
      ...{ keys, secret, clock, journal: memoryJournal(), relays: hub.connect(), priceMsats: msats },
      ...(msats > 0n ? { payee: wallet } : {}),
      runner: other ?? echoRunner({ clock, fault, delayMs: 100, pieceMs: 20 }),
      service: { id: 'x', name: fault, about: '', kinds: [5050], nodeKeys: [] },
    })
    let ready = false
    const opened = opening.then(async one => {
      ends.push(() => one.close())
      await one.ready
      ready = true
      return one
    })
    await until('the node', () => ready)
    await opened
    return keys.publicKey(secret)
  }

  function router(
    limits: Partial<TrialLimits> = {},
    more: Partial<TrierOptions> = {},
    lasting: { secret?: Uint8Array; journal?: ReturnType<typeof memoryJournal> } = {},
  ) {
    const { secret = keys.newSecret(), journal = memoryJournal() } = lasting
    const wallet = net.wallet({ alias: 'router', msats: 1_000_000n })
    const connections = { open: 0, all: 0 }
    const trier = trierOf({
      connect() {
        connections.open++
        connections.all++
        const relays = hub.connect()
        const close = async () => {
          connections.open--
          await relays.close()
        }
        return { ...{ urls: relays.urls, publish: relays.publish, listen: relays.listen, state: relays.state }, close }
      },
      ...{ keys, clock, journal, patience, network: 'regtest', runner: echoRunner({ clock }), wallet },
      ...{ dayMsats: limits.msatsPerDay ?? 0n },
      ...more,
    })
    const troubles: string[] = []
    const one = openRouter({
      ...{ relays: hub.connect(), keys, secret, clock, journal, params, policy: openPolicy() },
      judging: { network: 'regtest', trier, trials: { ...quick, ...limits } },
      onEvent: event => void (event.event === 'trouble' && troubles.push(event.says)),
    })
    ends.push(() => one.close())
    const labels = () =>
      [...seen.values()].flatMap(event => {
        const read =
          event.kind === attestation.number && event.pubkey === one.pubkey ? attestation.read(event) : undefined
        return read?.ok ? [read.value] : []
      })
    const stage = (pubkey: string) => one.book.scored(pubkey, 5050, 'echo', seconds(clock)).stage
    return { ...one, wallet, troubles, labels, stage, connections, secret, journal }
  }

  const jobs = () => [...seen.values()].filter(({ kind }) => kind === textRequest.number)
  return { clock, hub, seen, net, until, node, router, jobs }
}

describe('trials on real nodes', () => {
  test('honest nodes are proven and paid, the liar and the mute never, and no job tells who asks', async () => {
    const town = await openTown()
    const free = await town.node(0n)
    const paid = await town.node(price)
    const liar = await town.node(0n, 'lies')
    const mute = await town.node(0n, 'hangs')
    const router = town.router({ msatsPerDay: 100n * price, jobMsats: price })
    const proven = (node: string) => router.stage(node) === 'proven'
    await town.until('two proven nodes', () => proven(free) && proven(paid))
    await town.until('a word about those who fail', () =>
      [liar, mute].every(bad => router.labels().some(({ node, label }) => node === bad && label === 'failed')),
    )
    expect([liar, mute].map(router.stage)).toEqual(['probation', 'probation'])
    expect(router.troubles).toEqual([])

    const said = router.labels()
    const of = (node: string, topic: string) => said.filter(one => one.node === node && one.topic === topic)
    expect(new Set(of(liar, 'audit').map(({ label }) => label))).toEqual(new Set(['failed']))
    expect(of(mute, 'audit')).toEqual([])
    expect(of(free, 'audit').length).toBeGreaterThanOrEqual(params.probationJobs)
    expect(of(paid, 'outcome')[0]).toMatchObject({ label: 'served', weight: 1, firstMs: expect.any(Number) })

    // Everything that a label rests on is on the relays, sealed, and by a key that is used once.
    const jobs = town.jobs()
    expect(new Set(jobs.map(({ pubkey }) => pubkey)).size).toBe(jobs.length)
    expect(jobs.every(isSealed)).toBe(true)
    expect(jobs.some(({ pubkey }) => pubkey === router.pubkey)).toBe(false)
    for (const { job, evidence, node } of of(paid, 'audit')) {
      expect(town.seen.get(job)).toMatchObject({ kind: textRequest.number })
      expect(town.seen.get(evidence[0] ?? '')).toMatchObject({ kind: textResult.number, pubkey: node })
    }
    // Who was not asked in vain is withdrawn from, as customers do.
    expect([...town.seen.values()].some(({ kind }) => kind === cancel.number)).toBe(true)

    const toPaid = jobs.filter(job => addressees(job).includes(paid)).length
    expect(router.journal.orders.spentMsats({ since: 0 })).toBe(BigInt(toPaid) * price)
    await town.until('no trial under way', () => router.connections.open === 0, 20_000)
    expect(router.connections.all).toBeGreaterThanOrEqual(jobs.length)
    expect(town.net.conserved()).toBe(true)
  }, 60_000)

  test('a priced node is not tried without a wallet, nor beyond the day’s money', async () => {
    const town = await openTown()
    const paid = await town.node(price)
    const poor = town.router({ msatsPerDay: 2n * price, jobMsats: price })
    await town.until('two trials', () => town.jobs().length === 2)
    for (let i = 0; i < 100; i++) await town.clock.advance(250)
    expect(town.jobs()).toHaveLength(2)
    expect(await poor.wallet.balance()).toBe(1_000_000n - 2n * price)
    expect(poor.stage(paid)).toBe('probation')
  }, 60_000)
})

/** An echo whose answer tells the temperature that it was asked for. */
const thermometer = (clock: TrierOptions['clock']) => {
  const echo = echoRunner({ clock })
  const run: typeof echo.run = async ({ temperature, maxTokens = 0 }, emit) => {
    const text = `${temperature} ${maxTokens}`
    await Promise.resolve()
    emit(text)
    return { text, model: 'echo', promptTokens: 1, outputTokens: 2, finish: 'stop' }
  }
  return { ...echo, run }
}

test('a trial asks for work without chance, and for the same work that is done here', async () => {
  const town = await openTown()
  const runner = thermometer(town.clock)
  const node = await town.node(0n, 'none', runner)
  const router = town.router({}, { runner })
  await town.until('a proven node', () => router.stage(node) === 'proven')
  const asked: string[] = []
  const seeing = {
    ...runner,
    run: (async (work, emit, signal) => {
      asked.push(`${work.temperature}`)
      return runner.run(work, emit, signal)
    }) satisfies typeof runner.run,
  }
  const other = town.router({}, { runner: seeing })
  await town.until('another router that proves it', () => other.stage(node) === 'proven')
  expect(new Set(asked)).toEqual(new Set(['0']))
}, 60_000)

test('a bill that our own wallet does not pay is no silence of the node', async () => {
  const town = await openTown()
  const paid = await town.node(price)
  const router = town.router({ msatsPerDay: 100n * price, jobMsats: price })
  router.wallet.faults = { pay: 'fail' }
  await town.until('a trial', () => town.jobs().length > 0)
  await town.until('its end', () => router.connections.all > 1 && router.connections.open === 0, 120_000)
  expect(router.labels()).toEqual([])
  expect(router.stage(paid)).toBe('new')
  expect(await router.wallet.balance()).toBe(1_000_000n)
}, 60_000)

test('a wallet that never says whether it paid holds up no other trial for ever, and its money counts as spent', async () => {
  const town = await openTown()
  await town.node(price)
  const router = town.router({ msatsPerDay: price, jobMsats: price })
  router.wallet.faults = { pay: 'hang' }
  await town.until('a trial', () => router.connections.open === 1)
  await town.until('its end', () => router.connections.open === 0, 800_000)
  expect(router.labels()).toEqual([])
  await town.clock.advance(60_000)
  expect(town.jobs()).toHaveLength(1)
}, 60_000)

describe('what our runner can tell of a model', () => {
  const weights = sha256Hex('weights')
  const llama = (sha256?: string) => {
    const info = { name: 'm', contextTokens: 100, about: '', ...(sha256 === undefined ? {} : { sha256 }) }
    return { ...echoRunner({ clock: handClock() }), name: 'llama', models: async () => [info] }
  }
  const theirs = (sha256?: string, determinism?: string) => ({
    models: [{ name: 'm', contextTokens: 0, ...(sha256 === undefined ? {} : { sha256 }) }],
    ...(determinism === undefined ? {} : { determinism }),
  })

  test.each([
    ['the same weights, both of one class', weights, theirs(weights, 'x'), 'x', 'exact'],
    ['the same weights, another class', weights, theirs(weights, 'y'), 'x', 'likely'],
    ['the same weights, no class said', weights, theirs(weights), 'x', 'likely'],
    ['the same weights, our class unknown', weights, theirs(weights, 'x'), undefined, 'likely'],
    ['other weights', weights, theirs(sha256Hex('other'), 'x'), 'x', 'other'],
    ['weights that it does not say', weights, theirs(undefined, 'x'), 'x', 'other'],
    ['weights that nobody says', undefined, theirs(undefined, 'x'), 'x', 'other'],
    ['a model that we do not have', weights, { models: [{ name: 'n', contextTokens: 0 }] }, 'x', 'other'],
  ] as const)('%s', async (_, ours, announced, determinism, same) => {
    expect(await samenessOf(llama(ours), announced, 'm', determinism)).toBe(same)
  })

  test('another text is a fault only where the work is exact', async () => {
    const clock = handClock()
    const secret = keys.newSecret()
    const inputs = [{ data: 'say this', type: 'text' as const }]
    const base = { inputs, relays: [], providers: [], stream: false, receipt: false }
    const job = keys.sign(textRequest.write(base, seconds(clock)), secret)
    const answer = { job: job.id, customer: job.pubkey, text: 'say that', model: 'echo' }
    const result = keys.sign(textResult.write(answer, seconds(clock)), secret)
    for (const [same, verdict] of [
      ['exact', 'failed'],
      ['likely', 'unable'],
      ['other', 'unable'],
    ] as const) {
      const audit = auditorOf(echoRunner({ clock }), async () => same)
      expect(await audit(job, result, '', new AbortController().signal)).toBe(verdict)
    }
  })
})

describe('prompts', () => {
  const many = Array.from({ length: 2_000 }, (_, i) => promptOf(sha256Hex(`seed ${i}`)))

  test('are the same for a seed, ordinary in size, and hardly ever repeated', () => {
    expect(promptOf(sha256Hex('seed 7'))).toEqual(many[7])
    const texts = new Set(many.map(({ messages }) => JSON.stringify(messages)))
    expect(texts.size).toBeGreaterThan(1_800)
    for (const { messages, maxTokens } of many) {
      expect(messages.at(-1)?.role).toBe('user')
      const chars = messages.reduce((sum, { content }) => sum + content.length, 0)
      expect(chars).toBeGreaterThan(8)
      expect(chars).toBeLessThan(1_200)
      expect(maxTokens).toBeGreaterThanOrEqual(32)
      expect(maxTokens).toBeLessThanOrEqual(256)
      expect(JSON.stringify(messages)).not.toMatch(/undefined|NaN/)
    }
    expect(new Set(many.map(({ messages }) => messages.length)).size).toBeGreaterThan(3)
  })
})
