/**
 * The whole text so far, now and then, for NIP-90 clients that know no frames (7000 `partial`).
 * @module
 */
import type { Clock } from '../clock.ts'

export interface Partials {
  /** What is there already. */
  begin(soFar: string): void
  push(text: string): void
  stop(): void
}

/** Milliseconds between two of them. */
export const partialMs = 1_500
/** Bytes of JSON: what fits an event sealed and wrapped. A longer text is shown when it is whole. */
export const partialBytes = 24_000

export function openPartials({ clock, show }: { clock: Clock; show(soFar: string): void }): Partials {
  let text = ''
  let cancel: (() => void) | undefined
  const stop = () => {
    cancel?.()
    cancel = undefined
  }
  function flush() {
    cancel = undefined
    // The other half of a character is still to come.
    const whole = /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text
    if (new TextEncoder().encode(JSON.stringify(whole)).length <= partialBytes) show(whole.toWellFormed())
  }
  return {
    begin(soFar) {
      stop()
      text = soFar
    },
    push(more) {
      if (more === '' || text.length > partialBytes) return
      text += more
      cancel ??= clock.after(partialMs, flush)
    },
    stop,
  }
}
