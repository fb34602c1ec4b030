/**
 * Time for parties that talk over real sockets in one process: it stands still while anything moves, and leaps to the
 * next timer when nothing does. So no test waits for a time-out, and a slow machine changes no outcome.
 * @module
 */
import type { Clock } from '../../src/clock.ts'

export interface QuietClock extends Clock {
  /** Something moved on a wire: time stands still for a while longer. */
  stir(): void
  /** Lets time pass until the promise settles. Rejects after `seconds` of this clock, or when nothing is left to wait for. */
  until<T>(promise: Promise<T>, seconds: number): Promise<T>
  /** Lets this much time pass. */
  pass(seconds: number): Promise<void>
}

/** Turns of the event loop without a frame. Loopback needs two: one for the packet, one for its answer. */
const CALM_TURNS = 10

/** A clock that starts at `startMs` and moves only inside `until` and `pass`. */
export function quietClock(startMs = 1_800_000_000_000): QuietClock {
  let now = startMs
  let next = 0
  let stirs = 0
  const timers = new Map<number, { at: number; run: () => void }>()

  const turn = () => new Promise<void>(resolve => setImmediate(resolve))

  async function calm(isOver: () => boolean): Promise<void> {
    for (let idle = 0, last = stirs; idle < CALM_TURNS && !isOver(); idle++) {
      await turn()
      if (stirs === last) continue
      last = stirs
      idle = -1
    }
  }

  function leap(end: number): boolean {
    let first: [number, { at: number; run: () => void }] | undefined
    for (const entry of timers) if (entry[1].at <= end && (!first || entry[1].at < first[1].at)) first = entry
    if (!first) return false
    timers.delete(first[0])
    now = Math.max(now, first[1].at)
    first[1].run()
    return true
  }

  return {
    now: () => now,
    after(ms, run) {
      const id = next++
      timers.set(id, { at: now + Math.max(0, ms), run })
      return () => void timers.delete(id)
    },
    stir() {
      stirs++
    },
    async until(promise, seconds) {
      let isOver = false
      const over = () => {
        isOver = true
      }
      promise.then(over, over)
      const end = now + seconds * 1000
      for (;;) {
        await calm(() => isOver)
        if (isOver) return promise
        if (!leap(end)) throw new Error(`nothing came of it in ${seconds} s of the clock`)
      }
    },
    async pass(seconds) {
      const end = now + seconds * 1000
      do await calm(() => false)
      while (leap(end))
      now = end
    },
  }
}
