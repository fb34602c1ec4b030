import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Event, walletNotification, walletRequest, walletResponse } from '../kinds/index.ts'
import {
  amount,
  CODES,
  errorBody,
  integer,
  isFields,
  notificationBody,
  readRow,
  resultBody,
  rowFields,
} from '../src/payments/nwc/body.ts'
import type { Transaction } from '../src/payments/payment.ts'

interface Recorded {
  readonly test: string
  readonly json: Readonly<Record<string, unknown>>
}

const recorded: Recorded[] = readFileSync(new URL('./vectors/nwc-alby-interop.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))

const id = 'ab'.repeat(32)
const reply: Event = {
  ...{ id, pubkey: id, created_at: 1, sig: id + id, content: 'sealed' },
  ...walletResponse.write({ client: id, request: id, body: resultBody('x', {}) }, 1, () => 'sealed'),
}
const readReply = (text: string) => walletResponse.read(reply, text)
const readNotification = (text: string) => walletNotification.read({ ...reply, kind: walletNotification.number }, text)
const readRequest = (text: string) => walletRequest.read({ ...reply, kind: walletRequest.number }, text)

const named = (name: string) => {
  const found = recorded.find(({ test }) => test === name)
  if (!found) throw new Error(`no record ${name}`)
  return JSON.stringify(found.json)
}

describe('bodies as Alby Hub and its clients were recorded', () => {
  test('there are 45', () => expect(recorded).toHaveLength(45))

  test.each(recorded)('$test is read', ({ json }) => {
    const read = 'method' in json ? readRequest : 'notification_type' in json ? readNotification : readReply
    const found = read(JSON.stringify(json))
    if (!found.ok) throw new Error(found.says)
    // Nothing is lost on the way; states are put in small letters.
    const quiet: unknown = JSON.parse(JSON.stringify(json).replace(/"state":"[A-Z]+"/g, state => state.toLowerCase()))
    expect(found.value.body).toMatchObject(quiet as object)
  })

  const row = (name: string) => {
    const read = readReply(named(name))
    if (!read.ok || !read.value.body.result) throw new Error(name)
    return readRow(read.value.body.result)
  }

  test('capital and small states mean the same', () => {
    expect(row('testAlbyLookupInvoiceSettled')).toMatchObject({
      state: 'settled',
      msats: 5_000n,
      settledAt: 1694876500,
    })
    expect(row('testAlbyMakeInvoiceResponse')).toMatchObject({ type: 'incoming', state: 'pending', msats: 1_000n })
    expect(row('testJsSdkLowercaseSettledState').state).toBe('settled')
    expect(row('testAlbyMakeHoldInvoiceWithSettleDeadline').state).toBe('pending')
  })

  test('rows without hash or invoice, and held ones, are read and not taken for settled', () => {
    const read = readReply(named('testJsSdkLowercaseStatesInListTransactions'))
    const { transactions } = (read.ok && read.value.body.result) || {}
    const rows = (Array.isArray(transactions) ? transactions : []).filter(isFields).map(readRow)
    expect(rows.map(({ state, hash }) => [state, hash])).toEqual([
      ['settled', ''],
      ['failed', ''],
      ['pending', ''],
    ])
  })

  test('a held notification is not settled', () => {
    const read = readNotification(named('testAlbyHoldInvoiceAcceptedNotification'))
    if (!read.ok) throw new Error(read.says)
    expect(readRow(read.value.body.notification).state).toBe('pending')
  })
})

describe('reading', () => {
  test.each([
    [5, 5n],
    ['5', 5n],
    [0, 0n],
    [1.5, undefined],
    [-1, undefined],
    [2 ** 53, undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['0x10', undefined],
    [null, undefined],
    [Number.NaN, undefined],
  ])('amount %j is %s', (value, msats) => expect(amount(value)).toBe(msats))

  test('a row without a state is settled only by settled_at', () => {
    expect(readRow({ preimage: 'ff'.repeat(32) }).state).toBe('pending')
    expect(readRow({ settled_at: 0 }).state).toBe('pending')
    expect(readRow({ settled_at: 5 }).state).toBe('settled')
    expect(readRow({ settled_at: 5, state: 'PENDING' }).state).toBe('pending')
    expect(readRow({ settled_at: 5, state: 'odd' }).state).toBe('pending')
  })

  test('property: no JSON of a wallet throws, and only two ways lead to settled', () => {
    const part = fc.constantFrom(
      'type',
      'state',
      'amount',
      'settled_at',
      'payment_hash',
      'preimage',
      'invoice',
      'expires_at',
    )
    fc.assert(
      fc.property(
        fc.dictionary(part, fc.oneof(fc.jsonValue(), fc.constantFrom('settled', 'SETTLED', 'accepted', 5))),
        fields => {
          const row = readRow(fields)
          const said = fields['state']
          const isSettled =
            typeof said === 'string'
              ? said.toLowerCase() === 'settled'
              : Number.isSafeInteger(fields['settled_at']) && Number(fields['settled_at']) > 0
          expect(row.state === 'settled').toBe(isSettled)
          expect(typeof row.hash).toBe('string')
          expect(row.msats ?? 0n).toBeGreaterThanOrEqual(0n)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))
const msats = fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) })
const time = fc.integer({ min: 1, max: 4_000_000_000 })
const transaction: fc.Arbitrary<Transaction> = fc.record(
  {
    type: fc.constantFrom('incoming', 'outgoing'),
    state: fc.constantFrom('pending', 'settled', 'failed', 'expired'),
    ...{ hash, bolt11: fc.string(), msats, feeMsats: msats, createdAt: time, expiresAt: time },
    ...{ settledAt: time, preimage: hash, description: fc.string({ minLength: 1 }), descriptionHash: hash },
  },
  { requiredKeys: ['type', 'state', 'hash', 'bolt11', 'msats', 'feeMsats', 'createdAt', 'expiresAt'] },
)

describe('what we write', () => {
  test('property: a transaction comes back the same, and as the strictest reader wants it', () => {
    fc.assert(
      fc.property(transaction, row => {
        const fields = JSON.parse(JSON.stringify(rowFields(row)))
        expect(readRow(fields)).toEqual(row)
        for (const name of ['amount', 'fees_paid', 'created_at', 'expires_at'])
          expect(Number.isSafeInteger(fields[name])).toBe(true)
        expect(fields.state).toBe(fields.state.toLowerCase())
        expect(Object.values(fields)).not.toContain(null)
        const body = notificationBody(row)
        const note = readNotification(JSON.stringify(body))
        if (!note.ok) throw new Error(note.says)
        expect(note.value.body.notification_type).toBe(row.type === 'incoming' ? 'payment_received' : 'payment_sent')
        expect(readRow(note.value.body.notification)).toEqual(row)
      }),
      { numRuns: 1_000 },
    )
  })

  test('an answer says error: null, a refusal has a known code and a message', () => {
    expect(resultBody('get_balance', { balance: 1 })).toEqual({
      ...{ result_type: 'get_balance', error: null, result: { balance: 1 } },
    })
    for (const code of CODES)
      expect(errorBody('x', code, '')).toEqual({ result_type: 'x', error: { code, message: code }, result: null })
  })

  test('money that JSON cannot carry is not written', () => {
    expect(integer(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => integer(2n ** 53n)).toThrow(RangeError)
    expect(() => integer(-1n)).toThrow(RangeError)
  })
})
