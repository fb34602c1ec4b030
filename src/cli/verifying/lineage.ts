/**
 * The chain of a router up to one entry: fetched page by page, followed from entry to entry before, and folded with the
 * code of the router itself.
 * @module
 */
import { attestation, type Event, ofKinds, routing } from '../../../kinds/index.ts'
import { fromHex, sha256Hex } from '../../hash.ts'
import { defaultParams, verifyFault } from '../../ledger/index.ts'
import { faultTools } from '../../router/fault-tools.ts'
import { type Memory, openMemory } from '../../router/memory.ts'
import { brief, type Check, check, count, type Tools } from './check.ts'
import { type Finder, pageSize } from './finder.ts'

/** One entry of a router's chain. */
export interface Link {
  readonly event: Event
  readonly seq: number
  readonly prev: string
  readonly seed?: string | undefined
  readonly commit?: string | undefined
}

/** What the relays have of a chain before a place. */
export interface Lineage {
  /** By number; the last one is the entry before the place. */
  readonly links: readonly Link[]
  /** From entry 0 on. */
  readonly complete: boolean
  /** Other entries of this router at the same place, or routes of it for the same request. */
  readonly twins: readonly Event[]
  /** Entries that name the one at the place as the entry before. */
  readonly next: readonly Link[]
  /** The relays were not asked for all. */
  readonly cut: boolean
}

export interface Place {
  readonly router: string
  readonly seq: number
  readonly prev: string
  /** The entry at the place, where there is one already. */
  readonly id?: string
  /** When it was signed, unix seconds. */
  readonly at: number
}

const mostPages = 200
const mostSteps = 256
/** A second entry at a place is looked for so long after the first. */
const aheadSeconds = 86_400

/** The place of an event in its author's chain, `undefined` for what is no entry. */
export function linkOf(event: Event): Link | undefined {
  if (event.kind === routing.number) {
    const read = routing.read(event)
    if (!read.ok) return undefined
    const { seq, prev, seed, commit } = read.value
    return { event, seq, prev, seed, commit }
  }
  const read = event.kind === attestation.number ? attestation.read(event) : undefined
  if (!read?.ok) return undefined
  // The seed in a label is the beacon of an audit and none of the chain.
  const { seq, prev, commit } = read.value
  return { event, seq, prev, commit }
}

/** Fetches the chain before a place. */
export async function lineageOf(place: Place, finder: Finder, pages = mostPages): Promise<Lineage> {
  const { router, at } = place
  const links = new Map<string, Link>()
  const take = (events: Iterable<Event>): number => {
    const before = links.size
    for (const event of events) {
      const link = event.pubkey === router && !links.has(event.id) ? linkOf(event) : undefined
      if (link) links.set(event.id, link)
    }
    return links.size - before
  }
  const page = (until: number) =>
    finder.find([ofKinds([attestation.number, routing.number], { authors: [router], until, limit: pageSize })], 5_000)
  let missing = missingOf(place, links)
  let until = at + aheadSeconds
  for (let asked = 0; asked < pages && !finder.cut; asked++) {
    const events = await page(until)
    const fresh = take(events)
    missing = missingOf(place, links)
    if (events.length === 0 || missing === undefined) break
    // Several relays: all that is newer than the last of a whole page was seen.
    const oldest = (events[pageSize - 1] ?? events.at(-1))?.created_at ?? 0
    until = fresh === 0 || oldest >= until ? Math.min(oldest, until) - 1 : oldest
    if (until < 0) break
  }
  // More entries of one second than a relay gives at a time, or relays that have different ones.
  for (let steps = 0; steps < mostSteps && missing !== undefined && !finder.cut; steps++) {
    const found = (await finder.all([missing])).get(missing)
    if (!found || take([found]) === 0) break
    take(await page(found.created_at))
    missing = missingOf(place, links)
  }
  const chain = followed(place, links)
  const all = [...links.values()]
  return {
    links: chain,
    complete: missing === undefined,
    twins: all.flatMap(({ event, seq }) => (seq === place.seq && event.id !== place.id ? [event] : [])),
    next: place.id === undefined ? [] : all.filter(({ prev }) => prev === place.id),
    cut: finder.cut,
  }
}

/** From the place backwards, by the ids that entries name. */
function followed(place: Place, links: ReadonlyMap<string, Link>): Link[] {
  const chain: Link[] = []
  for (let next = links.get(place.prev); next && chain.length <= links.size; next = links.get(next.prev))
    chain.push(next)
  return chain.reverse()
}

/** Id of the first entry, going backwards, that is not there; `undefined` when the chain begins. */
function missingOf(place: Place, links: ReadonlyMap<string, Link>): string | undefined {
  let wanted = place.prev
  for (let steps = 0; wanted !== '' && steps <= links.size; steps++) {
    const link = links.get(wanted)
    if (!link) return wanted
    wanted = link.prev
  }
  return wanted === '' ? undefined : wanted
}

/** The router's own memory of a chain. */
export interface Folded extends Memory {
  /** Customers that paid the router's fee before they were answered. */
  readonly paid: readonly string[]
}

/** Folds a whole chain; or says why that cannot be done, or what does not follow in it. */
export function foldLinks({ links, complete }: Lineage): Folded | { readonly ok: false | null; readonly says: string } {
  if (!complete) {
    const first = links[0]
    return {
      ok: null,
      says: first
        ? `The log cannot be folded: entry ${first.seq - 1} is not on these relays.`
        : 'The log cannot be folded: the entry before is not on these relays.',
    }
  }
  const memory = openMemory(defaultParams)
  const paid: string[] = []
  for (const { event, seq } of links) {
    const trouble: string[] = []
    memory.take(event, { paidFee: customer => void paid.push(customer), trouble: says => void trouble.push(says) })
    if (trouble.length > 0 || memory.ledger.seq !== seq || memory.ledger.id !== event.id)
      return { ok: false, says: `The log breaks: ${trouble[0] ?? `entry ${event.id} is out of its place`}.` }
  }
  return { ...memory, paid }
}

/** Whether an entry stands where it says: after the entry before, whose commitment its seed opens, and alone. */
export async function chainChecks(
  place: Place & { readonly seed?: string; readonly commit?: string; readonly request?: string },
  event: Event,
  lineage: Lineage,
  tools: Tools,
): Promise<Check[]> {
  const checks = [chainCheck(place, lineage), await alone(place.router, event, lineage, tools)]
  const opened = lineage.next.find(({ seed }) => seed !== undefined)
  if (opened?.seed !== undefined && place.commit !== undefined) {
    const bound = sha256Hex(fromHex(opened.seed)) === place.commit
    checks.push(
      check(
        'commit',
        bound,
        bound ? 'The next entry revealed the seed that it committed to.' : 'The next entry reveals another seed.',
      ),
    )
  }
  return checks
}

function chainCheck({ seq, prev, seed }: Place & { readonly seed?: string }, { links, cut }: Lineage): Check {
  if (seq === 0)
    return check(
      'chain',
      prev === '',
      prev === '' ? 'It is the first entry of its log: nothing is before it.' : 'The first entry names one before it.',
    )
  const before = links.at(-1)
  if (prev === '') return check('chain', false, `It has number ${seq} and names no entry before it.`)
  if (!before)
    return check(
      'chain',
      null,
      `Entry ${seq - 1}, ${brief(prev)}, is not on these relays${cut ? ' or came too late' : ''}.`,
    )
  if (before.seq !== seq - 1)
    return check('chain', false, `The entry that it names before it has number ${before.seq}, not ${seq - 1}.`)
  if (seed === undefined) return check('chain', true, `It follows entry ${before.seq}.`)
  if (before.commit === undefined) return check('chain', false, 'The entry before committed to no seed.')
  return sha256Hex(fromHex(seed)) === before.commit
    ? check('chain', true, `It follows entry ${before.seq}, which committed to its seed.`)
    : check('chain', false, 'Its seed is not the one that the entry before committed to.')
}

async function alone(router: string, event: Event, { twins, cut }: Lineage, tools: Tools): Promise<Check> {
  for (const twin of twins) {
    const evidence = { rule: 'E1', accused: router, events: [event, twin], opened: {}, says: '' }
    const { ok } = await verifyFault(evidence, faultTools(tools.verify))
    if (ok)
      return check(
        'alone',
        false,
        `${twin.id} says something else in its place: both together are evidence of equivocation (E1).`,
      )
  }
  return cut
    ? check('alone', null, 'The relays were not asked for the whole log: there was no time.')
    : check('alone', true, 'Nothing else of this author stands in its place.')
}

/** `3 entries folded`, for people. */
export const foldedSays = ({ links }: Lineage): string => `${count(links.length, 'entry', 'entries')} folded`
