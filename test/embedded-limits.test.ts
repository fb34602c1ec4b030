import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Limits } from '../relays/embedded/relay.ts'
import { Socket } from '../relays/socket.ts'
import { type EmbeddedWorld, openEmbedded } from './embedded-world.ts'
import type { Wire } from './suites/conformance-wire.ts'

let world: EmbeddedWorld

afterEach(() => world.close())

async function open(limits: Partial<Limits>) {
  world = await openEmbedded({ limits })
  return world.connect()
}

const closedWith = async (wire: Wire, id: string) =>
  String((await wire.until('CLOSED', words => words[0] === 'CLOSED' && words[1] === id))[2])

/** Asks and returns how it ended: EOSE or the CLOSED text. */
async function outcome(wire: Wire, id: string, ...filters: object[]) {
  try {
    await wire.subscribe(id, ...filters)
    return 'EOSE'
  } catch (error) {
    return String((error as Error).message)
  }
}

describe('limits of writing', () => {
  test.each<[string, Partial<Limits>, (w: EmbeddedWorld) => { fits: object; breaks: object }]>([
    [
      'tags',
      { tags: 3 },
      () => ({ fits: { tags: [['a'], ['b'], ['c']] }, breaks: { tags: [['a'], ['b'], ['c'], ['d']] } }),
    ],
    [
      'event bytes',
      { eventBytes: 2_000 },
      () => ({ fits: { content: 'x'.repeat(1_000) }, breaks: { content: 'x'.repeat(2_000) } }),
    ],
    [
      'time ahead',
      { aheadSeconds: 900 },
      w => ({ fits: { created_at: w.now() + 900 }, breaks: { created_at: w.now() + 901 } }),
    ],
    [
      'age of an ephemeral event',
      { ephemeralAgeSeconds: 60 },
      w => ({
        fits: { kind: 20_001, created_at: w.now() - 60 },
        breaks: { kind: 20_001, created_at: w.now() - 61 },
      }),
    ],
  ])('%s', async (_, limits, make) => {
    const wire = await open(limits)
    const author = world.author()
    const { fits, breaks } = make(world)
    expect((await wire.publish(author.sign(fits)))[2]).toBe(true)
    const [, , good, says] = await wire.publish(author.sign(breaks))
    expect([good, says]).toEqual([false, expect.stringMatching(/^invalid: /)])
    expect(world.relay.stats()).toMatchObject({ accepted: 1, refused: 1 })
  })
  test('a client that is too fast is told rate-limited: and may go on later', async () => {
    const wire = await open({ messagesPerSecond: 2, messagesBurst: 5 })
    const author = world.author()
    const oks = []
    for (let i = 0; i < 6; i++) oks.push((await wire.publish(author.sign({})))[2])
    expect(oks).toEqual([true, true, true, true, true, false])
    wire.send('REQ', 'fast', { kinds: [1] })
    expect(await closedWith(wire, 'fast')).toMatch(/^rate-limited: /)
    const other = await world.connect()
    expect((await other.publish(author.sign({})))[2]).toBe(true)
    await world.clock.advance(1_000)
    expect((await wire.publish(author.sign({})))[2]).toBe(true)
    expect((await wire.publish(author.sign({})))[2]).toBe(true)
    const [, , good, says] = await wire.publish(author.sign({}))
    expect([good, says]).toEqual([false, expect.stringMatching(/^rate-limited: /)])
  })
  test('memory is bounded by count: the first that came goes first', async () => {
    const wire = await open({ storedEvents: 3 })
    const author = world.author()
    const events = [1, 2, 3, 4, 5].map(age => author.sign({ created_at: world.now() - age }))
    for (const event of events) await wire.publish(event)
    expect(await wire.query({ authors: [author.pubkey] })).toEqual(events.slice(2))
    expect(world.relay.stats().stored).toBe(3)
  })
  test('expired events are removed when their time has come', async () => {
    const wire = await open({ reapSeconds: 10 })
    const author = world.author()
    await wire.publish(author.sign({ tags: [['expiration', `${world.now() + 5}`]] }))
    await wire.publish(author.sign({}))
    expect(world.relay.stats().stored).toBe(2)
    await world.clock.advance(9_000)
    expect(world.relay.stats().stored, 'hidden, not yet removed').toBe(2)
    expect(await wire.query({ authors: [author.pubkey] })).toHaveLength(1)
    await world.clock.advance(2_000)
    expect(world.relay.stats().stored).toBe(1)
  })
})

describe('limits of asking', () => {
  test('subscriptions of a connection, a replaced one counting once', async () => {
    const wire = await open({ subscriptions: 2 })
    for (const id of ['a', 'b', 'a', 'b']) expect(await outcome(wire, id, { kinds: [1] })).toBe('EOSE')
    expect(await outcome(wire, 'c', { kinds: [1] })).toMatch(/restricted: more than 2/)
    wire.send('CLOSE', 'a')
    expect(await outcome(wire, 'd', { kinds: [1] })).toBe('EOSE')
    expect(world.relay.stats().subscriptions).toBe(2)
  })
  test('filters of a request', async () => {
    const wire = await open({ filters: 2 })
    expect(await outcome(wire, 'a', {}, {})).toBe('EOSE')
    expect(await outcome(wire, 'b', {}, {}, {})).toMatch(/invalid: more than 2/)
  })
  test('filter values of a connection, given back by CLOSE', async () => {
    const wire = await open({ filterValues: 10 })
    expect(await outcome(wire, 'a', { kinds: [1, 2, 3, 4, 5, 6] })).toBe('EOSE')
    expect(await outcome(wire, 'b', { kinds: [1, 2, 3, 4, 5, 6] })).toMatch(/restricted: more than 10/)
    wire.send('CLOSE', 'a')
    expect(await outcome(wire, 'b', { kinds: [1, 2, 3, 4, 5, 6] })).toBe('EOSE')
  })
  test('events of a filter, asked for or not', async () => {
    const wire = await open({ limit: 2 })
    const author = world.author()
    for (let i = 0; i < 3; i++) await wire.publish(author.sign({}))
    expect(await wire.query({ authors: [author.pubkey] })).toHaveLength(2)
    expect(await wire.query({ authors: [author.pubkey], limit: 100 })).toHaveLength(2)
  })
  test('rows looked at: a dear question is closed with error:, and counts as many messages', async () => {
    const wire = await open({ scanRows: 300, messagesBurst: 600, messagesPerSecond: 0 })
    const author = world.author()
    for (let i = 0; i < 301; i++) await wire.publish(author.sign({ content: `${i}` }))
    const asker = await world.connect()
    expect(await outcome(asker, 'dear', { kinds: [1], '#t': ['rare'] })).toBe('EOSE')
    asker.send('COUNT', 'all', {})
    expect(await closedWith(asker, 'all')).toMatch(/^error: query looks at too many/)
    for (let i = 0; i < 400; i++) asker.send('COUNT', `again-${i}`, {})
    expect(await closedWith(asker, 'again-399')).toMatch(/^rate-limited: /)
    expect(asker.heard.filter(words => String(words[2]).startsWith('error: ')).length).toBeLessThan(200)
  })
  test('fields that the relay does not know are said, not ignored', async () => {
    const wire = await open({})
    expect(await outcome(wire, 'a', { search: 'x' })).toMatch(/unsupported: /)
    expect(await outcome(wire, 'b', { '#client': ['x'] })).toMatch(/unsupported: /)
  })
})

describe('limits of connecting', () => {
  const refusal = async () => {
    const socket = new Socket(world.relay.url)
    const [, response] = await once(socket, 'unexpected-response')
    socket.terminate()
    return response.statusCode
  }
  test.each<[string, Partial<Limits>]>([
    ['connections', { connections: 2 }],
    ['connections of one address', { connectionsPerAddress: 2 }],
  ])('%s', async (_, limits) => {
    const first = await open(limits)
    await world.connect()
    expect(await refusal()).toBe(503)
    expect(world.relay.stats().connections).toBe(2)
    first.send('REQ', 'x', { kinds: [1] })
    await first.until('EOSE', words => words[0] === 'EOSE')
  })
})

describe('plain HTTP on the same port', () => {
  const ask = (init: RequestInit) => fetch(world.relay.url.replace('ws', 'http'), init)
  const accept = 'application/nostr+json'

  test('a GET that accepts nostr+json gets the limits that are enforced', async () => {
    const wire = await open({
      messageBytes: 50_000,
      eventBytes: 20_000,
      limit: 7,
      tags: 9,
      subscriptions: 3,
      aheadSeconds: 5,
    })
    const response = await ask({ headers: { accept } })
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    const { limitation, supported_nips } = (await response.json()) as {
      limitation: { max_content_length: number }
      supported_nips: number[]
    }
    expect(supported_nips).toEqual([1, 9, 11, 40, 42, 45, 70])
    expect(limitation).toMatchObject({
      max_message_length: 50_000,
      max_limit: 7,
      default_limit: 7,
      max_event_tags: 9,
      max_subscriptions: 3,
      max_subid_length: 64,
      created_at_upper_limit: 5,
    })
    const author = world.author()
    const longest = author.sign({ content: 'x'.repeat(limitation.max_content_length) })
    expect((await wire.publish(longest))[2]).toBe(true)
    expect((await wire.publish(author.sign({ content: 'x'.repeat(20_000) })))[2]).toBe(false)
  })
  test.each<[string, RequestInit]>([
    ['GET without the type', {}],
    ['GET of a page', { headers: { accept: 'text/html' } }],
    ['POST', { method: 'POST', body: 'x', headers: { accept } }],
    ['DELETE', { method: 'DELETE', headers: { accept } }],
  ])('%s gets 426', async (_, init) => {
    await open({})
    expect((await ask(init)).status).toBe(426)
  })
})
