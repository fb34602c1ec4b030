/**
 * One subscription at the relay inside this process.
 * @module
 */
import type { Event } from '../kinds/kind.ts'
import { type Clock, seconds } from '../src/clock.ts'
import { standingFilters } from './cursor.ts'
import type { MemoryStore } from './memory-store.ts'
import { POOL_LIMITS } from './pool-limits.ts'
import type { Admit, Filter, Listening, ListenOptions } from './relay.ts'
import { openSeen } from './seen.ts'

export interface ReaderOptions {
  readonly url: string
  readonly clock: Clock
  readonly store: MemoryStore
  readonly filters: Filter[]
  readonly options: ListenOptions & { admit: Admit }
  isUp(): boolean
  onDropped(): void
  onEnd(): void
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
export function openReader({ url, clock, store, filters, options, ...on }: ReaderOptions): Reader {
  const seen = openSeen(POOL_LIMITS.seenIds)
  let isClosed = false
  let isFinished = false
  let alive: number | undefined
  let goLive = () => {}
  const live = new Promise<void>(resolve => {
    goLive = resolve
  })

  const take = (raw: Event) => {
    if (isClosed || seen.has(raw.id)) return
    try {
      const event = options.admit(raw, url)
      if (!event) return on.onDropped()
      seen.add(event.id)
      options.onEvent(event, url)
    } catch {
      on.onDropped()
    }
  }

  const finish = () => {
    if (isFinished || isClosed) return
    isFinished = true
    cancel()
    goLive()
    if (options.once) close()
    options.onEose?.()
  }

  const close = () => {
    if (isClosed) return
    isClosed = true
    cancel()
    goLive()
    on.onEnd()
  }

  const cancel = clock.after(POOL_LIMITS.eoseMs, finish)
  return {
    filters,
    live,
    close,
    take,
    answer() {
      if (isClosed || !on.isUp()) return
      const now = seconds(clock)
      const asked = options.once ? filters : standingFilters(filters, now, alive, POOL_LIMITS)
      for (const event of store.find(asked, now)) take(event)
      finish()
    },
    lost() {
      if (isFinished) alive = seconds(clock)
    },
  }
}
