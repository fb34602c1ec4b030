/** The parts of the pool that need no socket: what a relay may say, what is remembered, asked, counted and waited. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openBackoff } from '../relays/backoff.ts'
import { openBucket } from '../relays/bucket.ts'
import { standingFilters } from '../relays/cursor.ts'
import { readFrame, SAYS_CHARS } from '../relays/frames.ts'
import { openOutbox } from '../relays/outbox.ts'
import { openTally } from '../relays/tally.ts'
import { seenSet } from '../src/bounded.ts'
import { handClock } from '../src/clock.ts'

const runs = { numRuns: 1_000 }
const hex = (n: number, length = 64) => n.toString(16).padStart(length, '0')
const event = (n: number, content = '') => ({
  id: hex(n),
  pubkey: hex(1),
  created_at: 1,
  kind: 1,
  tags: [],
  content,
  sig: hex(2, 128),
})

describe('readFrame', () => {
  test('never throws, and what it lets through has the types it says', () => {
    const word = fc.constantFrom('EVENT', 'EOSE', 'CLOSED', 'OK', 'NOTICE', 'AUTH', 'COUNT')
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.tuple(word, fc.jsonValue(), fc.jsonValue()).map(one => JSON.stringify(one)),
    )
    fc.assert(
      fc.property(text, raw => {
        const frame = readFrame(raw)
        if (!frame) return
        if ('says' in frame) expect(frame.says.length).toBeLessThanOrEqual(SAYS_CHARS)
        if (frame.type === 'EVENT') expect(typeof frame.event.content).toBe('string')
        if ('sub' in frame) expect(typeof frame.sub).toBe('string')
      }),
      runs,
    )
  })

  test('an event with one field of a wrong type is none', () => {
    const wrong = fc.constantFrom<unknown>(null, undefined, {}, [null], [[1]], 'x', -0.5, true)
    const field = fc.constantFrom('id', 'pubkey', 'sig', 'content', 'kind', 'created_at', 'tags')
    fc.assert(
      fc.property(field, wrong, (name, value) => {
        fc.pre(!(name === 'content' && value === 'x'))
        expect(readFrame(JSON.stringify(['EVENT', 's', { ...event(1), [name]: value }]))).toBeUndefined()
      }),
      runs,
    )
  })

  test('ids that are kept do not keep their messages alive', () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const seen = seenSet(10_000)
    gc()
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 2_000; n++) {
      const frame = readFrame(JSON.stringify(['EVENT', 's', event(n, String(n % 10).repeat(20_000))]))
      if (frame?.type === 'EVENT') seen.add(frame.event.id)
    }
    gc()
    expect(seen.size).toBe(2_000)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8_000_000)
  })
})

describe('seen ids', () => {
  test('the last ones are surely remembered, and never more than twice as many', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 200 }), ids => {
        const seen = seenSet(10)
        const order: string[] = []
        for (const n of ids) {
          const id = String(n)
          if (seen.has(id)) continue
          seen.add(id)
          order.push(id)
          expect(seen.size).toBeLessThanOrEqual(20)
          for (const recent of order.slice(-10)) expect(seen.has(recent)).toBe(true)
        }
      }),
      runs,
    )
  })
})

describe('standingFilters', () => {
  const by = { overlapSeconds: 120, backdatedOverlapSeconds: 172_800 }
  const time = fc.integer({ min: 0, max: 4_000_000_000 })

  test('never asks beyond now less the overlap, never before what was asked for, never with a limit', () => {
    const filter = fc.record(
      { kinds: fc.constant<number[]>([1]), since: time, limit: fc.nat() },
      { requiredKeys: ['kinds'] },
    )
    fc.assert(
      fc.property(filter, time, fc.option(time, { nil: undefined }), (given, now, alive) => {
        const [asked] = standingFilters([given], now, alive, by)
        expect(asked).not.toHaveProperty('limit')
        const since = asked?.since ?? 0
        expect(since).toBeGreaterThanOrEqual(given.since ?? 0)
        expect(since).toBeLessThanOrEqual(Math.max(given.since ?? 0, now - 120, 0))
        if (alive === undefined && given.limit !== 0) expect(asked?.since).toBe(given.since)
        if (alive !== undefined && alive <= now) expect(since).toBe(Math.max(given.since ?? 0, alive - 120))
      }),
      runs,
    )
  })

  test('gift wraps are asked for two days back, also by a filter for mail that names no kind', () => {
    const [wraps, mail, notes] = standingFilters([{ kinds: [1059, 1] }, { '#p': ['x'] }, { kinds: [1] }], 1e9, 1e9, by)
    expect([wraps?.since, mail?.since, notes?.since]).toEqual([1e9 - 172_800, 1e9 - 172_800, 1e9 - 120])
  })
})

describe('pauses', () => {
  test('double up to the longest, at least half of it, and start again after a stable time', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 40 }), draws => {
        const clock = handClock()
        let at = 0
        const pause = openBackoff(clock, { backoffMs: [250, 15_000], stableMs: 60_000 }, () => draws[at++] ?? 0)
        for (let i = 0; i < draws.length; i++) {
          const full = Math.min(15_000, 250 * 2 ** i)
          const ms = pause.next()
          expect(ms).toBeGreaterThanOrEqual(Math.floor(full / 2))
          expect(ms).toBeLessThanOrEqual(full)
        }
      }),
      runs,
    )
  })

  test('a connection that falls at once does not start the pauses again, one that was stable does', async () => {
    const clock = handClock()
    const pause = openBackoff(clock, { backoffMs: [100, 15_000], stableMs: 60_000 }, () => 0)
    expect([pause.next(), pause.next()]).toEqual([50, 100])
    pause.started()
    await clock.advance(59_000)
    expect(pause.next()).toBe(200)
    pause.started()
    await clock.advance(60_000)
    expect(pause.next()).toBe(50)
  })
})

describe('bucket', () => {
  test('never lets more pass than burst plus rate, when its waits are kept', () => {
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 60 }), async takes => {
        const clock = handClock()
        const start = clock.now()
        const bucket = openBucket(clock, 100, 200)
        let taken = 0
        for (const count of takes) {
          await clock.advance(bucket.take(count))
          taken += count
          expect(taken).toBeLessThanOrEqual(200 + ((clock.now() - start) * 100) / 1000 + 1)
        }
      }),
      runs,
    )
  })
})

describe('tally', () => {
  const urls = ['a', 'b', 'c']

  test('the first answer of each relay counts, whatever comes in whatever order', async () => {
    const ack = fc.record({ relay: fc.constantFrom(...urls, 'nobody'), ok: fc.boolean(), says: fc.string() })
    await fc.assert(
      fc.asyncProperty(fc.array(ack), fc.integer({ min: 1, max: 4 }), async (acks, want) => {
        const clock = handClock()
        const tally = openTally({ urls, clock, waitMs: 100, want })
        for (const one of acks) tally.answer(one)
        await clock.advance(100)
        const { accepted, enough, acks: said } = await tally.done
        const first = new Map<string, boolean>()
        for (const one of acks) if (urls.includes(one.relay) && !first.has(one.relay)) first.set(one.relay, one.ok)
        expect(accepted).toBe(Math.min(want, [...first.values()].filter(Boolean).length))
        expect(enough).toBe(accepted >= want)
        expect(new Set(said.map(one => one.relay)).size).toBe(said.length)
        expect(clock.waiting).toBe(0)
      }),
      runs,
    )
  })

  test('silence is told apart from a no, and an abort ends the wait', async () => {
    const clock = handClock()
    const silent = openTally({ urls: ['a', 'b'], clock, waitMs: 100 })
    silent.answer({ relay: 'a', ok: false, says: 'blocked: x' })
    await clock.advance(100)
    expect((await silent.done).acks).toEqual([
      { relay: 'a', ok: false, says: 'blocked: x' },
      { relay: 'b', ok: false, says: '' },
    ])
    const abort = new AbortController()
    const aborted = openTally({ urls, clock, waitMs: 100, signal: abort.signal })
    abort.abort()
    expect(await aborted.done).toEqual({ accepted: 0, enough: false, acks: [] })
    expect(clock.waiting).toBe(0)
  })
})

describe('outbox', () => {
  const limits = { keptEvents: 3, eoseMs: 100 }
  const signed = event(7)

  test('sends what is unanswered again after each outage, until the answer or the way to stop', () => {
    const sent: string[] = []
    const wire = { send: (text: string) => void sent.push(text) }
    const outbox = openOutbox({ clock: handClock(), limits, isAuthRequired: () => false })
    const answers: string[] = []
    const stop = outbox.add(signed, (ok, says) => answers.push(`${ok} ${says}`), undefined)
    outbox.opened(wire)
    outbox.opened(wire)
    expect(sent).toHaveLength(2)
    outbox.answered(signed.id, true, 'x')
    outbox.answered(signed.id, false, 'late')
    outbox.opened(wire)
    expect(sent).toHaveLength(2)
    expect(answers).toEqual(['true x'])
    stop()
  })

  test('keeps no more than its bound', () => {
    const sent: string[] = []
    const outbox = openOutbox({ clock: handClock(), limits, isAuthRequired: () => false })
    for (let n = 0; n < 10; n++) outbox.add(event(n), () => {}, undefined)
    outbox.opened({ send: text => void sent.push(JSON.parse(text)[1].id) })
    expect(sent).toEqual([hex(7), hex(8), hex(9)])
  })

  test('waits for AUTH only so long', async () => {
    const clock = handClock()
    const outbox = openOutbox({ clock, limits, isAuthRequired: says => says.startsWith('auth-required') })
    const answers: string[] = []
    outbox.add(signed, (ok, says) => answers.push(`${ok} ${says}`), { send() {} })
    outbox.answered(signed.id, false, 'auth-required: x')
    expect([outbox.needsAuth(), answers]).toEqual([true, []])
    await clock.advance(100)
    expect([outbox.needsAuth(), answers]).toEqual([false, ['false auth-required: x']])
  })
})
