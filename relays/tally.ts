/**
 * Counts what relays said about one published event and knows when that is enough. Shared by all drivers.
 * @module
 */
import type { Clock } from '../src/clock.ts'
import type { Ack, Published } from './relay.ts'

export interface TallyOptions {
  readonly urls: readonly string[]
  readonly clock: Clock
  /** Milliseconds after which silence counts as an answer. */
  readonly waitMs: number
  /** Default: 2 where 2 relays are given, else 1. */
  readonly want?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Tally {
  readonly done: Promise<Published>
  /** The first answer of a relay counts; later ones and those after the end are ignored. */
  answer(ack: Ack): void
  /** No more answers will come: resolves with what is known. */
  end(): void
}

/** Starts counting and the clock. `done` resolves once, never rejects; an abort resolves it with what is known. */
export function openTally(options: TallyOptions): Tally {
  const { urls, clock, waitMs, signal } = options
  const want = options.want ?? Math.min(2, Math.max(1, urls.length))
  const acks = new Map<string, Ack>()
  let accepted = 0
  let ended = false
  let resolve: (published: Published) => void = () => {}
  const done = new Promise<Published>(settle => {
    resolve = settle
  })
  const end = () => {
    if (ended) return
    ended = true
    cancel()
    signal?.removeEventListener('abort', end)
    resolve({ accepted, enough: accepted >= want, acks: [...acks.values()] })
  }
  const cancel = clock.after(waitMs, () => {
    for (const relay of urls) if (!acks.has(relay)) acks.set(relay, { relay, ok: false, says: '' })
    end()
  })
  if (signal?.aborted || urls.length === 0) end()
  else signal?.addEventListener('abort', end)
  return {
    done,
    end,
    answer(ack) {
      if (ended || acks.has(ack.relay) || !urls.includes(ack.relay)) return
      acks.set(ack.relay, ack)
      if (ack.ok) accepted++
      if (accepted >= want || acks.size === urls.length) end()
    },
  }
}
