/** Verifying by relays that lie, leave out, never stop or never answer: it ends, and nothing wrong is held for right. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Event, kinds } from '../kinds/index.ts'
import { openDeepCheck } from '../src/cli/verifying/deep.ts'
import { openFinder } from '../src/cli/verifying/finder.ts'
import { lineageOf, linkOf } from '../src/cli/verifying/lineage.ts'
import { verifyEvent, verifyId } from '../src/cli/verifying/verify.ts'
import { recompute } from '../src/client/recompute.ts'
import { handClock } from '../src/clock.ts'
import { sha256Hex } from '../src/hash.ts'
import { eventFromText } from '../src/keys.ts'
import { keys, secretOf } from './router-book-world.ts'
import { reworded, routerKey, shelf, type VerifyWorld, verifyWorld } from './verify-world.ts'

let world: VerifyWorld
let route: Event
let events: Event[]

beforeAll(async () => {
  world = await verifyWorld()
  route = await world.live(3)
  events = world.events()
})
afterAll(() => world.close())

const never = () => new AbortController().signal
const options = (relays: ReturnType<typeof shelf>, signal = never()) => ({
  ...{ relays, verify: keys.verify, now: world.now(), signal },
})

describe('hostile relays', () => {
  test('whatever is missing, an honest event never fails', { timeout: 60_000 }, async () => {
    const own = events.filter(({ kind }) => [4631, 1985, 30_382, 9735, 4632].includes(kind))
    const whole = new Map<string, boolean | null>()
    for (const { id } of own) whole.set(id, (await world.try(id, shelf(events))).report.ok)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...own), fc.infiniteStream(fc.nat(9)), fc.nat(9), async (event, dice, share) => {
        const left = events.filter(({ id }) => id === event.id || (dice.next().value ?? 0) >= share)
        const { report, failed } = await world.try(event.id, shelf(left))
        expect(failed).toEqual([])
        if (left.length === events.length) expect(report.ok).toBe(whole.get(event.id))
      }),
      { numRuns: 1_000 },
    )
  })

  test('other events than were asked for, and forged ones, count for nothing', async () => {
    const forged = events.map(event => ({ ...event, content: `${event.content} `, sig: event.sig }))
    const liar = shelf(events, { also: () => [...forged, ...events] })
    expect((await world.try(route.id, liar)).report.ok).toBe(true)
    const thief = shelf([], { also: () => [...forged, ...events.filter(({ id }) => id !== route.id)] })
    expect(await verifyId(route.id, options(thief))).toBeUndefined()
  })

  test('floods end, and so do pages without end', async () => {
    let asked = 0
    const flood = shelf(events, {
      *also() {
        asked++
        for (;;) yield route
      },
    })
    const { report } = await world.try(route.id, flood, { questions: 12 })
    expect(report.ok).not.toBe(false)
    expect(asked).toBeLessThanOrEqual(12)
    // A router that never lets its log end.
    let seq = 1_000_000
    const endless = shelf([], {
      *also(filters) {
        const { until = world.now() } = (filters[0] ?? {}) as { until?: number }
        for (;;) {
          seq--
          const content = route.content.replace(/"seq":\d+/, `"seq":${seq}`)
          yield { ...route, id: sha256Hex(String(seq)), created_at: until - 1, content }
        }
      },
    })
    const finder = openFinder({ relays: endless, verify: () => true, signal: never(), questions: 4 })
    const place = { router: routerKey, seq: 9, prev: route.id, at: world.now() }
    const lineage = await lineageOf(place, finder, 5)
    expect(lineage.complete).toBe(false)
    expect(1_000_000 - seq).toBeLessThanOrEqual(4 * 25_000)
  })

  test('relays that never answer: the time limit ends it and everything is open', async () => {
    const limit = new AbortController()
    const mute = shelf(events, { eose: false })
    const verifying = verifyEvent(route, options(mute, limit.signal))
    setImmediate(() => limit.abort())
    const { ok, checks } = await verifying
    expect(ok).toBe(null)
    const by = new Map(checks.map(({ name, ok: each }) => [name, each]))
    for (const name of ['alone', 'omissions']) expect(by.get(name)).toBe(null)
    expect(await verifyEvent(route, options(shelf(events), AbortSignal.abort()))).toMatchObject({ ok: null })
  })

  test('relays that give a few entries at a time, all of one second', async () => {
    expect((await world.try(route.id, shelf(events, { most: 2 }))).open).not.toContain('factors')
    const link = linkOf(route)
    if (!link) throw new Error('no entry')
    const place = { router: routerKey, seq: link.seq, prev: link.prev, id: route.id, at: route.created_at }
    const flat = shelf(events, { most: 1 })
    const finder = openFinder({ relays: flat, verify: keys.verify, signal: never() })
    const { links, complete } = await lineageOf(place, finder)
    expect({ complete, seqs: links.map(({ seq }) => seq) }).toEqual({
      complete: true,
      seqs: [...Array(link.seq).keys()],
    })
  })

  test('every kind of ours, and others, are told apart', async () => {
    for (const { number, name } of kinds) {
      const odd = keys.sign({ kind: number, created_at: 1_800_000_000, tags: [], content: '' }, secretOf('somebody'))
      const report = await verifyEvent(odd, options(shelf([])))
      expect({ name, ok: report.ok === true }).toEqual({ name, ok: false })
      expect(report.checks[0]).toMatchObject({ name: 'signature', ok: true })
    }
    const foreign = keys.sign({ kind: 1, created_at: 1_800_000_000, tags: [], content: 'hello' }, secretOf('somebody'))
    const { ok, checks } = await verifyEvent(foreign, options(shelf([])))
    expect(ok).toBe(null)
    expect(checks[1]?.says).toContain('Kind 1 is not known here')
  })
})

describe('the client’s deep check', () => {
  const deep = () => openDeepCheck({ clock: handClock(world.now() * 1_000), verify: keys.verify })

  test('an honest router passes, a lie that only the log shows does not', async () => {
    const relays = shelf(events)
    const good = await recompute(route, { relays, keys, deep: deep() })
    expect(good.ok).toBe(true)
    expect(good.findings.map(({ check }) => check)).toContain('factors')
    const lie = reworded(route, of => ({ candidates: of.candidates.map(one => ({ ...one, stage: 'proven' })) }))
    const shelves = shelf([...events.filter(({ id }) => id !== route.id), lie])
    expect((await recompute(lie, { relays: shelves, keys })).ok).toBe(true)
    expect((await recompute(lie, { relays: shelves, keys, deep: deep() })).ok).toBe(false)
  })
})

test('names of events: read or refused, and no secret is repeated', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.constantFrom('nsec1', 'note1', 'nevent1').chain(head => fc.string().map(tail => head + tail)),
      ),
      text => {
        try {
          expect(eventFromText(text).id).toMatch(/^[0-9a-f]{64}$/)
        } catch (error) {
          const { message } = error as Error
          expect(message.length).toBeLessThan(120)
          if (text.trim().toLowerCase().startsWith('nsec1')) expect(message).toContain('SECRET')
        }
      },
    ),
    { numRuns: 1_000 },
  )
  expect(() => eventFromText('nsec1abcdefghijklmnopqrstuvwxyz')).toThrow(/^this is a SECRET key \(nsec1…\)/)
})
