/** What lnd does in its own way: words, deadlines, over-payment, late money. What our contract makes of it is here. */
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readInvoice } from '../../../src/payments/bolt11.ts'
import type { Held } from '../../../src/payments/payment.ts'
import { lndWallet } from './lnd-wallet.ts'
import { type Fields, LndRefusal, textOf, toBase64 } from './rest.ts'
import { ask, clock, directWorld, newPreimage, openPayee, orderOf, payeeRest, payerRest, place } from './stage.ts'

type World = Awaited<ReturnType<typeof directWorld>>

describe('lnd in its own way', () => {
  let world: World
  beforeAll(async () => {
    world = await directWorld()
  })
  afterAll(() => world.close())

  const hold = async () => {
    const { preimage, hash } = newPreimage()
    const bill = await world.payee.holdBill({ ...ask(50_000n), hash, minFinalCltvDelta: 40 })
    return { preimage, hash, bill }
  }
  /** Pays the hash of an invoice without showing lnd the invoice, so that nothing of it is checked. */
  const sendRaw = async (bolt11: string, msats: bigint): Promise<Fields> => {
    const read = readInvoice(bolt11)
    if (!read.ok) throw new Error(read.says)
    const { payee, hash, secret, minFinalCltvDelta } = read.invoice
    const order = {
      ...{ dest: toBase64(payee), amt_msat: String(msats), payment_hash: toBase64(hash) },
      ...{ payment_addr: toBase64(secret), final_cltv_delta: minFinalCltvDelta, dest_features: [9, 15] },
      ...{ timeout_seconds: 10, fee_limit_msat: '10000', no_inflight_updates: true, max_parts: 1 },
    }
    for await (const end of payerRest.stream('POST', '/v2/router/send', order)) return end
    throw new Error('lnd told no end')
  }
  const refusal = async (work: Promise<unknown>): Promise<string> => {
    const error: unknown = await work.then(
      () => 'nothing was refused',
      (error: unknown) => error,
    )
    if (!(error instanceof LndRefusal)) throw error
    return `${error.code}: ${error.message}`
  }

  test('its words for what it refuses: only "not found" and "exists already" have a code', async () => {
    const open = await hold()
    const plain = await world.payee.bill(ask(21_000n))
    await world.payer.pay(orderOf(plain))
    const settle = (preimage: string) => payeeRest.ask('POST', '/v2/invoices/settle', { preimage: toBase64(preimage) })
    const cancel = (hash: string) => payeeRest.ask('POST', '/v2/invoices/cancel', { payment_hash: toBase64(hash) })
    const track = async (hash: string) => {
      const path = `/v2/router/track/${toBase64(hash).replaceAll('+', '-').replaceAll('/', '_')}`
      for await (const said of payerRest.stream('GET', path)) return said
      return undefined
    }
    const send = async (bolt11: string) => {
      for await (const end of payerRest.stream('POST', '/v2/router/send', { payment_request: bolt11 })) return end
      return undefined
    }
    const nobody = newPreimage()
    expect(await refusal(settle(open.preimage))).toBe('2: invoice still open')
    expect(await refusal(settle(nobody.preimage))).toBe('2: unable to locate invoice')
    expect(await refusal(cancel(nobody.hash))).toBe('2: unable to locate invoice')
    expect(await refusal(cancel(plain.hash))).toBe('2: invoice already settled')
    expect(await refusal(track(nobody.hash))).toMatch(/^5: payment isn't initiated/)
    expect(await refusal(send(plain.bolt11))).toBe('6: invoice is already paid')
    await cancel(open.hash)
    expect(await cancel(open.hash)).toEqual({})
    expect(await refusal(settle(open.preimage))).toBe('2: invoice already canceled')
  })

  test('a payment that is in flight is refused a second time, and waited for by ours', async () => {
    const { bill, hash, preimage } = await hold()
    const held = new Promise<Held>(resolve => world.payee.watchHeld(hash, resolve))
    const first = world.payer.pay(orderOf(bill))
    await held
    const again = (async () => {
      for await (const end of payerRest.stream('POST', '/v2/router/send', { payment_request: bill.bolt11 })) return end
      return undefined
    })()
    expect(await refusal(again)).toBe('6: payment is in transition')
    const second = world.payer.pay(orderOf(bill))
    const gone = new AbortController()
    const third = world.payer.pay(orderOf(bill), gone.signal)
    gone.abort()
    expect((await third).state).toBe('unknown')
    await world.payee.settle(preimage)
    expect(await first).toMatchObject({ state: 'paid', preimage })
    expect(await second).toEqual(await first)
  })

  test('more than was asked for settles the bill, and the bill says what came', async () => {
    const before = await world.payee.balance()
    const bill = await world.payee.bill(ask(21_000n))
    const end = await sendRaw(bill.bolt11, 42_000n)
    expect(textOf(end, 'status')).toBe('SUCCEEDED')
    expect(await world.payee.billState(bill.hash)).toMatchObject({ state: 'settled', msats: 42_000n })
    expect(await world.payee.transaction(bill.hash)).toMatchObject({ msats: 42_000n })
    expect(await world.payee.balance()).toBe(before + 42_000n)
  })

  test('less than was asked for is given back; five hundred times as much is kept', async () => {
    const before = await world.payer.balance()
    for (const msats of [20_999n, 10_500_000n]) {
      const bill = await world.payee.bill(ask(21_000n))
      const end = await sendRaw(bill.bolt11, msats)
      const state = (await world.payee.billState(bill.hash)).state
      // BOLT 4 would have a payee refuse more than twice the amount; lnd takes any.
      expect([textOf(end, 'status'), state]).toEqual(msats < 21_000n ? ['FAILED', 'pending'] : ['SUCCEEDED', 'settled'])
    }
    expect(await world.payer.balance()).toBe(before - 10_500_000n)
  })

  test('an expired bill is closed by lnd itself: late money bounces, unlike with LDK', async () => {
    const before = await world.payer.balance()
    const bill = await world.payee.bill(ask(21_000n, 1))
    const invoice = () =>
      payeeRest.ask('GET', `/v2/invoices/lookup?payment_hash=${encodeURIComponent(url64(bill.hash))}`)
    await vi.waitFor(async () => expect(textOf(await invoice(), 'state')).toBe('CANCELED'), { timeout: 20_000 })
    await vi.waitFor(async () => expect(await world.payee.billState(bill.hash)).toEqual({ state: 'expired' }), 5_000)
    expect(await world.payer.pay(orderOf(bill))).toMatchObject({ state: 'failed', says: /expired/ })
    expect(await world.payer.payState(bill.hash)).toEqual({ state: 'unsent' })
    const end = await sendRaw(bill.bolt11, 21_000n)
    expect(textOf(end, 'failure_reason')).toBe('FAILURE_REASON_INCORRECT_PAYMENT_DETAILS')
    expect(await world.payer.payState(bill.hash)).toMatchObject({ state: 'failed', code: 'PAYMENT_FAILED' })
    expect(await world.payer.balance()).toBe(before)
  })

  test('a failed payment may be tried again with the same hash, and is then paid once', async () => {
    const bill = await world.payee.bill(ask(21_000n))
    const short = await sendRaw(bill.bolt11, 1_000n)
    expect(textOf(short, 'status')).toBe('FAILED')
    expect((await world.payer.payState(bill.hash)).state).toBe('failed')
    const paid = await world.payer.pay(orderOf(bill))
    expect(paid.state).toBe('paid')
    expect(await world.payer.payState(bill.hash)).toEqual(paid)
  })

  test('another process finds its hold bill again, and nobody gets it over another amount', async () => {
    const { hash } = newPreimage()
    const asked = { ...ask(50_000n), hash }
    const bill = await world.payee.holdBill(asked)
    const later = openPayee()
    expect(await later.holdBill(asked)).toEqual(bill)
    await expect(later.holdBill({ ...asked, msats: 60_000n })).rejects.toMatchObject({ name: 'PaymentError' })
    await later.close()
  })

  test('an lnd that is not there: nothing was sent, nothing is known, and nothing hangs', async () => {
    const bill = await world.payee.bill(ask(21_000n))
    const gone = lndWallet({ url: `http://127.0.0.1:${await closedPort()}`, clock })
    expect(await gone.pay(orderOf(bill))).toMatchObject({ state: 'failed', code: 'INTERNAL' })
    expect((await gone.payState(bill.hash)).state).toBe('unknown')
    await expect(gone.balance()).rejects.toMatchObject({ name: 'PaymentError', code: 'INTERNAL' })
    await expect(gone.bill(ask(1_000n))).rejects.toMatchObject({ name: 'PaymentError', code: 'INTERNAL' })
    await gone.close()
    expect((await gone.pay(orderOf(bill))).state).toBe('failed')
  })

  test('it serves without a key, so it listens on loopback only', () => {
    for (const url of [place.payer, place.payee]) expect(new URL(url).hostname).toBe('127.0.0.1')
  })
})

const closedPort = (): Promise<number> =>
  new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const at = server.address()
      server.close(() => resolve(typeof at === 'object' && at ? at.port : 0))
    })
  })

const url64 = (hex: string): string => toBase64(hex).replaceAll('+', '-').replaceAll('/', '_')
