/** What only our pool promises: authentication, bounds on a hostile relay, dead peers, an orderly end. */
import { expect, test } from 'vitest'
import type { Template } from '../kinds/kind.ts'
import { openPool, type PoolOptions } from '../relays/pool.ts'
import type { Relays } from '../relays/relay.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { keeps } from './promises.ts'
import { QUICK } from './relays-casts.ts'
import { type Cast, play, type Stage } from './suites/relays-stage.ts'

const keys = await openKeys()
const secret = keys.newSecret()

/** A stage on which the pool has these options. */
function pooled(name: string, options: Partial<PoolOptions>, run: (stage: Stage) => Promise<void>) {
  test(name, { concurrent: true, timeout: 15_000 }, () => play(castOf(options), run))
}

const castOf = ({ limits, ...rest }: Partial<PoolOptions>): Cast => ({
  patienceMs: 4_000,
  open: (urls, admit) => openPool({ urls, clock: wallClock(), admit, limits: { ...QUICK, ...limits }, ...rest }),
})

const signed: Template[] = []
const sign = (template: Template) => {
  signed.push(template)
  return keys.sign(template, secret)
}
const isAuth = (frame: unknown[]) => frame[0] === 'AUTH'
const authTags = (frame: unknown[] | undefined) => (frame?.[1] as Template | undefined)?.tags

for (const says of ['auth-required: who are you', 'ERROR: auth-required: subscription needs auth'])
  pooled(`a REQ closed with "${says}" is asked again after AUTH for the connected address`, { sign }, async stage => {
    const relay = await stage.fake({
      greeting: ['["AUTH","challenge 1"]'],
      closes: (_, authed) => (authed ? undefined : says),
    })
    const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1] }])
    await stage.within(
      'second REQ',
      relay.until(() => relay.asked.length >= 2),
    )
    const event = stage.event()
    relay.offer(event)
    await heard.got(event)
    expect(authTags(relay.heard.find(isAuth))).toEqual([
      ['relay', relay.url],
      ['challenge', 'challenge 1'],
    ])
    expect(relay.heard.filter(isAuth)).toHaveLength(1)
  })

pooled('an event refused with auth-required is sent again after AUTH', { sign }, async stage => {
  let isAuthed = false
  const relay = await stage.fake({
    greeting: ['["AUTH","c"]'],
    ok: () => (isAuthed ? [true, ''] : [false, 'auth-required: first say who you are']),
    onAuth: () => {
      isAuthed = true
    },
  })
  const relays = await stage.open(relay.url)
  const published = await stage.within('publish', relays.publish(stage.event()))
  expect(published.accepted).toBe(1)
  expect(relay.heard.map(frame => frame[0])).toEqual(['EVENT', 'AUTH', 'EVENT'])
})

pooled('a challenge that nothing demanded is not signed', { sign }, async stage => {
  const relay = await stage.fake({ greeting: ['["AUTH","phish"]', '["AUTH","wss://other.example"]'] })
  const relays = await stage.open(relay.url)
  await stage.within('publish', relays.publish(stage.event()))
  expect(relay.heard.some(isAuth)).toBe(false)
})

pooled('without a signer auth-required is a final no, in the words of the relay', {}, async stage => {
  const relay = await stage.fake({ greeting: ['["AUTH","c"]'], ok: () => [false, 'auth-required: no'] })
  const { acks } = await stage.within('publish', (await stage.open(relay.url)).publish(stage.event()))
  expect(acks).toEqual([{ relay: relay.url, ok: false, says: 'auth-required: no' }])
})

pooled('OK false: duplicate is a yes, replaced and deleted are a final no', {}, async stage => {
  const answers = ['duplicate: have it', 'replaced: have newer event', 'deleted: user requested deletion']
  const relay = await stage.fake({ ok: () => [false, answers.shift() ?? ''] })
  const relays = await stage.open(relay.url)
  const accepted: number[] = []
  for (let i = 0; i < 3; i++) accepted.push((await stage.within('publish', relays.publish(stage.event()))).accepted)
  expect(accepted).toEqual([1, 0, 0])
  expect(relay.heard.filter(frame => frame[0] === 'EVENT')).toHaveLength(3)
})

const slow = { messagesPerSecond: 20, messagesBurst: 100, pingMs: 60_000 }
const flood = async (stage: Stage) => {
  const [liar, honest] = [await stage.fake(), await stage.fake()]
  let asked = 0
  const relays = await stage.open(liar.url, honest.url)
  const forged = stage.event()
  const event = stage.event()
  let heard = () => {}
  const came = new Promise<void>(resolve => {
    heard = resolve
  })
  relays.listen([{ kinds: [1] }], {
    admit(raw) {
      asked++
      return keys.verify(raw as typeof event) ? (raw as typeof event) : undefined
    },
    onEvent: () => heard(),
  })
  await stage.within(
    'REQ',
    liar.until(() => liar.asked.length > 0),
  )
  await stage.within(
    'REQ',
    honest.until(() => honest.asked.length > 0),
  )
  for (let i = 0; i < 20_000; i++) liar.push({ ...forged, id: i.toString(16).padStart(64, '0') })
  honest.offer(event)
  await stage.within('event', came)
  // Round trips with the honest relay, in each of which an unpaused socket would bring another 64 KiB.
  for (let i = 0; i < 60; i++) await stage.within('publish', relays.publish(stage.event(), { want: 1 }))
  // What was in the socket's buffer when it was paused is still read: 64 KiB, some 170 events.
  expect(asked).toBeLessThan(1_000)
}
keeps('relay.hostile', 'a flood is read no faster than its budget', () => play(castOf({ limits: slow }), flood))

pooled('a query stops at its bound of events', { limits: { queryEvents: 10 } }, async stage => {
  const relay = await stage.fake({ eose: false })
  for (let i = 0; i < 40; i++) relay.offer(stage.event({ created_at: stage.now() - i }))
  const heard = stage.listen(await stage.open(relay.url), [{ kinds: [1] }], true)
  await stage.within('EOSE', heard.eose)
  expect(heard.events).toHaveLength(10)
})

pooled('a NOTICE is kept short, and only the last', {}, async stage => {
  const relay = await stage.fake()
  const relays = await stage.open(relay.url)
  const heard = stage.listen(relays, [{ kinds: [1] }])
  await stage.within('live', heard.live)
  for (let i = 0; i < 50; i++) relay.say(JSON.stringify(['NOTICE', 'x'.repeat(100_000)]))
  const event = stage.event()
  relay.offer(event)
  await heard.got(event)
  expect(relays.state()[0]?.lastError).toBe('x'.repeat(500))
})

pooled('a peer that went dead without closing is left and connected to again', {}, async stage => {
  const relay = await stage.fake()
  const relays = await stage.open(relay.url)
  const heard = stage.listen(relays, [{ kinds: [1] }])
  await stage.within(
    'REQ',
    relay.until(() => relay.asked.length === 1),
  )
  relay.freeze()
  await stage.within(
    'second REQ',
    relay.until(() => relay.asked.length === 2),
  )
  const event = stage.event()
  relay.offer(event)
  await heard.got(event)
  expect(relays.state()[0]?.reconnects).toBe(1)
})

pooled('a handler that throws is counted and disturbs nobody', {}, async stage => {
  const relay = await stage.fake()
  const relays = await stage.open(relay.url)
  const heard = stage.listen(relays, [{ kinds: [1] }])
  relays.listen([{ kinds: [1] }], {
    onEvent() {
      throw new Error('bug of a handler')
    },
  })
  await stage.within(
    'both REQs',
    relay.until(() => relay.asked.length === 2),
  )
  for (const event of [stage.event(), stage.event()]) {
    relay.offer(event)
    await heard.got(event)
  }
  await stage.within('third REQ', Promise.all([relays.publish(stage.event())]))
  expect(relays.state()[0]?.dropped).toBeGreaterThanOrEqual(2)
})

pooled('closing a subscription says CLOSE, an abort does too, and close ends every socket', {}, async stage => {
  const relay = await stage.fake()
  const relays = await stage.open(relay.url)
  const abort = new AbortController()
  const first = relays.listen([{ kinds: [1] }], { onEvent() {} })
  const second = relays.listen([{ kinds: [1] }], { onEvent() {} }, abort.signal)
  await Promise.all([first.live, second.live])
  first.close()
  abort.abort()
  await stage.within(
    'CLOSE',
    relay.until(() => relay.heard.filter(frame => frame[0] === 'CLOSE').length === 2),
  )
  await stage.within('close', relays.close())
  await stage.within(
    'end',
    relay.until(() => relay.connections === 0),
  )
  expect(relays.state()[0]?.state).toBe('closed')
  expect((await relays.publish(stage.event())).accepted).toBe(0)
  await relays.listen([{}], { onEvent() {} }).live
})

test('no address, or one that is none, is an error that says what to write', () => {
  const open = (...urls: string[]): Relays => openPool({ urls, clock: wallClock(), admit: () => undefined })
  expect(() => open()).toThrow('name at least one')
  expect(() => open('https://relay.example.com')).toThrow('write ws://')
})
