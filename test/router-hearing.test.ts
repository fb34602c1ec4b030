/** What a router asks of relays, and what it spends no signature on. */
import { expect, test } from 'vitest'
import { handler, kinds, quoteRequest, usageReceipt, zapReceipt } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import type { Filter, Relays } from '../relays/relay.ts'
import { handClock, seconds } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { openHearing } from '../src/router/hearing.ts'
import { doorOf } from './worlds.ts'

async function hearing(options: { open?: boolean; peers?: string[] } = {}) {
  const clock = handClock()
  const real = await openKeys()
  let verified = 0
  const keys = {
    ...real,
    signed: (...args: Parameters<typeof real.signed>) => {
      verified++
      return real.signed(...args)
    },
  }
  const hub = memoryHub({ clock })
  const relays = hub.connect({ admit: doorOf(real, clock) })
  const asked: Filter[][] = []
  let open = 0
  let most = 0
  const counted: Relays = {
    ...relays,
    listen(filters, listen, signal) {
      asked.push(filters)
      most = Math.max(most, ++open)
      const one = relays.listen(filters, listen, signal)
      return {
        live: one.live,
        close() {
          open--
          one.close()
        },
      }
    },
  }
  const known = new Set<string>()
  const heard: number[] = []
  const peers = options.peers ?? []
  const me = real.publicKey(new Uint8Array(32).fill(7))
  const one = openHearing({
    ...{ relays: counted, keys, clock, me, open: options.open ?? false, requestsPerMinute: 60, wordsPerMinute: 600 },
    ...{ isNode: pubkey => known.has(pubkey), peers: () => peers, onPresent: () => {} },
    onEvent: event => heard.push(event.kind),
    onRequest: event => heard.push(event.kind),
  })
  await clock.advance(100)
  await one.live
  const publish = async (fill: number, kind: number, tags: string[][] = []) => {
    const template = { kind, created_at: seconds(clock), tags, content: kind === handler.number ? '{}' : '' }
    await hub.connect().publish(real.sign(template, new Uint8Array(32).fill(fill)))
    await clock.advance(10)
  }
  const key = (fill: number) => real.publicKey(new Uint8Array(32).fill(fill))
  return {
    clock,
    one,
    asked,
    known,
    heard,
    peers,
    publish,
    key,
    me,
    verified: () => verified,
    open: () => open,
    most: () => most,
  }
}

test('asks with at most three kinds a filter, three filters a subscription and twenty subscriptions', async () => {
  const world = await hearing({ peers: ['aa'.repeat(32)] })
  for (const filters of world.asked) {
    expect(filters.length).toBeLessThanOrEqual(3)
    for (const filter of filters) expect(filter.kinds?.length).toBeLessThanOrEqual(3)
  }
  world.peers.push('bb'.repeat(32))
  world.one.peersChanged()
  world.one.peersChanged()
  await world.clock.advance(5_000)
  expect(world.asked.at(-1)?.[0]?.authors).toEqual(world.peers)
  expect(world.most()).toBeLessThanOrEqual(12)
  const numbers = new Set(kinds.map(({ number }) => number))
  for (const kind of world.asked.flat().flatMap(filter => filter.kinds ?? [])) expect(numbers.has(kind)).toBe(true)
  world.one.close()
  expect(world.open()).toBe(0)
})

test('computes no signature of receipts and zaps of those that no node is', async () => {
  const world = await hearing()
  await world.publish(1, usageReceipt.number, [['p', world.key(2)]])
  await world.publish(1, zapReceipt.number, [['p', world.key(2)]])
  await world.publish(1, quoteRequest.number, [['p', world.key(2)]])
  expect(world.verified()).toBe(0)
  world.known.add(world.key(2))
  await world.publish(2, usageReceipt.number, [['p', world.key(1)]])
  await world.publish(1, zapReceipt.number, [
    ['p', world.key(2)],
    ['x', '2'],
  ])
  await world.publish(1, quoteRequest.number, [['p', world.me]])
  expect(world.heard).toEqual([usageReceipt.number, zapReceipt.number, quoteRequest.number])
  expect(world.verified()).toBe(3)
  world.one.close()
})

test('reads a quarter of a minute’s requests of one customer at once, and no more than it may', async () => {
  const world = await hearing()
  for (let i = 0; i < 40; i++)
    await world.publish(1, quoteRequest.number, [
      ['p', world.me],
      ['n', String(i)],
    ])
  expect(world.heard.length).toBe(15)
  expect(world.verified()).toBe(15)
  world.one.close()
})
