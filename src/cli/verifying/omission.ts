/**
 * Who is missing in a sample: the market is built from what the relays have now, with the router's own code, and the
 * decision is taken in it. Whether a node that is here now was there then nobody can prove: what is found is shown and not
 * held against anybody.
 * @module
 */
import { benchmark, type QuoteRequest } from '../../../kinds/index.ts'
import { defaultParams, openCohort, openDirectory } from '../../ledger/index.ts'
import { policyOf } from '../../router/fault-tools.ts'
import { openViews } from '../../router/views.ts'
import {
  type Candidate,
  type Decision,
  decide,
  type Market,
  openDice,
  positionOf,
  type Wants,
  wantsOf,
} from '../../routing/index.ts'
import { brief, type Check, check, count, type Tools } from './check.ts'
import type { RoutingFacts } from './routing.ts'
import { standingOf } from './scored.ts'

/** What a refusal for each reason presupposes in the request. */
const presupposes: { readonly [code: string]: (wants: Wants) => boolean } = {
  'over-cap': ({ capMsats }) => Number.isFinite(capMsats),
  denied: ({ deny }) => deny.length > 0,
  'not-allowed': ({ allow }) => allow.length > 0,
  privacy: ({ privacy }) => privacy > 0,
  region: ({ region }) => region !== undefined,
  determinism: ({ determinism }) => determinism !== undefined,
  'min-score': ({ minScore }) => minScore !== undefined,
  terms: ({ terms }) => terms !== undefined,
  deadline: ({ deadlineMs }) => deadlineMs !== undefined,
  'no-model': ({ model }) => model !== undefined,
}

export function omissionChecks(facts: RoutingFacts, request: QuoteRequest, tools: Tools): Check[] {
  const { said, folded } = facts
  const policy = policyOf(said.policy)
  if (!policy || !('ledger' in folded)) {
    const says = 'Who else was there cannot be told without policy and log.'
    return [check('median', null, says), check(said.refusal ? 'refusal' : 'omissions', null, says)]
  }
  const wants = wantsOf(request, said.at)
  const market = marketOf(facts, request, wants, tools)
  const decision = decide(market, wants, policy, openDice(said.seed, said.request), defaultParams)
  const rest = said.refusal ? refusalCheck(facts, wants, decision) : omissionCheck(facts, decision)
  return [medianCheck(facts, market), rest]
}

/** The market as the relays show it, without whoever came later, with those of the sample as the router saw them. */
function marketOf(facts: RoutingFacts, request: QuoteRequest, wants: Wants, { now }: Tools): Market {
  const { said, folded, market: events, named } = facts
  const directory = openDirectory()
  // Benchmarks are fetched for candidates only and would make these alone fall to a deadline.
  const all = [...events.filter(({ kind }) => kind !== benchmark.number), ...named.values()]
  for (const event of all) directory.heard(event, Math.max(now, said.at))
  const views = openViews({
    ...{ directory, cohort: openCohort(100_000), bondOf: () => 0, now: () => said.at },
    standing: (node, kind, model, at) => {
      if ('ledger' in folded) return standingOf(folded.ledger, node, kind, model, at)
      throw new Error('nobody asks without a log')
    },
  })
  const market = views.market(request.kind, request.model)
  for (const { node, announcedAt, state, leaseUntil } of directory.offering(request.kind, request.model)) {
    // Announcements are written anew now and then; a lease says since when its process runs.
    const since = state?.generation ?? announcedAt
    if (since > facts.event.created_at || leaseUntil <= said.at) market.remove(node)
  }
  for (const { node, msats, score, inflight } of said.sample) {
    const { factors, stage } =
      'ledger' in folded
        ? standingOf(folded.ledger, node, request.kind, request.model ?? '', said.at)
        : { factors: { R: 0, V: 0, Q: 0, T: 0, K: 1, L: 1 }, stage: 'new' as const }
    const seen: Candidate = {
      ...{ node, service: '', msats, score, factors, stage, status: 'alive', inflight },
      ...{
        slots: Number.POSITIVE_INFINITY,
        privacy: [0, 1, 2, 3],
        region: wants.region,
        determinism: wants.determinism,
      },
      ...{ terms: wants.terms === undefined ? [] : [wants.terms], model: request.model, cohort: stage !== 'proven' },
    }
    market.set(seen)
  }
  return market
}

/** Prices move: another median now says nothing about then. */
function medianCheck({ said }: RoutingFacts, market: Market): Check {
  const [first] = said.sample
  if (said.lane === 'exploration' && first && said.median > 0 && first.msats > 2 * said.median)
    return check('median', false, 'Its newcomer asks more than two medians.')
  return market.median === said.median
    ? check('median', true, 'The median of the prices on these relays is the one that it compared with.')
    : check(
        'median',
        null,
        `It compared with ${said.median} msats; on these relays the median is ${market.median} now.`,
      )
}

function omissionCheck({ said, cut }: RoutingFacts, mine: Decision): Check {
  const name = 'omissions'
  const seen = new Set(said.sample.map(({ node }) => node))
  const newcomer = (lane: string) => (lane === 'exploration' ? 1 : 0)
  const whole = said.sample.length >= defaultParams.ring
  const last = said.sample.at(-1)
  const place = (node: string) => (positionOf(node) - said.start + 1) % 1
  const onArc = (node: string) => !whole || last === undefined || place(node) < place(last.node)
  const missing = mine.sample
    .slice(newcomer(mine.lane))
    .filter(({ node }) => !seen.has(node) && onArc(node))
    .map(({ node }) => node)
  if (missing.length > 0)
    return check(
      name,
      null,
      `Shown, and not held against it: ${count(missing.length, 'node')} on the arc that would do and ${missing.length === 1 ? 'is' : 'are'} not in the sample (${missing.slice(0, 4).map(brief).join(', ')}).`,
    )
  return cut
    ? check(name, null, 'The relays were not asked for everybody: there was no time.')
    : check(name, true, 'Nobody on these relays who would do is missing in the sample.')
}

function refusalCheck({ said, cut }: RoutingFacts, wants: Wants, mine: Decision): Check {
  const { code = '' } = said.refusal ?? {}
  const asked = presupposes[code]
  if (asked && !asked(wants))
    return check('refusal', false, `It refuses by "${code}", and the request sets no such condition.`)
  if (code === 'unpaid-fee') return check('refusal', null, 'Whether its fee was paid only router and customer know.')
  if (cut) return check('refusal', null, 'The relays were not asked for everybody: there was no time.')
  if (mine.order.length > 0)
    return check(
      'refusal',
      null,
      `Shown, and not held against it: ${brief(mine.order[0] ?? '')} would do by what these relays have now.`,
    )
  return mine.refusal?.code === code
    ? check('refusal', true, 'By what these relays have, the same request is refused for the same reason.')
    : check(
        'refusal',
        null,
        `It refuses by "${code}"; by what these relays have now the reason is "${mine.refusal?.code ?? ''}".`,
      )
}
