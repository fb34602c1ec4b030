/**
 * What may wait until the answer has left: done right after it, or in the next turn of the event loop, whichever comes
 * first.
 * @module
 */

export interface Aside {
  later(run: () => void): void
  /** Does what waits. */
  now(): void
}

/** `onThrow` hears of what fails in a turn of its own. */
export function openAside(onThrow: (error: unknown) => void): Aside {
  const waiting: (() => void)[] = []
  const now = () => {
    for (const run of waiting.splice(0))
      try {
        run()
      } catch (error) {
        onThrow(error)
      }
  }
  return {
    later(run) {
      if (waiting.push(run) === 1) setImmediate(now)
    },
    now,
  }
}
