import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type InvoiceFields, writeInvoice } from '../src/payments/bolt11.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import type { Evidence } from '../src/payments/payment.ts'
import { verifier } from '../src/payments/verifier.ts'

const KEY = fromHex(sha256Hex('a node'))
const preimage = sha256Hex('preimage')
const descriptionHash = sha256Hex('zap request')
const fields: InvoiceFields = {
  ...{ network: 'regtest', hash: sha256Hex(fromHex(preimage)), secret: sha256Hex('s'), timestamp: 1_800_000_000 },
  descriptionHash,
}
const good: Evidence = {
  ...{ preimage, msats: 21_000n, network: 'regtest', descriptionHash },
  bolt11: writeInvoice({ ...fields, msats: 21_000n }, KEY),
}
const reasons = (wrong: Partial<Evidence>) => verifier().judge({ ...good, ...wrong }).reasons

test('true evidence has no reasons against it', () => expect(verifier().judge(good)).toEqual({ ok: true, reasons: [] }))

test('an invoice and its preimage alone are enough', () => {
  expect(verifier().judge({ bolt11: good.bolt11, preimage })).toEqual({ ok: true, reasons: [] })
})

test.each<[string, Partial<Evidence>]>([
  ['bad-invoice', { bolt11: 'lnbc1garbage' }],
  ['network', { network: 'mainnet' }],
  ['amount', { msats: 20_999n }],
  ['amountless', { bolt11: writeInvoice(fields, KEY) }],
  ['description-hash', { descriptionHash: sha256Hex('another request') }],
  ['preimage', { preimage: sha256Hex('another preimage') }],
  ['preimage', { preimage: preimage.toUpperCase() }],
  ['preimage', { preimage: '' }],
])('%s', (reason, wrong) => expect(reasons(wrong)).toEqual([reason]))

test('every failed check is named', () => {
  expect(reasons({ network: 'signet', msats: 1n, preimage: 'x' })).toEqual(['network', 'amount', 'preimage'])
})

test('only the preimage proves, and no text makes the verifier throw', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }).map(b => Buffer.from(b).toString('hex')),
      ),
      fc.boolean(),
      (text, asInvoice) => {
        const verdict = verifier().judge(asInvoice ? { ...good, bolt11: text } : { bolt11: 'x', preimage: text })
        expect(verdict.ok).toBe(false)
      },
    ),
    { numRuns: 1000 },
  )
})
