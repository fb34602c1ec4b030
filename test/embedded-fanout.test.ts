import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { Socket } from '../relays/socket.ts'
import { type EmbeddedWorld, openEmbedded } from './embedded-world.ts'
import type { Wire } from './suites/conformance-wire.ts'

let world: EmbeddedWorld

afterEach(() => world.close())

const last = (wire: Wire, sub: string, event: Event) =>
  wire.until('the last event', words => words[0] === 'EVENT' && words[1] === sub && (words[2] as Event).id === event.id)

describe('fan-out', { timeout: 60_000 }, () => {
  test('200 subscriptions of 10 clients each hear exactly their own, in order, among 1,000 idle ones', async () => {
    world = await openEmbedded()
    const author = world.author()
    const speaker = await world.connect()
    const idle = await Promise.all(Array.from({ length: 5 }, () => world.connect()))
    for (const wire of idle)
      for (let i = 0; i < 200; i++) wire.send('REQ', `idle-${i}`, { kinds: [1], '#t': [`nobody-${i}`] })
    await Promise.all(idle.map(wire => wire.until('EOSE', words => words[0] === 'EOSE' && words[1] === 'idle-199')))

    const readers = await Promise.all(Array.from({ length: 10 }, () => world.connect()))
    await Promise.all(
      readers.flatMap((wire, r) =>
        Array.from({ length: 20 }, (_, s) =>
          wire.subscribe(`s${s}`, { authors: [author.pubkey], '#t': [`${r}-${s}`, 'all'] }),
        ),
      ),
    )
    expect(world.relay.stats()).toMatchObject({ connections: 16, subscriptions: 1_200 })

    const events: Event[] = []
    for (let r = 0; r < 10; r++) for (let s = 0; s < 20; s++) events.push(author.sign({ tags: [['t', `${r}-${s}`]] }))
    const end = author.sign({
      tags: [
        ['t', 'all'],
        ['t', '0-0'],
        ['t', 'all'],
      ],
    })
    for (const event of [...events, end]) speaker.send('EVENT', event)
    for (const [r, wire] of readers.entries())
      for (let s = 0; s < 20; s++) {
        await last(wire, `s${s}`, end)
        expect(wire.events(`s${s}`)).toEqual([events[r * 20 + s], end])
      }
    for (const wire of idle) expect(wire.heard.filter(words => words[0] === 'EVENT')).toEqual([])
  })
  test('a client that leaves takes its subscriptions along', async () => {
    world = await openEmbedded()
    const socket = new Socket(world.relay.url)
    await once(socket, 'open')
    socket.send(JSON.stringify(['REQ', 'x', { kinds: [1] }]))
    await new Promise<void>(resolve =>
      socket.on('message', data => {
        if (data.toString().startsWith('["EOSE"')) resolve()
      }),
    )
    expect(world.relay.stats().subscriptions).toBe(1)
    socket.close()
    await once(socket, 'close')
    const wire = await world.connect()
    await wire.query({ kinds: [1] })
    expect(world.relay.stats().subscriptions).toBeLessThanOrEqual(1)
    expect(world.relay.stats().connections).toBe(1)
  })
})

describe('slow readers', { timeout: 60_000 }, () => {
  const large = 'x'.repeat(100_000)

  test('one that does not read is dropped; others hear everything', async () => {
    world = await openEmbedded({ limits: { unsentBytes: 1_000_000 } })
    const author = world.author()
    const speaker = await world.connect()
    const good = await world.connect()
    await good.subscribe('live', { authors: [author.pubkey] })
    const slow = new Socket(world.relay.url)
    await once(slow, 'open')
    slow.send(JSON.stringify(['REQ', 'live', { authors: [author.pubkey] }]))
    await new Promise<void>(resolve =>
      slow.on('message', data => {
        if (data.toString().startsWith('["EOSE"')) resolve()
      }),
    )
    slow.pause()
    const events: Event[] = []
    for (let i = 0; i < 250 && world.relay.stats().connections === 3; i++) {
      const event = author.sign({ kind: 20_001, content: `${i} ${large}` })
      events.push(event)
      await speaker.publish(event)
      await last(good, 'live', event)
    }
    const gone = once(slow, 'close')
    slow.resume()
    expect((await gone)[0]).toBe(1006)
    expect(world.relay.stats().connections).toBe(2)
    expect(good.events('live').map(event => event.id)).toEqual(events.map(event => event.id))
  })
  test('one that asks for much is fed as it reads, and not dropped', async () => {
    world = await openEmbedded({ limits: { unsentBytes: 1_500_000 } })
    const author = world.author()
    const wire = await world.connect()
    for (let i = 0; i < 70; i++) await wire.publish(author.sign({ content: `${i} ${large}` }))
    const reader = await world.connect()
    expect(await reader.query({ authors: [author.pubkey] })).toHaveLength(70)
  })
  test('one that asks for more than may wait is told so', async () => {
    world = await openEmbedded({ limits: { unsentRows: 50 } })
    const author = world.author()
    const wire = await world.connect()
    for (let i = 0; i < 51; i++) await wire.publish(author.sign({}))
    await expect(wire.subscribe('much', { authors: [author.pubkey] })).rejects.toThrow(/closed: rate-limited: read/)
    for (let i = 0; i < 3; i++)
      expect(await wire.query({ authors: [author.pubkey], limit: 50 }), 'what was read waits no more').toHaveLength(50)
    expect(world.relay.stats().subscriptions).toBeLessThanOrEqual(1)
  })
  test('CLOSE stops what is still being fed', async () => {
    world = await openEmbedded()
    const author = world.author()
    const wire = await world.connect()
    for (let i = 0; i < 70; i++) await wire.publish(author.sign({ content: `${i} ${large}` }))
    const reader = await world.connect()
    reader.send('REQ', 'stopped', { authors: [author.pubkey] })
    reader.send('CLOSE', 'stopped')
    expect(await reader.query({ authors: [author.pubkey] })).toHaveLength(70)
    expect(reader.events('stopped').length).toBeLessThan(70)
    expect(reader.heard.some(words => words[0] === 'EOSE' && words[1] === 'stopped')).toBe(false)
  })
})
