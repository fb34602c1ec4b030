/** The directory when it is full: strangers come in crowds, and whoever is alive stays. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { silenceQueue } from '../src/ledger/directory-queue.ts'
import { openDirectory } from '../src/ledger/index.ts'
import { announces, beats, key, measures, says, T } from './ledger-directory-world.ts'

test('a flood of strangers keeps the bound and drops nobody who is alive', () => {
  const directory = openDirectory({ max: 50 })
  const alive = Array.from({ length: 20 }, (_, at) => key(1 + at))
  for (const node of alive) {
    directory.heard(announces(node, T - 600), T)
    directory.heard(beats(node, T), T)
  }
  for (let at = 0; at < 2_000; at++) {
    directory.heard(announces(key(1_000 + at), T + (at % 30)), T + 30)
    expect(directory.size).toBeLessThanOrEqual(50)
  }
  expect(alive.map(node => directory.get(node)?.status)).toEqual(alive.map(() => 'alive'))
  expect(directory.offering(5050).length).toBe(50)
})

test('the one who was silent longest leaves first', () => {
  const directory = openDirectory({ max: 3 })
  for (const [node, at] of [
    [1, T - 300],
    [2, T - 100],
    [3, T - 200],
  ] as const)
    directory.heard(announces(key(node), at), T)
  directory.heard(says(key(1), T - 10), T)
  directory.heard(announces(key(4), T - 50), T)
  expect([1, 2, 3, 4].map(node => directory.get(key(node)) !== undefined)).toEqual([true, true, false, true])
})

test('a newcomer who was silent longer than all is not let in', () => {
  const directory = openDirectory({ max: 2 })
  for (const node of [1, 2]) directory.heard(announces(key(node), T - 10), T)
  directory.heard(announces(key(3), T - 500), T)
  directory.heard(announces(key(4), T - 10), T)
  expect([1, 2, 3, 4].map(node => directory.get(key(node)) !== undefined)).toEqual([true, true, false, false])
  directory.heard(beats(key(3), T), T)
  expect(directory.get(key(3))?.status).toBe('alive')
})

test('when all are alive nobody is let in, until a lease ends', () => {
  const directory = openDirectory({ max: 2 })
  for (const node of [1, 2]) {
    directory.heard(announces(key(node), T - 10), T)
    directory.heard(beats(key(node), T, T + node * 100), T)
  }
  directory.heard(announces(key(3), T), T)
  directory.heard(beats(key(3), T), T)
  expect(directory.get(key(3))).toBeUndefined()
  directory.heard(beats(key(3), T + 150), T + 150)
  expect([1, 2, 3].map(node => directory.get(key(node)) !== undefined)).toEqual([false, true, true])
})

test('large announcements fill the room for letters, not the memory', () => {
  const directory = openDirectory({ max: 1_000, maxChars: 100_000 })
  const about = 'x'.repeat(8_000)
  directory.heard(announces(key(1), T), T)
  directory.heard(beats(key(1), T), T)
  for (let at = 2; at < 200; at++) directory.heard(announces(key(at), T - 300 + at, { about }), T)
  expect(directory.size).toBeGreaterThan(5)
  expect(directory.size).toBeLessThan(13)
  expect(directory.get(key(1))?.status).toBe('alive')
})

test('one key with endless services, and one that grows, pay for it themselves', () => {
  const directory = openDirectory({ max: 10, maxChars: 60_000 })
  for (let at = 0; at < 100; at++) directory.heard(announces(key(1), T - 100 + at, { id: `service ${at}` }), T)
  expect([...directory.entries()].map(entry => entry.announcement.id).sort()).toEqual(
    Array.from({ length: 8 }, (_, at) => `service ${92 + at}`),
  )
  directory.heard(announces(key(2), T), T)
  directory.heard(beats(key(2), T), T)
  const sizes = Array.from({ length: 8 }, (_, at) => {
    directory.heard(announces(key(1), T + at, { id: `service ${92 + at}`, about: 'x'.repeat(8_000) }), T + 20)
    return directory.size
  })
  expect(sizes).toContain(1)
  expect(directory.get(key(2))?.status).toBe('alive')
})

test('an announcement beyond all measure is not kept', () => {
  const directory = openDirectory()
  directory.heard(
    announces(key(1), T, { about: 'x'.repeat(8_192), picture: `https://a.example/${'y'.repeat(26_000)}` }),
    T,
  )
  expect(directory.size).toBe(0)
})

test('what comes before any announcement waits within bounds', () => {
  const directory = openDirectory({ max: 100 })
  directory.heard(beats(key(1), T), T)
  for (let at = 0; at < 5_000; at++) directory.heard(measures(key(7), key(10_000 + at), T), T)
  directory.heard(announces(key(1), T), T)
  expect(directory.get(key(1))?.status).toBe('unknown')
  directory.heard(beats(key(2), T), T)
  for (let at = 0; at < 99; at++) directory.heard(says(key(20_000 + at), T), T)
  directory.heard(announces(key(2), T), T)
  expect(directory.get(key(2))?.status).toBe('alive')
})

test('whatever the crowd, the bound holds and the alive stay', () => {
  const move = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 200 }), fc.constantFrom('announce', 'beat', 'seen'))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(move, { maxLength: 120 }), (max, moves) => {
      const directory = openDirectory({ max })
      let now = T
      for (const [node, wait, what] of moves) {
        now += wait
        const before = [...directory.entries()].filter(entry => entry.leaseUntil > now).map(entry => entry.node)
        const event =
          what === 'announce'
            ? announces(key(node), now)
            : what === 'beat'
              ? beats(key(node), now)
              : says(key(node), now)
        directory.heard(event, now)
        expect(directory.size).toBeLessThanOrEqual(max)
        for (const alive of before) expect(directory.get(alive)?.status).toBe('alive')
      }
    }),
    { numRuns: 1000 },
  )
})

test('the queue tells who is silent longest like a list that is sorted each time', () => {
  const step = fc.tuple(
    fc.constantFrom('add', 'grow', 'leave', 'first', 'tidy'),
    fc.nat({ max: 15 }),
    fc.nat({ max: 50 }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const since = new Map<number, number>()
      const queue = silenceQueue<number>(
        item => since.get(item) ?? 0,
        item => since.has(item),
      )
      for (const [what, item, by] of steps) {
        if (what === 'add' && !since.has(item)) {
          since.set(item, by)
          queue.add(item)
        } else if (what === 'grow' && since.has(item)) since.set(item, (since.get(item) ?? 0) + by)
        else if (what === 'tidy') queue.tidy()
        else if (what === 'leave' && since.delete(item)) queue.tidy()
        else {
          const first = queue.first()
          expect(first === undefined).toBe(since.size === 0)
          if (first !== undefined) expect(since.get(first)).toBe(Math.min(...since.values()))
        }
      }
    }),
    { numRuns: 1000 },
  )
})
