/**
 * The waiting room: what was heard of each job until it can be judged, whatever came first. Jobs that this router sent
 * somewhere wait apart, so that a flood about other people's jobs cannot push them out.
 * @module
 */
import type { Event } from '../../kinds/index.ts'

/** A zap receipt; `firstSeen` (unix seconds) only where this router was listening when it says it was signed. */
export interface HeardZap {
  readonly event: Event
  readonly firstSeen?: number
}

/** A word of a provider that is remembered by its id alone. `at` is unix seconds of hearing it. */
export interface HeardWord {
  readonly id: string
  readonly by: string
  readonly at: number
}

/** What a routing event of this router has to do with a job. */
export interface RoutedJob {
  readonly routing: string
  readonly node: string
  readonly model: string
  /** Until when its result had to be there, unix seconds. */
  readonly deadlineAt: number
  /** How often this router had met its relays when it heard of the job; absent where it heard of it late. */
  readonly meetings?: number
}

/** One job. Lists are short, and the oldest entry makes room. */
export interface Case {
  readonly job: string
  /** Unix seconds. */
  readonly heardAt: number
  request?: Event
  readonly bills: Event[]
  readonly usages: Event[]
  readonly acks: Event[]
  readonly zaps: HeardZap[]
  readonly spoke: HeardWord[]
  readonly results: HeardWord[]
  /** The answer itself, while an audit may want it. */
  answer?: Event
  /** The audit is drawn by the seed of this entry of the log. */
  drawAt?: number
  routed?: RoutedJob
  /** When the customer was heard first, unix seconds. */
  saidAt?: number
  /** The best label of each payment that is written or under way, by hash. */
  readonly labels: Map<string, number>
  outcome: boolean
  /** Characters of all events in it. */
  chars: number
}

export interface RoomOptions {
  /** Most cases, of own and of other people's jobs, and most characters of all their events. */
  readonly own: number
  readonly others: number
  readonly chars: number
}

export type Paper = 'bills' | 'usages' | 'acks'

export interface Room {
  find(job: string): Case | undefined
  /** Opens a case where there is none. `at` is unix seconds. */
  open(job: string, at: number): Case
  /** Adds a paper to a case; false when it is there or too large. */
  keep(one: Case, into: Paper, event: Event): boolean
  keepZap(one: Case, zap: HeardZap): boolean
  note(one: Case, into: 'spoke' | 'results', word: HeardWord): void
  request(one: Case, event: Event): void
  answer(one: Case, event: Event | undefined): void
  /** From now on it waits with the own jobs. */
  protect(one: Case, routed: RoutedJob): void
  /** Nothing more is expected: the papers go, what was labelled stays known until there is no room. */
  settle(one: Case): void
  own(): IterableIterator<Case>
  all(): Generator<Case>
  /** A case of an earlier process. */
  restore(one: Case): void
  readonly size: number
}

/** Largest event that is kept, in characters, and most of one list. */
export const longestPaper = 16_384
const longestAnswer = 65_536
const most = 4

export const emptyCase = (job: string, heardAt: number): Case => ({
  ...{ job, heardAt, bills: [], usages: [], acks: [], zaps: [], spoke: [], results: [] },
  ...{ labels: new Map(), outcome: false, chars: 0 },
})

/** Characters of an event and what its parts cost beside them. */
export function weigh(event: Event): number {
  let chars = event.content.length + 400
  for (const tag of event.tags) {
    chars += 64
    for (const value of tag) chars += value.length
  }
  return chars
}

export function openRoom(options: RoomOptions): Room {
  const own = new Map<string, Case>()
  const others = new Map<string, Case>()
  let chars = 0

  const grow = (one: Case, by: number) => {
    one.chars += by
    // What was dropped may still be under way somewhere.
    if ((own.get(one.job) ?? others.get(one.job)) !== one) return
    chars += by
    while (chars > options.chars) if (!(drop(others, one) || drop(own, one))) break
  }
  /** The oldest of a map goes; not the one that is being filled. */
  function drop(from: Map<string, Case>, but?: Case): boolean {
    for (const [job, one] of from) {
      if (one === but) continue
      from.delete(job)
      chars -= one.chars
      return true
    }
    return false
  }
  function push<T>(one: Case, list: T[], item: T, weight: number, of: (item: T) => number) {
    list.push(item)
    grow(one, weight)
    const oldest = list.length > most ? list.shift() : undefined
    if (oldest !== undefined) grow(one, -of(oldest))
  }
  const place = (one: Case) => {
    const [into, limit] = one.routed ? [own, options.own] : [others, options.others]
    into.set(one.job, one)
    while (into.size > limit) if (!drop(into, one)) break
  }
  const replace = (one: Case, old: Event | undefined, fresh: Event | undefined) =>
    grow(one, (fresh ? weigh(fresh) : 0) - (old ? weigh(old) : 0))

  return {
    find: job => own.get(job) ?? others.get(job),
    open(job, at) {
      const known = own.get(job) ?? others.get(job)
      if (known) return known
      const one = emptyCase(job, at)
      place(one)
      return one
    },
    keep(one, into, event) {
      const weight = weigh(event)
      if (weight > longestPaper || one[into].some(({ id }) => id === event.id)) return false
      push(one, one[into], event, weight, weigh)
      return true
    },
    keepZap(one, zap) {
      const weight = weigh(zap.event)
      if (weight > longestPaper || one.zaps.some(({ event }) => event.id === zap.event.id)) return false
      push(one, one.zaps, zap, weight, ({ event }) => weigh(event))
      return true
    },
    note(one, into, word) {
      if (one[into].some(({ by }) => by === word.by)) return
      push(one, one[into], word, 200, () => 200)
    },
    request(one, event) {
      // The text of a job is nobody's business here; its signature is over all of it.
      if (weigh(event) > longestAnswer) return
      replace(one, one.request, event)
      one.request = event
    },
    answer(one, event) {
      if (event && weigh(event) > longestAnswer) return
      replace(one, one.answer, event)
      if (event) one.answer = event
      else delete one.answer
    },
    protect(one, routed) {
      others.delete(one.job)
      one.routed = routed
      place(one)
    },
    settle(one) {
      one.bills.length = one.usages.length = one.acks.length = one.zaps.length = 0
      delete one.answer
      one.spoke.length = one.results.length = 0
      grow(one, (one.request ? weigh(one.request) : 0) - one.chars)
    },
    own: () => own.values(),
    *all() {
      yield* own.values()
      yield* others.values()
    },
    restore(one) {
      chars += one.chars
      place(one)
    },
    get size() {
      return own.size + others.size
    },
  }
}
