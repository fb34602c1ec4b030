/**
 * Candidates by another router's word, held against the word of their nodes: whoever passes them on answers for it that
 * they were really announced, at that price.
 * @module
 */
import {
  type Event,
  handler,
  nodeState,
  ofKinds,
  type QuoteRequest,
  quote,
  type RoutedCandidate,
} from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'
import { askedMsats } from '../ledger/index.ts'

/** Those whose nodes announce what is said of them and keep the request; asks the relays once. Never rejects. */
export async function vouchedFor<C extends RoutedCandidate>(
  candidates: readonly C[],
  request: QuoteRequest,
  now: number,
  relays: Relays,
  signal: AbortSignal,
): Promise<C[]> {
  const fit = candidates.filter(one => fits(one, request))
  if (fit.length === 0) return []
  const ids = fit.flatMap(({ announcement, quote: bid }) => (bid === undefined ? [announcement] : [announcement, bid]))
  const authors = fit.map(({ node }) => node)
  const events = await query(relays, [{ ids }, ofKinds([nodeState.number], { authors })], signal)
  return fit.filter(one => isSaid(one, request, events, now))
}

/** Nobody here verified a score, so where one is asked for there is nobody to pass on. */
function fits({ node, msats, terms }: RoutedCandidate, request: QuoteRequest): boolean {
  const { capMsats, allow, deny, minScore = 0, terms: wished } = request
  const takes = !wished || (terms.length === 0 ? wished.word === 'before' : terms.includes(wished.word))
  const may = !deny.includes(node) && (allow.length === 0 || allow.includes(node))
  return takes && may && minScore === 0 && (capMsats === undefined || msats <= capMsats)
}

function isSaid(one: RoutedCandidate, { kind }: QuoteRequest, events: readonly Event[], now: number): boolean {
  const { node, msats } = one
  const announcement = events.find(event => event.id === one.announcement && event.pubkey === node)
  const read = announcement && handler.read(announcement)
  if (!read?.ok || !read.value.kinds.includes(kind)) return false
  if (one.quote !== undefined) {
    const event = events.find(({ id, pubkey }) => id === one.quote && pubkey === node)
    const bid = event && quote.read(event)
    return bid?.ok === true && bid.value.kind === kind && bid.value.msats === msats && bid.value.expiresAt > now
  }
  const lease = events.find(event => event.pubkey === node && event.kind === nodeState.number)
  const state = lease && nodeState.read(lease)
  const { prices = [], priceMsats } = read.value
  const leased = state?.ok ? state.value.prices : []
  if (msats === priceMsats || [...prices, ...leased].some(row => row.kind === kind && row.msats === msats)) return true
  const job = { kind, model: one.model }
  return [leased, []].some(rows => askedMsats({ prices, priceMsats, lease: rows }, job) === msats)
}
