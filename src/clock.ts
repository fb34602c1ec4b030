/**
 * Time as an argument. Every room may import this leaf; nothing reads the wall clock or sets a timer by another door,
 * so that a test holds time in its hand and never sleeps.
 * @module
 */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Runs once after `ms`; returns the way to cancel. A cancelled timer never runs. */
  after(ms: number, run: () => void): () => void
}

/** Real time. `keepAlive: false` lets the process end while a timer waits. */
export function wallClock(options: { keepAlive?: boolean } = {}): Clock {
  return {
    now: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms)
      if (options.keepAlive === false) (timer as { unref?: () => void }).unref?.()
      return () => clearTimeout(timer)
    },
  }
}

/** Unix seconds of a clock, as Nostr counts them. */
export const seconds = (clock: Clock): number => Math.floor(clock.now() / 1000)

export interface HandClock extends Clock {
  /** Moves time forward and runs what became due, in order, yielding to promises between any two. */
  advance(ms: number): Promise<void>
  /** Timers that wait. */
  readonly waiting: number
}

/** A clock that stands still until it is moved. For tests and simulations. */
export function handClock(startMs = 1_800_000_000_000): HandClock {
  let now = startMs
  let next = 0
  const timers = new Map<number, { at: number; run: () => void }>()
  const settle = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve()
  }
  return {
    now: () => now,
    after(ms, run) {
      const id = next++
      timers.set(id, { at: now + Math.max(0, ms), run })
      return () => void timers.delete(id)
    },
    async advance(ms) {
      const end = now + ms
      await settle()
      for (;;) {
        let due: [number, { at: number; run: () => void }] | undefined
        for (const entry of timers) if (entry[1].at <= end && (!due || entry[1].at < due[1].at)) due = entry
        if (!due) break
        timers.delete(due[0])
        now = Math.max(now, due[1].at)
        due[1].run()
        await settle()
      }
      now = end
      await settle()
    },
    get waiting() {
      return timers.size
    },
  }
}

/** Resolves after `ms`, or at once when `signal` fires. Never rejects. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** Resolves when `signal` fires, at once when it has; never without one. */
export function aborted(signal: AbortSignal | undefined): Promise<undefined> {
  return new Promise(resolve => {
    if (signal?.aborted) resolve(undefined)
    else signal?.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** A signal that fires after `ms`, or with `other`. `stop` lets go of the timer. */
export function timeLimit(clock: Clock, ms: number, other?: AbortSignal): { signal: AbortSignal; stop(): void } {
  const late = new AbortController()
  const stop = clock.after(ms, () => late.abort())
  return { signal: other ? AbortSignal.any([late.signal, other]) : late.signal, stop }
}

/** A wait of `ms` that `end` or `signal` makes shorter. The time runs from here; `over` never rejects. */
export function patience(clock: Clock, ms: number, signal: AbortSignal): { readonly over: Promise<void>; end(): void } {
  const enough = new AbortController()
  return { over: pause(clock, ms, AbortSignal.any([signal, enough.signal])), end: () => enough.abort() }
}
