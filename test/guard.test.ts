import { describe, expect, test } from 'vitest'
import { type InvoiceFields, nodeKeyOf, writeInvoice } from '../src/payments/bolt11.ts'
import { checkQuote, type QuoteRule, type QuoteTerms } from '../src/payments/guard.ts'
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
const JOB = sha256Hex('job')
const PEER = 'aa'.repeat(32)
const good: QuoteTerms = {
  job: JOB,
  quotedJob: JOB,
  ours: job => job === JOB,
  self: ['cc'.repeat(32)],
  wallet: { network: 'regtest', nodeKey: `02${'22'.repeat(32)}` },
  caps: { jobMsats: 50_000n, hourMsats: 60_000n, dayMsats: 70_000n, peerDayMsats: 65_000n },
  spent: { jobMsats: 0n, hourMsats: 40_000n, dayMsats: 50_000n, peerDayMsats: 45_000n },
  orders: [],
  announcedMsats: 20_000n,
  quotedBy: PEER,
  chosen: PEER,
  bolt11: invoiceOf(),
  msats: 20_000n,
  bidMsats: 20_000n,
  now: NOW,
  seenHashes: () => false,
  expected: { nodeKeys: [nodeKeyOf(KEY)], descriptionHash: REQUEST },
}
const ruleOf = (terms: QuoteTerms): string => {
  const verdict = checkQuote(terms)
  return verdict.ok ? 'ok' : verdict.rule
}

describe('checkQuote', () => {
  test('a quote that is what was asked for becomes an order', () => {
    const verdict = checkQuote(good)
    expect(verdict).toMatchObject({ ok: true, order: { bolt11: good.bolt11, hash: HASH, msats: 20_000n } })
  })

  const [msats, paid] = [20_000n, 'paid'] as const
  const bill = (part: number, parts = 2) => ({ word: 'parts', parts, part }) as const
  const inParts = { terms: bill(1), wished: bill(0), bolt11: invoiceOf({ msats: 10_000n }), msats: 10_000n }
  const first = { hash: sha256Hex('part 1'), msats: 10_000n, state: paid }
  const second = { ...inParts, terms: bill(2), orders: [first] }
  const [verifier, otherVerifier] = ['dd'.repeat(32), 'ee'.repeat(32)]

  test.each<[string, QuoteRule, Partial<QuoteTerms>]>([
    ['a job of somebody else', 'not-ours', { ours: () => false }],
    ['a quote for another job of ours', 'not-ours', { quotedJob: HASH, ours: () => true }],
    ['another node quotes', 'not-chosen', { quotedBy: 'bb'.repeat(32) }],
    ['our own key quotes', 'self-pay', { self: [PEER] }],
    ['our own Lightning node bills', 'self-pay', { wallet: { network: 'regtest', nodeKey: nodeKeyOf(KEY) } }],
    ['parts that nobody wished for', 'not-agreed', { ...inParts, wished: { word: 'before' } }],
    ['more parts than were wished for', 'not-agreed', { ...inParts, terms: bill(1, 3) }],
    ['no parts at all', 'not-agreed', { ...inParts, terms: bill(1, 0), wished: bill(0, 0) }],
    ['money held that nobody wished to have held', 'not-agreed', { terms: { word: 'hold' } }],
    [
      'another verifier',
      'not-agreed',
      { terms: { word: 'escrow', verifier: otherVerifier }, wished: { word: 'escrow', verifier } },
    ],
    ['an order that may be on its way', 'already-paying', { orders: [{ ...first, state: 'planned' }] }],
    ['a paid order', 'already-paying', { orders: [first] }],
    ['an order paid without proof', 'already-paying', { orders: [{ ...first, state: 'unproven' }] }],
    ['the same part again', 'already-paying', { ...second, terms: bill(1) }],
    ['a part too early', 'already-paying', { ...inParts, terms: bill(2) }],
    ['a part while another is on its way', 'already-paying', { ...second, orders: [{ ...first, state: 'planned' }] }],
    ['one part more than all', 'already-paying', { ...second, orders: [first, first] }],
    ['a half part', 'already-paying', { ...inParts, terms: bill(1.5) }],
    ['a part that costs more than its share', 'over-part', { ...inParts, announcedMsats: 19_998n }],
    [
      'a part after the parts before it cost more than their share',
      'over-part',
      {
        ...{ ...second, terms: bill(2, 3), wished: bill(0, 3), orders: [{ ...first, msats: 20_000n }] },
        ...{ announcedMsats: 30_000n, bidMsats: 30_000n },
      },
    ],
    ['an empty invoice', 'no-invoice', { bolt11: '' }],
    ['garbage', 'bad-invoice', { bolt11: 'lnbcrt200n1garbage' }],
    ['mainnet money', 'wrong-network', { bolt11: invoiceOf({ network: 'mainnet' }) }],
    ['more than was quoted', 'amount-mismatch', { msats: 19_999n }],
    ['more than was announced', 'over-announced', { announcedMsats: 19_999n }],
    ['parts that cost more than was announced', 'over-announced', { ...second, announcedMsats: 19_999n }],
    ['more than was bid', 'over-bid', { bidMsats: 19_999n }],
    ['parts that cost more than was bid', 'over-bid', { ...second, bidMsats: 19_999n }],
    ['more than the cap', 'over-cap', { caps: { jobMsats: 19_999n } }],
    ['more than the cap, without an invoice yet', 'over-cap', { caps: { jobMsats: 19_999n }, bolt11: '' }],
    ['more than a job may cost', 'over-job', { spent: { ...good.spent, jobMsats: 30_001n } }],
    ['more than an hour may cost', 'over-hour', { spent: { ...good.spent, hourMsats: 40_001n } }],
    ['more than a day may cost', 'over-day', { spent: { ...good.spent, dayMsats: 50_001n } }],
    ['more than a peer may get', 'over-peer', { spent: { ...good.spent, peerDayMsats: 45_001n } }],
    ['an expired invoice', 'expired', { now: NOW + 601 }],
    ['five seconds left', 'expired', { now: NOW + 595 }],
    ['a month of blocks', 'cltv', { bolt11: invoiceOf({ minFinalCltvDelta: 4032 }) }],
    ['more blocks than allowed', 'cltv', { maxCltv: 17 }],
    ['an unannounced payee', 'payee-not-announced', { expected: { nodeKeys: [`02${'11'.repeat(32)}`] } }],
    ['a node that announced no key', 'payee-not-announced', { expected: { nodeKeys: [] } }],
    ['another description hash', 'description-hash', { expected: { descriptionHash: sha256Hex('other') } }],
    ['a description in place of its hash', 'description-hash', { bolt11: invoiceOf({ description: REQUEST }) }],
    ['a hash of which nobody holds the preimage', 'wrong-hash', { expected: { hash: sha256Hex('held') } }],
    ['a hash seen before', 'hash-seen', { seenHashes: hash => hash === HASH }],
    ['a hash that failed before', 'hash-seen', { orders: [{ hash: HASH, msats, state: 'failed' }] }],
  ])('%s: %s', (_what, rule, wrong) => {
    const verdict = checkQuote({ ...good, ...wrong })
    expect(verdict).toMatchObject({ ok: false, rule })
    // Every sentence names the way out.
    if (!verdict.ok) expect(verdict.says).toMatch(/\b(ask|choose|use|bid|raise|look|wait|pay only|allow|add)\b.*\.$/i)
  })

  test.each<[string, Partial<QuoteTerms>]>([
    ['an earlier order failed', { orders: [{ ...first, state: 'failed' }] }],
    ['the first part', inParts],
    ['the second part', second],
    ['the second part after an unproven one', { ...second, orders: [{ ...first, state: 'unproven' }] }],
    ['the node bills plainly where parts were wished for', { wished: bill(0) }],
    ['money is held as wished', { terms: { word: 'hold' }, wished: { word: 'hold' } }],
    ['escrow as wished', { terms: { word: 'escrow', verifier }, wished: { word: 'escrow', verifier } }],
    ['as many blocks as are allowed', { maxCltv: 18 }],
    ['the hash is the agreed one', { expected: { hash: HASH } }],
    ['every cap is met to the msat', { caps: { ...good.caps, jobMsats: 20_000n } }],
  ])('passes: %s', (_what, terms) => expect(ruleOf({ ...good, ...terms })).toBe('ok'))

  test('an ordinary NIP-90 bill with an amount and an invoice is a quote', () => {
    const { job, quotedJob, ours, quotedBy, caps, spent, orders, now, seenHashes } = good
    const wallet = { network: 'regtest' } as const
    const bare = { job, quotedJob, ours, quotedBy, caps, spent, orders, now, seenHashes, wallet }
    const bolt11 = invoiceOf({ description: 'any text' })
    expect(ruleOf({ ...bare, bolt11, msats: 20_000n })).toBe('ok')
    expect(ruleOf({ ...bare, bolt11 })).toBe('ok')
    expect(ruleOf({ ...bare, msats: 20_000n })).toBe('no-invoice')
    expect(ruleOf({ ...bare, bolt11, msats: 19_000n })).toBe('amount-mismatch')
  })

  test('no wallet, and no price but the cap', () => {
    const { wallet: _wallet, ...poor } = good
    expect(ruleOf(poor)).toBe('no-wallet')
    const { announcedMsats: _announced, bidMsats: _bid, ...unpriced } = { ...good, ...inParts }
    expect(ruleOf({ ...unpriced, caps: { jobMsats: 19_999n } })).toBe('ok')
    expect(ruleOf({ ...unpriced, caps: { jobMsats: 19_998n } })).toBe('over-part')
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
    const verdict = checkQuote({ ...good, msats: 30_000n, bidMsats: 30_000n, announcedMsats: 30_000n })
    expect(verdict).toMatchObject({ ok: true, order: { msats: 20_000n } })
  })

  test('a part too many is not called the next one', () => {
    expect(checkQuote({ ...good, ...second, orders: [first, first] })).toMatchObject({
      says: expect.stringContaining('All 2 parts'),
    })
    expect(checkQuote({ ...good, ...second, terms: bill(1) })).toMatchObject({
      says: expect.stringContaining('part 2 is next'),
    })
  })

  test('six seconds are enough', () => expect(ruleOf({ ...good, now: NOW + 594 })).toBe('ok'))

  test('the sentence of a price says how to allow it', () => {
    const verdict = checkQuote({ ...good, caps: { jobMsats: 0n } })
    expect(verdict).toMatchObject({ says: expect.stringMatching(/only free answers.*--max-sats 20\.$/) })
    const dear = checkQuote({ ...good, caps: { jobMsats: 19_999n } })
    expect(dear).toMatchObject({ says: expect.stringContaining('19999 msats were allowed') })
    const day = checkQuote({ ...good, spent: { ...good.spent, dayMsats: 50_001n } })
    expect(day).toMatchObject({ says: expect.stringContaining('70001 within a day, over the cap of 70000') })
  })
})
