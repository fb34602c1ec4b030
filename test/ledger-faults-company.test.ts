/** Innocent company hides nothing: what is proven stays proven beside what proves nothing. */
import { expect, test } from 'vitest'
import { handler } from '../kinds/index.ts'
import { sealUnder } from '../src/seal/under-preimage.ts'
import {
  announced,
  asked,
  firm,
  honest,
  job,
  key,
  lie,
  quotedJob,
  rotten,
  sealedJob,
  silent,
  unpaidFor,
} from './faults-proven.ts'
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
  routeOf,
  sign,
  tools,
  usageOf,
  witness,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'

const router = { accused: pub('router') }
const other = jobOf({ seed: 7 })

test('E1 beside statements that agree, and in one member of a receipt alone', async () => {
  const agreeing = [resultOf(job.id), resultOf(job.id, {}, { at: NOW + 31 }), resultOf(other.id)]
  expect(await failing('E1', agreeing)).toBe('differ')
  expect(await failing('E1', [...agreeing, resultOf(job.id, { text: 'Magic.' })])).toBe('')
  for (const change of [
    { payments: [] },
    { payments: [{ hash: hashOf('two'), msats: 1_000n }] },
    { payments: [{ hash: hashOf('one'), msats: 1n }] },
    { outputTokens: 5 },
    { promptTokens: 5 },
  ])
    expect(await failing('E1', [usageOf(job.id), usageOf(job.id, change)])).toBe('')
  expect(await failing('E1', [usageOf(job.id), usageOf(job.id, { ms: 901, seq: 1, prev: digest('p') })])).toBe('differ')
  const one = routeOf(asked)
  const dearer = routeOf(asked, { seq: 2, candidates: [], refusal: { code: 'full', says: 'Full.' } })
  expect(await failing('E1', [one, dearer, routeOf(askedOf({ maxTokens: 5 }), { seq: 5 })], router)).toBe('')
})

test('E2 beside a text that is what was promised', async () => {
  const { content, hash, digest: of } = await sealUnder(preimageOf('hold'), 'Rayleigh scattering.')
  const kept = resultOf(other.id, { text: content, sealedUnder: { hash, digest: of } })
  const change = { preimage: preimageOf('hold') }
  expect(await failing('E2', [kept, resultOf(job.id, rotten)], change)).toBe('')
  expect(await failing('E2', [resultOf(job.id, rotten), kept, resultOf(other.id)], change)).toBe('')
})

test('E3 beside honest bills, quotes and jobs', async () => {
  expect(await failing('E3', [billOf(other.id), billOf(job.id, { invoiced: 2_000n })])).toBe('')
  const dear = billOf(quotedJob.id, { msats: 1_001n })
  const looser = quoteOf(asked, { firm: false })
  const late = billOf(quotedJob.id, { msats: 9_000n }, { at: NOW + 90 })
  expect(
    await failing('E3', [
      asked,
      askedOf({ maxTokens: 3 }),
      looser,
      firm,
      other,
      quotedJob,
      billOf(other.id),
      dear,
      late,
    ]),
  ).toBe('')
  const idle = jobOf({ quote: firm.id, seed: 3 })
  expect(await failing('E3', [asked, firm, idle, quotedJob, dear])).toBe('')
  expect(await failing('E3', [asked, firm, idle, quotedJob, billOf(idle.id), dear])).toBe('')
})

test('E4 beside other payments, and while one of the payers is certainly another', async () => {
  const { bills, words, ears } = silent
  const last = jobOf({ seed: 2 })
  const two = [
    { hash: hashOf('9'), preimage: preimageOf('9') },
    { hash: hashOf('2'), preimage: preimageOf('2') },
  ]
  const word = wordOfCustomer(last.id, { verdict: 'failed', payments: two }, { at: NOW + 60 })
  expect(await failing('E4', [...bills, ...words.slice(0, 2), word, ...ears])).toBe('')
  const four = unpaidFor(4)
  expect(await failing('E4', [...four.bills, ...four.words, ...four.ears])).toBe('')
  const known = { ...tools, witness: { ...witness, unrelated: (one: string) => one === pub('second') } }
  expect(await failing('E4', [...bills, ...words, ...ears], {}, known)).toBe('')
})

test('E7 beside answers that were sealed, and announcements that were not in force', async () => {
  const sealed = resultOf(other.id, {}, { to: 'customer' })
  const keyed = { keys: { [sealedJob.id]: key, [sealed.id]: key } }
  expect(await failing('E7', [job, sealedJob, sealed, resultOf(job.id), resultOf(sealedJob.id)], keyed)).toBe('')
  const early = billOf(job.id, {}, { at: NOW - 1 })
  expect(await failing('E7', [announced, early, billOf(job.id)])).toBe('')
  const again = jobOf({ seed: 4 }, { to: 'node' })
  const aloud = [sealedJob, again, resultOf(again.id), resultOf(sealedJob.id)]
  expect(await failing('E7', aloud, keyed)).toBe('')
  const payee = tools.invoice(invoiceOf('one', 1_000n))
  const foreign = billOf(job.id, { payee: 'elsewhere' })
  const read = handler.read(announced)
  if (!read.ok || !payee.ok) throw new Error('what cannot be read')
  const manifest = sign(handler, { ...read.value, nodeKeys: [payee.invoice.payee] }, 'node')
  expect(await failing('E7', [manifest, billOf(job.id), foreign])).toBe('')
  const told = { status: 'processing' as const, msats: 1_000n, bolt11: invoiceOf('one', 1_000n, 'elsewhere') }
  expect(await failing('E7', [manifest, wordOf(job.id, told)])).toBe('bill')
})

test('E8 beside labels that hold, and with evidence of which one part holds', async () => {
  const usage = usageOf(job.id)
  const sound = labelOf(job.id, { evidence: [usage.id] })
  const lying = labelOf(lie.context.job.id, { node: lie.context.node, evidence: [lie.receipt.id] })
  expect(await failing('E8', [usage, sound, lie.receipt, lying], router)).toBe('')
  const both = labelOf(job.id, { evidence: [usage.id, lie.receipt.id] })
  expect(await failing('E8', [usage, both, lie.receipt], router)).toBe('refuted')
  const part = usageOf(job.id, {
    ...{
      msats: 3_000n,
      payments: [
        { hash: hashOf('two'), msats: 2_000n },
        { hash: hashOf('one'), msats: 1_000n },
      ],
    },
  })
  for (const msats of [1_000n, 3_000n])
    expect(
      await failing('E8', [part, labelOf(job.id, { evidence: [part.id], hash: hashOf('one'), msats })], router),
    ).toBe('refuted')
  const slander = labelOf(job.id, {
    ...{ label: 'forged', failed: ['preimage'] },
    hash: hashOf('one'),
    evidence: [usage.id],
  })
  const word = wordOfCustomer(job.id)
  const named = labelOf(job.id, { label: 'forged', failed: ['preimage'], hash: hashOf('one'), evidence: [word.id] })
  expect(await failing('E8', [word, named, lie.receipt], router)).toBe('')
  expect(await failing('E8', [word, usage, slander], router)).toBe('refuted')
})

test('E8 needs that nothing in the evidence bears the label out', async () => {
  const two = [{ hash: hashOf('two') }, { hash: hashOf('one'), preimage: preimageOf('one') }]
  const word = wordOfCustomer(job.id, { payments: two })
  expect(await failing('E8', [word, labelOf(job.id, { evidence: [word.id], hash: hashOf('one') })], router)).toBe(
    'refuted',
  )
  const valid = (evidence: string[]) =>
    labelOf(honest.context.job.id, { label: 'receipt-valid', node: honest.context.node, evidence })
  const both = [honest.receipt, lie.receipt]
  expect(await failing('E8', [...both, valid(both.map(({ id }) => id))], router)).toBe('refuted')
  expect(await failing('E8', [lie.receipt, valid([lie.receipt.id])], router)).toBe('')
  const wrong = wordOfCustomer(job.id, { payments: [{ hash: hashOf('one'), preimage: preimageOf('two') }] })
  const right = wordOfCustomer(job.id)
  const slander = { label: 'forged', failed: ['preimage'], hash: hashOf('one') }
  const forged = labelOf(job.id, { ...slander, evidence: [right.id, wrong.id] })
  expect(await failing('E8', [right, wrong, forged], router)).toBe('refuted')
})

test('E9 beside decisions that follow', async () => {
  const sound = routeOf(askedOf({ maxTokens: 5 }), { seq: 7 })
  const bent = routeOf(asked, { rank: order => order.toReversed() })
  expect(await failing('E9', [sound, bent], router)).toBe('')
  expect(await failing('E9', [sound], router)).toBe('other-choice')
})

test('E10 beside errors that are allowed, and bills are what can be paid', async () => {
  const busy = wordOf(job.id, { code: 'busy' })
  const late = wordOf(job.id, { code: 'busy' }, { at: NOW + 700 })
  expect(await failing('E10', [billOf(other.id), billOf(job.id), late, wordOf(job.id, { code: 'runner' }), busy])).toBe(
    '',
  )
  const asks = { status: 'payment-required' as const, msats: 1_000n, expiresAt: NOW + 606 }
  expect(await failing('E10', [wordOf(job.id, asks, { at: NOW + 6 }), busy])).toBe('acceptance')
  const tells = { ...asks, status: 'processing' as const, bolt11: invoiceOf('one', 1_000n) }
  expect(await failing('E10', [wordOf(job.id, tells, { at: NOW + 6 }), busy])).toBe('acceptance')
})

test('no events prove nothing', async () => {
  for (const rule of ['E1', 'E2', 'E3', 'E4', 'E7', 'E8', 'E9', 'E10'])
    expect(await failing(rule, [])).toBe('signatures')
})
