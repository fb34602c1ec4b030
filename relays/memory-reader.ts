/**
 * One subscription at the relay inside this process.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import { seconds } from '../src/clock.ts'
import { standingFilters } from './cursor.ts'
import type { MemoryStore } from './memory-store.ts'
import { POOL_LIMITS } from './pool-limits.ts'
import type { Filter, Listening } from './relay.ts'
import { openSubscription, type SubscriptionOptions } from './subscription.ts'

export interface ReaderOptions extends Omit<SubscriptionOptions, 'eoseMs' | 'seenIds'> {
  readonly url: string
  readonly store: MemoryStore
  readonly filters: Filter[]
  isUp(): boolean
}

export interface Reader extends Listening {
  readonly filters: readonly Filter[]
  take(event: Event): void
  /** Sends what is stored, if the relay is there. */
  answer(): void
  /** The relay went away. */
  lost(): void
}

/** The EOSE time-out runs from now on. */
export function openReader({ store, filters, isUp, ...options }: ReaderOptions): Reader {
  const { clock, url, listen } = options
  const sub = openSubscription({ ...options, eoseMs: POOL_LIMITS.eoseMs, seenIds: POOL_LIMITS.seenIds })
  let alive: number | undefined
  return {
    filters,
    live: sub.live,
    close: sub.close,
    take: event => void sub.take(event, url),
    answer() {
      if (sub.isEnded || !isUp()) return
      const now = seconds(clock)
      const asked = listen.once ? filters : standingFilters(filters, now, alive, POOL_LIMITS)
      for (const event of store.find(asked, now)) sub.take(event, url)
      sub.finish()
    },
    lost() {
      if (sub.isFinished) alive = seconds(clock)
    },
  }
}
