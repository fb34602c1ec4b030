/** The relay in this process: what it stores, and the faults that a test can give it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { type MemoryFaults, memoryHub, memoryRelays } from '../relays/memory.ts'
import { openMemoryStore } from '../relays/memory-store.ts'
import { query } from '../relays/relay.ts'
import { handClock } from '../src/clock.ts'

let serial = 0
const event = (fields: Partial<Event> = {}): Event => ({
  id: (++serial).toString(16).padStart(64, '0'),
  pubkey: 'a'.repeat(64),
  created_at: 1_000,
  kind: 1,
  tags: [],
  content: '',
  sig: 'b'.repeat(128),
  ...fields,
})
const NOW = 2_000

describe('store', () => {
  test('of a replaceable or addressable event the newest stays, of equals the lowest id, in any order', () => {
    const one = fc.record({
      created_at: fc.integer({ min: 1, max: 4 }),
      d: fc.constantFrom('x', 'y'),
      kind: fc.constantFrom(10_002, 31_990),
    })
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), given => {
        const store = openMemoryStore()
        const events = given.map(({ created_at, d, kind }) => event({ created_at, kind, tags: [['d', d]] }))
        for (const each of events) store.offer(each, NOW)
        const best = new Map<string, Event>()
        for (const each of events) {
          const key = each.kind === 10_002 ? '' : String(each.tags[0]?.[1])
          const other = best.get(key)
          if (
            !other ||
            each.created_at > other.created_at ||
            (each.created_at === other.created_at && each.id < other.id)
          )
            best.set(key, each)
        }
        const kept = store.find([{}], NOW).map(each => each.id)
        expect(kept.sort()).toEqual([...best.values()].map(each => each.id).sort())
      }),
      { numRuns: 1_000 },
    )
  })

  test('ephemeral is passed on and not kept, expired is refused or hidden, a duplicate is a yes', () => {
    const store = openMemoryStore()
    expect(store.offer(event({ kind: 20_001 }), NOW)).toEqual({ ok: true, says: '', fresh: true })
    expect(store.size).toBe(0)
    expect(store.offer(event({ tags: [['expiration', '1999']] }), NOW).ok).toBe(false)
    const brief = event({ tags: [['expiration', '2001']] })
    expect(store.offer(brief, NOW).fresh).toBe(true)
    expect(store.offer(brief, NOW)).toMatchObject({ ok: true, fresh: false })
    expect([store.find([{}], NOW).length, store.find([{}], 2_001).length]).toEqual([1, 0])
  })

  test('a deletion removes what its author wrote, for ever, and nothing of others', () => {
    const store = openMemoryStore()
    const [mine, other] = [event(), event({ pubkey: 'c'.repeat(64) })]
    const page = event({ kind: 31_990, tags: [['d', 'x']] })
    for (const each of [mine, other, page]) store.offer(each, NOW)
    const tags = [
      ['e', mine.id],
      ['e', other.id],
      ['a', `31990:${page.pubkey}:x`],
    ]
    store.offer(event({ kind: 5, tags, created_at: 1_500 }), NOW)
    expect(store.find([{ kinds: [1, 31_990] }], NOW).map(each => each.id)).toEqual([other.id])
    expect(store.offer(mine, NOW)).toMatchObject({ ok: false, fresh: false })
    expect(store.offer(event({ kind: 31_990, tags: [['d', 'x']], created_at: 1_600 }), NOW).ok).toBe(true)
  })

  test('keeps no more than its bound, and each filter its own limit', () => {
    const store = openMemoryStore(5)
    for (let i = 0; i < 9; i++) store.offer(event({ created_at: 1_000 + i }), NOW)
    expect(store.size).toBe(5)
    expect(store.find([{ limit: 2 }, { since: 1_005, until: 1_005 }], NOW).map(each => each.created_at)).toEqual([
      1_008, 1_007, 1_005,
    ])
  })
})

describe('hub', () => {
  const got = (faults: MemoryFaults) => {
    const clock = handClock()
    const hub = memoryHub({ clock, faults })
    const [from, to] = [hub.connect(), hub.connect()]
    const heard: string[] = []
    const sub = to.listen([{ kinds: [1] }], { onEvent: one => heard.push(one.content) })
    return { clock, hub, from, to, heard, sub }
  }

  test('nothing happens before the call returned', async () => {
    const { from, heard, sub } = got({})
    await sub.live
    const sent = from.publish(event({ content: 'x' }))
    expect(heard).toEqual([])
    await sent
    expect(heard).toEqual(['x'])
  })

  test('drops, doubles and reorders on demand; nothing is handed on twice', async () => {
    const { clock, hub, from, heard, sub } = got({ drop: 1, random: () => 0.5 })
    await sub.live
    await from.publish(event({ content: 'lost' }))
    hub.faults = { duplicate: 1, random: () => 0.5 }
    await from.publish(event({ content: 'doubled' }))
    hub.faults = { reorder: 1, random: () => 0.5 }
    await from.publish(event({ content: 'late' }))
    hub.faults = {}
    await from.publish(event({ content: 'early' }))
    await clock.advance(1_000)
    expect(heard).toEqual(['doubled', 'early', 'late'])
  })

  test('during an outage nothing arrives; a publication waits as long as it is kept', async () => {
    const { clock, hub, from, to, heard, sub } = got({})
    await sub.live
    hub.down()
    const short = from.publish(event({ content: 'short' }), { keepMs: 5_000 })
    const long = from.publish(event({ content: 'long' }))
    await clock.advance(10_000)
    expect((await short).acks).toEqual([{ relay: hub.url, ok: false, says: '' }])
    expect((await long).enough).toBe(false)
    hub.up()
    await clock.advance(0)
    expect(heard).toEqual(['long'])
    expect(to.state()[0]).toMatchObject({ state: 'open', reconnects: 1 })
    await Promise.all([from.close(), to.close()])
    expect(clock.waiting).toBe(0)
  })

  test('a watcher sees every offered event, a verifier refuses, a door drops', async () => {
    const clock = handClock()
    const hub = memoryHub({ clock, verify: one => one.content !== 'forged' })
    const saw: string[] = []
    hub.watch(one => saw.push(one.content))
    const relays = hub.connect({ admit: () => undefined })
    expect((await relays.publish(event({ content: 'forged' }))).acks[0]?.says).toBe('invalid: bad signature')
    await relays.publish(event({ content: 'good' }))
    expect(saw).toEqual(['forged', 'good'])
    expect(await query(relays, [{}])).toEqual([])
    expect(relays.state()[0]?.dropped).toBe(1)
  })

  test('what is handed on is a frozen copy; a closed participant hears and sends nothing', async () => {
    const relays = memoryRelays({ clock: handClock() })
    const sent = event({ tags: [['t', 'x']] })
    await relays.publish(sent)
    const [found] = await query(relays, [{ '#t': ['x'] }])
    expect(found).toEqual(sent)
    expect(Object.isFrozen(found) && Object.isFrozen(found?.tags[0])).toBe(true)
    await relays.close()
    const late = relays.listen([{}], { onEvent: () => expect.unreachable() })
    await late.live
    const abort = new AbortController()
    abort.abort()
    expect(await query(relays, [{}], abort.signal)).toEqual([])
  })
})
