/**
 * Promises about what is sent.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { RelayPromise } from './relays-findings.ts'

export const publishing: readonly RelayPromise[] = [
  {
    name: 'publish',
    says: 'what is published reaches everybody who listens, and the relay that took it is named',
    async play(stage) {
      const relay = await stage.relay()
      const [from, to] = [await stage.open(relay.url), await stage.open(relay.url)]
      const heard = stage.listen(to, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      const event = stage.event()
      const published = await stage.within('publish', from.publish(event))
      deepEqual(published, { accepted: 1, enough: true, acks: [{ relay: from.urls[0], ok: true, says: '' }] })
      await heard.got(event)
    },
  },
  {
    name: 'publish.duplicate',
    says: 'a relay that already has the event counts as one that took it',
    async play(stage) {
      const relay = await stage.relay()
      const relays = await stage.open(relay.url)
      const event = stage.event()
      await stage.within('publish', relays.publish(event))
      equal((await stage.within('publish', relays.publish(event))).accepted, 1)
    },
  },
  {
    name: 'publish.says-who',
    says: 'who refused is named with its words, who accepted is counted',
    fake: true,
    async play(stage) {
      const [no, yes] = [await stage.fake({ ok: () => [false, 'blocked: not here'] }), await stage.fake()]
      const relays = await stage.open(no.url, yes.url)
      const { accepted, enough, acks } = await stage.within('publish', relays.publish(stage.event(), { want: 2 }))
      equal(accepted, 1)
      equal(enough, false)
      const refusal = acks.find(ack => ack.relay === no.url)
      equal(refusal?.ok, false)
      equal(refusal?.says, 'blocked: not here')
    },
  },
  {
    name: 'publish.enough',
    says: 'as soon as enough relays took it, nobody waits for the silent one',
    fake: true,
    async play(stage) {
      const [silent, a, b] = [await stage.fake({ ok: () => undefined }), await stage.fake(), await stage.fake()]
      const relays = await stage.open(silent.url, a.url, b.url)
      const published = await stage.within('publish', relays.publish(stage.event()))
      equal(published.enough, true)
      equal(published.accepted, 2)
    },
  },
  {
    name: 'publish.silence',
    says: 'a publication that no relay answers still ends, and does not count',
    fake: true,
    async play(stage) {
      const relay = await stage.fake({ ok: () => undefined })
      const relays = await stage.open(relay.url)
      const sent = relays.publish(stage.event())
      const published = await stage.within('publish', sent, Math.max(stage.patienceMs, 12_000))
      equal(published.accepted, 0)
      equal(published.enough, false)
      equal(published.acks[0]?.ok, false)
    },
  },
  {
    name: 'publish.when-back',
    says: 'an event published while the relay is down reaches it when it is back',
    async play(stage) {
      const relay = await stage.relay()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      await relay.stop()
      const event = stage.event()
      const sent = relays.publish(event)
      if (relay.refused) await stage.within('attempt', relay.refused()).catch(() => {})
      await relay.start()
      const published = await stage.within('publish', sent)
      ok(published.enough, 'the relay that came back never said OK')
      await heard.got(event)
    },
  },
]
