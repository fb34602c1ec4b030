/** What is left of a publication when nobody waits for it any more. */
import { describe, expect, test } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { openPool } from '../relays/pool.ts'
import { handClock, wallClock } from '../src/clock.ts'
import { openKeys } from '../src/keys.ts'
import { fakeRelay } from './fake-relay.ts'

const keys = await openKeys()
const secret = keys.newSecret()
const event = (content: string) => keys.sign({ kind: 1, created_at: 1_800_000_000, tags: [], content }, secret)

describe('publishing', () => {
  test('closing a pool ends the wait for relays that say nothing, and its timers', async () => {
    const relay = await fakeRelay()
    const running = new Set<object>()
    const real = wallClock()
    const clock = {
      now: real.now,
      after(ms: number, run: () => void) {
        const timer = {}
        running.add(timer)
        const cancel = real.after(ms, () => {
          running.delete(timer)
          run()
        })
        return () => {
          running.delete(timer)
          cancel()
        }
      },
    }
    const pool = openPool({ urls: [relay.url], clock, admit: () => undefined })
    expect(await pool.publish(event('open'))).toMatchObject({ accepted: 1 })
    relay.behave.ok = () => undefined
    const kept = pool.publish(event('kept'))
    const unkept = pool.publish(event('unkept'), { keepMs: 0 })
    await relay.until(() => relay.heard.length === 3)
    await pool.close()
    expect(await kept).toMatchObject({ accepted: 0, enough: false })
    expect(await unkept).toMatchObject({ accepted: 0, enough: false })
    expect(running.size).toBe(0)
    await relay.end()
  })

  test('closing ends the wait in memory too', async () => {
    const clock = handClock()
    const hub = memoryHub({ clock })
    hub.down()
    const relays = hub.connect()
    const published = relays.publish(event('never'))
    await relays.close()
    expect(await published).toMatchObject({ accepted: 0 })
    expect(clock.waiting).toBe(0)
  })

  test('an event that is not kept for an outage still gets its answer, and is not sent again after one', async () => {
    const relay = await fakeRelay()
    const pool = openPool({
      urls: [relay.url],
      clock: wallClock(),
      admit: () => undefined,
      limits: { backoffMs: [5, 10] },
    })
    expect(await pool.publish(event('first'))).toMatchObject({ accepted: 1 })
    expect(await pool.publish(event('answered'), { keepMs: 0 })).toMatchObject({ accepted: 1 })
    relay.behave.ok = () => undefined
    const lost = pool.publish(event('lost'), { keepMs: 0 })
    const again = pool.publish(event('again'))
    const sent = (content: string) =>
      relay.heard.filter(([, said]) => (said as { content?: string })?.content === content)
    await relay.until(() => sent('again').length === 1)
    await relay.stop()
    relay.behave.ok = () => [true, '']
    await relay.start()
    expect(await again).toMatchObject({ accepted: 1 })
    expect(sent('again')).toHaveLength(2)
    expect(sent('lost')).toHaveLength(1)
    await pool.close()
    expect(await lost).toMatchObject({ accepted: 0 })
    await relay.end()
  })
})
