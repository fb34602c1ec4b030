/** Keys of one job: fresh, used once, listened for before they ask, and never more of them than relays bear. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressees, cancel, type Event } from '../kinds/index.ts'
import type { Filter, Relays } from '../relays/relay.ts'
import { openRing, ringBatches, ringKeys } from '../src/client/ring.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { type Desk, openDesk } from './client-desk.ts'
import { memoryWorld } from './worlds.ts'

/** Relays that count who listens for what. */
function counted(relays: Relays) {
  const open = new Set<readonly Filter[]>()
  let opened = 0
  const listen: Relays['listen'] = (filters, options, signal) => {
    const listening = relays.listen(filters, options, signal)
    open.add(filters)
    opened++
    return {
      live: listening.live,
      close() {
        open.delete(filters)
        listening.close()
      },
    }
  }
  return { relays: { ...relays, listen }, open, opened: () => opened }
}
const keysOf = (filters: readonly Filter[]): readonly string[] => filters[0]?.['#p'] ?? []

describe('the ring', () => {
  test('whatever is taken and dropped: no key twice, each listened for when it is taken, subscriptions bounded', async () => {
    const keys = await openKeys()
    const world = await memoryWorld()
    const count = counted(world.connect())
    const moves = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat({ max: 60 })), {
      maxLength: 130,
      size: 'max',
    })
    fc.assert(
      fc.property(moves, run => {
        count.open.clear()
        const ring = openRing({ relays: count.relays, keys })
        const seen = new Set<string>()
        const used: ReturnType<typeof ring.take>[] = []
        const asking = new Set<string>()
        const heard = () => new Set([...count.open].flatMap(keysOf))
        for (const move of run) {
          if (move >= 0) {
            const one = used[move % Math.max(1, used.length)]
            // Twice is once.
            one?.drop()
            one?.drop()
            asking.delete(one?.pubkey ?? '')
            // Who still asks is still heard.
            const now = heard()
            for (const pubkey of asking) expect(now.has(pubkey)).toBe(true)
            continue
          }
          const one = ring.take()
          expect(seen.has(one.pubkey)).toBe(false)
          expect(keys.publicKey(one.secret)).toBe(one.pubkey)
          seen.add(one.pubkey)
          used.push(one)
          // Beyond the bound a key listens for itself, when it asks.
          if (heard().has(one.pubkey)) asking.add(one.pubkey)
          expect(count.open.size).toBeLessThanOrEqual(ringBatches)
          // The next few are always ready, while there is room.
          const waiting = [...count.open].flatMap(keysOf).filter(pubkey => !seen.has(pubkey))
          if (count.open.size < ringBatches) expect(waiting.length).toBeGreaterThan(ringKeys / 2 - 1)
        }
        for (const one of used) one.drop()
        expect(count.open.size).toBeLessThanOrEqual(2)
        ring.close()
        expect(count.open.size).toBe(0)
      }),
      { numRuns: 100 },
    )
    await world.close()
  })

  test('a burst beyond it listens key by key, and is heard all the same', async () => {
    const world = await memoryWorld()
    const desk = await openDesk(world, { identity: 'one-job' })
    const many = ringBatches * ringKeys + 5
    const asking = Array.from({ length: many }, (_, i) => desk.ask({ text: `question ${i}` }))
    for (let i = 0; i < many; i++) {
      const job = await desk.next()
      await job.result({ text: `answer ${i}` })
    }
    const outcomes = await Promise.all(asking)
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
    expect(new Set(outcomes.map(({ request }) => request.pubkey)).size).toBe(many)
    await desk.close()
  })
})

describe('a client of one-job keys', () => {
  const within = async (body: (desk: Desk, opened: () => number) => Promise<void>) => {
    const world = await memoryWorld()
    const count = counted(world.connect())
    const desk = await openDesk(world, { identity: 'one-job', relays: count.relays })
    await body(desk, count.opened)
    await desk.close()
  }

  test('asks, withdraws and is answered under keys that nothing connects', () =>
    within(async desk => {
      const stop = new AbortController()
      const first = desk.ask({ text: 'one' })
      const job = await desk.next()
      await job.result({ text: 'done' })
      const second = desk.ask({ text: 'two' }, stop.signal)
      const other = await desk.next()
      stop.abort()
      await Promise.all([first, second])
      expect(await first).toMatchObject({ ok: true, text: 'done', privacy: { identity: { kind: 'one-job' } } })
      const authors = [job.request.pubkey, other.request.pubkey]
      expect(new Set([...authors, desk.client.pubkey]).size).toBe(3)
      expect((await desk.letter(cancel.number)).event.pubkey).toBe(other.request.pubkey)
      const ours = (event: Event) =>
        event.pubkey === desk.client.pubkey || addressees(event).includes(desk.client.pubkey)
      expect(desk.world.seen.filter(ours)).toEqual([])
    }))

  test('opens no subscription for a job: what is needed stands already', () =>
    within(async (desk, opened) => {
      const before = opened()
      for (let i = 0; i < 3; i++) {
        const asking = desk.ask({ text: 'one' })
        await (await desk.next()).result({ text: 'done' })
        await asking
      }
      expect(opened() - before).toBe(0)
    }))

  test('goes on in the next process with the key of the job', async () => {
    const journal = memoryJournal()
    await within(async () => {})
    const desk = await openDesk(await memoryWorld(), { identity: 'one-job', journal })
    const life = new AbortController()
    const first = desk.ask({ text: 'one', giveUp: life.signal })
    const job = await desk.next()
    life.abort()
    await first
    const [resumed] = desk.again().resume()
    await job.result({ text: 'late' })
    const outcome = await resumed?.outcome
    expect(outcome).toMatchObject({ ok: true, text: 'late' })
    expect(outcome?.privacy.identity).toEqual({ kind: 'one-job', pubkey: job.request.pubkey })
    await desk.close()
  })

  test('never pays itself, whichever key asks', async () => {
    const world = await memoryWorld()
    const secret = world.keys.newSecret()
    const desk = await openDesk(world, { identity: 'one-job', secret })
    const relays = world.connect()
    const me = world.keys.publicKey(secret)
    const asking = desk.ask({ text: 'one', capMsats: 9_000n, node: { pubkey: me }, ttlSeconds: 5 })
    await relays.listen([{ kinds: [5050], '#p': [me] }], {
      onEvent(event) {
        const tags = [
          ['e', event.id],
          ['p', event.pubkey],
          ['status', 'payment-required'],
          ['amount', '9000', 'lnbcrt1'],
        ]
        void relays.publish(world.keys.sign({ kind: 7000, created_at: event.created_at, tags, content: '' }, secret))
      },
    }).live
    expect(await asking).toMatchObject({ ok: false, code: 'self-pay' })
    await desk.close()
  })
})
