/**
 * A routing event (4631): what is fetched for it, and what is tried with that. The decision is made again over the
 * published sample, scores are folded from the router's log, and candidates are held against what their nodes say.
 * @module
 */
import {
  about,
  addressedTo,
  benchmark,
  bond,
  bondEntry,
  type Event,
  faultVerdict,
  handler,
  heartbeat,
  named,
  nodeState,
  offering,
  ofKinds,
  priceSheet,
  type QuoteRequest,
  quoteRequest,
  type Read,
  type Routing,
  routing,
} from '../../../kinds/index.ts'
import { fromHex, sha256Hex } from '../../hash.ts'
import { defaultParams, paramsHash } from '../../ledger/index.ts'
import { readInvoice } from '../../payments/bolt11.ts'
import { policyOf, redecided } from '../../router/fault-tools.ts'
import { candidateChecks } from './candidates.ts'
import { type Check, check, type Tools } from './check.ts'
import type { Finder } from './finder.ts'
import { chainChecks, type Folded, foldLinks, type Lineage, lineageOf, type Place } from './lineage.ts'
import { omissionChecks } from './omission.ts'
import { scoreChecks } from './scored.ts'

/** Everything that is known about one routing event. */
export interface RoutingFacts {
  readonly event: Event
  readonly said: Routing
  readonly request: Read<QuoteRequest> | undefined
  readonly lineage: Lineage
  readonly folded: Folded | { readonly ok: false | null; readonly says: string }
  /** Announcements, quotes and other routers' events that it names, by id. */
  readonly named: ReadonlyMap<string, Event>
  /** Announcements, leases and benchmarks of whoever offers this work, and bonds of the candidates. */
  readonly market: readonly Event[]
  readonly sheet: Event | undefined
  readonly cut: boolean
}

const mostOffers = 2_000

/** Fetches what a routing event rests on. */
export async function gatherRouting(event: Event, said: Routing, finder: Finder): Promise<RoutingFacts> {
  const request = said.asked && quoteRequest.read(said.asked)
  const place = placeOf(event, said)
  const lineage = await lineageOf(place, finder)
  const nodes = [...new Set([...said.candidates, ...said.sample].map(({ node }) => node))]
  const ids = said.candidates.flatMap(({ announcement, quote }) => [announcement, ...(quote ? [quote] : [])])
  const found = await finder.all([...ids, ...said.via])
  const market: Event[] = []
  if (nodes.length > 0)
    market.push(
      ...(await finder.find(
        [ofKinds([handler.number, nodeState.number, heartbeat.number], { authors: nodes })],
        2_000,
      )),
    )
  if (request?.ok) {
    const { kind } = request.value
    market.push(...(await finder.everything(offering(kind, [handler.number]), mostOffers)))
    const others = [...new Set(market.map(({ pubkey }) => pubkey))].filter(node => !nodes.includes(node))
    for (let at = 0; at < others.length; at += 100)
      market.push(
        ...(await finder.find(
          [ofKinds([nodeState.number, heartbeat.number], { authors: others.slice(at, at + 100) })],
          2_000,
        )),
      )
    const timed = said.candidates.filter(({ firstMs }) => firstMs !== undefined)
    const names = timed.map(({ node, model }) => `${node}:${kind}:${model ?? request.value.model ?? ''}`)
    if (names.length > 0) market.push(...(await finder.find([named(names, [benchmark.number])])))
  }
  const staked = said.candidates.filter(({ factors }) => factors.K !== 1).map(({ node }) => node)
  if (staked.length > 0)
    market.push(
      ...(await finder.find([
        ofKinds([bond.number, bondEntry.number], { authors: staked }),
        addressedTo(staked, [faultVerdict.number], { authors: [event.pubkey] }),
      ])),
    )
  const again = await finder.find([about([said.request], [routing.number], { authors: [event.pubkey] })], 20)
  const [sheet] = await finder.find([ofKinds([priceSheet.number], { authors: [event.pubkey], limit: 1 })], 8)
  const twins = [...lineage.twins, ...again.filter(other => other.id !== event.id)]
  const whole = { ...lineage, twins: [...new Map(twins.map(one => [one.id, one])).values()] }
  return {
    ...{ event, said, request, lineage: whole, folded: foldLinks(lineage), named: found, market, sheet },
    cut: finder.cut,
  }
}

/** Tries everything. Pure but for the judge of equivocation, who may be slow. */
export async function routingChecks(facts: RoutingFacts, tools: Tools): Promise<Check[]> {
  const { event, said, request, lineage } = facts
  const place = { ...placeOf(event, said), seed: said.seed, commit: said.commit }
  return [
    requestCheck(facts, tools),
    timeCheck(facts),
    ...(await chainChecks(place, event, lineage, tools)),
    ...sheetChecks(facts),
    ...decisionChecks(facts),
    ...scoreChecks(facts),
    ...(request?.ok ? candidateChecks(facts, request.value, tools) : []),
    ...(request?.ok ? omissionChecks(facts, request.value, tools) : []),
    ...feeChecks(said),
  ]
}

const placeOf = (event: Event, { seq, prev }: Routing): Place => ({
  ...{ router: event.pubkey, seq, prev, id: event.id, at: event.created_at },
})

function requestCheck({ event, said, request }: RoutingFacts, { verify }: Tools): Check {
  const no = (says: string) => check('request', false, says)
  const { asked } = said
  if (!asked || !request)
    return check('request', null, 'It does not embed the request, and requests are kept by no relay.')
  if (!verify(asked)) return no('Nobody signed the request that it embeds.')
  if (!request.ok) return no(`The request that it embeds cannot be read: ${request.says}`)
  const { to, expiresAt } = request.value
  if (to.length > 0 && !to.includes(event.pubkey)) return no('The request was put to others.')
  if (expiresAt <= said.at) return no('The request had expired.')
  return check('request', true, 'It embeds the request, signed by who asked and put to this router.')
}

/** Scores are of the minute in which it was signed. */
function timeCheck({ event, said: { at, asked } }: RoutingFacts): Check {
  const lag = event.created_at - at
  const fits =
    at % 60 === 0 && lag >= 0 && lag <= 120 && (asked === undefined || asked.created_at <= event.created_at + 60)
  return check(
    'time',
    fits,
    fits ? 'It was decided in the minute in which it was signed.' : 'It was not decided when it was signed.',
  )
}

/** What the price sheet of the router had bound. */
function sheetChecks({ said, sheet }: RoutingFacts): Check[] {
  const read = sheet && priceSheet.read(sheet)
  if (!read?.ok) return []
  const { seq, hash } = read.value.commit
  const shown = seq === said.seq ? sha256Hex(fromHex(said.seed)) : seq === said.seq + 1 ? said.commit : undefined
  if (shown === undefined) return []
  const fits = shown === hash
  return [check('sheet', fits, fits ? 'Its price sheet bound the same seed.' : 'Its price sheet bound another seed.')]
}

const parts: readonly { readonly name: string; readonly rules: readonly string[]; readonly says: string }[] = [
  { name: 'start', rules: ['start'], says: 'The dice point to where it began.' },
  { name: 'lane', rules: ['lane'], says: 'The dice and the request allow its lane.' },
  {
    name: 'sample',
    rules: ['sample', 'filter'],
    says: 'The sample is in the order of the ring and keeps the conditions.',
  },
  { name: 'price-and-score', rules: ['score'], says: 'Candidates have the price and score of the sample.' },
  { name: 'order', rules: ['order'], says: 'Dice and sample lead to its order.' },
]

function decisionChecks({ said, request }: RoutingFacts): Check[] {
  const known = said.params === paramsHash(defaultParams)
  const params = check(
    'params',
    known ? true : null,
    known ? 'Its parameters are known.' : 'It decided with parameters that are not known here.',
  )
  const policy = policyOf(said.policy)
  const again = redecided(said)
  if (!again) {
    const says = !known
      ? 'Not without its parameters.'
      : !policy
        ? `The policy "${said.policy.slice(0, 32)}" is not known here.`
        : request?.ok
          ? 'It cannot be decided again.'
          : 'Not without its request.'
    return [params, ...parts.map(({ name }) => check(name, null, says))]
  }
  return [
    params,
    ...parts.map(({ name, rules, says }) => {
      const fault = again.faults.find(({ rule }) => rules.includes(rule))
      return check(name, fault === undefined, fault ? `It does not come out again: ${fault.says}.` : says)
    }),
  ]
}

function feeChecks({ fee }: Routing): Check[] {
  if (fee?.bolt11 === undefined) return []
  const read = readInvoice(fee.bolt11)
  const fits = read.ok && read.invoice.msats === fee.msats
  return [
    check(
      'fee',
      fits,
      fits ? 'The bill asks for the fee that it names.' : 'The bill does not ask for the fee that it names.',
    ),
  ]
}
