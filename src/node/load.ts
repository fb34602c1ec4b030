/**
 * How busy a node is: seats taken, work that waits for one, and how long that will take.
 * @module
 */
import type { Clock } from '../clock.ts'
import type { NodeJob } from '../job.ts'
import type { NodeEvent } from './node-event.ts'

export interface Slots {
  readonly total: number
  readonly busy: number
  readonly queued: number
}

export interface Load {
  slots(): Slots
  /** Milliseconds until a job that came now would have its turn; 0 with a free seat. */
  queueMs(): number
  /** Follows what the node tells, to learn how long its work takes. */
  heard(event: NodeEvent): void
}

/** Work of which nothing is known yet. */
const guessMs = 10_000
/** How much the newest job counts for. */
const share = 0.2
/** Jobs whose beginning is remembered. */
const room = 1_000

/** `seats` is how many jobs the runner works on at once. */
export function openLoad(options: { seats: number; clock: Clock; jobs(): readonly NodeJob[] }): Load {
  const { seats, clock } = options
  const began = new Map<string, number>()
  let meanMs: number | undefined

  function slots(): Slots {
    const running = options.jobs().filter(({ state }) => state === 'running').length
    return { total: seats, busy: Math.min(seats, running), queued: Math.max(0, running - seats) }
  }

  return {
    slots,
    queueMs() {
      const { total, busy, queued } = slots()
      return busy < total ? 0 : Math.ceil(((queued + 1) * (meanMs ?? guessMs)) / total)
    },
    heard({ event, job }) {
      if (job === undefined) return
      if (event === 'running' || event === 'held') {
        if (!began.has(job) && began.size < room) began.set(job, clock.now())
        return
      }
      const start = began.get(job)
      if (start === undefined || !ends.has(event)) return
      began.delete(job)
      const ms = clock.now() - start
      if (event === 'delivered') meanMs = meanMs === undefined ? ms : meanMs + share * (ms - meanMs)
    },
  }
}

const ends: ReadonlySet<NodeEvent['event']> = new Set(['delivered', 'failed', 'expired', 'cancelled'])
