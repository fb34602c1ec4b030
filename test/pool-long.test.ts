/** A relay that serves an event longer than anybody should read: it costs that event, not the connection. */
import { expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { openPool } from '../relays/pool.ts'
import { wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { fakeRelay } from './fake-relay.ts'

test('relay.hostile: a stored event of a megabyte does not deafen the subscription that it matches', async () => {
  const keys = await openKeys()
  const secret = keys.newSecret()
  const event = (content: string): Event => keys.sign({ kind: 1, created_at: 1_800_000_000, tags: [], content }, secret)
  const relay = await fakeRelay()
  relay.stored.push(event('x'.repeat(1_000_000)))
  const heard: string[] = []
  const pool = openPool({ urls: [relay.url], clock: wallClock(), admit: raw => raw as Event })
  let came = () => {}
  const small = new Promise<void>(resolve => {
    came = resolve
  })
  const sub = pool.listen([{ kinds: [1] }], {
    onEvent(one) {
      heard.push(one.content)
      came()
    },
  })
  await sub.live
  relay.offer(event('small'))
  await small
  expect(heard).toEqual(['small'])
  expect(relay.accepted).toBe(1)
  expect(pool.state()[0]?.dropped).toBeGreaterThan(0)
  await pool.close()
  await relay.end()
})
