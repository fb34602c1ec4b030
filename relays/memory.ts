/**
 * Relays inside this process: the same contract without a socket, with outages and faults in the hand of a test.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import { type Clock, seconds } from '../src/clock.ts'
import { matches } from './embedded/matching.ts'
import { frozenEvent, isEvent } from './frames.ts'
import { openReader, type Reader } from './memory-reader.ts'
import { openMemoryStore } from './memory-store.ts'
import type { Admit, Relays } from './relay.ts'
import { noListening } from './subscription.ts'
import { openTally } from './tally.ts'

/** Chances from 0 to 1 of what may happen to one live delivery; stored events always come. */
export interface MemoryFaults {
  drop?: number
  duplicate?: number
  /** Delivered up to `reorderMs` (default 50) late, after those that came behind it. */
  reorder?: number
  reorderMs?: number
  /** From 0 to below 1. */
  random?: () => number
}

export interface MemoryHubOptions {
  clock: Clock
  /** The relay's own check: a false answer refuses the event as `invalid:`. Default: none. */
  verify?: (event: Event) => boolean
  faults?: MemoryFaults
}

export interface MemoryHub {
  readonly url: string
  /** One more participant. Without `admit` everything shaped like an event is let in. */
  connect(options?: { admit?: Admit }): Relays
  /** May be changed at any time. */
  faults: MemoryFaults
  /** From now on nobody reaches the relay. What is published waits for `up`, as long as it is kept. */
  down(): void
  up(): void
  /** Calls for every event that the relay was offered, refused ones included. Returns the way to stop. */
  watch(see: (event: Event) => void): () => void
}

const WAIT_MS = 10_000
const KEEP_MS = 30_000
/** Publications that wait for `up`. */
const WAITING = 10_000

/** One relay in this process. Delivery is asynchronous: never before `publish` or `listen` returned. */
export function memoryHub(options: MemoryHubOptions): MemoryHub {
  const { clock, verify } = options
  const url = 'ws://memory'
  const store = openMemoryStore()
  const readers = new Set<Reader>()
  const watchers = new Set<(event: Event) => void>()
  /** What everybody does when the relay is back, readers before publications. */
  const ready = new Set<() => void>()
  const waiting = new Set<() => void>()
  let isUp = true

  const send = (reader: Reader, event: Event) => {
    const { drop = 0, duplicate = 0, reorder = 0, reorderMs = 50, random = Math.random } = hub.faults
    if (drop > 0 && random() < drop) return
    const go = () => {
      if (isUp) reader.take(event)
    }
    if (duplicate > 0 && random() < duplicate) queueMicrotask(go)
    if (reorder > 0 && random() < reorder) clock.after(1 + Math.floor(random() * reorderMs), go)
    else queueMicrotask(go)
  }

  const offer = (event: Event) => {
    for (const see of watchers) see(event)
    if (verify && !verify(event)) return { relay: url, ok: false, says: 'invalid: bad signature' }
    const { ok, says, fresh } = store.offer(event, seconds(clock))
    if (fresh) for (const reader of readers) if (matches(reader.filters, event)) send(reader, event)
    return { relay: url, ok, says }
  }

  function connect({ admit = letIn }: { admit?: Admit } = {}): Relays {
    const own = new Set<() => void>()
    let isClosed = false
    let dropped = 0
    let reconnects = 0
    const count = () => void reconnects++
    ready.add(count)
    own.add(() => void ready.delete(count))
    return {
      urls: [url],
      publish(event, { want, keepMs = KEEP_MS, signal } = {}) {
        const copy = frozenEvent(event)
        const tally = openTally({ urls: [url], clock, waitMs: isClosed ? 0 : WAIT_MS, want, signal })
        const attempt = () => {
          stop()
          const ack = offer(copy)
          queueMicrotask(() => tally.answer(ack))
        }
        const stop = () => {
          cancel()
          if (isClosed) tally.end()
          waiting.delete(attempt)
          own.delete(stop)
          signal?.removeEventListener('abort', stop)
        }
        const cancel = clock.after(keepMs, stop)
        if (isClosed || signal?.aborted || waiting.size >= WAITING) {
          cancel()
          return tally.done
        }
        waiting.add(attempt)
        own.add(stop)
        signal?.addEventListener('abort', stop)
        queueMicrotask(() => {
          if (isUp && waiting.has(attempt)) attempt()
        })
        return tally.done
      },
      listen(filters, listen, signal) {
        if (isClosed || signal?.aborted) return noListening()
        const reader = openReader({
          url,
          clock,
          store,
          filters: structuredClone(filters),
          admit,
          listen,
          signal,
          isUp: () => isUp,
          onDropped: () => void dropped++,
          onEnd() {
            readers.delete(reader)
            ready.delete(reader.answer)
            own.delete(reader.close)
          },
        })
        readers.add(reader)
        ready.add(reader.answer)
        own.add(reader.close)
        queueMicrotask(reader.answer)
        return { live: reader.live, close: reader.close }
      },
      state() {
        const state = isClosed ? 'closed' : isUp ? 'open' : 'waiting'
        return [{ url, state, dropped, reconnects, lastError: isUp ? '' : 'down' }]
      },
      async close() {
        isClosed = true
        for (const end of [...own]) end()
      },
    }
  }

  const hub: MemoryHub = {
    url,
    faults: options.faults ?? {},
    connect,
    down() {
      isUp = false
      for (const reader of readers) reader.lost()
    },
    up() {
      if (isUp) return
      isUp = true
      for (const back of [...ready, ...waiting]) back()
    },
    watch(see) {
      watchers.add(see)
      return () => void watchers.delete(see)
    },
  }
  return hub
}

/** A hub with one participant, for whoever needs no second one. */
export const memoryRelays = (options: MemoryHubOptions & { admit?: Admit }): Relays =>
  memoryHub(options).connect(options.admit ? { admit: options.admit } : {})

const letIn: Admit = raw => (isEvent(raw) ? frozenEvent(raw) : undefined)
