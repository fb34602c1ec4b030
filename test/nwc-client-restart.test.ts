/** A NIP-47 client that is killed with payments open: what the next process says and does about them. */
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { type MemoryHub, memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { nwcPayer } from '../src/payments/nwc/pay.ts'
import { memoryStore } from '../src/payments/nwc/store.ts'
import type { PayOrder } from '../src/payments/payment.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { type Connection, connection, join, keys, serve, until } from './nwc-world.ts'

let clock: HandClock
let hub: MemoryHub
let conn: Connection
let mine: SimWallet
let order: PayOrder
let requests: number

beforeEach(async () => {
  clock = handClock()
  hub = memoryHub({ clock, verify: keys.verify })
  conn = connection([hub.url])
  const net = simNet({ clock, seed: 'restart' })
  mine = net.wallet({ alias: 'mine', msats: 10_000n })
  const bill = await net
    .wallet({ alias: 'shop', msats: 0n })
    .bill({ key: 'a', msats: 5_000n, expirySeconds: 86_400, description: '' })
  order = { bolt11: bill.bolt11, hash: bill.hash, msats: bill.msats }
  requests = 0
  const pay = mine.pay.bind(mine)
  mine.pay = (one, signal) => {
    requests++
    return pay(one, signal)
  }
})
const wait = <T>(promise: Promise<T>) => until(clock, promise, 1_000)
/** A process: it dies by being forgotten, its relay connection with it. */
const start = (sent = memoryStore().shelf) => {
  const client = join(conn, hub.connect(), clock, { sent })
  return { client, sent }
}
const served = () => serve(conn, mine, hub.connect(), clock)

describe('a client killed with a payment open', () => {
  test('the wallet ran it: the books say paid, and paying again asks them first', async () => {
    served()
    mine.faults = { delayMs: 3_000 }
    const first = start()
    void first.client.pay(order)
    await clock.advance(1_000)
    await first.client.close()
    await clock.advance(5_000)
    const { client } = start(first.sent)
    expect(await wait(client.payState(order.hash))).toMatchObject({ state: 'paid' })
    expect(await wait(client.pay({ ...order, again: true }))).toMatchObject({ state: 'paid' })
    expect(requests).toBe(1)
    expect(await mine.balance()).toBe(5_000n)
  })

  test('it is on its way: pending, not sent again, then paid', async () => {
    served()
    mine.faults = { delayMs: 30_000 }
    const first = start()
    void first.client.pay(order)
    await clock.advance(1_000)
    await first.client.close()
    const { client } = start(first.sent)
    expect(await wait(client.pay({ ...order, again: true }))).toEqual({ state: 'pending' })
    await clock.advance(40_000)
    expect(await wait(client.pay({ ...order, again: true }))).toMatchObject({ state: 'paid' })
    expect(requests).toBe(1)
  })

  test.each([
    ['with a record of what left', true],
    ['without one, ordered again', false],
  ])('nobody heard it, %s: unknown while it might still be run, then sent anew and paid once', async (_, record) => {
    const first = start()
    void first.client.pay(order)
    await clock.advance(1_000)
    await first.client.close()
    served()
    const { client } = start(record ? first.sent : undefined)
    const again = record ? order : { ...order, again: true }
    // Without a record a shelf that knows nothing would say that nothing left.
    const blind = record ? client : join(conn, hub.connect(), clock)
    expect((await wait(blind.pay(again))).state).toBe('unknown')
    if (record) expect((await wait(blind.payState(order.hash))).state).toBe('unknown')
    expect(requests).toBe(0)
    await clock.advance(121_000)
    expect(await wait(blind.payState(order.hash))).toEqual({ state: 'unsent' })
    expect(await wait(blind.pay(again))).toMatchObject({ state: 'paid' })
    expect(requests).toBe(1)
  })

  test('it was planned and had not left: the record says so, and it leaves at once', async () => {
    served()
    const { client } = start()
    expect(await wait(client.pay({ ...order, again: true }))).toMatchObject({ state: 'paid' })
    expect(requests).toBe(1)
  })

  test('what cannot be kept does not leave', async () => {
    served()
    const { shelf } = memoryStore()
    const full = () => {
      throw new Error('the disk is full')
    }
    const { client } = start({ ...shelf, set: full })
    expect(await wait(client.pay(order))).toMatchObject({
      state: 'failed',
      says: expect.stringContaining('disk is full'),
    })
    expect(requests).toBe(0)
  })

  test('records that are void are let go when the next process begins', async () => {
    const first = start()
    void first.client.pay(order)
    await clock.advance(61_000)
    expect([...first.sent.entries()]).toHaveLength(1)
    await clock.advance(61_000)
    start(first.sent)
    expect([...first.sent.entries()]).toEqual([])
  })
})

const step = fc.record({
  kill: fc.boolean(),
  run: fc.constantFrom('now', 'later', 'never'),
  ends: fc.constantFrom('settled', 'failed', 'pending'),
  says: fc.constantFrom('truth', 'silence', 'INTERNAL', 'PAYMENT_FAILED'),
  books: fc.constantFrom('truth', 'truth', 'silence'),
  waitMs: fc.integer({ min: 0, max: 130_000 }),
})

test.each([
  ['with a record', true],
  ['without', false],
])(
  'property: killed at any point, %s, "failed" and "unsent" are true and nothing is debited twice',
  async (_, record) => {
    const read = readInvoice(order.bolt11)
    const paid = await mine.pay(order)
    if (paid.state !== 'paid') throw new Error('the simulated net does not pay')
    const { preimage } = paid
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async steps => {
        const time = handClock()
        const { shelf } = memoryStore()
        let truth: 'none' | 'settled' | 'failed' | 'pending' = 'none'
        let debits = 0
        const late: (() => void)[] = []
        let now = steps[0]
        const run = (ends: 'settled' | 'failed' | 'pending') => {
          if (truth === 'settled' || truth === 'pending') return
          truth = ends
          if (ends !== 'failed') debits++
        }
        const open = () =>
          nwcPayer({
            clock: time,
            timeoutMs: 60_000,
            read: () => read,
            ...(record && { sent: shelf }),
            async ask() {
              const {
                run: when,
                ends,
                says,
                kill,
              } = now ?? { run: 'never', ends: 'failed', says: 'silence', kill: false }
              const until = time.now() + 60_000
              if (when === 'later') late.push(() => time.now() <= until && run(ends))
              if (when === 'now') run(ends)
              if (kill) return new Promise(() => {})
              if (when !== 'now' || says === 'silence') return { state: 'silent', says: 'lost' }
              if (says !== 'truth') return { state: 'refused', code: says, says }
              if (truth === 'settled') return { state: 'answered', result: { preimage } }
              return { state: 'refused', code: truth === 'failed' ? 'PAYMENT_FAILED' : 'INTERNAL', says: '' }
            },
            async find() {
              if (now?.books === 'silence') return { lost: 'silence' }
              if (truth === 'none') return 'none'
              const row = { hash: order.hash, bolt11: '', feeMsats: 0n, createdAt: 1, expiresAt: 2 }
              return { row: { ...row, state: truth, ...(truth === 'settled' && { preimage }) } }
            },
          })
        let payer = open()
        for (const [at, one] of steps.entries()) {
          now = one
          const ordered = { ...order, ...(at > 0 && { again: true }) }
          const saying = payer.pay(ordered)
          if (one.kill) {
            await time.advance(0)
            payer = open()
            // The process that was killed heard nothing; the one after it says only what is true.
            if (!record) continue
          }
          const said = one.kill ? [await payer.payState(order.hash)] : [await saying, await payer.payState(order.hash)]
          for (const { state } of said) {
            if (state === 'paid') expect(truth).toBe('settled')
            if (state !== 'failed' && state !== 'unsent') continue
            expect(['none', 'failed']).toContain(truth)
          }
          const last = said.at(-1)?.state
          if (last === 'failed' || last === 'unsent') {
            // Nothing that ever left may still be run, or it would have to be unknown.
            for (const request of late) request()
            expect(['none', 'failed']).toContain(truth)
          }
          await time.advance(one.waitMs)
          if (one.waitMs % 2 === 0) for (const request of late) request()
        }
        expect(debits).toBeLessThanOrEqual(1)
      }),
      { numRuns: 1_000 },
    )
  },
  30_000,
)
