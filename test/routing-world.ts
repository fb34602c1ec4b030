/** Nodes, wants and dice for the tests of routing. */
import fc from 'fast-check'
import { sha256Hex } from '../src/hash.ts'
import { defaultParams } from '../src/ledger/params.ts'
import type { Factors } from '../src/ledger/score.ts'
import {
  type Candidate,
  type Decision,
  decide,
  type Market,
  openDice,
  openMarket,
  type Policy,
  type Published,
  policies,
  type Wants,
} from '../src/routing/index.ts'

export const seed = sha256Hex('a seed that was committed to')
export const requestOf = (n: number): string => sha256Hex(`request ${n}`)
export const nodeOf = (n: number): string => sha256Hex(`node ${n}`)
/** Factors whose product is the score. */
export const factorsOf = (score: number): Factors => ({ R: 1, V: score, Q: 1, T: 1, K: 1, L: 1 })

export function candidate(n: number, rest: Partial<Candidate> = {}): Candidate {
  const score = rest.score ?? 0.5
  return {
    ...{ node: nodeOf(n), service: 'gridstr', msats: 1_000, score, factors: factorsOf(score), stage: 'proven' },
    ...{ status: 'alive', inflight: 0, slots: 4, privacy: [0, 1], terms: [] },
    ...rest,
  }
}

export const wants = (rest: Partial<Wants> = {}): Wants => ({
  ...{ kind: 5050, capMsats: Number.POSITIVE_INFINITY, privacy: 0, allow: [], deny: [], explore: true },
  ...rest,
})

export function marketOf(candidates: Iterable<Candidate>): Market {
  const market = openMarket()
  for (const one of candidates) market.set(one)
  return market
}

export const known = (name: string): Policy => {
  const policy = policies.get(name)
  if (!policy) throw new Error(`no policy ${name}`)
  return policy
}

export const decideFor = (market: Market, asked: Wants, n = 0, policy: Policy = known('default')): Decision =>
  decide(market, asked, policy, openDice(seed, requestOf(n)), defaultParams)

/** What a router would publish of a decision. */
export const publishedOf = (decision: Decision, market: Market): Published => ({
  ...{ lane: decision.lane, start: decision.start, median: decision.median, sample: decision.sample },
  candidates: decision.order.flatMap(node => {
    const one = market.get(node)
    return one ? [{ node, msats: BigInt(one.msats), score: one.score, factors: one.factors }] : []
  }),
  ...(decision.refusal ? { refusal: decision.refusal } : {}),
})

/** Any candidate, so few nodes and values that they meet each other. */
export const anyCandidate: fc.Arbitrary<Candidate> = fc
  .record({
    n: fc.integer({ min: 0, max: 40 }),
    msats: fc.constantFrom(0, 1, 500, 1_000, 1_000, 2_000, 9_000),
    score: fc.constantFrom(0, 0.01, 0.3, 0.5, 0.57, 0.9, 1),
    stage: fc.constantFrom('new', 'probation', 'proven', 'proven', 'ejected', 'banned'),
    status: fc.constantFrom('alive', 'alive', 'alive', 'unknown'),
    inflight: fc.integer({ min: 0, max: 4 }),
    slots: fc.constantFrom(0, 2, 4, Number.POSITIVE_INFINITY),
    privacy: fc.subarray<0 | 1 | 2 | 3>([0, 1, 2, 3]),
    region: fc.constantFrom(undefined, 'eu', 'us'),
    determinism: fc.constantFrom(undefined, 'bitwise', 'greedy'),
    terms: fc.subarray(['before', 'after', 'parts', 'hold', 'escrow'] as const),
    firstMs: fc.constantFrom(undefined, 100, 900),
    quote: fc.constantFrom(
      undefined,
      { id: 'q', firm: true, expiresAt: 1_000 },
      { id: 'q', firm: true, expiresAt: 10 },
    ),
    cohort: fc.boolean(),
    overCredit: fc.constantFrom(undefined, false, true),
  })
  .map(({ n, ...rest }) => candidate(n, rest as Partial<Candidate>))

export const anyMarket = fc.uniqueArray(anyCandidate, { selector: ({ node }) => node, maxLength: 30 })

export const anyWants: fc.Arbitrary<Wants> = fc
  .record({
    capMsats: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 999, 1_000, 5_000),
    privacy: fc.constantFrom(0, 0, 1, 2, 3),
    region: fc.constantFrom(undefined, undefined, 'eu', 'nowhere'),
    determinism: fc.constantFrom(undefined, undefined, 'bitwise'),
    terms: fc.constantFrom(undefined, undefined, 'before', 'hold'),
    deadlineMs: fc.constantFrom(undefined, undefined, 500),
    minScore: fc.constantFrom(undefined, undefined, 0, 57, 95),
    allow: fc.oneof(fc.constant([]), fc.constant([]), fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 })),
    deny: fc.oneof(fc.constant([]), fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 6 })),
    explore: fc.boolean(),
    at: fc.constantFrom(undefined, 500),
  })
  .map(({ allow, deny, ...rest }) =>
    wants({ ...(rest as Partial<Wants>), allow: [...allow].map(nodeOf), deny: [...deny].map(nodeOf) }),
  )

/** The conditions said again in the plainest words, to be compared with the filters. */
export function mayBeChosen(one: Candidate, asked: Wants): boolean {
  const { quote, firstMs } = one
  const terms = one.terms.length > 0 ? one.terms : ['before']
  return (
    one.stage !== 'banned' &&
    one.stage !== 'ejected' &&
    one.status === 'alive' &&
    !one.overCredit &&
    one.inflight < one.slots &&
    one.msats <= asked.capMsats &&
    !asked.deny.includes(one.node) &&
    (asked.allow.length === 0 || asked.allow.includes(one.node)) &&
    (asked.privacy === 0 || one.privacy.includes(asked.privacy)) &&
    (asked.region === undefined || one.region === asked.region) &&
    (asked.determinism === undefined || one.determinism === asked.determinism) &&
    (asked.terms === undefined || (terms as readonly string[]).includes(asked.terms)) &&
    (asked.deadlineMs === undefined || firstMs === undefined || firstMs <= asked.deadlineMs) &&
    (asked.minScore === undefined || one.score >= asked.minScore / 100) &&
    (asked.at === undefined || quote === undefined || quote.expiresAt > asked.at)
  )
}
