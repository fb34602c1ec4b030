/** Strangers and lying relays against our node: no free work, no double work, no answer to junk, no false sign of life. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Event, ephemeralWrap, feedback, heartbeat, textRequest } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { openPool } from '../relays/pool.ts'
import { handClock, seconds } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { type NodeEvent, openNode } from '../src/node/node.ts'
import { receiptFor, zapRequestFor } from '../src/payments/zap.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { fakeRelay } from './fake-relay.ts'
import { openMarket, walletMsats } from './market.ts'
import { keeps } from './promises.ts'
import { clock, openStage, type Stage, type Stranger } from './stage.ts'
import { doorOf, memoryWorld } from './worlds.ts'

const now = () => seconds(clock)
const service = { id: 'test', name: 'test', about: 'a test', kinds: [5050], nodeKeys: [] }

/** A plain job for one node. */
const jobFor = (node: string, text: string) =>
  textRequest.write(
    { inputs: [{ data: text, type: 'text' }], relays: [], providers: [node], stream: false, receipt: false },
    now(),
  )

describe('over a socket', () => {
  let stage: Stage
  beforeEach(async () => {
    stage = await openStage()
  })
  afterEach(() => stage.close())

  /** The first event of `who`'s inbox for which `found` gives a value. */
  const next = async <T>(who: Stranger, found: (event: Event) => T | undefined): Promise<() => Promise<T>> => {
    let came: (value: T) => void = () => {}
    const value = new Promise<T>(resolve => {
      came = resolve
    })
    await who.hear(event => {
      const it = found(event)
      if (it !== undefined) came(it)
    })
    return () => value
  }

  keeps('work.paid', 'forged receipts and statuses start no work', async () => {
    const market = await openMarket(stage)
    const { node } = market
    const [thief, helper] = [stage.stranger(), stage.stranger()]
    const billed = await next(thief, event => {
      const read = event.kind === feedback.number && event.pubkey === node.pubkey ? feedback.read(event) : undefined
      return read?.ok ? read.value.bolt11 : undefined
    })
    const job = await thief.say(jobFor(node.pubkey, 'work for nothing'))
    const bolt11 = await billed()
    for (const who of [thief, helper]) {
      const ask = { node: node.pubkey, job: job.id, msats: 2_000n, relays: [stage.url] }
      const zapRequestJson = JSON.stringify(who.sign(zapRequestFor(ask, now())))
      await who.say(receiptFor({ zapRequestJson, bolt11, preimage: '22'.repeat(32), paidAt: now() }))
      for (const status of ['processing', 'success'] as const)
        await who.say(feedback.write({ job: job.id, customer: thief.pubkey, status, says: '', content: '' }, now()))
      // The receipt in a wrap, as zap requests come.
      const inner = who.sign(receiptFor({ zapRequestJson, bolt11, preimage: '33'.repeat(32), paidAt: now() }))
      await who.say(
        ephemeralWrap.write({ to: node.pubkey, event: inner }, now(), text => who.seal.encrypt(node.pubkey, text)),
      )
    }
    // An honest job behind all of it: when it is delivered, everything before it was looked at.
    expect(await market.ask({ text: 'honest' })).toMatchObject({ ok: true })
    const ran = market.nodeEvents.filter(event => event.event === 'running')
    expect(ran).toHaveLength(1)
    expect(ran[0]?.job).not.toBe(job.id)
    expect(node.jobs()).toMatchObject([{ id: job.id, state: 'awaiting-payment' }])
    expect(await market.payee.balance()).toBe(walletMsats + 2_000n)
    await market.close()
  })

  keeps('relay.hostile', 'a stranger who withdraws another’s job withdraws nothing', async () => {
    const market = await openMarket(stage, { priceMsats: 0n, echo: { delayMs: 100 } })
    const stranger = stage.stranger()
    await stranger.hear(event => {
      if (event.kind === 5050)
        void stranger.say({
          kind: 5,
          tags: [
            ['e', event.id],
            ['k', '5050'],
          ],
          content: '',
        })
    })
    expect(await market.ask({ text: 'mine' })).toMatchObject({ ok: true, text: 'mine' })
    expect(market.nodeEvents.map(event => event.event)).not.toContain('cancelled')
    await market.close()
  })

  keeps(
    'job.again',
    'the same request a hundred times, by two relays of which one repeats itself, is one job',
    async () => {
      const { keys } = stage
      const liar = await fakeRelay()
      const events: NodeEvent[] = []
      let delivered = () => {}
      const done = new Promise<void>(resolve => {
        delivered = resolve
      })
      const relays = openPool({ urls: [stage.url, liar.url], clock, admit: doorOf(keys) })
      const node = await openNode({
        ...{ relays, keys, clock, service, priceMsats: 0n, secret: keys.newSecret() },
        runner: echoRunner({ clock, delayMs: 50 }),
        onEvent(event) {
          events.push(event)
          if (event.event === 'delivered') delivered()
        },
      })
      expect(await node.ready).toBe(true)
      const stranger = stage.stranger()
      const job = stranger.sign(jobFor(node.pubkey, 'again and again'))
      for (let i = 0; i < 50; i++) {
        liar.push(job)
        await stranger.relays.publish(job)
      }
      await done
      for (let i = 0; i < 50; i++) liar.push(job)
      const last = stranger.sign(jobFor(node.pubkey, 'the last word'))
      const after = new Promise<void>(resolve => {
        delivered = resolve
      })
      liar.push(last)
      await after
      for (const [event, id] of [
        ['running', job.id],
        ['delivered', job.id],
        ['accepted', job.id],
      ] as const)
        expect(events.filter(one => one.event === event && one.job === id)).toHaveLength(1)
      const answers = new Set(
        stage.seen.filter(({ kind, tags }) => kind === 6050 && tags.some(tag => tag[1] === job.id)).map(({ id }) => id),
      )
      expect(answers.size).toBe(1)
      await node.close()
      await relays.close()
      await liar.end()
    },
  )
})

describe('in memory', () => {
  keeps('relay.hostile', 'ten thousand junk events do not stop an honest job', async () => {
    const world = await memoryWorld()
    const market = await openMarket(world)
    const { keys } = world
    const { node } = market
    const flood = world.connect()
    const secrets = Array.from({ length: 20 }, () => keys.newSecret())
    const p = ['p', node.pubkey]
    const kinds = [5050, 5050, 21059, 5, 9735, 7000]
    const bodies: { tags: string[][]; content: string }[] = [
      { tags: [p], content: '' },
      { tags: [p, ['encrypted']], content: 'AgAA' },
      { tags: [p, ['encrypted']], content: 'A'.repeat(500) },
      { tags: [p, ['i', '', 'text'], ['bid', '-1']], content: '' },
      { tags: [p, ['i', 'x', 'event'], ['param', 'max_tokens', '1e99']], content: '' },
      { tags: [p, ['e', 'f'.repeat(64)], ['k', '5050']], content: '{' },
      { tags: [p, ...Array.from({ length: 300 }, () => ['i', 'y', 'text'])], content: '' },
    ]
    const before = world.seen.length
    for (let i = 0; i < 10_000; i++) {
      const { tags, content } = bodies[i % bodies.length] ?? { tags: [], content: '' }
      const template = { kind: kinds[i % kinds.length] ?? 1, created_at: now() - (i % 300), content }
      const secret = secrets[i % secrets.length] ?? keys.newSecret()
      void flood.publish(keys.sign({ ...template, tags: [...tags, ['nonce', String(i)]] }, secret))
    }
    expect(await market.ask({ text: 'through all that' })).toMatchObject({ ok: true, text: 'through all that' })
    expect(world.seen.length - before).toBeGreaterThan(10_000)
    // Refusals are rationed: junk does not make the node flood its own relays.
    const refused = market.nodeEvents.filter(event => event.event === 'refused')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(200)
    expect(market.nodeEvents.filter(event => event.event === 'running')).toHaveLength(1)
    expect(node.jobs()).toEqual([])
    await market.close()
  })

  keeps(
    'node.deaf',
    'a node whose relay swallows its probe never says that it is alive, until it hears itself',
    async () => {
      const time = handClock()
      const keys = await openKeys()
      const hub = memoryHub({ clock: time, verify: event => keys.verify(event) })
      const beats: Event[] = []
      hub.watch(event => {
        if (event.kind === heartbeat.number) beats.push(event)
      })
      hub.faults = { drop: 1 }
      const told: string[] = []
      const node = await openNode({
        ...{ relays: hub.connect({ admit: doorOf(keys, time) }), keys, clock: time, service, priceMsats: 0n },
        secret: keys.newSecret(),
        runner: echoRunner({ clock: time }),
        onEvent: event => void told.push(event.event),
      })
      await time.advance(600_000)
      expect(await node.ready).toBe(false)
      expect(beats).toEqual([])
      expect(told).toContain('deaf')
      expect(told).not.toContain('alive')
      hub.faults = {}
      await time.advance(60_000)
      expect(told).toContain('alive')
      expect(beats.length).toBeGreaterThan(0)
      // Deaf again: the last sign of life runs out, and no other follows.
      hub.faults = { drop: 1 }
      const heard = beats.length
      await time.advance(3_600_000)
      expect(beats).toHaveLength(heard)
      const read = heartbeat.read(beats.at(-1) as Event)
      expect(read.ok && read.value.expiresAt < seconds(time)).toBe(true)
      await node.close()
    },
  )

  test('another’s probe does not wake a deaf node', async () => {
    const time = handClock()
    const keys = await openKeys()
    const hub = memoryHub({ clock: time, verify: event => keys.verify(event) })
    const [secret, stranger] = [keys.newSecret(), keys.newSecret()]
    const seen: Event[] = []
    hub.watch(event => seen.push(event))
    hub.faults = { drop: 1 }
    const node = await openNode({
      ...{ relays: hub.connect({ admit: doorOf(keys, time) }), keys, secret, clock: time, service, priceMsats: 0n },
      runner: echoRunner({ clock: time }),
    })
    await time.advance(5_000)
    hub.faults = {}
    const probe = seen.find(event => event.kind === ephemeralWrap.number)
    if (!probe) throw new Error('no probe was sent')
    // The swallowed probe’s content under another author: it opens for nobody.
    const copy = { kind: probe.kind, created_at: seconds(time), tags: probe.tags, content: probe.content }
    await hub.connect().publish(keys.sign(copy, stranger))
    await time.advance(4_000)
    expect(seen.some(event => event.kind === heartbeat.number)).toBe(false)
    await time.advance(2_000)
    expect(await node.ready).toBe(false)
    await node.close()
  })
})
