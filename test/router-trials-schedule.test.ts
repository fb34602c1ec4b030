/** When trials are due, and what they may cost, over any course of traffic, time and luck. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryJournal } from '../src/journal/memory.ts'
import { openPurse } from '../src/router/purse.ts'
import { openSchedule, type TrialPace } from '../src/router/trial-schedule.ts'

const pace: TrialPace = { everyMs: 15_000, idleMs: 600_000, restMs: 60_000, unableMs: 600_000, atOnce: 2 }
const began = 1_800_000_000_000
const open = (explore = 0.02, random = () => 0) => openSchedule({ pace, explore, nowMs: began, random })
const at = (nowMs: number, more: Partial<Parameters<ReturnType<typeof open>['next']>[0]> = {}) => ({
  ...{ nowMs, isProven: true, members: ['a', 'b', 'c', 'd'], canTry: () => true },
  ...more,
})

describe('a schedule of trials', () => {
  test('while nobody is proven there is one each 15 seconds at most, whatever the traffic', () => {
    const schedule = open()
    const begun: number[] = []
    for (let ms = 0; ms < 600_000; ms += 1_000) {
      for (let i = 0; i < 100; i++) schedule.routed()
      const node = schedule.next(at(began + ms, { isProven: false, members: Array.from('abcdefgh') }))
      if (node === undefined) continue
      begun.push(ms)
      schedule.ended(node, began + ms, 'tried')
    }
    expect(begun).toHaveLength(40)
    expect(begun.slice(1).every((ms, i) => ms - (begun[i] ?? 0) === 15_000)).toBe(true)
  })

  test('with proven nodes a request in fifty earns one, and ten silent minutes do', () => {
    const schedule = open()
    expect(schedule.next(at(began))).toBeUndefined()
    for (let i = 0; i < 51; i++) schedule.routed()
    expect(schedule.next(at(began))).toBe('a')
    expect(schedule.next(at(began))).toBeUndefined()
    expect(schedule.next(at(began + pace.idleMs - 1))).toBeUndefined()
    expect(schedule.next(at(began + pace.idleMs))).toBe('b')
  })

  test('the most senior is tried first, has a minute of peace, and the next is tried meanwhile', () => {
    const schedule = open(1)
    const next = (ms: number) => {
      schedule.routed()
      const node = schedule.next(at(began + ms))
      if (node !== undefined) schedule.ended(node, began + ms, 'tried')
      return node
    }
    expect([0, 1_000, 2_000, 59_999, 60_000, 61_500, 62_500, 63_000].map(next)).toEqual([
      ...['a', 'b', 'c', 'd', 'a', 'b', 'c'],
      undefined,
    ])
  })

  test('who fails is left out twice as long each time, and for a day at most', () => {
    const schedule = open()
    let ms = began
    const waits: number[] = []
    for (let i = 0; i < 14; i++) {
      schedule.judged('a', false, ms / 1_000)
      let wait = 60_000
      while (schedule.isAway('a', ms + wait)) wait += 60_000
      waits.push(wait / 60_000)
      ms += wait
    }
    expect(waits.slice(0, 5)).toEqual([2, 4, 8, 16, 32])
    expect(waits.at(-1)).toBe(1_440)
    expect(schedule.isAway('b', ms)).toBe(false)
    expect(schedule.failedAt('a')).toBe((ms - 86_400_000) / 1_000)
  })

  test('who could not even be asked costs nobody a turn', () => {
    const schedule = open()
    const view = at(began, { isProven: false })
    expect(schedule.next(view)).toBe('a')
    schedule.ended('a', began, 'unasked')
    expect(schedule.next(view)).toBe('b')
    schedule.ended('b', began, 'unable')
    expect(schedule.next(view)).toBeUndefined()
    expect(schedule.next({ ...view, nowMs: began + pace.everyMs })).toBe('c')
    expect(schedule.isAway('a', began + pace.unableMs)).toBe(false)
  })

  const step = fc.record({
    routed: fc.nat(40),
    waitMs: fc.oneof(fc.nat(2_000), fc.nat(1_000_000)),
    ends: fc.boolean(),
    how: fc.constantFrom('tried' as const, 'tried' as const, 'unable' as const, 'unasked' as const),
    judged: fc.constantFrom(undefined, true, false),
    isProven: fc.boolean(),
    drawn: fc.constantFrom(undefined, 'a', 'b'),
  })

  test('never two of one node, never more than two at once, never more than traffic and time earn: 1,000 courses', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.double({ min: 0, max: 0.99, noNaN: true }), (steps, luck) => {
        const schedule = open(0.02, () => luck)
        const running: string[] = []
        let [ms, routed, asked] = [began, 0, 0]
        for (const { isProven, ...one } of steps) {
          ms += one.waitMs
          for (let i = 0; i < one.routed; i++) schedule.routed()
          routed += one.routed
          if (one.drawn !== undefined && schedule.begin(one.drawn)) running.push(one.drawn)
          else {
            const node = schedule.next(at(ms, { isProven }))
            if (node !== undefined) {
              expect(running).not.toContain(node)
              expect(schedule.isAway(node, ms)).toBe(false)
              running.push(node)
              asked++
              if (one.ends) {
                schedule.ended(node, ms, one.how)
                running.pop()
                if (one.how === 'unasked') asked--
              }
            }
          }
          if (one.ends && running[0] !== undefined) schedule.ended(running.splice(0, 1)[0] ?? '', ms, 'tried')
          if (one.judged !== undefined) schedule.judged('a', one.judged, ms / 1_000)
          expect(running.length).toBeLessThanOrEqual(2)
          expect(new Set(running).size).toBe(running.length)
        }
        expect(asked).toBeLessThanOrEqual(routed * 0.02 + (ms - began) / pace.everyMs + 1)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a purse', () => {
  const act = fc.record({
    msats: fc.bigInt(0n, 60n),
    waitSeconds: fc.oneof(fc.nat(600), fc.nat(40_000)),
    paid: fc.nat(100),
    restart: fc.boolean(),
  })

  test('no 24 hours cost more than it holds, over restarts and whatever was set aside: 1,000 courses', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 80 }), acts => {
        const journal = memoryJournal()
        let purse = openPurse(journal, 'x', 100n)
        let now = 1_800_000_000
        const spent: { readonly at: number; readonly msats: bigint }[] = []
        for (const { msats, waitSeconds, paid, restart } of acts) {
          now += waitSeconds
          const left = purse.leftMsats(now)
          const taken = purse.take(msats, now)
          expect(taken).toBe(msats <= left)
          if (taken) {
            // A killed process never says what it came to.
            const came = restart ? msats : (msats * BigInt(paid)) / 100n
            if (!restart) purse.settle(msats, came, now)
            spent.push({ at: now, msats: came })
          }
          if (restart) purse = openPurse(journal, 'x', 100n)
          const day = spent.filter(({ at }) => at > now - 86_400).reduce((sum, one) => sum + one.msats, 0n)
          expect(day).toBeLessThanOrEqual(100n)
        }
        expect(journal.shelf('x').size).toBeLessThanOrEqual(26)
      }),
      { numRuns: 1_000 },
    )
  })

  test('gets back what was set aside and not paid, in the next process too', () => {
    const journal = memoryJournal()
    const now = 1_800_000_000
    expect(openPurse(journal, 'x', 100n).take(90n, now)).toBe(true)
    openPurse(journal, 'x', 100n).settle(90n, 30n, now)
    const purse = openPurse(journal, 'x', 100n)
    expect(purse.leftMsats(now)).toBe(70n)
    expect(purse.take(71n, now)).toBe(false)
    expect(purse.take(70n, now)).toBe(true)
    expect(purse.take(0n, now)).toBe(true)
    expect(purse.take(-1n, now)).toBe(false)
  })

  test('is full again a day later, and not before', () => {
    const purse = openPurse(memoryJournal(), 'x', 100n)
    const now = 1_800_000_000
    expect(purse.take(100n, now)).toBe(true)
    expect(purse.take(1n, now + 86_399)).toBe(false)
    expect(purse.take(100n, now + 90_000)).toBe(true)
  })
})
