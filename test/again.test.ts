/** Relays that forget and nodes that come back: what was said is said again, and what was done is not done again. */
import { afterEach, describe, expect, test } from 'vitest'
import { type Event, handler, heartbeat, resultKind, textInput, textRequest } from '../kinds/index.ts'
import { query } from '../relays/relay.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { type NodeEvent, openNode } from '../src/node/node.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { keeps } from './promises.ts'
import { openStage, type Stage, type Stranger } from './stage.ts'

const close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of close.splice(0).reverse()) await one()
})

async function stage(): Promise<Stage> {
  const world = await openStage()
  close.push(() => world.close())
  return world
}

async function node(
  world: Stage,
  clock: HandClock,
  secret: Uint8Array,
): Promise<{ pubkey: string; events: NodeEvent[] }> {
  const events: NodeEvent[] = []
  const one = await openNode({
    relays: world.connect(secret),
    keys: world.keys,
    secret,
    clock,
    runner: echoRunner({ clock }),
    priceMsats: 0n,
    service: { id: 'again', name: 'again', about: '', kinds: [textRequest.number], nodeKeys: [] },
    onEvent: event => void events.push(event),
  })
  close.push(() => one.close())
  expect(await one.ready).toBe(true)
  return { pubkey: one.pubkey, events }
}

function request(stranger: Stranger, to: string): Event {
  const value = { inputs: [textInput('say it again')], relays: [], providers: [to], stream: false, receipt: false }
  return stranger.sign(textRequest.write(value, Math.floor(Date.now() / 1000)))
}

/** The next result that this listener hears. */
async function nextResult(world: Stage): Promise<{ heard: Promise<Event> }> {
  const relays = world.connect()
  let came: (event: Event) => void = () => {}
  const heard = new Promise<Event>(resolve => {
    came = resolve
  })
  const kind = resultKind(textRequest.number) ?? 0
  await relays.listen([{ kinds: [kind] }], { onEvent: came }).live
  return { heard }
}

describe('after a relay has forgotten everything', () => {
  keeps('job.again', 'the customer asks again and gets the same signed answer, not a second one', async () => {
    const world = await stage()
    const clock = handClock(Date.now())
    const { pubkey, events } = await node(world, clock, world.keys.newSecret())
    const first = await nextResult(world)
    const asker = world.stranger()
    const job = request(asker, pubkey)
    await asker.relays.publish(job)
    const result = await first.heard

    await (await world.outage())()
    const second = await nextResult(world)
    await clock.advance(11_000)
    await asker.relays.publish(job)
    expect((await second.heard).id).toBe(result.id)
    expect(events.filter(event => event.event === 'running')).toHaveLength(1)
  })

  test('the node announces itself and beats again', async () => {
    const world = await stage()
    const clock = handClock(Date.now())
    const { pubkey } = await node(world, clock, world.keys.newSecret())
    await (await world.outage())()
    const relays = world.connect()
    const kinds = [handler.number, heartbeat.number]
    const found = new Promise<Set<number>>(resolve => {
      const seen = new Set<number>()
      relays.listen([{ kinds, authors: [pubkey] }], {
        onEvent(event) {
          seen.add(event.kind)
          if (seen.size === kinds.length) resolve(seen)
        },
      })
    })
    const stop = new AbortController()
    const ticking = (async () => {
      for (let i = 0; i < 200 && !stop.signal.aborted; i++) {
        await clock.advance(1_000)
        await query(relays, [{ kinds, limit: 1 }])
      }
    })()
    expect(await found).toEqual(new Set(kinds))
    stop.abort()
    await ticking
  })
})

keeps('job.again', 'a node that comes back with its key does not do the jobs again that it has delivered', async () => {
  const world = await stage()
  const clock = handClock(Date.now())
  const secret = world.keys.newSecret()
  const before = await node(world, clock, secret)
  const first = await nextResult(world)
  const asker = world.stranger()
  const done = request(asker, before.pubkey)
  await asker.relays.publish(done)
  await first.heard
  await close.pop()?.()

  const after = await node(world, clock, secret)
  const second = await nextResult(world)
  const fresh = asker.sign({ ...done, tags: [...done.tags], content: '', created_at: done.created_at + 1 })
  await asker.relays.publish(fresh)
  await second.heard
  await asker.relays.publish(done)
  expect(after.events.filter(event => event.event === 'accepted').map(event => event.job)).toEqual([fresh.id])
})
