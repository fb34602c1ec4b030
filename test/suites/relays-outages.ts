/**
 * Promises about relays that fall and come back.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import type { RelayPromise } from './relays-findings.ts'
import type { Stage, StageRelay } from './relays-stage.ts'

/** A fallen relay that refuses at least one attempt before it comes back, where the driver attempts at all. */
export async function fall(stage: Stage, relay: StageRelay, how: 'abrupt' | 'graceful' = 'abrupt') {
  await relay.stop(how)
  if (relay.refused) await stage.within('attempt', relay.refused()).catch(() => {})
}

const outage = (name: string, how: 'abrupt' | 'graceful', says: string): RelayPromise => ({
  name,
  says,
  async play(stage) {
    const relay = await stage.relay()
    const relays = await stage.open(relay.url)
    const heard = stage.listen(relays, [{ kinds: [1] }])
    await stage.within('live', heard.live)
    const seen = stage.event()
    await relay.offer(seen)
    await heard.got(seen)
    await fall(stage, relay, how)
    const missed = [
      stage.event({ created_at: seen.created_at, content: 'same second' }),
      stage.event({ content: 'now' }),
      stage.event({ created_at: seen.created_at - 30, content: 'back-dated' }),
    ]
    for (const event of missed) await relay.offer(event)
    await relay.start()
    for (const event of missed) await heard.got(event)
    const later = stage.event({ content: 'later' })
    await relay.offer(later)
    await heard.got(later)
    for (const event of [seen, ...missed, later]) equal(heard.times(event), 1, `"${event.content}" came twice`)
  },
})

export const outages: readonly RelayPromise[] = [
  outage('outage.abrupt', 'abrupt', 'after a broken connection everything published meanwhile arrives once'),
  outage('outage.graceful', 'graceful', 'after close code 1001 everything published meanwhile arrives once'),
  {
    name: 'outage.far-future',
    says: 'an event dated ten years ahead does not hide what is published during the next outage',
    async play(stage) {
      const relay = await stage.relay()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      const ahead = stage.event({ created_at: stage.now() + 10 * 365 * 86_400 })
      await relay.offer(ahead)
      await heard.got(ahead)
      await fall(stage, relay)
      const missed = stage.event({ content: 'missed' })
      await relay.offer(missed)
      await relay.start()
      await heard.got(missed)
    },
  },
  {
    name: 'outage.limit-zero',
    says: 'a standing subscription with limit 0 still gets what was published during an outage',
    async play(stage) {
      const relay = await stage.relay()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1], limit: 0 }])
      await stage.within('live', heard.live)
      await fall(stage, relay)
      const missed = [stage.event({ content: 'first' }), stage.event({ content: 'second' })]
      for (const event of missed) await relay.offer(event)
      await relay.start()
      for (const event of missed) await heard.got(event)
    },
  },
  {
    name: 'outage.overlap',
    says: 'after an outage it asks from before the last sign of life, not from the last event, and without limit',
    fake: true,
    async play(stage) {
      const relay = await stage.fake()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1], limit: 10 }])
      await stage.within('live', heard.live)
      await stage.within(
        'REQ',
        relay.until(() => relay.asked.length > 0),
      )
      const before = stage.now()
      const asked = relay.asked.length
      await fall(stage, relay)
      await relay.start()
      await stage.within(
        'second REQ',
        relay.until(() => relay.asked.length > asked),
      )
      const filter = relay.asked[asked]?.[0]
      const since = filter?.since ?? 0
      ok(since > before - 300, 'asks for the whole past again')
      ok(since <= before - 60, 'asks for less than a minute of overlap')
      equal(filter?.limit, undefined, 'sends the limit again')
    },
  },
  {
    name: 'down-at-start',
    says: 'a relay that is down when the program starts is used as soon as it is there',
    async play(stage) {
      const relay = await stage.relay({ down: true })
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await fall(stage, relay)
      await relay.start()
      const event = stage.event()
      await relay.offer(event)
      await heard.got(event)
    },
  },
  {
    name: 'resubscribe-after-closed',
    says: 'a subscription that the relay ends with CLOSED is asked for again',
    fake: true,
    async play(stage) {
      let closings = 2
      const relay = await stage.fake({ closes: () => (closings-- > 0 ? 'error: try again' : undefined) })
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within(
        'third REQ',
        relay.until(() => relay.asked.length >= 3),
      )
      const event = stage.event()
      await relay.offer(event)
      await heard.got(event)
    },
  },
]
