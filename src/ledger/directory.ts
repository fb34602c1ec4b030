/**
 * Who is there, what they offer, how busy they are and how fast they say they are: one bounded view, folded from
 * admitted events in whatever order they come.
 * @module
 */
import { type Event, feedback, handler, heartbeat, nodeState, resultKind, usageReceipt } from '../../kinds/index.ts'
import { type Entry, entriesOf, eventsOf, hear, type Known, leaseEnd, measuredIn, unheard } from './directory-node.ts'
import { silenceQueue } from './directory-queue.ts'

export type { Entry, Measurement } from './directory-node.ts'

/** Events from further ahead are not believed. */
const AHEAD_SECONDS = 900
/** Clients hide announcements of that age; whoever said nothing for so long is forgotten. */
const FORGET_SECONDS = 90 * 86_400
/** Job kinds of one announcement by which it is found. */
const MOST_INDEXED = 32

export interface DirectoryOptions {
  /** Announced nodes. Default 100,000. */
  readonly max?: number
  /** Characters of all kept events. Default 2^29. */
  readonly maxChars?: number
  /** Whose measurements are kept rather than those of others. */
  trusts?(author: string): boolean
}

export interface Directory {
  /**
   * Takes an admitted event at `now` (unix seconds); true where it says something new. Announcements, heartbeats,
   * states and benchmarks are kept, results, feedback and receipts say that their author was there; all else counts for
   * nothing. Entries are given as of the latest `now` that was told here or to `sweep`.
   */
  heard(event: Event, now: number): boolean
  /** Every announced service of every node. */
  entries(): Iterable<Entry>
  /** A node's service of this name; without one the one that is alive, else the newest. */
  get(node: string, service?: string): Entry | undefined
  /** Services that take the kind and have the model, or name no models. A lease may take a kind back. */
  offering(kind: number, model?: string): Entry[]
  /** Lets time pass, and forgets who said nothing for 90 days. */
  sweep(now: number): void
  /** The signed events that have to be heard again to know the same, but for when a result was seen last. */
  snapshot(): Event[]
  /** Hears a snapshot. */
  restore(events: Iterable<Event>, now: number): void
  /** Announced nodes. */
  readonly size: number
}

const saysWhoIsThere = (kind: number): boolean =>
  kind === feedback.number || kind === usageReceipt.number || resultKind(kind - 1_000) === kind
const isKept = (kind: number): boolean =>
  kind === handler.number || kind === nodeState.number || kind === heartbeat.number

/** An empty directory. When it is full it drops whoever is silent longest, and nobody who is alive. */
export function openDirectory({
  max = 100_000,
  maxChars = 2 ** 29,
  trusts = () => false,
}: DirectoryOptions = {}): Directory {
  const announced = new Map<string, Known>()
  // Leases and measurements may come before the announcement that they are about.
  const waiting = new Map<string, Known>()
  const byKind = new Map<number, Set<Known>>()
  let told = 0
  let chars = 0
  let waitingChars = 0

  const silentSince = (known: Known): number => Math.max(Math.min(known.lastSeen, told), leaseEnd(known))
  const queue = silenceQueue(silentSince, known => announced.get(known.node) === known)

  const kindsOf = (known: Known): number[] => known.announced.flatMap(({ value }) => value.kinds.slice(0, MOST_INDEXED))

  function index(known: Known, before: readonly number[]): void {
    const after = new Set(kindsOf(known))
    for (const kind of before) if (!after.has(kind)) unindex(known, kind)
    for (const kind of after) {
      const group = byKind.get(kind)
      if (group) group.add(known)
      else byKind.set(kind, new Set([known]))
    }
  }

  function unindex(known: Known, kind: number): void {
    const group = byKind.get(kind)
    group?.delete(known)
    if (group?.size === 0) byKind.delete(kind)
  }

  function drop(known: Known): void {
    announced.delete(known.node)
    chars -= known.chars
    for (const kind of kindsOf(known)) unindex(known, kind)
  }

  /** Drops the silent until there is room; false where all others are alive or were heard of later. */
  function makeRoom(wants: Known, isNew: boolean): boolean {
    const more = isNew ? wants.chars : 0
    while ((isNew && announced.size >= max) || chars + more > maxChars) {
      const silent = queue.first()
      if (!silent || silentSince(silent) > told || silentSince(silent) >= silentSince(wants)) return false
      drop(silent)
    }
    return true
  }

  function wait(known: Known, before: number): void {
    waiting.delete(known.node)
    waiting.set(known.node, known)
    waitingChars += known.chars - before
    for (const [node, oldest] of waiting) {
      if (waiting.size <= max && waitingChars <= maxChars / 4) break
      waiting.delete(node)
      waitingChars -= oldest.chars
    }
  }

  function enter(known: Known): void {
    if (waiting.delete(known.node)) waitingChars -= known.chars
    announced.set(known.node, known)
    chars += known.chars
    queue.add(known)
    if (queue.size > 2 * announced.size + 64) queue.tidy()
    index(known, [])
  }

  function heardOf(node: string, event: Event, measured?: ReturnType<typeof measuredIn>): boolean {
    const known = announced.get(node)
    const trusted = measured !== undefined && trusts(event.pubkey)
    if (known) {
      const [before, kinds] = [known.chars, event.kind === handler.number ? kindsOf(known) : undefined]
      const news = hear(known, event, measured, trusted)
      chars += known.chars - before
      if (news && kinds) index(known, kinds)
      // Whoever grows beyond all room makes room himself.
      if (chars > maxChars && !makeRoom(known, false)) drop(known)
      return news
    }
    const stranger = waiting.get(node) ?? unheard(node)
    const before = waiting.has(node) ? stranger.chars : 0
    const news = hear(stranger, event, measured, trusted)
    wait(stranger, before)
    if (stranger.announced.length > 0 && waiting.has(node) && makeRoom(stranger, true)) enter(stranger)
    return news
  }

  const heard = (event: Event, now: number): boolean => {
    told = Math.max(told, now)
    if (event.created_at > now + AHEAD_SECONDS) return false
    const measured = measuredIn(event)
    if (measured) return measured.ok && heardOf(measured.value.node, event, measured)
    return (isKept(event.kind) || saysWhoIsThere(event.kind)) && heardOf(event.pubkey, event)
  }

  return {
    heard,
    *entries() {
      for (const known of announced.values()) yield* entriesOf(known, told)
    },
    get(node, service) {
      const known = announced.get(node)
      const all = known ? entriesOf(known, told) : []
      return service === undefined ? all[0] : all.find(entry => entry.announcement.id === service)
    },
    offering(kind, model) {
      const found: Entry[] = []
      for (const known of byKind.get(kind) ?? [])
        for (const entry of entriesOf(known, told)) if (offers(entry, kind, model)) found.push(entry)
      return found
    },
    sweep(now) {
      told = Math.max(told, now)
      for (const known of announced.values()) if (silentSince(known) < told - FORGET_SECONDS) drop(known)
      for (const [node, known] of waiting)
        if (newestOf(known) < told - FORGET_SECONDS && waiting.delete(node)) waitingChars -= known.chars
    },
    snapshot: () => [...announced.values()].flatMap(eventsOf),
    restore(events, now) {
      for (const event of events) heard(event, now)
    },
    get size() {
      return announced.size
    },
  }
}

/** When the latest word by or about a node was signed. */
const newestOf = (known: Known): number =>
  eventsOf(known).reduce((newest, event) => Math.max(newest, event.created_at), known.lastSeen)

function offers({ announcement, state }: Entry, kind: number, model: string | undefined): boolean {
  if (!announcement.kinds.includes(kind) || (state && !state.kinds.includes(kind))) return false
  const { models } = announcement
  return model === undefined || models.length === 0 || models.some(({ name }) => name === model)
}
