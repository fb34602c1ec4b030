/** People who sign, what they sign, and a judge with the real tools: what the tests of faults are made of. */
import {
  type Acknowledgement,
  type Attestation,
  acknowledgement,
  attestation,
  type Event,
  type FaultEvidence,
  type Feedback,
  feedback,
  type Kind,
  type Offered,
  type QuoteRequest,
  quote,
  quoteRequest,
  type RoutedCandidate,
  type Routing,
  routing,
  type TextRequest,
  type TextResult,
  textRequest,
  textResult,
  type UsageReceipt,
  usageReceipt,
} from '../kinds/index.ts'
import { fromHex, sha256Hex, toHex } from '../src/hash.ts'
import { openKeys } from '../src/keys.ts'
import {
  defaultParams,
  type FaultFinding,
  type FaultTools,
  productOf,
  verifyFault,
  type Witness,
} from '../src/ledger/index.ts'
import { readInvoice, writeInvoice } from '../src/payments/bolt11.ts'
import { verifyReceipt } from '../src/payments/zap.ts'
import { decide } from '../src/routing/decide.ts'
import { byDefault } from '../src/routing/default.ts'
import { openDice } from '../src/routing/dice.ts'
import { openMarket } from '../src/routing/market.ts'
import type { Candidate, Wants } from '../src/routing/policy.ts'
import { redecide } from '../src/routing/redecide.ts'
import { conversationKey } from '../src/seal/nip44.ts'
import { openConversation, openUnder } from '../src/seal/under-preimage.ts'
import { openSeal } from '../src/seal.ts'

export const keys = await openKeys()
export const NOW = 1_800_000_000
export const digest = (text: string): string => sha256Hex(text)
export const secretOf = (name: string): Uint8Array => fromHex(digest(`secret of ${name}`))
export const pub = (name: string): string => keys.publicKey(secretOf(name))
export const preimageOf = (name: string): string => digest(`preimage ${name}`)
export const hashOf = (name: string): string => sha256Hex(fromHex(preimageOf(name)))

/** Signs a value; `to` seals it for that person. */
export function sign<V>(kind: Kind<V>, value: V, by: string, at = NOW, to?: string): Event {
  const seal = openSeal({ keys, secret: secretOf(by), cacheSize: 1 })
  const encrypt = to === undefined ? undefined : (text: string) => seal.encrypt(pub(to), text)
  return keys.sign(kind.write(value, at, encrypt), secretOf(by))
}

/** What two people disclose to show what they sealed to each other. */
export const conversationOf = (one: string, other: string): string =>
  toHex(conversationKey(keys.shared(secretOf(one), pub(other))))

export const invoiceOf = (name: string, msats: bigint | undefined, payee = 'lightning', at = NOW): string =>
  writeInvoice(
    {
      ...{ network: 'regtest', hash: hashOf(name), secret: digest('s'), timestamp: at, expirySeconds: 600 },
      ...{ description: 'work', ...(msats === undefined ? {} : { msats }) },
    },
    secretOf(payee),
  )

type Options = { by?: string; at?: number; to?: string | undefined }

export const jobOf = (change: Partial<TextRequest> = {}, { by = 'customer', at = NOW + 5, to }: Options = {}): Event =>
  sign(
    textRequest,
    {
      ...{ inputs: [{ type: 'text' as const, data: 'Why is the sky blue?' }], relays: [], providers: [pub('node')] },
      ...{ stream: false, receipt: false, ...change },
    },
    by,
    at,
    to,
  )

export const billOf = (
  job: string,
  change: Partial<Feedback> & { payment?: string; invoiced?: bigint; payee?: string } = {},
  { by = 'node', at = NOW + 6, to }: Options = {},
): Event => {
  const { payment = 'one', invoiced, payee, ...rest } = change
  const { msats = 1_000n } = rest
  const bolt11 = invoiceOf(payment, invoiced ?? msats, payee)
  const bill = { job, customer: pub('customer'), status: 'payment-required' as const, says: '', content: '' }
  return sign(feedback, { ...bill, msats, bolt11, expiresAt: NOW + 606, ...rest }, by, at, to)
}

export const wordOf = (
  job: string,
  change: Partial<Feedback>,
  { by = 'node', at = NOW + 20, to }: Options = {},
): Event =>
  sign(feedback, { job, customer: pub('customer'), status: 'error', says: '', content: '', ...change }, by, at, to)

export const resultOf = (
  job: string,
  change: Partial<TextResult> = {},
  { by = 'node', at = NOW + 30, to }: Options = {},
): Event => sign(textResult, { job, customer: pub('customer'), text: 'Rayleigh scattering.', ...change }, by, at, to)

export const askedOf = (change: Partial<QuoteRequest> = {}, { by = 'customer', at = NOW }: Options = {}): Event =>
  sign(
    quoteRequest,
    {
      ...{ kind: textRequest.number, privacy: 0, allow: [], deny: [], auctionMs: 250, to: [], hops: 0, relays: [] },
      ...{ expiresAt: NOW + 60, ...change },
    },
    by,
    at,
  )

export const quoteOf = (
  asked: Event,
  change: Partial<Offered> = {},
  { by = 'node', at = NOW + 1 }: Options = {},
): Event =>
  sign(
    quote,
    {
      ...{ request: asked.id, to: asked.pubkey, kind: textRequest.number, model: 'nano', msats: 1_000n, firm: true },
      ...{ reserve: 'none', terms: ['before'], free: 1, expiresAt: NOW + 30, ...change },
    },
    by,
    at,
  )

export const usageOf = (
  job: string,
  change: Partial<UsageReceipt> = {},
  { by = 'node', at = NOW + 40 }: Options = {},
): Event =>
  sign(
    usageReceipt,
    {
      ...{ job, customer: pub('customer'), kind: textRequest.number, msats: 1_000n, promptTokens: 6, outputTokens: 4 },
      ...{ ms: 900, payments: [{ hash: hashOf('one'), msats: 1_000n }], seq: 0, ...change },
    },
    by,
    at,
  )

export const wordOfCustomer = (
  job: string,
  change: Partial<Acknowledgement> = {},
  { by = 'customer', at = NOW + 50 }: Options = {},
): Event =>
  sign(
    acknowledgement,
    {
      ...{ job, node: pub('node'), verdict: 'ok', msats: 1_000n },
      ...{ payments: [{ hash: hashOf('one'), preimage: preimageOf('one') }], ...change },
    },
    by,
    at,
  )

export const labelOf = (
  job: string,
  change: Partial<Attestation> = {},
  { by = 'router', at = NOW + 60 }: Options = {},
): Event =>
  sign(
    attestation,
    {
      ...{
        topic: 'payment',
        label: 'settled',
        node: pub('node'),
        job,
        evidence: [],
        kind: textRequest.number,
        model: '',
      },
      ...{ checks: [], failed: [], seq: 0, prev: '', at, says: '', ...change },
    },
    by,
    at,
  )

export const seedOf = (place: number, name = 'router'): string => digest(`seed ${place} of ${name}`)
const crowd = Array.from({ length: 12 }, (_, at): Candidate => {
  const factors = { R: 0.5 + 0.02 * (at % 7), V: 1, Q: 0.9, T: 1, K: 1, L: 1 }
  return {
    ...{ node: pub(`node ${at}`), service: '', msats: 900 + 50 * at, factors, score: productOf(factors) },
    ...{ stage: 'proven', status: 'alive', inflight: at % 3, slots: 8, privacy: [0, 1], terms: ['before'] },
  }
})
const market = openMarket()
for (const one of crowd) market.set(one)
const wants: Wants = {
  ...{ kind: textRequest.number, capMsats: Number.POSITIVE_INFINITY, privacy: 0, allow: [], deny: [], explore: false },
}
const decided = (seed: string, request: string) =>
  decide(market, wants, byDefault, openDice(seed, request), defaultParams)

/** An honest decision for a request, at a place of the router's log. */
export function routeOf(
  asked: Event,
  change: Partial<Routing> & { rank?: (order: string[]) => string[] } = {},
  { by = 'router', at = NOW + 1 }: Options = {},
): Event {
  const { rank = (order: string[]) => order, ...rest } = change
  const { seq = 1, prev = digest('the entry before') } = rest
  const seed = rest.seed ?? seedOf(seq, by)
  const { order, start, sample, median } = decided(seed, asked.id)
  const candidates = rank([...order]).flatMap((node): RoutedCandidate[] => {
    const one = crowd.find(other => other.node === node)
    if (!one) return []
    const { service, score, factors, stage } = one
    const said = { node, service, msats: BigInt(one.msats), terms: [], score, factors, stage, log: 0 }
    return [{ ...said, announcement: digest(node), firm: false, reasons: [] }]
  })
  const decision = { policy: 'default', params: digest('params'), lane: 'proven' as const, at, median }
  const value: Routing = {
    ...{ ...decision, request: asked.id, to: asked.pubkey, asked, seq, prev, seed, start, sample, candidates },
    ...{ commit: commitOf(seq + 1, by), refused: {}, via: [], ...rest },
  }
  return sign(routing, value, by, at)
}

export const commitOf = (place: number, name = 'router'): string => sha256Hex(fromHex(seedOf(place, name)))

export const witness: Witness = {
  observer: pubkey => [pub('ear one'), pub('ear two'), pub('ear three')].includes(pubkey),
  answered: () => false,
  unrelated: (one, other) => one !== other,
  inForce: () => true,
}

export const tools: FaultTools = {
  verify: keys.verify,
  invoice: readInvoice,
  openConversation,
  openUnder,
  judgeReceipt: verifyReceipt,
  redecide: said => redecide(said, wants, byDefault, openDice(said.seed, said.request), defaultParams),
  witness,
}

export const evidenceOf = (rule: string, events: Event[], change: Partial<FaultEvidence> = {}): FaultEvidence => ({
  ...{ rule, accused: pub('node'), events, opened: {}, says: '', ...change },
})

export const judge = (
  rule: string,
  events: Event[],
  change: Partial<FaultEvidence> = {},
  by = tools,
): Promise<FaultFinding> => verifyFault(evidenceOf(rule, events, change), by)

/** The name of the check that does not hold; empty where the fault is proven. */
export async function failing(...asked: Parameters<typeof judge>): Promise<string> {
  const { ok, checks } = await judge(...asked)
  const missing = checks.find(one => !one.ok)?.name
  if (ok !== (missing === undefined)) throw new Error('a finding that contradicts its own checks')
  return missing ?? ''
}
