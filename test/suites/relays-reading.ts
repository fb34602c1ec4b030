/**
 * Promises about what is handed on, and by whom nobody is held up.
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { query } from '../../relays/relay.ts'
import { muteServer } from '../fake-relay.ts'
import type { RelayPromise } from './relays-findings.ts'

/** The same id and author, another content: what a lying relay sends to hide the genuine event. */
const forge = <E extends { content: string; sig: string }>(event: E): E => ({
  ...event,
  content: 'forged',
  sig: event.sig.replace(/^../, two => (two === '00' ? '11' : '00')),
})

export const reading: readonly RelayPromise[] = [
  {
    name: 'query',
    says: 'a query brings what is stored, newest first, one per id, and ends',
    async play(stage) {
      const relay = await stage.relay()
      const events = [3, 2, 1].map(age => stage.event({ created_at: stage.now() - age * 10 }))
      for (const event of events) await relay.offer(event)
      await relay.offer(stage.event({ kind: 7 }))
      const relays = await stage.open(relay.url)
      const found = await stage.within('query', query(relays, [{ kinds: [1] }, { ids: [events[0]?.id ?? ''] }]))
      deepEqual(
        found.map(event => event.id),
        events.map(event => event.id).reverse(),
      )
    },
  },
  {
    name: 'live-before-answer',
    says: 'once live, an ephemeral event that a relay passes on is not missed',
    async play(stage) {
      const relay = await stage.relay()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [20_001] }])
      await stage.within('live', heard.live)
      const event = stage.event({ kind: 20_001 })
      await relay.offer(event)
      await heard.got(event)
    },
  },
  {
    name: 'once-per-id',
    says: 'what several relays bring several times is handed on once',
    fake: true,
    async play(stage) {
      const [a, b] = [await stage.fake(), await stage.fake()]
      const relays = await stage.open(a.url, b.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      await stage.within(
        'both REQs',
        a.until(() => a.asked.length > 0).then(() => b.until(() => b.asked.length > 0)),
      )
      const [event, last] = [stage.event(), stage.event()]
      for (const relay of [a, b, a]) relay.push(event)
      for (const relay of [a, b]) relay.push(last)
      await heard.got(last)
      equal(heard.times(event), 1)
    },
  },
  ...(['same', 'other'] as const).map(
    (which): RelayPromise => ({
      name: `forged-twin.${which}-relay`,
      says: `a copy with a bad signature does not hide the genuine event from the ${which} relay`,
      fake: true,
      async play(stage) {
        const [liar, honest] = [await stage.fake(), await stage.fake()]
        const relays = await stage.open(liar.url, honest.url)
        const heard = stage.listen(relays, [{ kinds: [1] }])
        await stage.within('live', heard.live)
        await stage.within(
          'REQ',
          liar.until(() => liar.asked.length > 0),
        )
        await stage.within(
          'REQ',
          honest.until(() => honest.asked.length > 0),
        )
        const [event, mark] = [stage.event(), stage.event()]
        liar.push(forge(event))
        liar.push(mark)
        await heard.got(mark)
        if (which === 'same') liar.push(event)
        else honest.push(event)
        await heard.got(event)
        ok(!heard.events.some(one => one.content === 'forged'), 'the forged copy was handed on')
      },
    }),
  ),
  {
    name: 'off-filter',
    says: 'what nobody asked for is not handed on',
    fake: true,
    async play(stage) {
      const relay = await stage.fake()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1], '#t': ['a'] }])
      await stage.within('live', heard.live)
      const other = stage.event({ tags: [['t', 'b']] })
      const mark = stage.event({ tags: [['t', 'a']] })
      relay.push(other)
      relay.push(mark)
      await heard.got(mark)
      equal(heard.times(other), 0, 'an event outside the filter was handed on')
    },
  },
  {
    name: 'hang',
    says: 'a relay that accepts TCP and never speaks does not hold up another',
    fake: true,
    async play(stage) {
      const mute = await muteServer()
      stage.after(() => mute.close())
      const relay = await stage.fake()
      const event = stage.event()
      await relay.offer(event)
      const relays = await stage.open(mute.url, relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await heard.got(event)
      await stage.within('live', heard.live)
    },
  },
  {
    name: 'eose-time-out',
    says: 'a relay that never sends EOSE does not keep a query from ending',
    fake: true,
    async play(stage) {
      const relay = await stage.fake({ eose: false })
      const event = stage.event()
      await relay.offer(event)
      const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1] }], true)
      await heard.got(event)
      await stage.within('EOSE', heard.eose, Math.max(stage.patienceMs, 6_000))
    },
  },
  {
    name: 'one-connection',
    says: 'three spellings of one address are one connection',
    fake: true,
    async play(stage) {
      const relay = await stage.fake()
      const relays = await stage.open(relay.url, `${relay.url}/`, relay.url.replace('ws:', 'WS:'))
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      const event = stage.event()
      await relay.offer(event)
      await heard.got(event)
      equal(relay.accepted, 1)
    },
  },
  {
    name: 'junk',
    says: 'messages that are no messages do not stop those that are',
    fake: true,
    async play(stage) {
      const relay = await stage.fake()
      const relays = await stage.open(relay.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      for (const text of JUNK) relay.say(text)
      for (const event of [null, 7, {}, { id: 7 }, { ...stage.event(), tags: [null] }, { ...stage.event(), tags: 'x' }])
        relay.push(event)
      const event = stage.event()
      await relay.offer(event)
      await heard.got(event)
      equal(heard.events.length, 1)
    },
  },
  {
    name: 'flood',
    says: 'a relay that floods with forgeries does not keep another from being heard',
    fake: true,
    async play(stage) {
      const [liar, honest] = [await stage.fake(), await stage.fake()]
      const relays = await stage.open(liar.url, honest.url)
      const heard = stage.listen(relays, [{ kinds: [1] }])
      await stage.within('live', heard.live)
      await stage.within(
        'REQ',
        liar.until(() => liar.asked.length > 0),
      )
      await stage.within(
        'REQ',
        honest.until(() => honest.asked.length > 0),
      )
      const forged = forge(stage.event())
      for (let i = 0; i < 5_000; i++) liar.push({ ...forged, id: i.toString(16).padStart(64, '0') })
      const event = stage.event()
      honest.offer(event)
      await heard.got(event)
    },
  },
]

const JUNK = [
  '',
  '[',
  'null',
  '7',
  '"EVENT"',
  '{}',
  '[]',
  '[null]',
  '["EVENT"]',
  '["EVENT","s1"]',
  '["EVENT",null,null]',
  '[ "EVENT" , "s1" , {} ]',
  '["EOSE"]',
  '["EOSE",{}]',
  '["EOSE","nobody"]',
  '["CLOSED"]',
  '["CLOSED","nobody",{}]',
  '["OK"]',
  '["OK","x"]',
  '["OK",null,true,"x"]',
  '["NOTICE"]',
  '["NOTICE",null]',
  '["NOTICE","hello"]',
  '["AUTH"]',
  '["AUTH",{}]',
  '["AUTH","challenge"]',
  '["COUNT","x",{"count":1}]',
  '["__proto__","x"]',
  `["EVENT","s1",${'['.repeat(2_000)}${']'.repeat(2_000)}]`,
]
