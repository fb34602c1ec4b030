/**
 * Where the time of a job goes: what one process does, and when, on the clock that all processes of a machine share.
 * @module
 */
import type { Relays } from '../relays/index.ts'
import type { Journal } from '../src/journal/index.ts'
import type { Keys } from '../src/keys.ts'
import { nodeCodec, plainCodec } from '../src/seal/nip44.ts'

/** The earlier one counts where two go on at once; an event under way counts last, because others may work meanwhile. */
export const shareNames = ['wallet', 'journal', 'crypto', 'relay'] as const
export type Share = (typeof shareNames)[number]

export interface Span {
  readonly share: Share
  /** Milliseconds of {@link now}. */
  readonly from: number
  readonly to: number
}

/** What a process saw since it was last asked. `sent` and `heard` are times by event id. */
export interface Seen {
  readonly spans: readonly Span[]
  readonly sent: readonly (readonly [id: string, at: number])[]
  readonly heard: readonly (readonly [id: string, at: number])[]
}

/** Milliseconds, the same in every process until the machine restarts. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

export interface Meter {
  keys(keys: Keys): Keys
  journal(journal: Journal): Journal
  relays(relays: Relays): Relays
  /** Counts from now until the promise ends. */
  until<T>(share: Share, ends: Promise<T>): Promise<T>
  /** What was seen since the last call. */
  seen(): Seen
}

/** One a process: the ciphers of the process are counted from here on. */
export function openMeter(): Meter {
  let spans: Span[] = []
  let sent: [string, number][] = []
  let heard: [string, number][] = []
  let depth = 0

  /** Only the outermost call counts. */
  function during<T>(share: Share, act: () => T): T {
    if (depth > 0) return act()
    depth++
    const from = now()
    try {
      return act()
    } finally {
      depth--
      spans.push({ share, from, to: now() })
    }
  }

  /** The same object, its calls and those of its parts counted. */
  function counted<T extends object>(thing: T, share: Share): T {
    return new Proxy(thing, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key)
        if (typeof value === 'object' && value !== null) return counted(value, share)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) =>
          during(share, () => {
            const result: unknown = Reflect.apply(value, target, args)
            return key === 'shelf' && typeof result === 'object' && result !== null ? counted(result, share) : result
          })
      },
    })
  }

  for (const codec of [plainCodec, nodeCodec]) if (codec) Object.assign(codec, counted({ ...codec }, 'crypto'))

  return {
    // Taken out of their proxy once, so that it is not asked each time.
    keys: ({ engine, ...calls }) => ({ engine, ...counted(calls, 'crypto') }),
    journal: journal => counted(journal, 'journal'),
    relays: relays => ({
      urls: relays.urls,
      publish(event, options) {
        sent.push([event.id, now()])
        return relays.publish(event, options)
      },
      listen: (filters, options, signal) =>
        relays.listen(
          filters,
          {
            ...options,
            onEvent(event, relay) {
              heard.push([event.id, now()])
              options.onEvent(event, relay)
            },
          },
          signal,
        ),
      state: relays.state,
      close: relays.close,
    }),
    async until(share, ends) {
      const from = now()
      try {
        return await ends
      } finally {
        spans.push({ share, from, to: now() })
      }
    },
    seen() {
      const all = { spans, sent, heard }
      spans = []
      sent = []
      heard = []
      return all
    },
  }
}

/** Spans of events between two processes: from the moment one published to the moment another heard. */
export function journeys(parties: readonly Seen[]): Span[] {
  const spans: Span[] = []
  for (const sender of parties) {
    const sent = new Map(sender.sent)
    for (const reader of parties)
      for (const [id, to] of reader === sender ? [] : reader.heard) {
        const from = sent.get(id)
        if (from !== undefined) spans.push({ share: 'relay', from, to })
      }
  }
  return spans
}

/**
 * How much of the time between `from` and `to` each share took; they and `rest` add up to 1. Whatever one of the parties
 * did then counts, an instant once.
 */
export function divided(jobs: readonly { from: number; to: number }[], spans: readonly Span[]) {
  const took = { wallet: 0, journal: 0, crypto: 0, relay: 0, rest: 0 }
  const sorted = spans.toSorted((a, b) => a.from - b.from)
  let all = 0
  for (const job of jobs) {
    all += job.to - job.from
    const inside = sorted.filter(({ from, to }) => from < job.to && to > job.from)
    const edges = [job.from, job.to, ...inside.flatMap(({ from, to }) => [from, to])]
      .filter(at => at >= job.from && at <= job.to)
      .sort((a, b) => a - b)
    for (let i = 1; i < edges.length; i++) {
      const [from = 0, to = 0] = [edges[i - 1], edges[i]]
      const middle = (from + to) / 2
      const names = new Set(inside.filter(span => span.from <= middle && span.to >= middle).map(({ share }) => share))
      took[shareNames.find(name => names.has(name)) ?? 'rest'] += to - from
    }
  }
  const shares = { ...took }
  for (const name of shareNames) shares[name] = Math.round((took[name] / all) * 1000) / 1000
  const told = shareNames.reduce((sum, name) => sum + shares[name], 0)
  return { ...shares, rest: Math.round((1 - told) * 1000) / 1000 }
}
