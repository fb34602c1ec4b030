/** Shares while a wallet does not say and clients are killed: nobody is paid twice or too much. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dueShares } from '../src/client/shares.ts'
import { handClock } from '../src/clock.ts'
import type { ClientJob } from '../src/job.ts'
import type { Journal } from '../src/journal/journal.ts'
import { openKeys } from '../src/keys.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { keeps } from './promises.ts'
import { openSplitTown, passTime, price, within } from './splits-town.ts'
import { memoryWorld } from './worlds.ts'

const keys = await openKeys()

describe('money', () => {
  keeps('pay.splits', 'caps count shares like every other payment', () =>
    within({ weights: [1, 1] }, async (town, clock) => {
      const outcome = await passTime(clock, town.ask({}, { caps: { dayMsats: 1_500n } }))
      expect(outcome).toMatchObject({ ok: true, splits: [{ state: 'refused' }] })
      expect(outcome.splits?.[0]?.says).toContain('within a day')
      expect(outcome.msats).toBeLessThanOrEqual(1_500n)
    }),
  )

  keeps('pay.cap', 'shares that would pass the cap of the job are not paid', () =>
    within({ weights: [1, 1] }, async (town, clock) => {
      const outcome = await passTime(clock, town.ask({ capMsats: price - 1n }))
      expect(outcome).toMatchObject({ ok: true, splits: [{ state: 'refused' }] })
      expect(outcome.splits?.[0]?.says).toContain('for this job')
      expect((await town.gains()).at(-1)).toBe(-outcome.msats)
    }),
  )

  keeps('pay.splits', 'a wallet that slept gets the order again, and none once the invoice is dead', async () => {
    for (const [sleepMs, state] of [
      [20_000, 'paid'],
      [500_000, 'failed'],
    ] as const)
      await within({ weights: [1, 1] }, async (town, clock) => {
        const onEvent = ({ event }: { event: string }) => {
          if (event !== 'chunk') return
          town.payer.faults = { reach: 'down' }
          clock.after(sleepMs, () => {
            town.payer.faults = {}
          })
        }
        const outcome = await passTime(clock, town.ask({ onEvent }))
        expect(outcome).toMatchObject({ ok: true, splits: [{ state }] })
        expect((await town.gains()).at(-1)).toBe(-outcome.msats)
        expect(town.journal.orders.list({ state: 'planned' })).toEqual([])
      })
  })

  keeps('pay.splits', 'who leaves before a receiver has billed asks it again in the next run', async () => {
    // With the last word of the answer, and while the receiver is waited for.
    for (const ms of [0, 2_000])
      await within({ weights: [1], strangers: [keys.publicKey(keys.newSecret())] }, async (town, clock) => {
        const giveUp = new AbortController()
        const leave = () => giveUp.abort()
        const onEvent = ({ event }: { event: string }) =>
          void (event === 'chunk' && (ms === 0 ? leave() : clock.after(ms, leave)))
        const outcome = await passTime(clock, town.ask({ onEvent, giveUp: giveUp.signal }))
        expect(outcome.splits?.map(({ state }) => state)).toEqual(ms === 0 ? undefined : ['open'])
        const [resumed] = town.client().resume()
        const late = await passTime(clock, resumed?.outcome ?? Promise.reject(new Error('nothing was resumed')))
        expect(late).toMatchObject({ ok: true, splits: [{ state: 'unanswered' }] })
        expect(town.client().resume()).toEqual([])
      })
  })

  keeps('pay.splits', 'a node that bills for everybody leaves nothing for the others', () =>
    within({ weights: [1, 1] }, async (town, clock) => {
      const { seller, others } = town
      // It announced no shares to its customers' knowledge of today, and bills the whole price.
      const splits = [seller, ...others].map(({ pubkey }) => ({ pubkey, relay: '', weight: 1 }))
      const plain = await openSplitTown(await memoryWorld(clock), { weights: [0] })
      const about = { id: 'x', kinds: [5050], topics: [], name: '', about: '', encrypted: true, models: [] }
      const announcement = {
        ...{ ...about, nodeKeys: [], zappers: [plain.seller.pubkey], custodial: false, relays: [], v: 1 },
        ...{ priceMsats: price, splits: [...splits, { pubkey: plain.seller.pubkey, relay: '', weight: 1 }] },
      }
      const outcome = await passTime(clock, plain.ask({ node: { pubkey: plain.seller.pubkey, announcement } }))
      expect(outcome).toMatchObject({ ok: true, msats: price, splits: [{ state: 'refused' }, { state: 'refused' }] })
      expect(await plain.gains()).toEqual([price, -price])
      await plain.close()
    }),
  )

  keeps('pay.splits', 'work that is paid and not delivered is shared with nobody', async () => {
    const runner = echoRunner({ clock: handClock(), fault: 'dies' })
    await within({ weights: [1, 1], seller: { runner } }, async (town, clock) => {
      const outcome = await passTime(clock, town.ask())
      const [own = 0n, ...rest] = await town.gains()
      expect(outcome).toMatchObject({ ok: false, code: 'runner', msats: own })
      expect(own).toBeGreaterThan(0n)
      expect(outcome.splits).toBeUndefined()
      expect(rest).toEqual([0n, -own])
    })
  })

  keeps('pay.splits', 'a wallet that does not say is asked until it knows, and pays once', async () => {
    for (const end of ['paid', 'failed'] as const)
      await within({ weights: [1, 1] }, async (town, clock) => {
        const onEvent = ({ event }: { event: string }) => {
          if (event === 'chunk') town.payer.faults = { pay: `unknown-then-${end}`, delayMs: 40_000 }
        }
        const outcome = await passTime(clock, town.ask({ onEvent }))
        expect(outcome).toMatchObject({ ok: true, splits: [{ state: end }] })
        const [own = 0n, other = 0n, payer = 0n] = await town.gains()
        expect(own + other + payer).toBe(0n)
        expect(other).toBe(end === 'paid' ? (outcome.splits?.[0]?.msats ?? -1n) : 0n)
        expect(outcome.msats).toBe(-payer)
      })
  })

  keeps('pay.splits', 'who does not wait for a silent wallet hears the end in the next run', () =>
    within({ weights: [1, 1] }, async (town, clock) => {
      const giveUp = new AbortController()
      const onEvent = ({ event }: { event: string }) => {
        if (event !== 'chunk') return
        town.payer.faults = { pay: 'hang' }
        clock.after(30_000, () => giveUp.abort())
      }
      const outcome = await passTime(clock, town.ask({ onEvent, giveUp: giveUp.signal }))
      expect(outcome).toMatchObject({ ok: true, splits: [{ state: 'open' }] })
      const [order] = town.journal.orders.list({ state: 'planned' })
      expect(order).toMatchObject({ purpose: 'split', peer: town.others[0]?.pubkey })
      town.net.finish(order?.hash ?? '', 'paid')
      const [resumed] = town.client().resume()
      const late = await passTime(clock, resumed?.outcome ?? Promise.reject(new Error('nothing was resumed')))
      expect(late).toMatchObject({ ok: true, msats: price, splits: [{ state: 'paid' }] })
      expect((await town.gains()).at(-1)).toBe(-price)
      expect(town.client().resume()).toEqual([])
    }),
  )
})

describe('a killed client', () => {
  type Crossing = 'before plan' | 'after plan' | 'after pay' | 'after end'

  /** A journal of a process that dies at its first crossing on the way of a share. */
  function dying(journal: Journal, at: Crossing, die: () => never): Journal {
    const { orders } = journal
    const mine = (hash: string) => orders.get(hash)?.purpose === 'split'
    return {
      ...journal,
      orders: {
        ...orders,
        plan(row) {
          if (row.purpose === 'split' && at === 'before plan') die()
          const planned = orders.plan(row)
          if (row.purpose === 'split' && at === 'after plan') die()
          return planned
        },
        end(hash, end) {
          if (mine(hash) && at === 'after pay') die()
          orders.end(hash, end)
          if (mine(hash) && at === 'after end') die()
        },
      },
    }
  }

  for (const at of ['before plan', 'after plan', 'after pay', 'after end'] as const)
    keeps('pay.splits', `${at} is succeeded by one that pays each share once`, () =>
      within({ weights: [1, 1, 1] }, async (town, clock) => {
        let died = 0
        const journal = dying(town.journal, at, () => {
          died++
          throw new Error('this process is dead')
        })
        await expect(passTime(clock, town.ask({}, { journal }))).rejects.toThrow('this process is dead')
        expect(died).toBeGreaterThan(0)
        const [resumed, ...more] = town.client().resume()
        expect(more).toEqual([])
        const outcome = await passTime(clock, resumed?.outcome ?? Promise.reject(new Error('nothing was resumed')))
        expect(outcome).toMatchObject({ ok: true, msats: price, splits: [{ state: 'paid' }, { state: 'paid' }] })
        expect((await town.gains()).at(-1)).toBe(-price)
        expect(town.journal.orders.list().map(({ state }) => state)).toEqual(['paid', 'paid', 'paid'])
        expect(town.client().resume()).toEqual([])
      }),
    )
})

describe('shares', () => {
  test('node and others together are never paid more than the price, and all of it where the node got its share', () => {
    const key = (i: number) => String(i).repeat(64)
    const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 })
    const property = fc.property(weights, fc.bigInt(1n, 10n ** 11n), fc.bigInt(0n, 1_000n), (all, whole, part) => {
      const splits = all.map((weight, i) => ({ pubkey: key(i), relay: '', weight }))
      const announcement = { priceMsats: whole, nodeKeys: [], zappers: [], custodial: false, v: 1, splits }
      const ask = { id: key(9), node: key(0), capMsats: whole, now: 0, ttlSeconds: 1 }
      const bare = { id: key(9), pubkey: key(8), kind: 5050, created_at: 0, tags: [], content: '', sig: '' }
      const opening = { request: bare, secret: new Uint8Array(), ask, announcement }
      const delivered = (spent: bigint): ClientJob => ({
        ...{ side: 'client', id: key(9), state: 'delivered', open: false, capMsats: whole, deadline: 0, nudgeAt: 0 },
        ...{ parts: 1, partsPaid: 1, spentMsats: spent, barred: [] },
        answer: { text: 'x', model: '', promptTokens: 0, outputTokens: 0 },
      })
      const sum = (spent: bigint) =>
        dueShares(opening, delivered(spent)).reduce((all, { msats, says }) => (says ? all : all + msats), spent)
      const first = all[0] ?? 0
      const exact = (whole * BigInt(first)) / BigInt(all.reduce((a, b) => a + b, 0))
      // The node's own share is its exact part, or one msat more.
      const own = [exact, exact + 1n].filter(spent => sum(spent) === whole)
      expect(own.length).toBeGreaterThan(0)
      expect(sum((whole * part) / 1_000n)).toBeLessThanOrEqual(whole)
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})
