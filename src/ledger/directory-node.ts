/**
 * What is known of one node: its announcements, leases, claims and what others measured, each the newest of its kind,
 * whatever the order in which they came.
 * @module
 */
import {
  type Announcement,
  type Benchmark,
  benchmark,
  type Event,
  type Heartbeat,
  handler,
  heartbeat,
  identifierOf,
  type NodeState,
  nodeState,
  type Read,
} from '../../kinds/index.ts'

/** Longest lease, in seconds from when it was signed: nobody is alive for ever by saying so once. */
export const LONGEST_LEASE = 900
const MOST_SERVICES = 8
const MOST_BENCHMARKS = 16
/** Largest event that is kept, in characters of content and tags. */
const MOST_CHARS = 32_768

/** What one event said, and its place among others about the same thing. */
interface Held<V> {
  readonly key: string
  readonly value: V
  readonly event: Event
  readonly chars: number
  /** What counts before the time of signing: the generation of a state, 1 for a trusted measurer. */
  readonly rank: number
}

/** One node, announced or not. */
export interface Known {
  readonly node: string
  /** When it signed what was last heard of it, unix seconds. */
  lastSeen: number
  /** Characters of all events that are kept. */
  chars: number
  readonly beat: Held<Heartbeat>[]
  readonly announced: Held<Announcement>[]
  readonly states: Held<NodeState>[]
  readonly claims: Held<Benchmark>[]
  readonly measured: Held<Benchmark>[]
}

/** What somebody else measured. */
export interface Measurement extends Benchmark {
  readonly by: string
}

/** One service of a node as of a moment. `unknown` is not dead: it has not said for a while that it is there. */
export interface Entry {
  readonly node: string
  readonly announcement: Announcement
  readonly announcementId: string
  readonly announcedAt: number
  readonly status: 'alive' | 'unknown'
  /** When the last lease ends or ended, unix seconds; 0 where there never was one. */
  readonly leaseUntil: number
  /** Only while its lease holds. */
  readonly state?: NodeState
  /** What the node says of its own speed. */
  readonly claims: readonly Benchmark[]
  readonly measured: readonly Measurement[]
  readonly lastSeen: number
}

/** A node that nothing is known of. */
export const unheard = (node: string): Known => ({
  ...{ node, lastSeen: 0, chars: 0 },
  ...{ beat: [], announced: [], states: [], claims: [], measured: [] },
})

/** Characters of an event, and what its tags cost beside them. */
export function weigh(event: Event): number {
  let chars = event.content.length + 256
  for (const tag of event.tags) {
    chars += 64
    for (const value of tag) chars += value.length
  }
  return chars
}

/** NIP-01: the newer one counts, and of two from the same second the lower id. */
const isNewer = (fresh: { event: Event; rank: number }, known: { event: Event; rank: number }): boolean => {
  if (fresh.rank !== known.rank) return fresh.rank > known.rank
  const { event: one } = fresh
  const { event: other } = known
  return one.created_at !== other.created_at ? one.created_at > other.created_at : one.id < other.id
}

/** Keeps the newest of each key and the `most` newest keys. False where that changes nothing. */
function keep<V>(
  known: Known,
  held: Held<V>[],
  fresh: Omit<Held<V>, 'value' | 'chars'>,
  most: number,
  read: () => Read<V>,
): boolean {
  let at = held.findIndex(item => item.key === fresh.key)
  if (at < 0 && held.length >= most)
    at = held.reduce((oldest, item, index) => (isNewer(item, held[oldest] ?? item) ? oldest : index), 0)
  const old = held[at]
  if (old && !isNewer(fresh, old)) return false
  // Reading is dear, so what would not be kept is not read.
  const said = read()
  const weight = weigh(fresh.event)
  if (!said.ok || weight > MOST_CHARS) return false
  const { key, event, rank } = fresh
  held[at < 0 ? held.length : at] = { key, value: said.value, event, chars: weight, rank }
  // The view must not tell in which order things came.
  if (old?.key !== fresh.key) held.sort((a, b) => (a.key < b.key ? -1 : 1))
  known.chars += weight - (old?.chars ?? 0)
  return true
}

/** Seconds until when a lease holds. */
const until = ({ event, value }: Held<{ readonly expiresAt: number }>): number =>
  Math.min(value.expiresAt, event.created_at + LONGEST_LEASE)

function heardState(known: Known, event: Event): boolean {
  if (known.states.some(held => held.event.id === event.id)) return false
  const read = nodeState.read(event)
  if (!read.ok || read.value.generation > event.created_at + LONGEST_LEASE) return false
  const fresh = { key: read.value.service, event, rank: read.value.generation }
  return keep(known, known.states, fresh, MOST_SERVICES, () => read)
}

function heardBenchmark(known: Known, event: Event, read: Read<Benchmark>, trusted: boolean): boolean {
  if (event.pubkey === known.node)
    return keep(known, known.claims, { key: identifierOf(event), event, rank: 0 }, MOST_BENCHMARKS, () => read)
  const key = `${event.pubkey}:${identifierOf(event)}`
  return keep(known, known.measured, { key, event, rank: trusted ? 1 : 0 }, MOST_BENCHMARKS, () => read)
}

/** Folds an event by the node, or a measurement of it by somebody else. False where it says nothing new. */
export function hear(known: Known, event: Event, measured?: Read<Benchmark>, trusted = false): boolean {
  const own = event.pubkey === known.node
  let news = false
  if (measured) news = heardBenchmark(known, event, measured, trusted)
  else if (event.kind === nodeState.number) news = heardState(known, event)
  else if (event.kind === heartbeat.number)
    news = keep(known, known.beat, { key: '', event, rank: 0 }, 1, () => heartbeat.read(event))
  else if (event.kind === handler.number)
    news = keep(known, known.announced, { key: identifierOf(event), event, rank: 0 }, MOST_SERVICES, () =>
      handler.read(event),
    )
  if (!own || event.created_at <= known.lastSeen) return news
  known.lastSeen = event.created_at
  return true
}

/** The last word about whether a service is there counts, be it a heartbeat or a state. */
function leaseOf({ beat: [beat], states }: Known, service: string): { until: number; state?: Held<NodeState> } {
  const state = states.find(item => item.key === service)
  const pulse = beat && (beat.value.service === '' || beat.value.service === service) ? beat : undefined
  const of = state ? { state } : {}
  if (!state || !pulse) return { until: state ? until(state) : pulse ? until(pulse) : 0, ...of }
  const [stateAt, beatAt] = [state.event.created_at, pulse.event.created_at]
  if (stateAt === beatAt) return { until: Math.max(until(state), until(pulse)), ...of }
  return { until: stateAt > beatAt ? until(state) : until(pulse), ...of }
}

/** The end of the longest lease of any announced service, 0 without one. */
export const leaseEnd = (known: Known): number => {
  let end = 0
  for (const { key } of known.announced) end = Math.max(end, leaseOf(known, key).until)
  return end
}

function current<B>(held: readonly Held<Benchmark>[], now: number, of: (item: Held<Benchmark>) => B): readonly B[] {
  if (held.length === 0) return nothing
  return held.filter(({ value: { expiresAt = Number.POSITIVE_INFINITY } }) => expiresAt > now).map(of)
}
const nothing: readonly never[] = Object.freeze([])

/** One service as of `now`. */
function entryOf(known: Known, { key, value, event }: Held<Announcement>, now: number): Entry {
  const { until: leaseUntil, state } = leaseOf(known, key)
  return {
    node: known.node,
    announcement: value,
    announcementId: event.id,
    announcedAt: event.created_at,
    status: leaseUntil > now ? 'alive' : 'unknown',
    leaseUntil,
    ...(state && leaseUntil > now && until(state) > now ? { state: state.value } : {}),
    claims: current(known.claims, now, item => item.value),
    measured: current(known.measured, now, item => ({ ...item.value, by: item.event.pubkey })),
    lastSeen: known.lastSeen,
  }
}

/** Every announced service as of `now`: those alive first, then the newest announcement. */
export function entriesOf(known: Known, now: number): Entry[] {
  const entries = known.announced.map(held => entryOf(known, held, now))
  if (entries.length < 2) return entries
  return entries.sort((a, b) =>
    a.status !== b.status
      ? a.status === 'alive'
        ? -1
        : 1
      : b.announcedAt - a.announcedAt || (a.announcementId < b.announcementId ? -1 : 1),
  )
}

/** What has to be heard again to know the same. */
export const eventsOf = ({ beat, announced, states, claims, measured }: Known): Event[] =>
  [beat, announced, states, claims, measured].flatMap((held: readonly { readonly event: Event }[]) =>
    held.map(item => item.event),
  )

/** The benchmark in an event, where it is one. */
export const measuredIn = (event: Event): Read<Benchmark> | undefined =>
  event.kind === benchmark.number ? benchmark.read(event) : undefined
