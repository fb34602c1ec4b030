/** Bills that are not what was signed, and payments that are none: every condition of E3 and E8. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { asked, firm, honest, job, key, lie, quotedJob } from './faults-proven.ts'
import {
  askedOf,
  billOf,
  digest,
  failing,
  hashOf,
  invoiceOf,
  jobOf,
  labelOf,
  NOW,
  preimageOf,
  pub,
  quoteOf,
  resultOf,
  tools,
  usageOf,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'

const router = { accused: pub('router') }
const other = jobOf({ seed: 7 })
const by = 'stranger'

describe('E3, the bill alone', () => {
  test('is a bill of the accused that asks for no more than it says', async () => {
    expect(await failing('E3', [billOf(job.id, { invoiced: 2_000n }, { by })])).toBe('bill')
    expect(
      await failing('E3', [wordOf(job.id, { status: 'processing', msats: 1n, bolt11: invoiceOf('one', 2n) })]),
    ).toBe('bill')
    expect(await failing('E3', [billOf(job.id, { bolt11: 'lnbcrt1notaninvoice' })])).toBe('bill')
    expect(await failing('E3', [billOf(job.id)])).toBe('invoice-above-amount')
    expect(await failing('E3', [billOf(job.id, { invoiced: 999n })])).toBe('invoice-above-amount')
    expect(await failing('E3', [billOf(job.id, { bolt11: invoiceOf('one', undefined) })])).toBe('invoice-above-amount')
  })

  test('may come with the answer', async () => {
    const dear = { msats: 1_000n, bolt11: invoiceOf('one', 2_000n) }
    expect(await failing('E3', [resultOf(job.id, dear)])).toBe('')
    expect(await failing('E3', [resultOf(job.id, { ...dear, bolt11: invoiceOf('one', 1_000n) })])).toBe(
      'invoice-above-amount',
    )
  })
})

describe('E3, the quote', () => {
  const bait = (quote: Event, made: Event, bill: Event, request = asked) => failing('E3', [request, quote, made, bill])
  const dear = (made: Event, change = {}, options = {}) => billOf(made.id, { msats: 5_000n, ...change }, options)
  const named = (quote: Event, change = {}, options = {}) => jobOf({ quote: quote.id, ...change }, options)

  test('binds only when it is firm and answers a request that is shown', async () => {
    const loose = quoteOf(asked, { firm: false })
    expect(await bait(loose, named(loose), dear(named(loose)))).toBe('firm')
    expect(await failing('E3', [firm, quotedJob, dear(quotedJob)])).toBe('asked')
    expect(await bait(firm, quotedJob, dear(quotedJob), askedOf({}, { by }))).toBe('asked')
    const passedOn = askedOf({ origin: digest('first') })
    const open = quoteOf(passedOn)
    expect(await bait(open, named(open), dear(named(open)), passedOn)).toBe('asked')
    const notTheAsker = quoteOf(asked, { to: pub(by) })
    expect(await bait(notTheAsker, named(notTheAsker, {}, { by }), dear(named(notTheAsker, {}, { by })))).toBe('asked')
    const image = quoteOf(asked, { kind: 5_100 })
    expect(await bait(image, named(image), dear(named(image)))).toBe('asked')
  })

  test('binds for the job that was quoted and for no other', async () => {
    expect(await bait(firm, job, dear(job))).toBe('job')
    const stolen = named(firm, {}, { by })
    expect(await bait(firm, stolen, dear(stolen, { customer: pub(by) }))).toBe('job')
    const bigger = named(firm, { model: 'giant' })
    expect(await bait(firm, bigger, dear(bigger))).toBe('job')
    const same = named(firm, { model: 'nano' })
    expect(await bait(firm, same, dear(same))).toBe('')
  })

  test('binds for the length that was asked for', async () => {
    const short = askedOf({ maxTokens: 100 })
    const quote = quoteOf(short)
    const bill = (change: { maxTokens?: number }) => {
      const made = named(quote, change)
      return bait(quote, made, dear(made), short)
    }
    expect(await bill({})).toBe('job')
    expect(await bill({ maxTokens: 101 })).toBe('job')
    expect(await bill({ maxTokens: 100 })).toBe('')
  })

  test('binds until it ends, by the clock of who signed both', async () => {
    expect(await bait(firm, quotedJob, dear(quotedJob, {}, { at: NOW + 29 }))).toBe('')
    expect(await bait(firm, quotedJob, dear(quotedJob, {}, { at: NOW + 30 }))).toBe('in-time')
    expect(await bait(firm, quotedJob, dear(job))).toBe('in-time')
  })

  test('is kept by a bill of as much, by two bills for one thing, and by parts that make the whole', async () => {
    expect(await bait(firm, quotedJob, billOf(quotedJob.id))).toBe('above-quote')
    const part = (number: number, msats: bigint, parts = 2) =>
      billOf(quotedJob.id, { msats, payment: `${number}`, terms: { word: 'parts', part: number, parts } })
    const all = (...bills: Event[]) => failing('E3', [asked, firm, quotedJob, ...bills])
    expect(await all(billOf(quotedJob.id), billOf(quotedJob.id, { payment: 'two' }))).toBe('above-quote')
    expect(await all(part(1, 500n), part(2, 500n))).toBe('above-quote')
    expect(await all(part(1, 500n), part(1, 501n), part(2, 500n))).toBe('above-quote')
    expect(await all(part(1, 501n), part(1, 500n), part(2, 500n))).toBe('above-quote')
    expect(await all(part(1, 500n), part(2, 500n), part(3, 333n, 3))).toBe('above-quote')
    expect(await all(part(1, 1_001n))).toBe('')
  })

  test('of a sealed job needs the key that shows its model', async () => {
    const sealed = named(firm, {}, { to: 'node' })
    expect(await bait(firm, sealed, dear(sealed))).toBe('job')
    expect(await failing('E3', [asked, firm, sealed, dear(sealed)], { keys: { [sealed.id]: key } })).toBe('')
  })
})

describe('E8', () => {
  test('needs a label about a payment, and all that it names', async () => {
    expect(await failing('E8', [labelOf(job.id, { topic: 'outcome', label: 'served' })], router)).toBe('attestation')
    expect(await failing('E8', [labelOf(job.id, {}, { by })], router)).toBe('attestation')
    const label = labelOf(job.id, { evidence: [lie.receipt.id, digest('a receipt that proves it')] })
    expect(await failing('E8', [label, lie.receipt], router)).toBe('evidence')
  })

  test('rests on the word of the node, of the payer, or on a receipt, each about this payment', async () => {
    const on = async (event: Event, change: object = {}, of = job.id) =>
      failing('E8', [event, labelOf(of, { evidence: [event.id], ...change })], router)
    const usage = usageOf(job.id)
    expect(await on(usage)).toBe('refuted')
    expect(await on(usage, { hash: hashOf('one'), msats: 1_000n })).toBe('refuted')
    expect(await on(usage, { hash: hashOf('two') })).toBe('')
    expect(await on(usage, { msats: 2_000n })).toBe('')
    expect(await on(usage, {}, other.id)).toBe('')
    expect(await on(usageOf(job.id, {}, { by }))).toBe('')
    const word = wordOfCustomer(job.id)
    expect(await on(word, { hash: hashOf('one') })).toBe('refuted')
    expect(await on(word, { hash: hashOf('two') })).toBe('')
    expect(await on(word, {}, other.id)).toBe('')
    expect(await on(word, { node: pub(by) })).toBe('')
    expect(await on(wordOfCustomer(job.id, { payments: [{ hash: hashOf('one') }] }))).toBe('')
    const about = { node: honest.context.node, msats: 21_000n }
    const zapped = honest.context.job.id
    expect(await on(honest.receipt, about, zapped)).toBe('refuted')
    expect(await on(honest.receipt, { ...about, label: 'receipt-valid' }, zapped)).toBe('refuted')
    expect(await on(honest.receipt, { ...about, msats: 21_001n }, zapped)).toBe('')
    expect(await on(honest.receipt, { ...about, hash: hashOf('two') }, zapped)).toBe('')
    expect(await on(honest.receipt, { ...about, node: pub(by) }, zapped)).toBe('')
    expect(await on(honest.receipt, about, other.id)).toBe('')
  })

  test('what lies beside the label and is not named bears nothing out', async () => {
    const label = labelOf(job.id, { evidence: [] })
    expect(await failing('E8', [label, usageOf(job.id), wordOfCustomer(job.id), honest.receipt], router)).toBe('')
  })

  test('calling forged what is right is a lie, and calling forged what is wrong is none', async () => {
    const paid = tools.invoice(honest.bolt11)
    const hash = paid.ok ? paid.invoice.hash : ''
    const forged = (event: Event, change: object = {}) =>
      failing(
        'E8',
        [event, labelOf(job.id, { label: 'forged', failed: ['preimage'], hash, evidence: [event.id], ...change })],
        router,
      )
    expect(await forged(honest.receipt)).toBe('')
    expect(await forged(lie.receipt)).toBe('refuted')
    expect(await forged(honest.receipt, { failed: ['preimage', 'zapper'] })).toBe('refuted')
    expect(await forged(honest.receipt, { label: 'duplicate' })).toBe('refuted')
    expect(await forged(honest.receipt, { hash: digest('another') })).toBe('refuted')
    const one = { hash: hashOf('one') }
    expect(await forged(wordOfCustomer(job.id), one)).toBe('')
    expect(await forged(wordOfCustomer(job.id, { payments: [one] }), one)).toBe('refuted')
    const both = [
      { ...one, preimage: preimageOf('one') },
      { hash: hashOf('two'), preimage: preimageOf('one') },
    ]
    expect(await forged(wordOfCustomer(job.id, { payments: both }), one)).toBe('refuted')
  })
})
