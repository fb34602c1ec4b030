import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type InvoiceFields, nodeKeyOf, writeInvoice } from '../src/payments/bolt11.ts'
import { checkQuote, type QuoteTerms } from '../src/payments/guard.ts'
import { fromHex, sha256Hex } from '../src/payments/hash.ts'

const KEY = fromHex(sha256Hex('a node'))
const NOW = 1_800_000_000
const HASH = sha256Hex('hash')
const REQUEST = sha256Hex('zap request')
const invoiceOf = (fields: Partial<InvoiceFields> = {}): string =>
  writeInvoice(
    {
      ...{ network: 'regtest', msats: 20_000n, hash: HASH, secret: sha256Hex('s'), timestamp: NOW, expirySeconds: 600 },
      ...(fields.description === undefined ? { descriptionHash: REQUEST } : {}),
      ...fields,
    },
    KEY,
  )
const good: QuoteTerms = {
  quotedBy: 'aa'.repeat(32),
  chosen: 'aa'.repeat(32),
  bolt11: invoiceOf(),
  msats: 20_000n,
  capMsats: 50_000n,
  bidMsats: 20_000n,
  network: 'regtest',
  now: NOW,
  seenHashes: () => false,
  expected: { nodeKeys: [nodeKeyOf(KEY)], descriptionHash: REQUEST },
}
const { msats: _msats, ...unquoted } = good
const noTag: QuoteTerms = unquoted
const ruleOf = (terms: QuoteTerms): string => {
  const verdict = checkQuote(terms)
  return verdict.ok ? 'ok' : verdict.rule
}

describe('checkQuote', () => {
  test('a quote that is what was asked for becomes an order', () => {
    const verdict = checkQuote(good)
    expect(verdict).toMatchObject({ ok: true, order: { bolt11: good.bolt11, hash: HASH, msats: 20_000n } })
  })

  test.each<[string, string, Partial<QuoteTerms>]>([
    ['another node quotes', 'not-chosen', { quotedBy: 'bb'.repeat(32) }],
    ['an empty invoice', 'no-invoice', { bolt11: '' }],
    ['garbage', 'bad-invoice', { bolt11: 'lnbcrt200n1garbage' }],
    ['mainnet money', 'wrong-network', { bolt11: invoiceOf({ network: 'mainnet' }) }],
    ['more than was quoted', 'amount-mismatch', { msats: 19_999n }],
    ['more than was bid', 'over-bid', { bidMsats: 19_999n }],
    ['more than the cap', 'over-cap', { capMsats: 19_999n }],
    ['an expired invoice', 'expired', { now: NOW + 601 }],
    ['five seconds left', 'expired', { now: NOW + 595 }],
    ['a month of blocks', 'cltv', { bolt11: invoiceOf({ minFinalCltvDelta: 4032 }) }],
    ['more blocks than allowed', 'cltv', { maxCltv: 17 }],
    ['an unannounced payee', 'payee-not-announced', { expected: { nodeKeys: [`02${'11'.repeat(32)}`] } }],
    ['a node that announced no key', 'payee-not-announced', { expected: { nodeKeys: [] } }],
    ['another description hash', 'description-hash', { expected: { descriptionHash: sha256Hex('other') } }],
    ['a description in place of its hash', 'description-hash', { bolt11: invoiceOf({ description: REQUEST }) }],
    ['a hash seen before', 'hash-seen', { seenHashes: hash => hash === HASH }],
  ])('%s: %s', (_what, rule, wrong) => {
    const verdict = checkQuote({ ...good, ...wrong })
    expect(verdict).toMatchObject({ ok: false, rule })
    // Every sentence names the way out.
    if (!verdict.ok) expect(verdict.says).toMatch(/ask|choose|use|bid|raise|look/i)
  })

  test('no invoice at all', () => {
    const { bolt11: _bolt11, ...terms } = good
    expect(ruleOf(terms)).toBe('no-invoice')
  })

  test('an open amount is refused whatever the quote says', () => {
    const { msats: _open, ...fields } = {
      network: 'regtest',
      hash: HASH,
      secret: HASH,
      timestamp: NOW,
      msats: 1n,
    } as const
    const open = writeInvoice({ ...fields, descriptionHash: REQUEST }, KEY)
    expect(ruleOf({ ...good, bolt11: open })).toBe('amountless')
  })

  test('an invoice below the quote is paid as it stands', () => {
    expect(checkQuote({ ...good, msats: 30_000n, bidMsats: 30_000n })).toMatchObject({
      ok: true,
      order: { msats: 20_000n },
    })
  })

  test('without quote, bid, choice and expectations only the cap holds', () => {
    const { chosen: _c, bidMsats: _b, expected: _e, ...bare } = noTag
    expect(ruleOf(bare)).toBe('ok')
    expect(ruleOf({ ...bare, capMsats: 19_999n })).toBe('over-cap')
  })

  test('six seconds are enough', () => expect(ruleOf({ ...good, now: NOW + 594 })).toBe('ok'))

  test('whatever is quoted, an order costs no more than quote, bid and cap', { timeout: 60_000 }, () => {
    const invoices = [1n, 999n, 20_000n, 20_001n, 1_000_000n].map(msats => invoiceOf({ msats }))
    const amount = fc.oneof(fc.constantFrom(0n, 1n, 999n, 20_000n, 20_001n, 1_000_000n), fc.bigInt(0n, 2_000_000n))
    let ordered = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...invoices),
        amount,
        amount,
        amount,
        fc.nat(700),
        (bolt11, msats, bid, cap, later) => {
          const verdict = checkQuote({ ...good, bolt11, msats, bidMsats: bid, capMsats: cap, now: NOW + later })
          if (!verdict.ok) return
          ordered++
          expect(verdict.order.msats <= msats && verdict.order.msats <= bid && verdict.order.msats <= cap).toBe(true)
          expect(verdict.order.msats).toBe(verdict.invoice.msats)
          expect(NOW + later).toBeLessThan(verdict.invoice.expiresAt - 5)
        },
      ),
      { numRuns: 1000 },
    )
    expect(ordered).toBeGreaterThan(20)
  })

  test('no text makes it throw', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), bolt11 => {
        expect(['bad-invoice', 'no-invoice']).toContain(ruleOf({ ...good, bolt11 }))
      }),
      { numRuns: 1000 },
    )
  })
})
