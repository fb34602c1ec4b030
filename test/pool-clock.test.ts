/** The pool's waits, with time in the hand of the test: outages of hours, events that are kept, attempts that hang. */
import { expect, test } from 'vitest'
import { openPool, type PoolOptions } from '../relays/pool.ts'
import { handClock } from '../src/clock.ts'
import { muteServer } from './fake-relay.ts'
import { type Cast, play, type Stage } from './suites/relays-stage.ts'

const HOUR = 3_600_000

/** A stage whose pool lives by a clock that only `pass` moves. */
function timed(name: string, options: Partial<PoolOptions>, run: (stage: Stage, clock: Clock) => Promise<void>) {
  const hand = handClock(Math.floor(Date.now() / 1000) * 1000)
  const clock: Clock = {
    seconds: () => Math.floor(hand.now() / 1000),
    async pass(ms) {
      await hand.advance(ms)
    },
    async until(condition) {
      for (let i = 0; i < 20_000 && !condition(); i++) {
        await hand.advance(i % 10 === 0 ? 50 : 0)
        await new Promise(resolve => setImmediate(resolve))
      }
      expect(condition(), 'what was waited for').toBe(true)
    },
  }
  const cast: Cast = {
    patienceMs: 4_000,
    open: (urls, admit) => openPool({ urls, clock: hand, admit, random: () => 0.5, ...options }),
  }
  test(name, { timeout: 15_000 }, () => play(cast, stage => run(stage, clock)))
}

interface Clock {
  seconds(): number
  pass(ms: number): Promise<void>
  /** Moves time on in small steps, and the sockets with it. */
  until(condition: () => boolean): Promise<void>
}

timed('after an hour down it asks from before the moment of the loss', {}, async (stage, clock) => {
  const relay = await stage.fake()
  const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1], limit: 5 }])
  await heard.live
  const lost = clock.seconds()
  await relay.stop()
  for (let i = 0; i < 60; i++) {
    await clock.pass(HOUR / 60)
    await new Promise(resolve => setImmediate(resolve))
  }
  const missed = stage.event({ created_at: lost + 300 })
  relay.offer(missed)
  await relay.start()
  await clock.until(() => heard.times(missed) === 1)
  const since = relay.asked[1]?.[0]?.since ?? 0
  expect(since).toBeGreaterThanOrEqual(lost - 121)
  expect(since).toBeLessThanOrEqual(lost - 119)
})

timed('two outages in a row: the mark stays where it was until the relay sent everything', {}, async (stage, clock) => {
  const relay = await stage.fake()
  const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1] }])
  await heard.live
  const lost = clock.seconds()
  await relay.stop()
  await clock.pass(HOUR)
  relay.behave.eose = false
  await relay.start()
  await clock.until(() => relay.asked.length === 2)
  await clock.pass(HOUR)
  await relay.stop()
  relay.behave.eose = true
  await relay.start()
  await clock.until(() => relay.asked.length >= 3)
  expect(relay.asked.at(-1)?.[0]?.since ?? 0).toBeLessThanOrEqual(lost - 119)
})

timed('an event is kept for a relay that is down, but no longer than asked', {}, async (stage, clock) => {
  const relay = await stage.fake({ down: true })
  const relays = await stage.open(relay.url)
  const [short, long] = [stage.event(), stage.event()]
  const sent = [relays.publish(short, { keepMs: 20_000 }), relays.publish(long, { keepMs: 60_000 })]
  await clock.pass(10_000)
  for (const one of await Promise.all(sent))
    expect(one).toEqual({ accepted: 0, enough: false, acks: [{ relay: relay.url, ok: false, says: '' }] })
  await clock.pass(15_000)
  await relay.start()
  await clock.until(() => relay.stored.length > 0)
  expect(relay.stored.map(event => event.id)).toEqual([long.id])
})

timed('a connection that hangs is given up, and tried again for ever', {}, async (stage, clock) => {
  const mute = await muteServer()
  stage.after(() => mute.close())
  const relays = await stage.open(mute.url)
  expect(relays.state()[0]?.state).toBe('connecting')
  for (let i = 0; i < 5; i++) {
    await clock.until(() => relays.state()[0]?.state === 'waiting')
    expect(relays.state()[0]?.lastError).toBe('no connection in time')
    await clock.until(() => relays.state()[0]?.state === 'connecting')
  }
})

timed('without any relay `live` and EOSE still come, after the time for it', {}, async (stage, clock) => {
  const relay = await stage.fake({ down: true })
  const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1] }], true)
  let isOver = false
  void heard.eose.then(() => {
    isOver = true
  })
  await clock.pass(4_400)
  expect(isOver).toBe(false)
  await clock.pass(200)
  await heard.eose
  await heard.live
})
