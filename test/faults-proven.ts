/** One proven case of each way to break each rule: what tests spoil, flip and judge. */
import { bondEntry, type Event, handler } from '../kinds/index.ts'
import { sealUnder } from '../src/seal/under-preimage.ts'
import {
  askedOf,
  billOf,
  commitOf,
  conversationOf,
  digest,
  hashOf,
  jobOf,
  type judge,
  labelOf,
  NOW,
  preimageOf,
  pub,
  quoteOf,
  resultOf,
  routeOf,
  sign,
  usageOf,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'
import { world } from './zap-world.ts'

export type Proven = { readonly rule: string; readonly says: string; readonly events: Event[] } & {
  readonly change?: Parameters<typeof judge>[2]
}

export const job = jobOf()
export const sealedJob = jobOf({}, { to: 'node' })
export const key = conversationOf('customer', 'node')
export const byRouter = { accused: pub('router') }

const asked = askedOf()
const firm = quoteOf(asked)
export const quotedJob = jobOf({ quote: firm.id, bidMsats: 1_000n })
const garbage = await sealUnder(preimageOf('hold'), 'something else')
export const underHash = { hash: hashOf('hold'), digest: digest('what was promised') }
export const rotten = { text: garbage.content, sealedUnder: underHash }

/** Three paid jobs of two payers, each with a complaint and two who heard nothing: bills, complaints, ears. */
export const unpaidFor = (count = 3): { bills: Event[]; words: Event[]; ears: Event[] } => {
  const jobs = Array.from({ length: count }, (_, at) => jobOf({ seed: at }, { by: at === 0 ? 'second' : 'customer' }))
  const who = (at: number) => (at === 0 ? 'second' : 'customer')
  const payments = (at: number) => [{ hash: hashOf(`${at}`), preimage: preimageOf(`${at}`) }]
  return {
    bills: jobs.map(({ id }, at) => billOf(id, { payment: `${at}`, customer: pub(who(at)) }, { at: NOW + at })),
    words: jobs.map(({ id }, at) =>
      wordOfCustomer(id, { verdict: 'failed', payments: payments(at) }, { by: who(at), at: NOW + 60 }),
    ),
    ears: jobs.flatMap(({ id }, at) =>
      ['ear one', 'ear two'].map(by =>
        labelOf(id, { topic: 'outcome', label: 'failed', seq: 5 + at, prev: digest('p') }, { by, at: NOW + 700 }),
      ),
    ),
  }
}
export const silent = unpaidFor()

export const announced = sign(
  handler,
  {
    ...{ id: 'text', kinds: [5_050], topics: [], name: '', about: '', encrypted: true, models: [], zappers: [], v: 1 },
    ...{ nodeKeys: [`02${digest('own lightning')}`], custodial: false, relays: [], prices: [] },
  },
  'node',
)

export const lie = world({
  receipt: one => ({ ...one, tags: one.tags.map(tag => (tag[0] === 'preimage' ? ['preimage', digest('x')] : tag)) }),
})
export const honest = world()
const aboutZap = { node: honest.context.node, seq: 4, prev: digest('before') }
const lying = labelOf(lie.context.job.id, { ...aboutZap, evidence: [lie.receipt.id], msats: 21_000n })
const valid = labelOf(lie.context.job.id, { ...aboutZap, label: 'receipt-valid', evidence: [lie.receipt.id] })
const settledNothing = labelOf(job.id, { evidence: [] })
const served = { topic: 'outcome', label: 'served' } as const
const before = labelOf(job.id, { ...served, commit: commitOf(9) })

const bond = (units: bigint) => sign(bondEntry, { bond: 'b', act: 'lock', units, at: NOW, seq: 0 }, 'node')

export const proven: readonly Proven[] = [
  { rule: 'E1', says: 'two answers', events: [resultOf(job.id), resultOf(job.id, { text: 'Magic.' })] },
  {
    rule: 'E1',
    says: 'two sealed answers',
    events: [resultOf(job.id, {}, { to: 'customer' }), resultOf(job.id, { text: 'Magic.' }, { to: 'customer' })],
    get change() {
      return { keys: Object.fromEntries(this.events.map(({ id }) => [id, key])) }
    },
  },
  { rule: 'E1', says: 'two receipts of one job', events: [usageOf(job.id), usageOf(job.id, { msats: 2_000n })] },
  {
    rule: 'E1',
    says: 'two routes of one request',
    events: [routeOf(asked), routeOf(asked, { seq: 2 })],
    change: byRouter,
  },
  {
    rule: 'E1',
    says: 'a log that forks between a label and a route',
    events: [routeOf(asked, { seq: 3 }), labelOf(job.id, { ...served, seq: 3, prev: digest('before') })],
    change: byRouter,
  },
  { rule: 'E1', says: 'a bond locked twice in one entry', events: [bond(1_000n), bond(9_000n)] },
  {
    rule: 'E2',
    says: 'another text than promised',
    events: [resultOf(job.id, rotten)],
    change: { preimage: preimageOf('hold') },
  },
  {
    rule: 'E2',
    says: 'noise under the hash, sealed to the customer',
    events: [resultOf(job.id, { ...rotten, text: Buffer.alloc(60, 7).toString('base64') }, { to: 'customer' })],
    get change() {
      return { preimage: preimageOf('hold'), keys: { [this.events[0]?.id ?? '']: key } }
    },
  },
  { rule: 'E3', says: 'an invoice above its amount', events: [billOf(job.id, { invoiced: 2_000n })] },
  {
    rule: 'E3',
    says: 'a bill above the quote',
    events: [asked, firm, quotedJob, billOf(quotedJob.id, { msats: 1_001n })],
  },
  {
    rule: 'E3',
    says: 'parts that are more than the whole',
    events: [
      ...[asked, firm, quotedJob],
      billOf(quotedJob.id, { msats: 501n, terms: { word: 'parts', part: 1, parts: 2 } }),
      billOf(quotedJob.id, { msats: 500n, payment: 'two', terms: { word: 'parts', part: 2, parts: 2 } }),
    ],
  },
  { rule: 'E4', says: 'three paid jobs and silence', events: [...silent.bills, ...silent.words, ...silent.ears] },
  {
    rule: 'E7',
    says: 'a sealed job answered aloud',
    events: [sealedJob, resultOf(sealedJob.id)],
    change: { keys: { [sealedJob.id]: key } },
  },
  {
    rule: 'E7',
    says: 'a part of the answer said aloud',
    events: [sealedJob, wordOf(sealedJob.id, { status: 'partial', says: 'Ray', content: 'Ray' })],
    change: { keys: { [sealedJob.id]: key } },
  },
  { rule: 'E7', says: 'a bill to a foreign Lightning node', events: [announced, billOf(job.id)] },
  { rule: 'E8', says: 'settled by a wrong preimage', events: [lying, lie.receipt], change: byRouter },
  { rule: 'E8', says: 'valid with a wrong preimage', events: [valid, lie.receipt], change: byRouter },
  { rule: 'E8', says: 'settled on nothing', events: [settledNothing], change: byRouter },
  {
    rule: 'E8',
    says: 'settled by a preimage of another payment',
    get events() {
      const word = wordOfCustomer(job.id, { payments: [{ hash: hashOf('one'), preimage: preimageOf('two') }] })
      return [word, labelOf(job.id, { evidence: [word.id], hash: hashOf('one') })]
    },
    change: byRouter,
  },
  {
    rule: 'E8',
    says: 'ten times what the node says it got',
    get events() {
      const usage = usageOf(job.id)
      return [usage, labelOf(job.id, { evidence: [usage.id], hash: hashOf('one'), msats: 10_000n })]
    },
    change: byRouter,
  },
  {
    rule: 'E9',
    says: 'the last one first',
    events: [routeOf(asked, { rank: order => order.toReversed() })],
    change: byRouter,
  },
  {
    rule: 'E9',
    says: 'another seed than it was bound to',
    events: [before, routeOf(asked, { prev: before.id })],
    change: byRouter,
  },
  {
    rule: 'E9',
    says: 'a request that nobody signed',
    events: [routeOf({ ...asked, sig: '0'.repeat(128) })],
    change: byRouter,
  },
  {
    rule: 'E10',
    says: 'billed and then too busy',
    events: [billOf(job.id), wordOf(job.id, { code: 'busy' })],
  },
  {
    rule: 'E10',
    says: 'quoted firmly and then dearer',
    events: [asked, firm, quotedJob, wordOf(quotedJob.id, { code: 'surge' })],
  },
]
export { asked, firm }
