/** Whatever bytes come inside a NIP-47 event: nothing throws, nothing is answered twice, no doubt becomes certainty. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { walletRequest, walletResponse } from '../kinds/index.ts'
import { readInvoice } from '../src/payments/bolt11.ts'
import { fromHex, proves, sha256Hex } from '../src/payments/hash.ts'
import { METHODS, nwcAnswers } from '../src/payments/nwc/answers.ts'
import { holdAnswers } from '../src/payments/nwc/answers-hold.ts'
import { CODES, isFields, readRow } from '../src/payments/nwc/body.ts'
import { nwcHold } from '../src/payments/nwc/hold.ts'
import { payOrder } from '../src/payments/nwc/invoice-ask.ts'
import { nwcPayer } from '../src/payments/nwc/pay.ts'
import { PaymentError } from '../src/payments/payment.ts'
import { serviceWorld } from './nwc-wire.ts'

const RUNS = 5_000
const { bill, mine, clock, conn } = serviceWorld()
const invoice = await bill('hostile', 5_000n)
const preimage = sha256Hex('k')
const hash = sha256Hex(fromHex(preimage))

const odd = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(
    ...[null, '', 0, -1, 1.5, 2 ** 53, 2 ** 60, '1', '-1', '9'.repeat(30), true, [], {}, { toString: 1 }],
    ...[
      hash,
      preimage,
      hash.toUpperCase(),
      invoice.bolt11,
      invoice.bolt11.toUpperCase(),
      'lnbcrt1',
      'x'.repeat(20_000),
    ],
    ...['settled', 'ACCEPTED', 'incoming', 'outgoing', 'constructor', '__proto__'],
  ),
)
const names = fc.constantFrom(
  ...['amount', 'invoice', 'payment_hash', 'preimage', 'description', 'description_hash', 'expiry', 'from', 'until'],
  ...['limit', 'offset', 'unpaid', 'type', 'min_cltv_expiry_delta', 'state', 'settled_at', 'fees_paid', 'transactions'],
  ...['settle_deadline', 'created_at', 'methods', 'balance', '__proto__', 'constructor'],
)
const fields = fc.dictionary(names, odd, { maxKeys: 8 })

test('requests: any method with any params is answered once, with a code that readers know or a result', async () => {
  const hold = holdAnswers({ wallet: mine, clock, made: () => {}, over: () => {} })
  const { answer } = nwcAnswers({
    ...{ wallet: mine, clock, methods: METHODS, budget: undefined, hold },
    pay: async () => ({ state: 'unknown', says: 'not today' }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom(...METHODS), fc.string()),
      fields,
      fc.boolean(),
      async (method, params, old) => {
        const body = await answer({ id: hash, method, params, old })
        expect(body.result_type).toBe(method)
        expect(body.error === null).toBe(isFields(body.result))
        if (body.error) expect([...CODES]).toContain(body.error.code)
        // What stands in the answer fits into JSON as it is.
        expect(JSON.parse(JSON.stringify(body))).toEqual(body)
        try {
          const order = payOrder(params)
          expect(order.msats > 0n && order.hash === invoice.hash).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(PaymentError)
        }
      },
    ),
    { numRuns: RUNS },
  )
  expect(await mine.balance()).toBe(1_000_000n)
}, 60_000)

test('bytes: what opens to anything at all is read or refused, never thrown', () => {
  const bytes = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.json({ maxDepth: 3 }),
    fc.record({ method: odd, params: odd }).map(value => JSON.stringify(value)),
    fc.record({ result_type: odd, error: odd, result: fc.oneof(odd, fields) }).map(value => JSON.stringify(value)),
    fc.constantFrom(10, 1_000, 200_000).map(depth => '['.repeat(depth)),
  )
  const base = { id: hash, sig: '00'.repeat(64), created_at: 1, pubkey: conn.clientPubkey, content: 'x' }
  const tags = [
    ['p', conn.uri.wallet],
    ['e', hash],
  ]
  fc.assert(
    fc.property(bytes, opened => {
      const asked = walletRequest.read({ ...base, kind: walletRequest.number, tags }, opened)
      if (asked.ok) expect(isFields(asked.value.body.params)).toBe(true)
      const told = walletResponse.read({ ...base, kind: walletResponse.number, tags }, opened)
      if (!told.ok) return
      const { error, result } = told.value.body
      expect((error === null) !== (result === null)).toBe(true)
      const row = readRow(result ?? {})
      if (row.held) expect(row.state).toBe('pending')
    }),
    { numRuns: RUNS },
  )
}, 60_000)

test('answers: any result or error ends a payment truly, and a hold call as a value or a PaymentError', async () => {
  const read = readInvoice(invoice.bolt11)
  const order = { bolt11: invoice.bolt11, hash: invoice.hash, msats: 5_000n }
  const settled = fields.map(one => ({ ...one, state: 'settled', payment_hash: hash }))
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fields, settled),
      fc.option(fc.constantFrom(...CODES, 'MADE_UP')),
      async (result, code) => {
        const row = { ...readRow(result), hash: order.hash }
        const payer = nwcPayer({
          ...{ clock, timeoutMs: 1_000, read: () => read },
          ask: async () => (code === null ? { state: 'answered', result } : { state: 'refused', code, says: 'no' }),
          find: async () => ({ row }),
        })
        const { state } = await payer.pay(order)
        if (state === 'paid') expect(proves(new Map(Object.entries(result)).get('preimage'), order.hash)).toBe(true)
        const state2 = { state: 'unknown' } as const
        const payee = nwcHold({
          ...{ clock, pollMs: 1, askMs: 0, watchHeld: () => () => {}, params: () => ({}) },
          async ask() {
            if (code !== null) throw new PaymentError(code, 'no')
            return result
          },
          find: async () => row,
          state: async () => (row.state === 'failed' ? { state: 'failed' } : state2),
          billOf(bolt11, asked) {
            if (bolt11 !== invoice.bolt11) throw new PaymentError('OTHER', 'no usable invoice')
            return { ...invoice, msats: asked.msats }
          },
        })
        const calls = [
          payee.holdBill({ key: 'k', msats: 5_000n, expirySeconds: 60, hash }),
          payee.settle(preimage),
          payee.cancel(hash),
        ]
        for (const end of await Promise.allSettled(calls))
          if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(PaymentError)
      },
    ),
    { numRuns: RUNS },
  )
}, 60_000)
