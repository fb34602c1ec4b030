/**
 * A few seats and one bounded queue in front of them: work beyond the seats waits in order, work beyond the queue is
 * turned away at once.
 * @module
 */
import { RunnerError } from '../runner.ts'

export interface Seats<T> {
  /** Waits for a free seat, first come first served. Rejects with the signal's reason, or `RunnerError` when full. */
  take(signal: AbortSignal): Promise<T>
  /** Frees a seat that `take` gave; call it once. */
  give(seat: T): void
  /** Work that waits. */
  readonly waiting: number
}

/** Opens the given seats with room for `queue` waiters. */
export function openSeats<T>(all: readonly T[], queue: number): Seats<T> {
  const free = [...all]
  const line = new Set<(seat: T) => void>()
  return {
    async take(signal) {
      signal.throwIfAborted()
      const seat = free.shift()
      if (seat !== undefined) return seat
      if (line.size >= queue) {
        const says = `all ${all.length} sequences are busy and ${queue} pieces of work wait already`
        throw new RunnerError(`${says}; raise parallel or queue, or take fewer jobs`)
      }
      return await new Promise<T>((resolve, reject) => {
        const leave = () => {
          line.delete(sit)
          reject(signal.reason)
        }
        const sit = (given: T) => {
          signal.removeEventListener('abort', leave)
          resolve(given)
        }
        line.add(sit)
        signal.addEventListener('abort', leave, { once: true })
      })
    },
    give(seat) {
      const [next] = line
      if (!next) {
        free.push(seat)
        return
      }
      line.delete(next)
      next(seat)
    },
    get waiting() {
      return line.size
    },
  }
}
