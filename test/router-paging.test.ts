/** A market that is larger than one answer of a relay. */
import { expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import { handClock, seconds } from '../src/clock.ts'
import { openIntake } from '../src/intake.ts'
import { openKeys } from '../src/keys.ts'
import { readBack } from '../src/router/paging.ts'

test.each([
  [95, 10, 100, 95],
  [95, 10, 3, 30],
  [0, 10, 100, 0],
])('of %d events by pages of %d, %d at most, reads %d', async (count, limit, pages, found) => {
  const clock = handClock()
  const keys = await openKeys()
  const hub = memoryHub({ clock })
  const writer = hub.connect()
  const now = seconds(clock)
  const secret = keys.newSecret()
  for (let i = 0; i < count; i++)
    // Three in each second, so that pages end in the middle of one.
    await writer.publish(
      keys.sign({ kind: 31_990, created_at: now - Math.floor(i / 3), tags: [['d', String(i)]], content: '' }, secret),
    )
  const { admit } = openIntake({ verify: keys.signed, clock, kinds: [31_990] })
  const ids = new Set<string>()
  const onEvent = (event: Event) => void ids.add(event.id)
  const filter = { kinds: [31_990], since: now - 1_000, until: now, limit }
  const reading = readBack({ relays: hub.connect(), filter, admit, pages, onEvent }, new AbortController().signal)
  for (let i = 0; i < 300; i++) await clock.advance(10)
  await reading
  expect(ids.size).toBeLessThanOrEqual(found)
  expect(ids.size).toBeGreaterThanOrEqual(Math.floor(found * 0.75))
  if (pages * limit > count * 2) expect(ids.size).toBe(found)
})

test('ends when it is told to', async () => {
  const clock = handClock()
  const hub = memoryHub({ clock })
  hub.down()
  const over = new AbortController()
  const reading = readBack(
    { relays: hub.connect(), filter: { kinds: [1] }, admit: () => undefined, pages: 5, onEvent: () => {} },
    over.signal,
  )
  over.abort()
  await reading
  expect(over.signal.aborted).toBe(true)
})
