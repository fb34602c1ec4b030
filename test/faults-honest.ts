/** Stories of an honest node and an honest router among customers and strangers who lie: nothing in them is a fault of the two. */
import { type Attestation, bondEntry, type Event, handler, isSealed, textRequest } from '../kinds/index.ts'
import { judge as judgePayment } from '../src/router/attest.ts'
import { sealUnder } from '../src/seal/under-preimage.ts'
import { announced } from './faults-proven.ts'
import {
  askedOf,
  billOf,
  commitOf,
  conversationOf,
  digest,
  hashOf,
  invoiceOf,
  jobOf,
  keys,
  labelOf,
  NOW,
  preimageOf,
  pub,
  quoteOf,
  resultOf,
  routeOf,
  secretOf,
  sign,
  tools,
  usageOf,
  wordOf,
  wordOfCustomer,
} from './faults-world.ts'
import { further, tried } from './receipt-cases.ts'
import { world } from './zap-world.ts'

const parts = (part: number) => ({ word: 'parts', part, parts: 2 }) as const
const paid = (name: string) => [{ hash: hashOf(name), preimage: preimageOf(name) }]
const failedBy = (job: string, by: string, at = NOW + 900) =>
  labelOf(job, { topic: 'outcome', label: 'failed', seq: 3, prev: digest('x') }, { by, at })

/** What one job leaves behind, sealed or not. */
function served(seed: number, sealed: boolean): Event[] {
  const to = sealed ? 'customer' : undefined
  const job = jobOf({ seed }, { to: sealed ? 'node' : undefined })
  const name = `job ${seed}`
  return [
    job,
    billOf(job.id, { payment: name }, { to }),
    billOf(job.id, { payment: `${name} again`, msats: 900n }, { at: NOW + 700, to }),
    wordOf(job.id, { status: 'processing' }, { at: NOW + 7, to }),
    wordOf(job.id, { status: 'partial', content: 'Ray', says: 'Ray' }, { at: NOW + 9, to }),
    // Sealed anew for a relay that lost it.
    ...[30, 31].map(at => resultOf(job.id, { text: `Blue, ${seed}.` }, { at: NOW + at, to })),
    usageOf(job.id, { seq: seed, prev: digest('p'), payments: [{ hash: hashOf(name), msats: 1_000n }] }),
    wordOfCustomer(job.id, { payments: paid(name) }),
    // The customer lies, and so do strangers.
    wordOfCustomer(job.id, { verdict: 'failed', payments: paid(name) }, { at: NOW + 60 }),
    resultOf(job.id, { text: 'Magic.' }, { by: 'stranger' }),
    billOf(job.id, { payment: name, invoiced: 9_000n }, { by: 'stranger' }),
    wordOf(job.id, { code: 'busy' }, { by: 'stranger' }),
    failedBy(job.id, 'stranger'),
    failedBy(job.id, 'customer'),
  ]
}

function quoted(): Event[][] {
  const asked = askedOf()
  const firm = quoteOf(asked)
  const story = (change: object, options: object, bills: (job: string) => Event[], more: Event[] = []): Event[] => {
    const job = jobOf({ quote: firm.id, bidMsats: 9_000n, ...change }, options)
    return [asked, firm, job, ...bills(job.id), resultOf(job.id), ...more]
  }
  const dear =
    (at: number, customer = 'customer') =>
    (job: string) => [billOf(job, { msats: 5_000n, customer: pub(customer) }, { at })]
  const passedOn = askedOf({ origin: digest('first'), maxTokens: 9 })
  const open = quoteOf(passedOn)
  const own = jobOf({ quote: open.id, bidMsats: 9_000n })
  const loose = quoteOf(asked, { firm: false, msats: 10n })
  const under = jobOf({ quote: firm.id, bidMsats: 999n })
  const unsure = jobOf({ quote: loose.id, bidMsats: 2_000n })
  return [
    story({ seed: 1 }, {}, job => [billOf(job), billOf(job, { payment: 'two' }, { at: NOW + 20 })]),
    story({ seed: 2 }, {}, job => [
      billOf(job, { msats: 500n, terms: parts(1) }),
      billOf(job, { msats: 500n, terms: parts(1), payment: 'b' }, { at: NOW + 8 }),
      billOf(job, { msats: 500n, terms: parts(2), payment: 'c' }, { at: NOW + 9 }),
    ]),
    story({ seed: 3 }, {}, dear(NOW + 31)),
    story({ seed: 4 }, { by: 'stranger' }, dear(NOW + 6, 'stranger')),
    story({ model: 'giant' }, {}, dear(NOW + 6)),
    story({ seed: 5, quote: digest('none') }, {}, dear(NOW + 6)),
    [passedOn, open, own, ...dear(NOW + 6)(own.id)],
    [asked, loose, unsure, wordOf(unsure.id, { code: 'surge' })],
    [asked, firm, under, wordOf(under.id, { code: 'underbid' }), quoteOf(asked, { msats: 2_000n }, { at: NOW + 9 })],
  ]
}

/** Paid, failed, kept as credit, told: bad luck, and everybody says so. */
function unlucky(): Event[] {
  return [0, 1, 2].flatMap(at => {
    const by = at === 0 ? 'second' : 'customer'
    const job = jobOf({ seed: 50 + at }, { by })
    return [
      billOf(job.id, { payment: `u${at}`, customer: pub(by) }),
      wordOf(job.id, { code: 'runner', creditMsats: 1_000n, customer: pub(by) }),
      wordOfCustomer(job.id, { verdict: 'failed', payments: paid(`u${at}`) }, { by, at: NOW + 60 }),
      failedBy(job.id, 'ear one'),
      failedBy(job.id, 'ear two'),
    ]
  })
}

/** Jobs that are made to be answered wrongly. */
function traps(): Event[] {
  const elsewhere = jobOf({ seed: 70 }, { to: 'stranger' })
  const noise = keys.sign({ ...elsewhere, content: 'sealed, I swear' }, secretOf('customer'))
  const older = jobOf({ seed: 71 })
  const bare = keys.sign({ ...older, tags: [...older.tags, ['encrypted']] }, secretOf('customer'))
  return [elsewhere, noise, bare].flatMap(job => [job, wordOf(job.id, { code: 'sealed', says: 'I cannot open it.' })])
}

function announcements(): Event[] {
  const read = handler.read(announced)
  const paysTo = (name: string) => {
    const invoice = tools.invoice(invoiceOf('one', 1_000n, name))
    return invoice.ok ? [invoice.invoice.payee] : []
  }
  const manifest = (name: string, at: number) =>
    sign(handler, { ...(read.ok ? read.value : fail()), nodeKeys: paysTo(name) }, 'node', at)
  const job = jobOf({ seed: 80 })
  return [
    ...[manifest('old lightning', NOW - 100), manifest('lightning', NOW)],
    ...[billOf(job.id, { payee: 'old lightning' }, { at: NOW - 50 }), billOf(job.id, {}, { at: NOW + 6 })],
  ]
}
const fail = (): never => {
  throw new Error('an announcement that cannot be read')
}

/** The log of a router that judges every receipt as ours does, routes between, and is asked to log lies. */
function log(): Event[][] {
  const entries: Event[] = []
  const place = () => ({ seq: entries.length, prev: entries.at(-1)?.id ?? '', commit: commitOf(entries.length + 1) })
  const route = (change: object = {}) => {
    const asked = askedOf({ maxTokens: entries.length + 1 })
    const event = routeOf(asked, { ...place(), ...change })
    entries.push(event)
    return [event, asked, ...entries.slice(-2, -1)]
  }
  const stories: Event[][] = []
  for (const [, , twist] of [...tried, ...further, ['honest', [], {}] as const]) {
    const { receipt, offer, context } = world(twist)
    const { label, passed, failed, hash, msats } = judgePayment({ zap: receipt }, context)
    const about: Partial<Attestation> = { node: context.node, label, checks: [...passed], failed: [...failed] }
    const evidence = [receipt.id, ...(context.offer ? [offer.id] : [])]
    const money = { ...(hash === undefined ? {} : { hash }), ...(msats === undefined ? {} : { msats }) }
    const entry = labelOf(context.job.id, { ...about, ...money, ...place(), evidence })
    entries.push(entry)
    stories.push([entry, receipt, offer, context.job, ...entries.slice(-2, -1)])
    if (entries.length % 9 === 0) stories.push(route())
    if (entries.length % 20 === 0)
      stories.push(route({ rank: () => [], refusal: { code: 'unpaid-fee', says: 'Unpaid.' } }))
  }
  return stories
}

async function held(): Promise<Event[]> {
  const job = jobOf({ seed: 90 })
  const { content: text, hash, digest: of } = await sealUnder(preimageOf('hold'), 'Rayleigh scattering.')
  const under = { text, sealedUnder: { hash, digest: of } }
  return [job, resultOf(job.id, under), resultOf(job.id, under, { to: 'customer' }), resultOf(job.id)]
}

function staked(): Event[] {
  const entry = (seq: number, units: bigint, at: number, prev?: string) =>
    sign(
      bondEntry,
      { bond: 'b', act: seq === 0 ? 'lock' : 'topup', units, at, seq, ...(prev === undefined ? {} : { prev }) },
      'node',
    )
  const first = entry(0, 1_000n, NOW)
  return [first, entry(1, 500n, NOW + 1, first.id)]
}

export const stories: readonly (readonly Event[])[] = [
  ...[served(1, false), served(2, true), served(3, true), ...quoted(), unlucky(), traps(), announcements()],
  ...[await held(), staked(), ...log()],
]

export const pool: readonly Event[] = [...new Map(stories.flat().map(event => [event.id, event])).values()]

const customers = new Map(['customer', 'stranger', 'second'].map(name => [pub(name), name]))
/** The key that really opens a sealed event: its two parties can always show it. */
export function keyOf({ pubkey, tags }: Event): string {
  const other = customers.get(pubkey) ?? customers.get(tags.find(tag => tag[0] === 'p')?.[1] ?? '') ?? 'customer'
  return conversationOf(other, 'node')
}
export const sealedOnes = pool.filter(isSealed)

/** A judge who has heard everything that the node said. */
export const wellInformed = {
  ...tools,
  witness: {
    observer: (pubkey: string) => [pub('ear one'), pub('ear two'), pub('router')].includes(pubkey),
    answered: (job: string, node: string) =>
      pool.some(({ pubkey, kind, tags }) => {
        const told = pubkey === node && tags.some(tag => tag[0] === 'e' && tag[1] === job)
        return told && (kind === textRequest.number + 1_000 || tags.some(([name]) => name === 'credit'))
      }),
    unrelated: (one: string, other: string) => one !== other,
    inForce: (manifest: Event, at: number) =>
      !pool.some(
        ({ kind, pubkey, created_at }) =>
          kind === manifest.kind && pubkey === manifest.pubkey && created_at > manifest.created_at && created_at <= at,
      ),
  },
}
