/**
 * Who may have a place at a node where all are taken: jobs that nobody has paid give way, the longest unpaid first. With a
 * key for every job no customer can be held to a number of jobs, and a bill costs a stranger nothing.
 * @module
 */
import { bounded } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import { isUnpaid } from '../job/node-side.ts'
import type { JobBox } from './job-box.ts'

export interface Seats {
  /** True where this job may come; an unpaid one may have given its place up for it. */
  room(job: string, boxes: ReadonlyMap<string, JobBox>): boolean
  /** Watches for late money until `end` is called, at the latest after `ms`. Gives the way to stop. */
  linger(ms: number, end: () => void): () => void
}

export interface SeatsOptions {
  readonly clock: Clock
  readonly jobs: number
  readonly unpaidSeconds: number
  readonly lingering: number
}

export function openSeats({ clock, jobs, unpaidSeconds, lingering }: SeatsOptions): Seats {
  /** When each job came, in milliseconds; of one that an earlier process took when it was first seen. */
  const since = bounded<string, number>(4 * jobs)
  const ends = new Set<() => void>()

  /** The oldest unpaid job that had its time. Maps keep the order in which jobs came. */
  function longestUnpaid(boxes: ReadonlyMap<string, JobBox>): JobBox | undefined {
    for (const [id, box] of boxes) {
      const at = since.get(id)
      if (isUnpaid(box.job()) && at !== undefined && clock.now() - at >= unpaidSeconds * 1_000) return box
    }
    return undefined
  }

  return {
    room(job, boxes) {
      if (boxes.size >= jobs) {
        for (const id of boxes.keys()) if (!since.has(id)) since.set(id, clock.now())
        longestUnpaid(boxes)?.send({ fact: 'displaced' })
        if (boxes.size >= jobs) return false
      }
      since.set(job, clock.now())
      return true
    },
    linger(ms, end) {
      const stop = () => {
        cancel()
        ends.delete(over)
      }
      const over = () => {
        stop()
        end()
      }
      const cancel = clock.after(ms, over)
      ends.add(over)
      const [oldest] = ends
      if (ends.size > lingering) oldest?.()
      return stop
    },
  }
}
