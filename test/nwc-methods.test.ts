import { describe, expect, test } from 'vitest'
import { readInvoice } from '../src/payments/bolt11.ts'
import { sha256Hex } from '../src/payments/hash.ts'
import { CODES, type Fields, isFields, readRow } from '../src/payments/nwc/body.ts'
import { PaymentError } from '../src/payments/payment.ts'
import { serviceWorld } from './nwc-wire.ts'

/** What rust-nostr's readers, the strictest that are known, demand of an answer. */
function strict(body: { result_type: string; error: unknown; result: unknown }): void {
  expect(typeof body.result_type).toBe('string')
  if (body.error !== null) {
    expect(body.error).toEqual({ code: expect.toBeOneOf([...CODES]), message: expect.stringMatching(/./) })
    return
  }
  const result = isFields(body.result) ? body.result : {}
  const rows = body.result_type === 'list_transactions' ? rowsOf(result) : [result]
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      expect(value, name).not.toBeNull()
      if (typeof value === 'number') expect(Number.isSafeInteger(value) && value >= 0, name).toBe(true)
    }
    if (['lookup_invoice', 'list_transactions', 'make_invoice'].includes(body.result_type)) {
      expect(row).toMatchObject({
        ...{ payment_hash: expect.stringMatching(/^[0-9a-f]{64}$/), amount: expect.any(Number) },
        ...{ created_at: expect.any(Number), fees_paid: expect.any(Number) },
      })
      expect(['pending', 'settled', 'failed', 'expired']).toContain(row['state'])
    }
  }
  if (body.result_type === 'pay_invoice') expect(result['preimage']).toMatch(/^[0-9a-f]{64}$/)
  if (body.result_type === 'get_info') expect(result['methods']).toEqual(expect.any(Array))
}

const rowsOf = (result: Fields | null): Fields[] => {
  const rows = result?.['transactions']
  return Array.isArray(rows) ? rows.filter(isFields) : []
}

function world(options: Parameters<typeof serviceWorld>[0] = {}) {
  const made = serviceWorld(options)
  const ask: typeof made.ask = async (...args) => {
    const body = await made.ask(...args)
    strict(body)
    return body
  }
  const pay = async (invoice: string) => (await ask('pay_invoice', { invoice })).error?.code ?? 'paid'
  return { ...made, ask, pay }
}

describe('methods', () => {
  test('get_info names only what every reader knows', async () => {
    const { result } = await world({ budgetMsats: 5n }).ask('get_info')
    expect(result).toEqual({
      ...{ alias: 'mine', network: 'regtest', pubkey: expect.stringMatching(/^0[23]/) },
      methods: [
        ...['get_info', 'get_balance', 'make_invoice', 'pay_invoice', 'lookup_invoice', 'list_transactions'],
        ...['make_hold_invoice', 'settle_hold_invoice', 'cancel_hold_invoice'],
      ],
      notifications: ['payment_received', 'payment_sent', 'hold_invoice_accepted'],
    })
  })

  test.each([
    ['a client of NIP-04, whose readers know no hold methods', { scheme: 'nip04' as const }, {}],
    ['a wallet that cannot hold', {}, { holds: false }],
  ])('get_info to %s names none', async (_, over, options) => {
    const { result } = await world(options).ask('get_info', {}, over)
    expect(result).toMatchObject({
      methods: ['get_info', 'get_balance', 'make_invoice', 'pay_invoice', 'lookup_invoice', 'list_transactions'],
      notifications: ['payment_received', 'payment_sent'],
    })
  })

  test('make_invoice: description, description_hash, expiry', async () => {
    const { ask } = world()
    const plain = await ask('make_invoice', { amount: 21_000, description: 'tea', expiry: 60 })
    const descriptionHash = sha256Hex('zap')
    const hashed = await ask('make_invoice', { amount: 1_000, description: 'tea', description_hash: descriptionHash })
    const read = [plain, hashed].map(({ result }) => readInvoice(String(result?.['invoice'])))
    expect(read).toMatchObject([
      { ok: true, invoice: { msats: 21_000n, description: 'tea', expirySeconds: 60 } },
      { ok: true, invoice: { msats: 1_000n, descriptionHash, expirySeconds: 3_600 } },
    ])
    expect(plain.result).toMatchObject({ type: 'incoming', state: 'pending', amount: 21_000, description: 'tea' })
    expect(plain.result).not.toHaveProperty('preimage')
  })

  test.each([
    {},
    { amount: 0 },
    { amount: -5 },
    { amount: 1.5 },
    { amount: 2 ** 60 },
    { amount: 1_000, expiry: 0 },
    { amount: 1_000, expiry: 'x' },
    { amount: 1_000, description_hash: 'xyz' },
  ])('make_invoice %j is refused', async params => {
    expect((await world().ask('make_invoice', params)).error?.code).toBe('OTHER')
  })

  test('pay_invoice, twice, and look it up by hash and by invoice', async () => {
    const { ask, bill, mine } = world()
    const { bolt11, hash } = await bill('a', 5_000n)
    const first = await ask('pay_invoice', { invoice: bolt11 })
    expect(sha256Hex(Buffer.from(String(first.result?.['preimage']), 'hex'))).toBe(hash)
    expect(await ask('pay_invoice', { invoice: bolt11.toUpperCase() })).toEqual(first)
    expect(await mine.balance()).toBe(995_000n)
    const rows = [await ask('lookup_invoice', { payment_hash: hash }), await ask('lookup_invoice', { invoice: bolt11 })]
    for (const { result } of rows)
      expect(result).toMatchObject({
        type: 'outgoing',
        state: 'settled',
        amount: 5_000,
        preimage: first.result?.['preimage'],
      })
  })

  test('pay_invoice refuses a wrong amount and what is no invoice', async () => {
    const { ask, bill } = world()
    const { bolt11 } = await bill('a', 5_000n)
    expect((await ask('pay_invoice', { invoice: bolt11, amount: 4_000 })).error?.code).toBe('OTHER')
    for (const params of [{}, { invoice: 5 }, { invoice: 'lnbc1' }, { invoice: 'x'.repeat(50_000) }])
      expect((await ask('pay_invoice', params)).error?.code).toBe('OTHER')
    expect((await ask('pay_invoice', { invoice: bolt11, amount: 5_000 })).error).toBeNull()
  })

  test('what became of a payment is put so that a client never takes doubt for failure', async () => {
    const { pay, mine, bill } = world()
    const code = async (fault: typeof mine.faults, key: string) => {
      mine.faults = fault
      return pay((await bill(key, 5_000n)).bolt11)
    }
    expect(await code({ pay: 'fail' }, 'a')).toBe('PAYMENT_FAILED')
    expect(await code({ pay: 'unknown-then-paid' }, 'b')).toBe('INTERNAL')
    expect(await code({ pay: 'unproven' }, 'c')).toBe('INTERNAL')
    expect(await code({ reach: 'down' }, 'd')).toBe('INTERNAL')
    mine.faults = {}
    expect(await pay((await bill('e', 900_000_000n)).bolt11)).toBe('INSUFFICIENT_BALANCE')
  })

  test('lookup_invoice of what nobody knows: NOT_FOUND', async () => {
    const { ask } = world()
    for (const payment_hash of [sha256Hex('x'), 'zz', '../..'])
      expect((await ask('lookup_invoice', { payment_hash })).error?.code).toBe('NOT_FOUND')
    expect((await ask('lookup_invoice', {})).error?.code).toBe('OTHER')
  })

  test('a wallet that throws: its code if NIP-47 knows it, else INTERNAL without its words', async () => {
    const { ask, mine } = world()
    mine.balance = async () => {
      throw new PaymentError('UNAUTHORIZED', 'no')
    }
    expect((await ask('get_balance')).error).toEqual({ code: 'UNAUTHORIZED', message: 'no' })
    mine.balance = async () => {
      throw new PaymentError('MADE_UP', 'no')
    }
    expect((await ask('get_balance')).error?.code).toBe('INTERNAL')
    mine.balance = async () => {
      throw new Error('password is hunter2')
    }
    expect((await ask('get_balance')).error).toEqual({ code: 'INTERNAL', message: 'The wallet could not do this.' })
    mine.balance = async () => 2n ** 60n
    expect((await ask('get_balance')).error?.code).toBe('INTERNAL')
  })

  test('unknown and forbidden methods', async () => {
    const { ask, pay, bill, mine } = world({ methods: ['get_info', 'make_invoice'] })
    expect((await ask('pay_keysend')).error?.code).toBe('NOT_IMPLEMENTED')
    expect((await ask('constructor')).error?.code).toBe('NOT_IMPLEMENTED')
    expect(await pay((await bill('a', 5_000n)).bolt11)).toBe('RESTRICTED')
    expect(await mine.balance()).toBe(1_000_000n)
    expect((await ask('get_info')).result?.['methods']).toEqual(['get_info', 'make_invoice'])
  })
})

describe('list_transactions', () => {
  test('pages of at most 20, filters, newest first', async () => {
    const { ask, clock, bill, mine } = world()
    const start = Math.floor(clock.now() / 1_000)
    for (let i = 0; i < 25; i++) {
      await mine.pay(await bill(`out ${i}`, 1_000n))
      await clock.advance(1_000)
    }
    await mine.bill({ key: 'in', msats: 1_000n, expirySeconds: 60, description: '' })
    const list = async (params: object) => {
      const { result } = await ask('list_transactions', params)
      return rowsOf(result).map(readRow)
    }
    expect(await list({})).toHaveLength(20)
    expect(await list({ limit: 1_000 })).toHaveLength(20)
    expect(await list({ limit: 3 })).toHaveLength(3)
    expect(await list({ offset: 20 })).toHaveLength(5)
    expect(await list({ type: 'incoming' })).toEqual([])
    expect(await list({ type: 'incoming', unpaid: true })).toHaveLength(1)
    const times = (await list({ from: start + 3, until: start + 6 })).map(({ createdAt }) => createdAt - start)
    expect(times).toEqual([6, 5, 4, 3])
    expect((await list({ from: start + 3, offset: 2, limit: 2, until: 0 })).map(row => row.createdAt - start)).toEqual([
      22, 21,
    ])
  })

  test('a page of long invoices still fits into what relays carry', async () => {
    const { ask, mine, line } = world()
    for (let i = 0; i < 20; i++)
      await mine.bill({ key: `${i}`, msats: 1_000n, expirySeconds: 60, description: '"'.repeat(600) })
    const { result } = await ask('list_transactions', { unpaid: true })
    expect(rowsOf(result).length).toBeGreaterThan(5)
    expect(JSON.stringify(line.published.at(-1)).length).toBeLessThan(65_536)
  })
})
