/**
 * The candidates of a routing event, held against what their nodes signed: announcements, leases, quotes; and against the
 * routing events of other routers that named them.
 * @module
 */
import {
  type Announcement,
  benchmark,
  type Event,
  handler,
  identifierOf,
  nodeState,
  type QuoteRequest,
  quote,
  type RoutedCandidate,
  routing,
} from '../../../kinds/index.ts'
import { keeps } from '../../client/conditions.ts'
import { askedMsats, askingOf, type Entry, openDirectory } from '../../ledger/index.ts'
import { brief, type Check, check, type Found, over, type Tools, unknown, wrong } from './check.ts'
import type { RoutingFacts } from './routing.ts'

/** Clocks of honest parties differ by no more than this. */
const SKEW_SECONDS = 60
/** A lease takes so long to reach a router. */
const HEARING_SECONDS = 10

export function candidateChecks(facts: RoutingFacts, request: QuoteRequest, _: Tools): Check[] {
  const own = facts.said.candidates.filter(({ via }) => via === undefined)
  const quoted = own.filter(one => one.quote !== undefined)
  const timed = own.filter(one => one.firstMs !== undefined)
  return [
    over(
      'announcements',
      own.map(one => announced(one, facts, request)),
      'Announcements are of the nodes that it names.',
    ),
    over(
      'prices',
      own.map(one => priced(one, facts, request)),
      'Prices are what the nodes said.',
    ),
    over(
      'terms',
      own.map(one => termed(one, facts)),
      'Terms are what the nodes said.',
    ),
    ...(quoted.length > 0
      ? [
          over(
            'quotes',
            quoted.map(one => offered(one, facts, request)),
            'Quotes are of the nodes that it names.',
          ),
        ]
      : []),
    ...(timed.length > 0
      ? [
          over(
            'speeds',
            timed.map(one => clocked(one, facts, request)),
            'Speeds are measured ones.',
          ),
        ]
      : []),
    ...viaChecks(facts),
  ]
}

/** The announcement that a candidate names, as its node signed it. */
function announcementOf(
  { node, announcement }: RoutedCandidate,
  { named }: RoutingFacts,
): { readonly event: Event; readonly value: Announcement } | undefined {
  const event = named.get(announcement)
  const read = event?.kind === handler.number && event.pubkey === node ? handler.read(event) : undefined
  return event && read?.ok ? { event, value: read.value } : undefined
}

function announced(one: RoutedCandidate, facts: RoutingFacts, request: QuoteRequest): Found {
  const { event, named } = facts
  const id = named.get(one.announcement)
  const who = brief(one.node)
  if (!id) return unknown(`${who}: the announcement that it names is not on these relays (it may have been replaced).`)
  const told = announcementOf(one, facts)
  if (!told) return wrong(`${who}: the announcement that it names is not of this node.`)
  const { value } = told
  if (value.id !== one.service) return wrong(`${who}: the announcement is of another service.`)
  if (told.event.created_at > event.created_at + SKEW_SECONDS) return wrong(`${who}: the announcement came later.`)
  if (!value.kinds.includes(request.kind)) return wrong(`${who} does not take such jobs.`)
  const conditions = { ...request, capMsats: request.capMsats ?? one.msats }
  const { terms, node, score } = one
  const broken = keeps({ node, announcement: value, score, terms }, conditions)
  if (broken !== undefined) return wrong(`${who}: ${broken}.`)
  const other =
    one.model !== undefined && value.models.length > 0 && !value.models.some(({ name }) => name === one.model)
  return other ? wrong(`${who} does not offer the model that it is named with.`) : undefined
}

/** The newest lease of the candidate's service. */
function leaseOf({ node, service }: RoutedCandidate, { market }: RoutingFacts): Event | undefined {
  return market
    .filter(one => one.kind === nodeState.number && one.pubkey === node && identifierOf(one) === service)
    .reduce<Event | undefined>(
      (newest, one) => (newest && newest.created_at >= one.created_at ? newest : one),
      undefined,
    )
}

/** A service as a router knows it from these events, at that time. */
function entryFrom(node: string, service: string, events: readonly Event[], at: number): Entry | undefined {
  const directory = openDirectory({ max: 1 })
  for (const event of events) directory.heard(event, at)
  return directory.get(node, service)
}

function priced(one: RoutedCandidate, facts: RoutingFacts, request: QuoteRequest): Found {
  if (one.quote !== undefined) return undefined
  const { event } = facts
  const { node, service, msats } = one
  const who = brief(node)
  const told = announcementOf(one, facts)
  const lease = leaseOf(one, facts)
  const asks = (events: readonly Event[], at: number): bigint | undefined => {
    const entry = entryFrom(node, service, events, at)
    return entry && askedMsats(askingOf(entry), { kind: request.kind, model: one.model ?? request.model })
  }
  if (!told) return unknown(`${who}: its price cannot be compared without its announcement.`)
  const posted = asks([told.event], event.created_at)
  // A lease that came just before may not have been heard.
  const heard = lease !== undefined && lease.created_at + HEARING_SECONDS <= event.created_at
  const leased = lease && asks([told.event, lease], Math.max(lease.created_at, heard ? event.created_at : 0))
  if (heard ? leased === msats : posted === msats || leased === msats) return undefined
  if (lease && !heard)
    return unknown(`${who} is named with ${msats} msats, asks ${leased} now, and has renewed its lease since then.`)
  if (posted === msats)
    return unknown(
      `${who} is named with the ${msats} msats that it announced and asked ${leased ?? 'no price'} in its lease.`,
    )
  return wrong(`${who} is named with ${msats} msats and asked ${(heard ? leased : posted) ?? 'no price'}.`)
}

function termed(one: RoutedCandidate, facts: RoutingFacts): Found {
  const bid = one.quote === undefined ? undefined : facts.named.get(one.quote)
  const read = bid && quote.read(bid)
  const said = announcementOf(one, facts)?.value.terms ?? []
  const expected = read?.ok && read.value.terms.length > 0 ? read.value.terms : said
  if (expected === said && !announcementOf(one, facts))
    return unknown(`${brief(one.node)}: its terms cannot be compared without its announcement.`)
  return expected.join() === one.terms.join()
    ? undefined
    : wrong(`${brief(one.node)} is named with other terms than its own.`)
}

function offered(one: RoutedCandidate, { event, named, said }: RoutingFacts, request: QuoteRequest): Found {
  const bid = one.quote === undefined ? undefined : named.get(one.quote)
  const who = brief(one.node)
  if (!bid) return unknown(`${who}: the quote that it names is not on these relays.`)
  const read = quote.read(bid)
  if (!read.ok || bid.pubkey !== one.node) return wrong(`${who}: the quote that it names is not of this node.`)
  const { to, kind, model, msats, firm, expiresAt } = read.value
  // Nodes are asked by the router in its own name.
  if (to !== event.pubkey && to !== said.to) return wrong(`${who}: the quote was given to somebody else.`)
  if (kind !== request.kind || (request.model !== undefined && (model ?? request.model) !== request.model))
    return wrong(`${who}: the quote is for other work.`)
  if (msats !== one.msats) return wrong(`${who} is named with ${one.msats} msats and quoted ${msats}.`)
  if (firm !== one.firm || expiresAt !== one.quoteExpiresAt)
    return wrong(`${who}: the quote holds otherwise than it says.`)
  if (expiresAt <= said.at) return wrong(`${who}: the quote had run out.`)
  return bid.created_at > event.created_at + SKEW_SECONDS ? wrong(`${who}: the quote came later.`) : undefined
}

/** A time to the first word that somebody measured or the node claimed. */
function clocked(one: RoutedCandidate, { market, event }: RoutingFacts, request: QuoteRequest): Found {
  const model = one.model ?? request.model ?? ''
  const all = market.flatMap(item => {
    const read = item.kind === benchmark.number ? benchmark.read(item) : undefined
    return read?.ok && read.value.node === one.node && read.value.kind === request.kind && read.value.model === model
      ? [{ ...read.value, at: item.created_at }]
      : []
  })
  if (all.some(({ firstMs, p95FirstMs }) => firstMs === one.firstMs && p95FirstMs === one.p95FirstMs)) return undefined
  return all.length > 0 && all.every(({ at }) => at + HEARING_SECONDS <= event.created_at)
    ? wrong(`${brief(one.node)} is named with a speed that nobody measured.`)
    : unknown(`${brief(one.node)}: the measurement of its speed is not on these relays.`)
}

/** What other routers named, in their own words. */
function viaChecks({ said, named }: RoutingFacts): Check[] {
  const others = said.candidates.filter(({ via }) => via !== undefined)
  if (others.length === 0 && said.via.length === 0) return []
  const events = said.via.flatMap(id => named.get(id) ?? [])
  const told = events.flatMap(event => {
    const read = event.kind === routing.number ? routing.read(event) : undefined
    return read?.ok ? [{ by: event.pubkey, value: read.value }] : []
  })
  if (events.length > told.length)
    return [check('via', false, 'It names something else as a routing event of another router.')]
  const found = others.map((one): Found => {
    const theirs = told.filter(({ by }) => by === one.via).flatMap(({ value }) => value.candidates)
    const same = theirs.find(({ node }) => node === one.node)
    if (same)
      return same.msats === one.msats && same.announcement === one.announcement
        ? undefined
        : wrong(`${brief(one.node)} was named otherwise by ${brief(one.via ?? '')}.`)
    return told.length < said.via.length
      ? unknown(`${brief(one.node)}: the routing event of ${brief(one.via ?? '')} is not on these relays.`)
      : wrong(`${brief(one.node)} was not named by ${brief(one.via ?? '')}.`)
  })
  return [over('via', found, 'Other routers named the candidates that it passes on.')]
}
