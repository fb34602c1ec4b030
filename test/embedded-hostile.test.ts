import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { DEFAULT_LIMITS } from '../relays/embedded/limits.ts'
import { openProtocol } from '../relays/embedded/protocol.ts'
import { openStore } from '../relays/embedded/store.ts'
import { Socket } from '../relays/socket.ts'
import { handClock } from '../src/clock.ts'
import { type EmbeddedWorld, newAuthor, openEmbedded } from './embedded-world.ts'

let world: EmbeddedWorld

beforeEach(async () => {
  world = await openEmbedded()
})
afterEach(() => world.close())

/** The relay still takes an event and gives it back. */
async function serves(target: EmbeddedWorld = world) {
  const wire = await target.connect()
  const event = target.author().sign({})
  expect((await wire.publish(event))[2]).toBe(true)
  expect(await wire.query({ ids: [event.id] })).toEqual([event])
  wire.close()
}

async function rawSocket() {
  const socket = new Socket(world.relay.url)
  await once(socket, 'open')
  return socket
}

const closeCode = async (socket: Socket) => Number((await once(socket, 'close'))[0])

describe('hostile frames', () => {
  test.each([
    ['nested arrays', `${'['.repeat(120_000)}${']'.repeat(120_000)}`],
    ['nested arrays as an event', `["EVENT",${'['.repeat(120_000)}${']'.repeat(120_000)}]`],
    ['nested arrays as a tag', `["EVENT",{"tags":${'['.repeat(120_000)}${']'.repeat(120_000)}}]`],
    ['nested objects as a filter', `["REQ","x",${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}]`],
    ['nested arrays that never end', '['.repeat(200_000)],
    ['prototype keys', '["EVENT",{"__proto__":{"id":"x","polluted":1},"constructor":{"prototype":{"polluted":1}}}]'],
    ['prototype filter', '["REQ","x",{"__proto__":{"kinds":[1]}}]'],
    ['numbers beyond numbers', '["REQ","x",{"kinds":[1e999],"limit":1e400}]'],
    ['a sub id that is an object', '["REQ",{},{}]'],
    ['a sub id of 100,000 letters', `["REQ","${'x'.repeat(100_000)}",{}]`],
    ['an event id of 100,000 letters', `["EVENT",{"id":"${'x'.repeat(100_000)}"}]`],
    ['an AUTH without an event', '["AUTH"]'],
    ['a CLOSE without an id', '["CLOSE"]'],
    ['a COUNT without anything', '["COUNT"]'],
  ])('%s', async (_, text) => {
    const wire = await world.connect()
    wire.raw(text)
    expect(await wire.query({ ids: ['0'.repeat(64)] })).toEqual([])
    for (const words of wire.heard) expect(JSON.stringify(words).length).toBeLessThan(2_000)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(world.said).toEqual([])
  })
  test('10 MB ends the connection with 1009 and nobody else', async () => {
    const socket = await rawSocket()
    const code = closeCode(socket)
    socket.send('x'.repeat(10_000_000))
    expect(await code).toBe(1009)
    await serves()
  })
  test('a fragmented message beyond the limit ends the same way', async () => {
    const socket = await rawSocket()
    const code = closeCode(socket)
    for (let i = 0; i < 300; i++) socket.send('x'.repeat(1024), { fin: false })
    expect(await code).toBe(1009)
    await serves()
  })
  test('binary ends the connection with 1003', async () => {
    const socket = await rawSocket()
    const code = closeCode(socket)
    socket.send(Buffer.from([0, 1, 2, 255]))
    expect(await code).toBe(1003)
    await serves()
  })
  test('text that is not UTF-8 ends the connection with 1007', async () => {
    const socket = await rawSocket()
    const code = closeCode(socket)
    socket.send(Buffer.from([0xff, 0xfe, 0xfd]), { binary: false })
    expect(await code).toBe(1007)
    await serves()
  })
  test('no compression is agreed, so no message grows on arrival', async () => {
    const socket = await rawSocket()
    expect(socket.extensions).toBe('')
    socket.terminate()
  })
})

describe('half-open peers', () => {
  const upgrade = `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`

  test('one that never finishes its request costs others nothing', async () => {
    const peers = Array.from({ length: 20 }, () => connect(world.relay.port, '127.0.0.1'))
    for (const peer of peers) peer.on('error', () => {}).write(upgrade.slice(0, 30))
    await serves()
    for (const peer of peers) peer.destroy()
  })
  test('one that vanishes in the middle of a frame costs others nothing', async () => {
    const peer = connect(world.relay.port, '127.0.0.1').on('error', () => {})
    peer.write(upgrade)
    await once(peer, 'data')
    peer.write(Buffer.from([0x81, 0xfe, 0x7f]))
    peer.resetAndDestroy()
    await serves()
  })
  test('one that answers no ping is ended', async () => {
    const quick = await openEmbedded({ limits: { pingSeconds: 0.05 } })
    const peer = connect(quick.relay.port, '127.0.0.1').on('error', () => {})
    peer.write(upgrade)
    await once(peer, 'data')
    expect(quick.relay.stats().connections).toBe(1)
    peer.resume()
    await once(peer, 'close')
    await serves(quick)
    await quick.close()
  })
  test('a peer that speaks HTTP gibberish is refused', async () => {
    const peer = connect(world.relay.port, '127.0.0.1').on('error', () => {})
    peer.end('\u0000\u0001 nonsense\r\n\r\n')
    peer.resume()
    await once(peer, 'close')
    await serves()
  })
})

describe('trouble of our own', () => {
  test('a verifier that throws ends that connection, tells the operator, and nothing more', async () => {
    const broken = await openEmbedded({
      verify() {
        throw new Error('engine lost')
      },
    })
    const socket = new Socket(broken.relay.url)
    await once(socket, 'open')
    const code = closeCode(socket)
    socket.send(JSON.stringify(['EVENT', broken.author().sign({})]))
    expect(await code).toBe(1011)
    expect(broken.said.join()).toMatch(/engine lost/)
    expect(await (await broken.connect()).query({ kinds: [1] })).toEqual([])
    await broken.close()
  })
  test.each(['commit', 'insert'] as const)(
    'a disk that refuses at %s turns OK into false and tells the operator',
    async at => {
      const clock = handClock()
      const store = openStore({ file: undefined, maxEvents: 10, maxBytes: 1e6 })
      const said: string[] = []
      const heard: string[] = []
      let inserted = 0
      const refusing = {
        commit() {
          throw new Error('disk full')
        },
        insert(one: Event, json: string) {
          if (inserted++ > 0) throw new Error('disk full')
          return store.insert(one, json)
        },
      }
      const protocol = openProtocol({
        store: { ...store, [at]: refusing[at] },
        clock,
        limits: DEFAULT_LIMITS,
        verify: () => true,
        authToRead: new Set(),
        onError: says => said.push(says),
      })
      const connection = {
        challenge: '',
        host: '',
        authors: new Set<string>(),
        subscriptions: new Map(),
        filterValues: 0,
        admit: () => true,
        charge() {},
        send: (text: string) => heard.push(text),
        stream: () => true,
        drop() {},
      }
      const author = newAuthor(clock)
      const events = [author.sign({}), author.sign({})]
      for (const event of events) protocol.message(connection, JSON.stringify(['EVENT', event]))
      protocol.flush()
      expect(heard.map(text => JSON.parse(text))).toEqual(
        events.map(event => ['OK', event.id, false, 'error: could not be stored']),
      )
      expect(said.join()).toMatch(/disk full/)
      store.close()
    },
  )
})
