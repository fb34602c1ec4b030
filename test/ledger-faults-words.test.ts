/** Statements that exclude each other, and promises that were broken: every condition of E1 and E7. */
import { describe, expect, test } from 'vitest'
import { type Event, handler } from '../kinds/index.ts'
import { sealUnder } from '../src/seal/under-preimage.ts'
import { announced, asked, firm, job, key, rotten, sealedJob } from './faults-proven.ts'
import {
  billOf,
  conversationOf,
  failing,
  invoiceOf,
  jobOf,
  judge,
  keys,
  NOW,
  preimageOf,
  pub,
  quoteOf,
  resultOf,
  secretOf,
  sign,
  tools,
  usageOf,
  witness,
  wordOf,
} from './faults-world.ts'

const other = jobOf({ seed: 7 })
const by = 'stranger'

describe('E1', () => {
  test('one statement is none too many, and the same one twice is one', async () => {
    const result = resultOf(job.id)
    expect(await failing('E1', [result])).toBe('same-place')
    expect(await failing('E1', [result, result])).toBe('same-place')
    expect(await failing('E1', [result, resultOf(job.id, {}, { at: NOW + 31 })])).toBe('differ')
  })

  test('two jobs have two answers, and each provider has its own', async () => {
    expect(await failing('E1', [resultOf(job.id), resultOf(other.id, { text: 'Magic.' })])).toBe('same-place')
    expect(await failing('E1', [resultOf(job.id), resultOf(job.id, { text: 'Magic.' }, { by })])).toBe('same-place')
  })

  test('the same text sealed twice is one answer, and so is one under a preimage', async () => {
    const twice = [resultOf(job.id, {}, { to: 'customer' }), resultOf(job.id, {}, { to: 'customer' })]
    expect(await failing('E1', twice, { keys: Object.fromEntries(twice.map(({ id }) => [id, key])) })).toBe('differ')
    const { content, hash, digest: of } = await sealUnder(preimageOf('hold'), 'Rayleigh scattering.')
    const under = resultOf(job.id, { text: content, sealedUnder: { hash, digest: of } })
    expect(await failing('E1', [under, resultOf(job.id)])).toBe('differ')
  })

  test('a sealed answer is none without its key, and what the accuser says that it says does not count', async () => {
    const pair = [resultOf(job.id, {}, { to: 'customer' }), resultOf(job.id, { text: 'Magic.' }, { to: 'customer' })]
    const opened = Object.fromEntries(pair.map(({ id }, at) => [id, `text ${at}`]))
    expect(await failing('E1', pair, { opened })).toBe('same-place')
    const wrong = Object.fromEntries(pair.map(({ id }) => [id, conversationOf('customer', 'router')]))
    expect(await failing('E1', pair, { opened, keys: wrong })).toBe('same-place')
  })

  test('quotes, bills and places of receipts may be written anew', async () => {
    expect(await failing('E1', [firm, quoteOf(asked, { msats: 2_000n })])).toBe('same-place')
    expect(await failing('E1', [billOf(job.id), billOf(job.id, { payment: 'two', msats: 900n })])).toBe('same-place')
    expect(await failing('E1', [usageOf(job.id), usageOf(other.id)])).toBe('same-place')
  })
})

describe('E7', () => {
  const keyed = { keys: { [sealedJob.id]: key } }
  test('an answer for all to read, to a sealed job, that could be opened', async () => {
    expect(await failing('E7', [sealedJob, resultOf(sealedJob.id, {}, { by })], keyed)).toBe('plain-answer')
    expect(await failing('E7', [sealedJob, resultOf(sealedJob.id, { text: '' })], keyed)).toBe('plain-answer')
    expect(await failing('E7', [sealedJob, resultOf(sealedJob.id, rotten)], keyed)).toBe('plain-answer')
    const sealed = resultOf(sealedJob.id, {}, { to: 'customer' })
    expect(await failing('E7', [sealedJob, sealed], { keys: { ...keyed.keys, [sealed.id]: key } })).toBe('plain-answer')
    expect(
      await failing(
        'E7',
        [sealedJob, wordOf(sealedJob.id, { content: 'Cannot open it.', says: 'Cannot open it.' })],
        keyed,
      ),
    ).toBe('plain-answer')
    expect(await failing('E7', [other, resultOf(sealedJob.id)], keyed)).toBe('job')
    expect(await failing('E7', [job, resultOf(job.id)], keyed)).toBe('sealed')
    expect(await failing('E7', [sealedJob, resultOf(sealedJob.id)])).toBe('opens')
  })

  test('nobody can be made to leak what was sealed to another, or what it could not open', async () => {
    const elsewhere = jobOf({ providers: [pub('router')] }, { to: 'router' })
    const shown = { keys: { [elsewhere.id]: conversationOf('customer', 'router') } }
    expect(await failing('E7', [elsewhere, resultOf(elsewhere.id)], shown)).toBe('addressed')
    const noise = keys.sign({ ...sealedJob, content: 'not sealed at all' }, secretOf('customer'))
    expect(await failing('E7', [noise, resultOf(noise.id)], { keys: { [noise.id]: key } })).toBe('opens')
    const own = jobOf({}, { to: 'node', by: 'node' })
    const self = { keys: { [own.id]: conversationOf('node', 'node') } }
    expect(await failing('E7', [own, resultOf(own.id)], self)).toBe('job')
  })

  const manifest = (change: object) => sign(handler, { ...readOf(announced), ...change }, 'node')
  test('an announcement binds while it is in force, and only who has nodes of its own', async () => {
    const { witness: _, ...alone } = tools
    expect(await failing('E7', [announced, billOf(job.id)], {}, alone)).toBe('witness')
    expect(await failing('E7', [manifest({ custodial: true }), billOf(job.id)])).toBe('own-node-keys')
    expect(await failing('E7', [manifest({ nodeKeys: [] }), billOf(job.id)])).toBe('own-node-keys')
    expect(await failing('E7', [announced, wordOf(job.id, { code: 'busy' })])).toBe('bill')
    const replaced = { ...tools, witness: { ...witness, inForce: () => false } }
    expect(await failing('E7', [announced, billOf(job.id)], {}, replaced)).toBe('in-force')
    expect(await failing('E7', [announced, billOf(job.id, {}, { at: NOW })])).toBe('in-force')
    const payee = tools.invoice(invoiceOf('one', 1_000n))
    if (!payee.ok) throw new Error('an invoice that cannot be read')
    expect(await failing('E7', [manifest({ nodeKeys: [payee.invoice.payee] }), billOf(job.id)])).toBe('foreign-payee')
  })
})

function readOf(event: Event) {
  const read = handler.read(event)
  if (!read.ok) throw new Error(read.rule)
  return read.value
}

test('a finding never rejects for what is in the events', async () => {
  for (const rule of ['E1', 'E2', 'E3', 'E4', 'E7', 'E8', 'E9', 'E10'])
    for (const content of ['', '{', '\u0000', '[["']) {
      const event = keys.sign(
        { kind: 6_050, created_at: NOW, tags: [['e'], ['p', ''], ['encrypted']], content },
        secretOf('node'),
      )
      expect((await judge(rule, [event], { keys: { [event.id]: 'no key' }, preimage: 'no preimage' })).ok).toBe(false)
    }
})
