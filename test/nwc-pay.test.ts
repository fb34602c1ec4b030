import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { memoryHub } from '../relays/memory.ts'
import { type HandClock, handClock } from '../src/clock.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { nwcPayer } from '../src/payments/nwc/pay.ts'
import type { NwcWallet } from '../src/payments/nwc.ts'
import type { Bill, PayOrder } from '../src/payments/payment.ts'
import { type SimWallet, simNet } from '../src/payments/sim.ts'
import { type Asked, connection, join, scripted, until } from './nwc-world.ts'

let clock: HandClock
let shop: SimWallet
let payer: SimWallet
let client: NwcWallet
let asked: Asked[]
let answer: (request: Asked) => void
let of: Bill
let order: PayOrder
/** What opens the bill. The simulated payer learns it by paying. */
let preimage: string

const refuse = (request: Asked, code: string) =>
  request.reply({ result_type: request.method, error: { code, message: 'said so' }, result: null })
const say = (request: Asked, result: object) => request.reply({ result_type: request.method, error: null, result })
const methods = () => asked.map(({ method }) => method)
const pay = () => until(clock, client.pay(order))

beforeEach(async () => {
  clock = handClock()
  const net = simNet({ clock })
  shop = net.wallet({ alias: 'shop', msats: 0n })
  payer = net.wallet({ alias: 'payer', msats: 1_000_000n })
  of = await shop.bill({ key: 'a', msats: 5_000n, expirySeconds: 3_600, description: 'x' })
  order = { bolt11: of.bolt11, hash: of.hash, msats: of.msats }
  const paid = await payer.pay(order)
  if (paid.state !== 'paid') throw new Error('the simulated net does not pay')
  preimage = paid.preimage
  const hub = memoryHub({ clock })
  const conn = connection([hub.url])
  answer = () => {}
  asked = scripted(conn, hub.connect(), clock, request => answer(request))
  client = join(conn, hub.connect(), clock)
})

const lookup = (row: object | 'NOT_FOUND' | 'silent') => (request: Asked) => {
  if (row === 'silent') return
  if (row === 'NOT_FOUND') refuse(request, 'NOT_FOUND')
  else say(request, { type: 'outgoing', payment_hash: of.hash, amount: 5_000, created_at: 1, fees_paid: 3, ...row })
}

describe('an answer to pay_invoice', () => {
  test('a true preimage: paid, and asked never again', async () => {
    answer = request => say(request, { preimage: preimage.toUpperCase(), fees_paid: 21 })
    expect(await pay()).toEqual({ state: 'paid', preimage, feeMsats: 21n })
    expect(await pay()).toEqual({ state: 'paid', preimage, feeMsats: 21n })
    expect(await client.payState(of.hash)).toMatchObject({ state: 'paid' })
    expect(methods()).toEqual(['pay_invoice'])
  })

  test.each([
    ['an id of the wallet’s own (Coinos)', { preimage: 'b3f1-pid' }],
    ['somebody else’s preimage', { preimage: '11'.repeat(32) }],
    ['none', {}],
    ['a null', { preimage: null }],
    ['a list', { preimage: ['x'] }],
  ])('%s instead of the preimage: unproven', async (_, result) => {
    answer = request => say(request, result)
    expect((await pay()).state).toBe('unproven')
  })

  test('an error beside a bogus result: the error counts', async () => {
    answer = request =>
      request.reply({
        ...{ result_type: request.method, error: { code: 'RESTRICTED', message: 'no' }, result: { preimage } },
      })
    expect(await pay()).toMatchObject({ state: 'failed', code: 'RESTRICTED' })
  })

  test.each([
    'INSUFFICIENT_BALANCE',
    'QUOTA_EXCEEDED',
    'RESTRICTED',
    'UNAUTHORIZED',
    'NOT_IMPLEMENTED',
    'UNSUPPORTED_ENCRYPTION',
    'RATE_LIMITED',
  ])('%s: failed, nothing was sent', async code => {
    answer = request => (request.method === 'pay_invoice' ? refuse(request, code) : lookup('NOT_FOUND')(request))
    expect(await pay()).toEqual({ state: 'failed', code, says: 'said so' })
  })

  test.each([
    ['PAYMENT_FAILED', 'NOT_FOUND', 'failed'],
    ['PAYMENT_FAILED', { state: 'failed' }, 'failed'],
    ['PAYMENT_FAILED', { state: 'pending' }, 'pending'],
    ['PAYMENT_FAILED', { state: 'settled' }, 'unproven'],
    ['PAYMENT_FAILED', 'silent', 'unknown'],
    ['INTERNAL', 'NOT_FOUND', 'unknown'],
    ['INTERNAL', { state: 'failed' }, 'failed'],
    ['INTERNAL', { state: 'accepted' }, 'pending'],
    ['OTHER', 'silent', 'unknown'],
    ['EXPIRED', 'NOT_FOUND', 'unknown'],
    ['BAD_REQUEST', 'NOT_FOUND', 'unknown'],
    ['MADE_UP', 'NOT_FOUND', 'unknown'],
    ['INSUFFICIENT_BALANCE', { state: 'pending' }, 'pending'],
    ['QUOTA_EXCEEDED', 'silent', 'failed'],
  ] as const)('%s, and the books say %j: %s', async (code, row, state) => {
    answer = request => (request.method === 'pay_invoice' ? refuse(request, code) : lookup(row)(request))
    expect((await pay()).state).toBe(state)
  })

  test('Alby Hub’s INTERNAL “already been paid”: the books say paid', async () => {
    answer = request =>
      request.method === 'pay_invoice'
        ? refuse(request, 'INTERNAL')
        : lookup({ state: 'SETTLED', preimage, settled_at: 5 })(request)
    expect(await pay()).toEqual({ state: 'paid', preimage, feeMsats: 3n })
    expect(methods()).toEqual(['pay_invoice', 'lookup_invoice'])
  })
})

describe('no answer', () => {
  test('time-out: unknown; the books are asked with a fresh request', async () => {
    expect((await pay()).state).toBe('unknown')
    answer = lookup({ state: 'settled', preimage })
    expect(await until(clock, client.payState(of.hash))).toEqual({ state: 'paid', preimage, feeMsats: 3n })
    expect(methods().indexOf('pay_invoice')).toBe(methods().lastIndexOf('pay_invoice'))
    expect(new Set(asked.map(({ id }) => id)).size).toBe(asked.length)
  })

  test('a wallet that has not seen it may still run it: unknown until the request is void, then unsent', async () => {
    await pay()
    answer = lookup('NOT_FOUND')
    expect((await until(clock, client.payState(of.hash), 1)).state).toBe('unknown')
    await clock.advance(61_000)
    expect(await until(clock, client.payState(of.hash), 1)).toEqual({ state: 'unsent' })
  })

  test('while the first request may still run, a second is not sent; after that it is', async () => {
    await pay()
    answer = request => (request.method === 'pay_invoice' ? say(request, { preimage }) : lookup('NOT_FOUND')(request))
    expect((await pay()).state).toBe('unknown')
    const sent = () => methods().filter(method => method === 'pay_invoice')
    expect(sent()).toHaveLength(1)
    await clock.advance(61_000)
    expect((await pay()).state).toBe('paid')
    expect(sent()).toHaveLength(2)
  })

  test('while a payment runs, its state is unknown, not unsent', async () => {
    const paying = client.pay(order)
    await clock.advance(100)
    answer = lookup('NOT_FOUND')
    expect((await until(clock, client.payState(of.hash), 1)).state).toBe('unknown')
    const [first] = asked
    if (first) say(first, { preimage })
    expect((await until(clock, paying)).state).toBe('paid')
  })

  test('two calls for one hash share one request', async () => {
    const both = Promise.all([client.pay(order), client.pay(order)])
    answer = request => say(request, { preimage })
    expect((await until(clock, both)).map(({ state }) => state)).toEqual(['paid', 'paid'])
    expect(methods()).toEqual(['pay_invoice'])
  })

  test('given up while under way: unknown to the caller, and the answer is still remembered', async () => {
    const stop = new AbortController()
    const paying = client.pay(order, stop.signal)
    await clock.advance(100)
    stop.abort()
    expect((await until(clock, paying)).state).toBe('unknown')
    const [first] = asked
    if (first) say(first, { preimage })
    await clock.advance(100)
    expect(await client.payState(of.hash)).toMatchObject({ state: 'paid' })
  })

  test('closed while under way: unknown; closed before: failed', async () => {
    const paying = client.pay(order)
    await clock.advance(100)
    await client.close()
    expect((await paying).state).toBe('unknown')
    const other = await shop.bill({ key: 'b', msats: 5_000n, expirySeconds: 3_600, description: 'x' })
    expect(await client.pay(other)).toMatchObject({ state: 'failed', code: 'CLOSED' })
  })
})

describe('the books', () => {
  test('of another hash: unknown', async () => {
    answer = lookup({ state: 'settled', preimage, payment_hash: sha256Hex('another') })
    expect((await until(clock, client.payState(of.hash))).state).toBe('unknown')
  })

  test('a wallet that paid itself shows the incoming row: the outgoing one is looked for', async () => {
    answer = request => {
      if (request.method === 'lookup_invoice') lookup({ type: 'incoming', state: 'settled', preimage })(request)
      else if (request.params['offset'] === 0) {
        const other = { type: 'outgoing', payment_hash: 'aa', amount: 1, created_at: 1, state: 'settled' }
        say(request, { transactions: Array.from({ length: 20 }, () => other) })
      } else {
        say(request, {
          transactions: [
            { type: 'outgoing', payment_hash: of.hash, state: 'settled', preimage, fees_paid: 2, amount: 5_000 },
          ],
        })
      }
    }
    expect(await until(clock, client.payState(of.hash))).toEqual({ state: 'paid', preimage, feeMsats: 2n })
    expect(methods()).toEqual(['lookup_invoice', 'list_transactions', 'list_transactions'])
  })

  test('an invoice of ours that nobody paid out is unsent', async () => {
    answer = request => {
      if (request.method === 'lookup_invoice') lookup({ type: 'incoming', state: 'pending' })(request)
      else say(request, { transactions: [] })
    }
    expect(await until(clock, client.payState(of.hash))).toEqual({ state: 'unsent' })
  })
})

/**
 * A wallet as bad as real ones: it may lose requests and answers, lie about codes, forget preimages, and run a request
 * that it got late. The truth is kept beside it.
 */
const step = fc.record({
  run: fc.constantFrom('now', 'later', 'never'),
  ends: fc.constantFrom('settled', 'failed', 'pending'),
  says: fc.constantFrom('truth', 'silence', 'INTERNAL', 'PAYMENT_FAILED', 'OTHER', 'EXPIRED'),
  books: fc.constantFrom('truth', 'silence', 'INTERNAL'),
  waitMs: fc.integer({ min: 0, max: 130_000 }),
})

describe('property: over any wallet', () => {
  test('failed and unsent are said only when no money left and none will; nothing is debited twice', async () => {
    const read = readInvoice(of.bolt11)
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async steps => {
        const time = handClock()
        let truth: 'none' | 'settled' | 'failed' | 'pending' = 'none'
        let debits = 0
        let late: (() => void) | undefined
        let now = steps[0]
        const run = (ends: 'settled' | 'failed' | 'pending') => {
          // Wallets are idempotent by hash: only a failed payment is tried again.
          if (truth === 'settled' || truth === 'pending') return
          truth = ends
          if (ends !== 'failed') debits++
        }
        const nwc = nwcPayer({
          clock: time,
          timeoutMs: 60_000,
          read: () => read,
          async ask() {
            const { run: when, ends, says } = now ?? { run: 'never', ends: 'failed', says: 'silence' }
            if (when === 'never') return { state: 'silent', says: 'lost' }
            if (when === 'later') {
              const until = time.now() + 60_000
              late = () => time.now() <= until && run(ends)
              return { state: 'silent', says: 'lost' }
            }
            run(ends)
            if (says === 'silence') return { state: 'silent', says: 'lost' }
            if (says !== 'truth') return { state: 'refused', code: says, says }
            if (truth === 'settled') return { state: 'answered', result: { preimage } }
            return { state: 'refused', code: truth === 'failed' ? 'PAYMENT_FAILED' : 'INTERNAL', says: '' }
          },
          async find() {
            if (now?.books === 'silence') return { lost: 'silence' }
            if (now?.books === 'INTERNAL') return { lost: 'INTERNAL' }
            if (truth === 'none') return 'none'
            const row = { hash: of.hash, bolt11: '', feeMsats: 0n, createdAt: 1, expiresAt: 2 }
            return { row: { ...row, state: truth, ...(truth === 'settled' && { preimage }) } }
          },
        })
        for (now of steps) {
          const said = [await nwc.pay(order), await nwc.payState(of.hash)]
          for (const [at, { state }] of said.entries()) {
            if (state === 'paid') expect(truth).toBe('settled')
            if (state === 'failed' || state === 'unsent') {
              expect(['none', 'failed']).toContain(truth)
              // Nothing of ours may still run, or it would have to be unknown.
              if (at === 1) late?.()
              expect(['none', 'failed']).toContain(truth)
            }
          }
          await time.advance(now.waitMs)
          if (now.waitMs % 2 === 0) late?.()
        }
        expect(debits).toBeLessThanOrEqual(1)
      }),
      { numRuns: 1_000 },
    )
  }, 30_000)
})
