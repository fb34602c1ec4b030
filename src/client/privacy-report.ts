/**
 * Who could read what of one question: computed from the events that were published and heard, never from what was
 * intended.
 * @module
 */
import {
  acknowledgement,
  cancel,
  chunk,
  type Event,
  ephemeralWrap,
  expirationOf,
  faultEvidence,
  frame,
  isSealed,
  kindClass,
  manifest,
  type Privacy,
  present,
  streamControl,
  zapReceipt,
} from '../../kinds/index.ts'

/** One who could read the plaintext, and why. */
export interface Reader {
  readonly who: 'you' | 'node' | 'verifier' | 'everybody'
  /** Of the node or the verifier. */
  readonly pubkey?: string
  readonly why: string
}

/** `open`: readable; `sealed`: readable only to the node; `wrapped`: not even kind and author are seen. */
export type Cover = 'open' | 'sealed' | 'wrapped'

/** What happened, as a person should know it. */
export interface PrivacyReport {
  /** The level that was really kept; at most the one that was wanted. */
  readonly level: Privacy
  readonly wanted: Privacy
  readonly readers: readonly Reader[]
  /** The key that asked: one that made this one job only, or the customer's own. */
  readonly identity: { readonly kind: 'one-job' | 'own'; readonly pubkey: string }
  readonly transport: {
    /** The relays that the job was sent to. */
    readonly relays: readonly string[]
    readonly request: Cover
    readonly answers: Cover | 'none'
  }
  /** How long it stays: where relays were asked to forget it, and what the node says of itself. */
  readonly retention: {
    readonly relaysUntil?: number
    readonly nodeSeconds?: number
    readonly says: string
  }
}

/** An answer as it came. */
export interface HeardAnswer {
  readonly event: Event
  /** It was in a wrap. */
  readonly wrapped: boolean
}

/** How the chunks of an answer came, and until when relays were asked to keep them. */
export interface ChunksHeard {
  /** `wrapped`: sealed, and by a key of one use. */
  readonly cover: Cover
  readonly expiresAt?: number
}

export interface PrivacyFacts {
  readonly wanted: Privacy
  /** The signed request, and how it would have left where nothing did. */
  readonly request: Event
  /** Whom it was for; absent: everybody. */
  readonly node?: string
  /** The customer named the node as its own. */
  readonly ownNode: boolean
  readonly identity: PrivacyReport['identity']
  /** Events of this job that were published, once each. */
  readonly said: readonly Event[]
  /** Of the node, and of whoever answered an open job. */
  readonly heard: readonly HeardAnswer[]
  /** Where it was published. */
  readonly relays: readonly string[]
  /** What judges the answer reads it. */
  readonly verifier?: string
  /** As the node announces it. */
  readonly nodeSeconds?: number
  /** Where the answer came in chunks. */
  readonly chunks?: ChunksHeard
}

const chunkLevels: Readonly<Record<Cover, Privacy>> = { open: 0, sealed: 1, wrapped: 3 }
const worst: Readonly<Record<Cover, number>> = { open: 0, sealed: 1, wrapped: 2 }
const least = <T extends Cover>(covers: readonly T[]): T | undefined =>
  covers.toSorted((a, b) => worst[a] - worst[b])[0]

const coverOf = (event: Event, wrapped: boolean): Cover =>
  wrapped || event.kind === ephemeralWrap.number ? 'wrapped' : isSealed(event) ? 'sealed' : 'open'

/** Open words of ours that hold neither question nor answer: they tell that there is a job, as a sealed one does itself. */
const textless: ReadonlySet<number> = new Set([cancel.number, streamControl.number, acknowledgement.number])

/** True for evidence that opens what was sealed. */
function opens(event: Event): boolean {
  if (event.kind !== faultEvidence.number) return false
  const read = faultEvidence.read(event)
  return !read.ok || Object.keys({ ...read.value.opened, ...read.value.keys }).length > 0
}

/** A sealed piece of a payload that a key of one use has put: relays see neither who it is of nor what it belongs to. */
const isStray = (event: Event, asker: string): boolean =>
  (event.kind === chunk.number || event.kind === manifest.number) && isSealed(event) && event.pubkey !== asker

/** The highest level that an event of ours, as it left, allows. */
export function allowedBySaid(event: Event): Privacy {
  const cover = coverOf(event, false)
  if (cover === 'wrapped') return 3
  if (cover === 'sealed') return 1
  const harmless = textless.has(event.kind) || (event.kind === faultEvidence.number && !opens(event))
  return harmless ? 1 : 0
}

/** The highest level that an answer, as it came, allows. Whoever answers in the open may say anything there. */
export function allowedByHeard({ event, wrapped }: HeardAnswer): Privacy {
  const cover = coverOf(event, wrapped)
  if (cover === 'wrapped') return 3
  return cover === 'sealed' || event.kind === zapReceipt.number ? 1 : 0
}

/** Computes it. The level is never above what the least covered event allows. */
export function privacyOf(facts: PrivacyFacts): PrivacyReport {
  const { wanted, request, node, ownNode, identity, said, heard, relays, nodeSeconds, chunks } = facts
  const asked = said.filter(event => event.id === request.id || event.kind === ephemeralWrap.number)
  const answers = heard.filter(({ event }) => event.kind !== zapReceipt.number)
  const allowed = (event: Event): Privacy => (isStray(event, request.pubkey) ? 3 : allowedBySaid(event))
  const kept = [
    ...said.map(event => allowed(event)),
    ...(chunks ? [chunkLevels[chunks.cover]] : []),
    ...heard.map(allowedByHeard),
    // A key that is known by other jobs tells relays who gets the wraps; a stranger's machine is not one's own.
    ...(identity.kind === 'own' ? [1] : []),
    ...(ownNode ? [] : [2]),
  ]
  const level = Math.min(wanted, ...kept) as Privacy
  const requestCover = least(asked.map(event => coverOf(event, false))) ?? coverOf(request, wanted > 1)
  return {
    ...{ level, wanted, readers: readersOf(facts), identity },
    transport: {
      relays: asked.length > 0 ? relays : [],
      request: requestCover,
      answers:
        least([...answers.map(({ event, wrapped }) => coverOf(event, wrapped)), ...(chunks ? [chunks.cover] : [])]) ??
        'none',
    },
    retention: { ...retentionOf(facts), ...present({ nodeSeconds }) },
  }

  function readersOf({ verifier }: PrivacyFacts): Reader[] {
    const you: Reader = { who: 'you', why: 'You asked.' }
    if (asked.length === 0 && !said.some(event => event.kind === manifest.number)) return [you]
    const open = said.find(event => allowed(event) === 0)
    const answer = heard.find(one => allowedByHeard(one) === 0)
    const everybody = open
      ? open.kind === faultEvidence.number
        ? 'The evidence that was published opens what was sealed.'
        : 'The request was published in the open.'
      : (answer || chunks?.cover === 'open') && 'The node answered in the open.'
    return [
      you,
      ...(node === undefined ? [] : [{ who: 'node' as const, pubkey: node, why: 'It was asked.' }]),
      ...(verifier ? [{ who: 'verifier' as const, pubkey: verifier, why: 'It judges the answer.' }] : []),
      ...(everybody ? [{ who: 'everybody' as const, why: everybody }] : []),
    ]
  }
}

/** The reports of several jobs that served one question, as one: the worst of each, and all who read any of it. */
export function mergedPrivacy(reports: readonly PrivacyReport[]): PrivacyReport | undefined {
  const last = reports.at(-1)
  if (!last) return undefined
  const readers = new Map(reports.flatMap(one => one.readers).map(one => [`${one.who} ${one.pubkey}`, one]))
  const ends = reports.flatMap(({ retention }) => retention.relaysUntil ?? [])
  const { relaysUntil: _, ...kept } =
    reports.find(one => one.retention.relaysUntil === undefined)?.retention ?? last.retention
  const covers = reports.flatMap(({ transport }) => (transport.answers === 'none' ? [] : [transport.answers]))
  const asked = reports.filter(({ transport }) => transport.relays.length > 0)
  return {
    level: Math.min(...reports.map(({ level }) => level)) as Privacy,
    wanted: last.wanted,
    // Everybody comes last, as in one report.
    readers: [...readers.values()].sort((a, b) => Number(a.who === 'everybody') - Number(b.who === 'everybody')),
    identity: reports.find(({ identity }) => identity.kind === 'own')?.identity ?? last.identity,
    transport: {
      relays: [...new Set(asked.flatMap(({ transport }) => transport.relays))],
      request: least((asked.length > 0 ? asked : reports).map(({ transport }) => transport.request)) ?? 'open',
      answers: least(covers) ?? 'none',
    },
    retention: { ...kept, ...(ends.length === reports.length ? { relaysUntil: Math.max(...ends) } : {}) },
  }
}

/** Until when relays were asked to keep what they keep at all, where every such event says so. */
function retentionOf({ said, heard, nodeSeconds, chunks }: PrivacyFacts): { relaysUntil?: number; says: string } {
  const events = [...said, ...heard.flatMap(({ event, wrapped }) => (wrapped ? [] : [event]))]
  const stored = events.filter(({ kind }) => kindClass(kind) !== 'ephemeral')
  const ends = stored.flatMap(event => expirationOf(event) ?? [])
  if (chunks?.expiresAt !== undefined) ends.push(chunks.expiresAt)
  const kept = stored.length + (chunks ? 1 : 0)
  const node =
    nodeSeconds === undefined
      ? 'The node does not say how long it keeps a job.'
      : `The node says that it keeps a job for ${lasting(nodeSeconds)}.`
  if (kept === 0) return { says: `Relays were given nothing to keep. ${node}` }
  if (ends.length < kept)
    return {
      says: `Relays may keep ${kept - ends.length} of ${kept} events for ever. ${node}`,
    }
  return { relaysUntil: Math.max(...ends), says: `Relays were asked to forget all of it by then. ${node}` }
}

/** Answers of one job that are remembered; of more only how they came. */
const mostHeard = 500

/** Remembers how the answers of a node came, or of everybody where nobody was chosen. */
export function openHeard(node: string | undefined): {
  note(event: Event, wrapped: boolean): void
  all(): readonly HeardAnswer[]
} {
  const heard = new Map<string, HeardAnswer>()
  return {
    note(event, wrapped) {
      if (node !== undefined && event.pubkey !== node && event.kind !== zapReceipt.number) return
      const some = event.kind === frame.number || heard.size >= mostHeard
      const key = some ? `${event.kind === frame.number} ${coverOf(event, wrapped)}` : event.id
      heard.set(key, { event, wrapped })
    },
    all: () => [...heard.values()],
  }
}

/** `7 days`, `90 minutes`: in the largest unit that leaves a whole number. */
function lasting(seconds: number): string {
  const [size, unit] = units.find(([whole]) => seconds >= whole && seconds % whole === 0) ?? [1, 'second']
  const count = seconds / size
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const units: readonly (readonly [number, string])[] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
]
