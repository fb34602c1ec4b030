/**
 * What a routing event has to pass before anybody is asked because of it: it is about our own request, it keeps our
 * conditions, its order is the one that its own inputs lead to, and each candidate is what its node itself announces.
 * @module
 */
import type { Announcement, Event, RoutedCandidate, Routing, TermsWord } from '../../kinds/index.ts'
import { handler, nodeState, ofKinds, present, quote } from '../../kinds/index.ts'
import { type Filter, query, type Relays } from '../../relays/relay.ts'
import { type AskedPrice, askedPrice, type StandardJob } from '../ledger/index.ts'
import { type Conditions, keeps } from './conditions.ts'
import { redecided } from './redecided.ts'

/** What a routing event itself, or the events that it names, give away as untrue. */
export interface Lie {
  readonly rule:
    | ('request' | 'params' | 'policy' | 'conditions' | 'announcement' | 'price' | 'quote')
    | ('start' | 'lane' | 'sample' | 'filter' | 'score' | 'order')
  readonly says: string
}

/** A candidate as its own node speaks of it. `msats` is what it asks for the whole job. */
export interface Vouched {
  readonly candidate: RoutedCandidate
  readonly announcement: Announcement
  readonly msats: bigint
  readonly terms: readonly TermsWord[]
  /** Id of its quote, where that is signed by the node and holds. */
  readonly quote?: string
}

export type Checked = { readonly ok: true; readonly vouched: readonly Vouched[] } | ({ readonly ok: false } & Lie)

export interface CheckOptions {
  readonly relays: Relays
  /** Our own request, as signed, and what it asks. */
  readonly request: Event
  readonly conditions: Conditions
  verify(event: Event): boolean
  readonly now: number
  /** When the router said it, unix seconds. */
  readonly saidAt: number
}

const lie = (rule: Lie['rule'], says: string) => ({ ok: false, rule, says }) as const

/** What can be told from the routing event alone. `undefined`: nothing is wrong. */
export function lieOf(
  said: Routing,
  request: Event,
  conditions: Conditions,
  verify: (event: Event) => boolean,
): Lie | undefined {
  const { asked, to } = said
  // The id is the hash of everything but the signature, which is another one each time that the same is signed.
  const ours = asked !== undefined && asked.id === request.id && (asked.sig === request.sig || verify(asked))
  if (said.request !== request.id || to !== request.pubkey || !ours)
    return lie('request', 'It does not embed the request that was asked.')
  const own = said.candidates.filter(one => one.via === undefined)
  const others = said.candidates.slice(own.length)
  if (others.some(one => one.via === undefined)) return lie('order', 'Nodes of other routers stand before its own.')
  for (const one of said.candidates) {
    if (one.msats > conditions.capMsats)
      return lie('conditions', `It names a node that asks ${one.msats} msats where ${conditions.capMsats} are allowed.`)
    const wrong = keeps({ node: one.node, score: one.score, terms: one.terms }, conditions)
    if (wrong) return lie('conditions', `It names a node that was ruled out: ${wrong}.`)
  }
  return redecided(said)
}

/**
 * Looks up what the nodes themselves say. Whoever announced something else since then is taken at its newest word, and
 * left out where that breaks the conditions: only what contradicts the very events that the router names is a lie.
 */
export async function checkRouting(said: Routing, options: CheckOptions, signal?: AbortSignal): Promise<Checked> {
  const { relays, request, conditions, verify } = options
  const wrong = lieOf(said, request, conditions, verify)
  if (wrong) return { ok: false, ...wrong }
  if (said.candidates.length === 0) return { ok: true, vouched: [] }
  const events = await query(relays, filtersFor(said), signal)
  const vouched: Vouched[] = []
  for (const candidate of said.candidates) {
    const found = vouch(candidate, events, conditions, options)
    if (found && 'rule' in found) return { ok: false, ...found }
    if (found) vouched.push(found)
  }
  return { ok: true, vouched }
}

function filtersFor({ candidates }: Routing): Filter[] {
  const authors = candidates.map(({ node }) => node)
  const ids = candidates.flatMap(({ announcement, quote: bid }) => (bid ? [announcement, bid] : [announcement]))
  return [{ ids }, ofKinds([handler.number, nodeState.number], { authors })]
}

function vouch(
  candidate: RoutedCandidate,
  events: readonly Event[],
  conditions: Conditions,
  { now, saidAt }: CheckOptions,
): Vouched | Lie | undefined {
  const { node, announcement: id } = candidate
  const named = events.find(event => event.id === id)
  if (named && (named.kind !== handler.number || named.pubkey !== node))
    return lie('announcement', 'The announcement that it names is not of the node that it names.')
  const newest = events.find(event => event.kind === handler.number && event.pubkey === node)
  const read = (named ?? newest) && handler.read(named ?? (newest as Event))
  if (!read?.ok) return undefined
  const { value } = read
  if (!value.kinds.includes(conditions.kind))
    return named ? lie('announcement', 'It names a node that does not do such jobs.') : undefined
  const quoted = bidOf(candidate, events, now)
  if (quoted && 'rule' in quoted) return quoted
  const bid = quoted?.firm ? quoted : undefined
  // Routers count the same tokens for everybody.
  const job = { kind: conditions.kind, model: conditions.model ?? candidate.model }
  const price = askedPrice(value, job)
  const announced = price?.unit === 'job' ? price.msats : undefined
  const lease = leaseOf(node, events, job)
  // A lease is written anew every minute or so: the router may have seen the one before.
  const fresh = lease !== undefined && lease.at + seenSeconds > saidAt
  const unsaid = named === undefined || announced === undefined || fresh
  const metered = (lease?.price ?? price)?.metered !== undefined
  // Where tokens are counted a quote is an indication, and the price that its node says.
  const indicated = metered ? quoted?.msats : undefined
  const asked = [announced, lease?.msats, indicated].filter(one => one !== undefined)
  if (!bid && !unsaid && !asked.includes(candidate.msats))
    return lie('price', `It says ${candidate.msats} msats where the node asks ${asked.join(' or ')}.`)
  const msats = bid?.msats ?? (asked.includes(candidate.msats) ? candidate.msats : (announced ?? candidate.msats))
  const terms = value.terms ?? ['before']
  const wrong = msats > conditions.capMsats || keeps({ node, announcement: value, terms }, conditions) !== undefined
  if (wrong && named && !fresh) return lie('conditions', 'It names a node whose announcement breaks a condition.')
  if (wrong) return undefined
  // A job's price by its tokens is known only once it is billed: its cap is all that can be said before.
  const { priceMsats: _, ...open } = value
  const priced: Announcement = metered && !bid ? open : { ...value, priceMsats: msats }
  return { candidate, announcement: priced, msats, terms, ...(bid ? { quote: bid.id } : {}) }
}

/** How long a router may take to hear of a lease. */
const seenSeconds = 10

/** What a node asks right now, by its newest lease. */
function leaseOf(
  node: string,
  events: readonly Event[],
  job: StandardJob,
): { readonly at: number; readonly msats?: bigint; readonly price?: AskedPrice } | undefined {
  const event = events.find(one => one.kind === nodeState.number && one.pubkey === node)
  const read = event && nodeState.read(event)
  if (!event || !read?.ok) return undefined
  const price = askedPrice({ lease: read.value.prices }, job)
  const msats = price?.unit === 'job' ? price.msats : undefined
  return { at: event.created_at, ...present({ msats, price }) }
}

/** A quote counts only as the node's own word. */
function bidOf(
  { node, quote: id, msats }: RoutedCandidate,
  events: readonly Event[],
  now: number,
): { readonly id: string; readonly msats: bigint; readonly firm: boolean } | Lie | undefined {
  const event = id === undefined ? undefined : events.find(one => one.id === id)
  if (!event || id === undefined) return undefined
  const read = quote.read(event)
  if (event.pubkey !== node || !read.ok)
    return lie('quote', 'The quote that it names is not of the node that it names.')
  if (read.value.msats !== msats)
    return lie('quote', `It says ${msats} msats where the node quotes ${read.value.msats}.`)
  return read.value.expiresAt > now ? { id, msats, firm: read.value.firm } : undefined
}
