/** What was sold and did not come: every condition of E2, E4 and E10. */
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/index.ts'
import { sealUnder } from '../src/seal/under-preimage.ts'
import { openSeal } from '../src/seal.ts'
import { asked, firm, job, key, quotedJob, rotten, silent, underHash, unpaidFor } from './faults-proven.ts'
import {
  billOf,
  failing,
  hashOf,
  jobOf,
  keys,
  labelOf,
  NOW,
  preimageOf,
  pub,
  resultOf,
  secretOf,
  tools,
  witness,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'

const other = jobOf({ seed: 7 })
const by = 'stranger'

describe('E2', () => {
  const preimage = preimageOf('hold')
  test('needs the result, under a preimage, opened by it', async () => {
    expect(await failing('E2', [resultOf(job.id, rotten, { by })], { preimage })).toBe('result')
    expect(await failing('E2', [resultOf(job.id)], { preimage })).toBe('sealed-under')
    expect(await failing('E2', [resultOf(job.id, rotten)])).toBe('preimage')
    expect(await failing('E2', [resultOf(job.id, rotten)], { preimage: preimageOf('one') })).toBe('preimage')
  })

  test('is no fault where the text is what was promised', async () => {
    const { content, hash, digest: of } = await sealUnder(preimage, 'Rayleigh scattering.')
    const result = resultOf(job.id, { text: content, sealedUnder: { hash, digest: of } })
    expect(await failing('E2', [result], { preimage })).toBe('garbage')
  })

  test('a reason of the opener that is nobody’s fault proves nothing', async () => {
    const shrug = { ...tools, openUnder: async () => ({ ok: false, rule: 'preimage' }) as const }
    expect(await failing('E2', [resultOf(job.id, rotten)], { preimage }, shrug)).toBe('garbage')
  })

  test('a key of the older cipher opens nothing: it could be made to say anything', async () => {
    const seal = openSeal({ keys, secret: secretOf('node') })
    const content = seal.encrypt(pub('customer'), `${underHash.hash} ${underHash.digest} ${rotten.text}`, 'nip04')
    const nip44 = resultOf(job.id, rotten, { to: 'customer' })
    const nip04 = keys.sign({ ...nip44, content }, secretOf('node'))
    const says = `${underHash.hash} ${underHash.digest} ${rotten.text}`
    const eager = { ...tools, openConversation: () => says }
    expect(await failing('E2', [nip44], { preimage, keys: { [nip44.id]: key } }, eager)).toBe('')
    expect(await failing('E2', [nip04], { preimage, keys: { [nip04.id]: key } }, eager)).toBe('result')
  })
})

describe('E10', () => {
  const busy = wordOf(job.id, { code: 'busy' })
  test('needs an acceptance before and a refusal that belonged before it', async () => {
    expect(await failing('E10', [billOf(job.id)])).toBe('refusal')
    expect(await failing('E10', [busy])).toBe('acceptance')
    expect(await failing('E10', [billOf(other.id), busy])).toBe('same-job')
    expect(await failing('E10', [billOf(job.id), wordOf(job.id, { code: 'busy' }, { by })])).toBe('refusal')
    expect(await failing('E10', [billOf(job.id, {}, { by }), busy])).toBe('acceptance')
    expect(await failing('E10', [wordOf(job.id, { status: 'processing', expiresAt: NOW + 600 }), busy])).toBe(
      'acceptance',
    )
    expect(await failing('E10', [billOf(job.id), wordOf(job.id, { code: 'busy', status: 'processing' })])).toBe(
      'refusal',
    )
  })

  test.each([
    'runner',
    'deadline',
    'empty',
    'too-long',
    'trouble',
    'wallet',
    'unsettled',
    'unpaid',
    'cancelled',
    undefined,
  ])('what can befall anybody at work is allowed: %s', async code => {
    expect(await failing('E10', [billOf(job.id), wordOf(job.id, code === undefined ? {} : { code })])).toBe('refusal')
  })

  test('binds from the second after it until it ends', async () => {
    const refused = (at: number) => failing('E10', [billOf(job.id), wordOf(job.id, { code: 'busy' }, { at })])
    expect(await refused(NOW + 6)).toBe('in-time')
    expect(await refused(NOW + 7)).toBe('')
    expect(await refused(NOW + 605)).toBe('')
    expect(await refused(NOW + 606)).toBe('in-time')
  })

  test('a firm quote bars talk of the price, for a job that bids as much', async () => {
    const dearer = (made: Event, code: string, at = NOW + 20) =>
      failing('E10', [asked, firm, made, wordOf(made.id, { code }, { at })])
    expect(await dearer(quotedJob, 'underbid')).toBe('')
    expect(await dearer(quotedJob, 'busy')).toBe('barred')
    expect(await dearer(quotedJob, 'surge', NOW + 30)).toBe('in-time')
    expect(await dearer(jobOf({ quote: firm.id, bidMsats: 999n }), 'surge')).toBe('acceptance')
    expect(await dearer(jobOf({ quote: firm.id }), 'surge')).toBe('acceptance')
    expect(await dearer(jobOf({ bidMsats: 1_000n }), 'surge')).toBe('acceptance')
  })
})

describe('E4', () => {
  const { bills, words, ears } = silent
  const with_ = (change: Partial<typeof witness>) => ({ ...tools, witness: { ...witness, ...change } })
  const run = (some: { bills: Event[]; words: Event[]; ears: Event[] }, by = tools) =>
    failing('E4', [...some.bills, ...some.words, ...some.ears], {}, by)

  test('needs three paid jobs, each with a complaint of who paid', async () => {
    const { witness: _, ...alone } = tools
    expect(await run(silent, alone)).toBe('witness')
    expect(await run(unpaidFor(2))).toBe('paid')
    expect(await run({ ...silent, words: words.slice(1) })).toBe('paid')
    expect(await run({ ...silent, bills: bills.slice(1) })).toBe('paid')
    const third = billOf('0'.repeat(64))
    const say = (change: object, options = {}) => {
      const last = jobOf({ seed: 2 })
      const payments = [{ hash: hashOf('2'), preimage: preimageOf('2') }]
      return wordOfCustomer(last.id, { verdict: 'failed', payments, ...change }, { at: NOW + 60, ...options })
    }
    const but = (word: Event) => run({ ...silent, words: [...words.slice(0, 2), word] })
    expect(await but(say({}))).toBe('')
    expect(await but(say({ verdict: 'dispute' }))).toBe('paid')
    expect(await but(say({ verdict: 'ok' }))).toBe('paid')
    expect(await but(say({ node: pub('router') }))).toBe('paid')
    expect(await but(say({ payments: [{ hash: hashOf('2') }] }))).toBe('paid')
    expect(await but(say({ payments: [{ hash: hashOf('2'), preimage: preimageOf('1') }] }))).toBe('paid')
    expect(await but(say({ payments: [{ hash: hashOf('9'), preimage: preimageOf('9') }] }))).toBe('paid')
    expect(await but(say({}, { by }))).toBe('paid')
    expect(await but(say({}, { at: NOW + 1 }))).toBe('paid')
    expect(await but(say({}, { at: NOW + 2 }))).toBe('')
    expect(await but(third)).toBe('paid')
  })

  test('is cured by a result that anybody shows or the judge knows', async () => {
    const id = jobOf({ seed: 2 }).id
    expect(await failing('E4', [...bills, ...words, ...ears, resultOf(id)])).toBe('unanswered')
    expect(await failing('E4', [...bills, ...words, ...ears, resultOf(id, {}, { by })])).toBe('')
    expect(await run(silent, with_({ answered: one => one === id }))).toBe('unanswered')
  })

  test('needs two observers for each job, known, uninvolved, after the complaint and the time to answer', async () => {
    expect(await run({ ...silent, ears: ears.slice(1) })).toBe('observed')
    expect(await run(silent, with_({ observer: key => key === pub('ear one') }))).toBe('observed')
    const last = jobOf({ seed: 2 }).id
    const ear = (change: object, options: object) =>
      labelOf(last, { topic: 'outcome', label: 'failed', ...change }, { by: 'ear two', at: NOW + 700, ...options })
    const but = (one: Event, by = tools) => run({ ...silent, ears: [...ears.slice(0, 5), one] }, by)
    expect(await but(ear({}, {}))).toBe('')
    expect(await but(ear({}, { by: 'ear one', at: NOW + 701 }))).toBe('observed')
    expect(await but(ear({ label: 'served' }, {}))).toBe('observed')
    expect(await but(ear({ topic: 'audit' }, {}))).toBe('observed')
    expect(await but(ear({ node: pub('router') }, {}))).toBe('observed')
    expect(await but(ear({}, { at: NOW + 659 }))).toBe('observed')
    expect(await but(ear({}, { at: NOW + 660 }))).toBe('')
    const all = with_({ observer: () => true })
    expect(await but(ear({}, { by: 'customer' }), all)).toBe('observed')
    expect(await but(ear({}, { by: 'node' }), all)).toBe('observed')
    expect(await but(ear({}, { by }), all)).toBe('')
  })

  test('needs them within 30 days, and two payers who are two', async () => {
    const late = billOf(jobOf({ seed: 2 }).id, { payment: '2' }, { at: NOW + 30 * 86_400 })
    const heard = (bill: Event, at: number) => {
      const { id } = jobOf({ seed: 2 })
      const payments = [{ hash: hashOf('2'), preimage: preimageOf('2') }]
      const word = wordOfCustomer(id, { verdict: 'failed', payments }, { at })
      const two = ['ear one', 'ear two'].map(by =>
        labelOf(id, { topic: 'outcome', label: 'failed' }, { by, at: at + 600 }),
      )
      return run({
        bills: [...bills.slice(0, 2), bill],
        words: [...words.slice(0, 2), word],
        ears: [...ears.slice(0, 4), ...two],
      })
    }
    expect(await heard(late, NOW + 31 * 86_400)).toBe('')
    const later = billOf(jobOf({ seed: 2 }).id, { payment: '2' }, { at: NOW + 30 * 86_400 + 1 })
    expect(await heard(later, NOW + 31 * 86_400)).toBe('within-30-days')
    expect(await run(silent, with_({ unrelated: () => false }))).toBe('two-payers')
    const same = unpaidFor(4)
    const [, ...one] = same.bills
    expect(await run({ bills: one, words: same.words, ears: same.ears }, with_({ unrelated: () => true }))).toBe(
      'two-payers',
    )
  })
})
