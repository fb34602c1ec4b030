/**
 * Scores of a routing event, folded from its router's log: to the digit where the log says all, within bounds where the
 * router measured something itself.
 * @module
 */
import type { Factors } from '../../../kinds/index.ts'
import { defaultParams, type Ledger, paramsHash, productOf, type Standing } from '../../ledger/index.ts'
import { openStakes } from '../../router/stakes.ts'
import { brief, type Check, check, count, type Found, over, unknown, wrong } from './check.ts'
import type { RoutingFacts } from './routing.ts'

const sixth = 6e-7
const { latencyFloor, stakeMost } = defaultParams
/** What a node without a measured round trip gets. */
const neutral = latencyFloor + (1 - latencyFloor) / 2

/** A node's standing by the log alone: no stake, no round trip. */
export const standingOf = (ledger: Ledger, node: string, kind: number, model: string, at: number): Standing =>
  ledger.standing(node, kind, model, { at, stakeUnits: 0, stakeRef: 0 })

/** What differs in factors that the log alone decides. */
export function factorsDiffer(said: Factors, found: Factors): string | undefined {
  for (const name of ['R', 'V', 'Q', 'T'] as const)
    if (said[name] !== found[name]) return `${name} is ${said[name]} where the log comes to ${found[name]}`
  return undefined
}

export function scoreChecks(facts: RoutingFacts): Check[] {
  const { said, folded, request } = facts
  const own = said.candidates.filter(({ via }) => via === undefined)
  const at = (name: string, ok: false | null, says: string) => check(name, ok, says)
  const names = ['log', 'factors', 'stages', 'sample-scores']
  const rest = [latencyCheck(own), stakeCheck(facts)]
  if (!request?.ok) return names.map(name => at(name, null, 'Not without its request.'))
  if (!('ledger' in folded)) return [...names.map(name => at(name, folded.ok, folded.says)), ...rest]
  if (said.params !== paramsHash(defaultParams))
    return [...names.map(name => at(name, null, 'Not without its parameters.')), ...rest]
  const { kind, model } = request.value
  const { ledger } = folded
  const standing = (node: string, of = model) => standingOf(ledger, node, kind, of ?? '', said.at)
  const logs = own.map(({ node, log }): Found => {
    if (log !== said.seq - 1) return wrong(`${brief(node)} is folded to entry ${log}, its log goes to ${said.seq - 1}.`)
    return ledger.seq === log ? undefined : wrong(`The log ends with entry ${ledger.seq}, not ${log}.`)
  })
  const factors = own.map(({ node, model: of, score, factors: given }): Found => {
    const found = standing(node, of ?? model).factors
    const differs = factorsDiffer(given, found)
    const { K, L } = given
    // What does not move the last digit of a score decides nothing.
    if (differs && productOf({ ...found, K, L }) === score && productOf(given) === score)
      return unknown(`${brief(node)}: its score comes out of the log to the digit, and ${differs}.`)
    if (differs) return wrong(`${brief(node)}: ${differs}.`)
    return productOf(given) === score ? undefined : wrong(`${brief(node)}: its factors do not come to its score.`)
  })
  const stages = own.map(({ node, model: of, stage }): Found => {
    const found = standing(node, of ?? model).stage
    return stage === found ? undefined : wrong(`${brief(node)} is called ${stage}, the log says ${found}.`)
  })
  return [
    over('log', logs, `The log was fetched and folded to entry ${said.seq - 1}.`),
    over('factors', factors, 'Factors and scores of the candidates come out of the log, to the digit.'),
    over(
      'stages',
      [...stages, ...laneFound(facts, request.value.allow.length > 0, node => standing(node).stage)],
      'Stages come out of the log.',
    ),
    sampleCheck(facts, node => standing(node)),
    ...rest,
  ]
}

/** Whether those in the sample may be in its lane. */
function laneFound({ said }: RoutingFacts, named: boolean, stageOf: (node: string) => string): Found[] {
  const { lane, sample, policy } = said
  const preferring = /(^|\|)(local|prefer)(\||$)/.test(policy)
  return sample.map(({ node, own }, i): Found => {
    const stage = stageOf(node)
    if (stage === 'banned' || stage === 'ejected')
      return wrong(`${brief(node)} is in the sample, the log says ${stage}.`)
    if (lane === 'bootstrap' && stage === 'proven')
      return wrong(`${brief(node)} is proven by the log: nobody else should have been drawn.`)
    if (lane === 'exploration' && i === 0 && stage === 'proven') return wrong('Its newcomer is proven by the log.')
    // Customers who name the nodes themselves get those, proven or not, and so do operators.
    const free = named || (preferring && own === true) || lane === 'bootstrap' || (lane === 'exploration' && i === 0)
    return free || stage === 'proven'
      ? undefined
      : wrong(`${brief(node)} is in a sample of proven nodes, the log says ${stage}.`)
  })
}

function sampleCheck({ said }: RoutingFacts, standing: (node: string) => Standing): Check {
  const named = new Set(said.candidates.map(({ node }) => node))
  let bounded = 0
  for (const { node, score, K = 1, L } of said.sample) {
    if (named.has(node)) continue
    const { factors, score: alone } = standing(node)
    const expected = L === undefined ? alone : productOf({ ...factors, K, L })
    if (score === expected && inBounds(K, L)) continue
    if (L !== undefined)
      return check('sample-scores', false, `${brief(node)} has score ${score} in the sample, it comes to ${expected}.`)
    const bare = { ...factors, K: 1, L: 1 }
    const least = productOf({ ...bare, L: latencyFloor })
    const most = productOf({ ...bare, K: 1 + stakeMost })
    if (score < least - sixth || score > most + sixth)
      return check(
        'sample-scores',
        false,
        `${brief(node)} has score ${score} in the sample, the log comes to ${expected}.`,
      )
    bounded++
  }
  return bounded === 0
    ? check('sample-scores', true, 'Scores in the sample come out of the log, to the digit.')
    : check(
        'sample-scores',
        null,
        `${count(bounded, 'score')} in the sample may hold a round trip or stake that is not published: ${bounded === 1 ? 'it lies' : 'they lie'} within what those can change.`,
      )
}

const inBounds = (K: number, L: number = neutral): boolean =>
  K >= 1 && K <= 1 + stakeMost + sixth && L >= latencyFloor - sixth && L <= 1 + sixth

type Own = RoutingFacts['said']['candidates']

/** A round trip is the router's own measurement: its factors must fit one median at least. */
function latencyCheck(own: Own): Check {
  const misfit = misfitOf(own, () => sixth)
  if (misfit === undefined) {
    const measured = own.filter(({ rttMs }) => rttMs !== undefined).length
    return check(
      'latency',
      true,
      measured === 0
        ? 'No round trip counts.'
        : `Round trips are the router’s own measurements: all ${measured} fit one median.`,
    )
  }
  // What does not move the last digit of a score decides nothing.
  const hidden = misfitOf(own, ({ score, factors: { L } }) => sixth + (score > 0 ? (1e-6 * L) / score : 1))
  return check('latency', hidden === undefined ? null : false, misfit)
}

/** Why L and round trips of the candidates fit no median, when each L may be off by so much. */
function misfitOf(own: Own, slack: (one: Own[number]) => number): string | undefined {
  let [low, high] = [0, Number.POSITIVE_INFINITY]
  for (const one of own) {
    const { node, rttMs, factors } = one
    const { L } = factors
    const off = slack(one)
    const who = brief(node)
    if (rttMs === undefined) {
      if (Math.abs(L - neutral) > off) return `${who}: L is ${L} without a measured round trip.`
      continue
    }
    if (L < latencyFloor - sixth || L > 1 + sixth) return `${who}: L is ${L}, outside its bounds.`
    const [least, most] = [ratioOf(L + off), ratioOf(L - off)]
    low = Math.max(low, most === Number.POSITIVE_INFINITY ? 0 : Math.max(0, rttMs - 0.5) / most)
    high = Math.min(high, least <= 0 ? Number.POSITIVE_INFINITY : (rttMs + 0.5) / least)
    if (low > high) return `${who}: a round trip of ${rttMs} ms and L ${L} fit no median that fits the others.`
  }
  return undefined
}

/** Round trip to median that gives this factor. */
const ratioOf = (L: number): number =>
  L <= latencyFloor ? Number.POSITIVE_INFINITY : Math.max(0, (1 - latencyFloor) / (L - latencyFloor) - 1)

/** Stake is no part of the log: it must be on the relays, and count alike for all. */
function stakeCheck({ said, market, event }: RoutingFacts): Check {
  const own = said.candidates.filter(({ via }) => via === undefined)
  const stakes = openStakes(defaultParams, judge => judge === event.pubkey)
  for (const one of market) stakes.heard(one)
  const named = new Set(own.map(({ node }) => node))
  const sampled = said.sample.filter(({ node }) => !named.has(node)).map(({ node, K = 1 }) => ({ node, K }))
  const all = [...own.map(({ node, factors }) => ({ node, K: factors.K })), ...sampled]
  return stakesFit(all.map(one => ({ ...one, units: stakes.unitsOf(one.node, said.at) })))
}

/** Whether stake factors fit units at stake and one reference. */
export function stakesFit(
  all: readonly { readonly node: string; readonly K: number; readonly units: number }[],
): Check {
  const counted = all.filter(({ K }) => K !== 1)
  if (counted.length === 0) return check('stake', true, 'No stake counts.')
  let [low, high] = [0, Number.POSITIVE_INFINITY]
  const found = counted.map(({ node, K, units }): Found => {
    if (K < 1 || K > 1 + stakeMost + sixth) return wrong(`${brief(node)}: K is ${K}, outside its bounds.`)
    if (units <= 0) return unknown(`${brief(node)}: K is ${K}, and no bond of it is on these relays.`)
    const bonus = K - 1
    if (bonus < stakeMost - sixth) low = Math.max(low, (units * stakeMost) / (bonus + sixth))
    high = Math.min(high, bonus > stakeMost - sixth ? units : (units * stakeMost) / (bonus - sixth))
    return low > high ? wrong(`${brief(node)}: its stake counts otherwise than that of others.`) : undefined
  })
  return over('stake', found, 'Stake factors fit the bonds on these relays.')
}
