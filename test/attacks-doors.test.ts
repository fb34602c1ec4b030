/** Strangers with as many keys as they like at the doors of a node: what they can hold of it, and for how long. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { handClock, seconds } from '../src/clock.ts'
import { openIntake } from '../src/intake.ts'
import { wrapEvent } from '../src/seal.ts'
import { openHidden } from './node-hidden.ts'
import { keys, openTown, type Town } from './node-world.ts'

/** Jobs that nobody will ever pay, each under a key of its own. */
const flood = (town: Town, count: number): Event[] =>
  Array.from({ length: count }, (_, i) => town.customer().ask(`never paid ${i}`, { stream: false }))
/** Jobs of these that the node told something of. */
const told = (town: Town, jobs: readonly Event[], what: 'invoice' | 'refused') => {
  const ids = new Set(jobs.map(({ id }) => id))
  return town.told.filter(({ event, job = '' }) => event === what && ids.has(job))
}
const settled = (town: Town, jobs: readonly Event[]) =>
  town.until('a word for each', () => {
    const count = told(town, jobs, 'invoice').length + told(town, jobs, 'refused').length
    return count === jobs.length ? true : undefined
  })

describe('places that nobody pays for', () => {
  test('a thousand keys hold the places of a node for ten seconds, and then who pays gets in', async () => {
    const town = openTown()
    const node = await town.open({ limits: { refusalsPerMinute: 1e6, arrivalsPerMinute: 1e6 } })
    const jobs = flood(town, 1_000)
    await settled(town, jobs)
    expect(node.jobs()).toHaveLength(64)
    // While they still may pay, nobody is thrown out for a newcomer.
    const early = town.customer().ask('too early')
    await town.until('why not', () => town.refusal(early))
    expect(town.refusal(early)?.code).toBe('busy')
    await town.clock.advance(10_000)
    const honest = town.customer().ask('who pays')
    const bill = await town.until('the bill', () => town.bills(honest)[0])
    await town.pay(bill)
    expect((await town.until('the answer', () => town.result(honest))).text).toBe('who pays')
    const gone = town.told.filter(({ event }) => event === 'expired')
    expect(gone.map(({ job }) => job)).toEqual([jobs[0]?.id])
    await node.close()
  }, 60_000)

  test('paid, held and running jobs never give way, and money that comes late is kept', async () => {
    const town = openTown()
    const node = await town.open({ limits: { jobs: 2 }, echo: { pieceMs: 30_000 } })
    const paying = town.customer().ask('a paid job that takes its time')
    await town.pay(await town.until('the bill', () => town.bills(paying)[0]))
    await town.until('the work', () => node.jobs().find(({ state }) => state === 'running'))
    const late = town.customer().ask('pays too late')
    const bill = await town.until('its bill', () => town.bills(late)[0])
    await town.clock.advance(11_000)
    const next = town.customer().ask('the next')
    await town.until('its bill', () => town.bills(next)[0])
    expect(town.refusal(late)?.code).toBe('unpaid')
    expect(node.jobs().map(({ id }) => id)).toEqual([paying.id, next.id])
    await town.pay(bill)
    await town.until('the credit', () => (town.journal.bills.creditMsats(late.pubkey) === 2_000n ? true : undefined))
    await town.clock.advance(11_000)
    const third = town.customer().ask('a third')
    await town.until('its bill', () => town.bills(third)[0])
    expect(node.jobs().map(({ id }) => id)).toEqual([paying.id, third.id])
    await node.close()
  })

  test('what a refused newcomer asks for displaces nobody', async () => {
    const town = openTown()
    const node = await town.open({ limits: { jobs: 1 } })
    const first = town.customer().ask('unpaid')
    await town.until('the bill', () => town.bills(first)[0])
    await town.clock.advance(11_000)
    const low = town.customer().ask('for nothing', { bidMsats: 1n })
    await town.until('why not', () => town.refusal(low))
    expect(town.refusal(low)?.code).toBe('underbid')
    expect(town.refusal(first)).toBeUndefined()
    await node.close()
  })

  test('ended jobs with open invoices are watched up to a number, and the oldest are asked about before they are let go', async () => {
    const town = openTown()
    let watched = 0
    const payee = new Proxy(town.payee, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          const given: unknown = Reflect.apply(member, target, args)
          if (name !== 'watch' || typeof given !== 'function') return given
          watched++
          return () => {
            watched--
            given()
          }
        }
      },
    })
    const node = await town.open({ payee, limits: { jobs: 4, lingering: 8, refusalsPerMinute: 1e6 } })
    const all: Event[] = []
    for (let round = 0; round < 12; round++) {
      const some = flood(town, 4)
      await settled(town, some)
      all.push(...some)
      await town.clock.advance(11_000)
    }
    expect(told(town, all, 'invoice').length).toBeGreaterThan(40)
    await town.until('the watches', () => (watched <= 12 ? true : undefined))
    expect(watched).toBeGreaterThan(4)
    expect(town.journal.jobs.unfinished('node').length).toBeLessThanOrEqual(12)
    await node.close()
  })
})

describe('a flood of events from keys that are used once', () => {
  const stranger = (at: number, content: string): Event =>
    keys.sign({ kind: 21_059, created_at: at, tags: [], content }, keys.newSecret())

  function door(total: { perMinute: number; burst: number; lets?(event: Event): boolean }) {
    const clock = handClock(1_800_000_000_000)
    let verified = 0
    const verify = (event: Event) => {
      verified++
      return keys.verify(event)
    }
    const intake = openIntake({ verify, clock, kinds: [21_059], total })
    const comes = (relay: string, event = stranger(seconds(clock), '')) =>
      intake.admit(JSON.parse(JSON.stringify(event)), relay) !== undefined
    return { clock, intake, comes, verified: () => verified }
  }

  test('is let in up to a number, at no price beyond it, and never more than half of it through one relay', async () => {
    const { clock, comes, verified, intake } = door({ perMinute: 60, burst: 20 })
    const through = (relay: string, count: number) =>
      Array.from({ length: count }, () => comes(relay)).filter(Boolean).length
    expect(through('wss://one', 50)).toBe(10)
    expect(through('wss://two', 50)).toBe(10)
    expect(through('wss://three', 50)).toBe(0)
    expect([verified(), intake.counts().flood]).toEqual([20, 130])
    await clock.advance(4_000)
    expect([through('wss://one', 9), through('wss://two', 9)]).toEqual([2, 2])
  })

  test('locks nobody out whom the door knows', () => {
    const { comes, clock } = door({ perMinute: 60, burst: 2, lets: event => event.content === 'known' })
    for (let i = 0; i < 5; i++) comes('wss://one')
    expect(comes('wss://one')).toBe(false)
    expect(comes('wss://one', stranger(seconds(clock), 'known'))).toBe(true)
    const forged = { ...stranger(seconds(clock), 'known'), sig: 'e'.repeat(128) }
    expect(comes('wss://one', forged)).toBe(false)
  })

  test('costs a node a bounded number of openings; its probe and its customers come through', async () => {
    const town = openTown()
    let opened = 0
    const counting = {
      ...keys,
      shared(secret: Uint8Array, pubkey: string) {
        opened++
        return keys.shared(secret, pubkey)
      },
    }
    const node = await town.open({
      priceMsats: 0n,
      keys: counting,
      limits: { arrivalsPerMinute: 60 },
      echo: { pieceMs: 40_000 },
    })
    const customer = openHidden(town)
    const job = customer.request('mine mine mine', 'nip44', { privacy: 1 })
    customer.send(job)
    await town.until('the work', () => node.jobs()[0])
    opened = 0
    const bystander = openHidden(town)
    for (let i = 0; i < 300; i++) {
      const junk = keys.sign({ ...job, content: String(i), tags: [] }, keys.newSecret())
      bystander.send(wrapEvent(keys, junk, town.me, seconds(town.clock)))
    }
    await town.clock.advance(100)
    expect(opened).toBeLessThanOrEqual(12)
    // The withdrawal of a known customer is heard, whatever else comes to that door.
    for (let i = 0; i < 300; i++)
      bystander.send(
        keys.sign(
          {
            kind: 5,
            created_at: seconds(town.clock),
            tags: [
              ['e', 'f'.repeat(64)],
              ['k', '5050'],
            ],
            content: '',
          },
          keys.newSecret(),
        ),
      )
    customer.send(
      keys.sign(
        {
          kind: 5,
          created_at: seconds(town.clock),
          tags: [
            ['e', job.id],
            ['k', '5050'],
          ],
          content: '',
        },
        customer.own,
      ),
    )
    await town.until('the end', () => (node.jobs().length === 0 ? true : undefined), 3_000)
    await node.close()
  })

  test('does not take a node off the market: it still hears its own probe', async () => {
    const town = openTown()
    const node = await town.open({ priceMsats: 0n, limits: { arrivalsPerMinute: 60 } })
    const bystander = openHidden(town)
    for (let passed = 0; passed < 240; passed++) {
      for (let i = 0; i < 3; i++)
        bystander.send(wrapEvent(keys, bystander.request('junk'), keys.publicKey(town.secret), seconds(town.clock)))
      await town.clock.advance(1_000)
    }
    expect(town.told.filter(({ event }) => event === 'deaf')).toEqual([])
    expect(town.told.filter(({ event }) => event === 'alive').length).toBeGreaterThan(1)
    await node.close()
  }, 30_000)
})
