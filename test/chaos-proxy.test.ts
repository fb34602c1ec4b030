/** The proxy does to a chosen event what it was told, and nothing to any other. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Event } from '../kinds/index.ts'
import { type EmbeddedRelay, startRelay } from '../relays/embedded/relay.ts'
import { openKeys } from '../src/keys.ts'
import { type Fault, openWeather, type Planted, randomOf, type Way } from './chaos/faults.ts'
import { readPassing, tamper } from './chaos/frames.ts'
import { type ChaosProxy, openProxy } from './chaos/proxy.ts'
import { type QuietClock, quietClock } from './chaos/quiet-clock.ts'

const keys = await openKeys()
const secret = keys.newSecret()
const event = (content: string, kind = 1): Event =>
  keys.sign({ kind, created_at: 1_800_000_000, tags: [['t', 'x']], content }, secret)

let clock: QuietClock
let relay: EmbeddedRelay
const open: { close(): Promise<void> }[] = []
beforeEach(async () => {
  clock = quietClock()
  relay = await startRelay({ clock, verify: one => keys.verify(one) })
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  await relay.close()
})

interface Talk {
  readonly frames: string[]
  readonly socket: WebSocket
  say(frame: unknown): void
  /** Contents of events that came, and OKs as `OK true`. */
  heard(): string[]
}

/** A raw client behind a proxy. */
async function talk(planted: readonly Planted[]): Promise<Talk & { proxy: ChaosProxy }> {
  const weather = openWeather(planted, 1)
  const proxy = await openProxy({ party: 'me', relay: relay.url, weather, clock, onMove: clock.stir })
  open.push(proxy)
  const socket = new WebSocket(proxy.url)
  const frames: string[] = []
  socket.on('message', data => frames.push(String(data)))
  socket.on('error', () => {})
  await new Promise(resolve => socket.once('open', resolve))
  return {
    proxy,
    socket,
    frames,
    say: frame => socket.send(JSON.stringify(frame)),
    heard: () =>
      frames.flatMap(text => {
        const frame = readPassing(text)
        if (frame.label === 'EVENT') return [frame.event.content]
        return frame.label === 'OK' ? [`OK ${frame.ok}`] : []
      }),
  }
}

const plan = (fault: Fault, way: Way, nth = 1): Planted => ({ fault, kind: 1, way, nth })

describe('on the way up', () => {
  /** Two events are published; what their author and a reader without proxy hear. */
  async function story(planted: readonly Planted[]) {
    const reader = await talk([])
    reader.say(['REQ', 's', { kinds: [1] }])
    const me = await talk(planted)
    for (const text of ['one', 'two']) me.say(['EVENT', event(text)])
    await clock.pass(0)
    return { me, reader, said: () => me.heard(), read: () => reader.heard() }
  }

  test.each([
    ['drop', ['OK true'], ['two']],
    ['duplicate', ['OK true', 'OK true', 'OK true'], ['one', 'two']],
    ['delay', ['OK true'], ['two']],
    ['reorder', ['OK true', 'OK true'], ['two', 'one']],
    ['tamper', ['OK false', 'OK true'], ['two']],
    ['lie-ok', ['OK true', 'OK true'], ['two']],
    ['swallow-ok', ['OK true'], ['one', 'two']],
    ['die', [], []],
  ] as const)('%s', async (fault, said, read) => {
    const { me, reader, ...told } = await story([plan(fault, 'up')])
    expect(told.said()).toEqual(said)
    expect(told.read()).toEqual(read)
    expect(me.socket.readyState).toBe(fault === 'die' ? WebSocket.CLOSED : WebSocket.OPEN)
    expect(reader.socket.readyState).toBe(WebSocket.OPEN)
  })

  test('what is held back comes when it is let go, or when its time is over', async () => {
    const { me, read } = await story([plan('delay', 'up')])
    me.proxy.release()
    await clock.pass(0)
    expect(read()).toEqual(['two', 'one'])
    const later = await story([{ ...plan('delay', 'up'), delayMs: 9_000 }])
    await clock.pass(8)
    expect(later.said()).toEqual(['OK true'])
    await clock.pass(1)
    expect(later.said()).toEqual(['OK true', 'OK true'])
  })

  test('only the event that was chosen, of its kind', async () => {
    const { said, me } = await story([plan('drop', 'up', 2), { ...plan('drop', 'up'), kind: 5050 }])
    expect(said()).toEqual(['OK true'])
    expect(me.proxy.passed.filter(({ fault }) => fault).map(({ text }) => text)).toEqual([
      expect.stringContaining('"two"'),
    ])
  })
})

describe('on the way down', () => {
  test.each([
    ['drop', ['two']],
    ['duplicate', ['one', 'one', 'two']],
    ['reorder', ['two', 'one']],
    ['die', []],
  ] as const)('%s', async (fault, read) => {
    const reader = await talk([plan(fault, 'down')])
    reader.say(['REQ', 's', { kinds: [1] }])
    await clock.pass(0)
    const me = await talk([])
    for (const text of ['one', 'two']) me.say(['EVENT', event(text)])
    await clock.pass(0)
    expect(reader.heard()).toEqual(read)
    expect(me.heard()).toEqual(['OK true', 'OK true'])
  })

  test('tamper: the reader gets an event that is not what its author signed', async () => {
    const reader = await talk([plan('tamper', 'down')])
    reader.say(['REQ', 's', { kinds: [1] }])
    const me = await talk([])
    me.say(['EVENT', event('one')])
    await clock.pass(0)
    const [text = ''] = reader.frames.filter(frame => frame.startsWith('["EVENT"'))
    const frame = readPassing(text)
    expect(frame.label === 'EVENT' && keys.verify(frame.event as Event)).toBe(false)
  })
})

test('a relay that died takes connections again, and subscriptions are counted', async () => {
  const me = await talk([])
  me.say(['REQ', 'a', { kinds: [1] }])
  me.say(['REQ', 'b', { kinds: [1] }])
  me.say(['CLOSE', 'a'])
  await clock.pass(0)
  expect(me.proxy.subscriptions).toBe(1)
  me.proxy.kill()
  await clock.pass(0)
  expect(me.socket.readyState).toBe(WebSocket.CLOSED)
  expect(me.proxy.subscriptions).toBe(0)
  const again = new WebSocket(me.proxy.url)
  await new Promise(resolve => again.once('open', resolve))
  expect(me.proxy.connections).toBe(2)
})

test('a tampered event is never the one that was signed, whatever it holds', () => {
  const tags = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), { maxLength: 4 })
  fc.assert(
    fc.property(fc.string(), tags, fc.integer(), (content, list, seed) => {
      const whole = { id: '', pubkey: '', created_at: 0, kind: 1, tags: list, content, sig: '0'.repeat(128) }
      expect(tamper(whole, randomOf(seed))).not.toEqual(whole)
    }),
    { numRuns: 2_000 },
  )
})

test('no text makes the reader of frames throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map(value => JSON.stringify(value)),
      ),
      text => {
        expect(readPassing(text)).toHaveProperty('label')
      },
    ),
    { numRuns: 2_000 },
  )
})
