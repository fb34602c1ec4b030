/**
 * Waits for one thing to become true: asked when something is heard, and with growing pauses when nothing is.
 * @module
 */
import type { Clock } from '../../../src/clock.ts'

export interface Watching<State, Found> {
  readonly clock: Clock
  readonly pollMs: number
  readonly closing: AbortSignal
  /** Calls back when something was heard; returns the way to stop. */
  readonly listen: (look: () => void) => () => void
  /** A rejection means "ask again later". */
  readonly ask: () => Promise<State>
  readonly judge: (state: State) => { readonly found: Found } | 'wait' | 'over'
  readonly on: (found: Found) => void
}

const MAX_POLL_MS = 30_000

/** Calls `on` at most once, and never after it was stopped; returns the way to stop. */
export function watchUntil<State, Found>(watching: Watching<State, Found>): () => void {
  const { clock, closing, listen, ask, judge, on } = watching
  let live = true
  let asking = false
  let again = false
  let pollMs = watching.pollMs
  let cancel = () => {}
  const stop = () => {
    live = false
    cancel()
    unlisten()
    closing.removeEventListener('abort', stop)
  }
  async function look(): Promise<void> {
    if (!live) return
    // What is heard while lnd is being asked may be newer than the answer.
    again = asking
    if (asking) return
    asking = true
    cancel()
    const end = await ask()
      .then(judge)
      .catch(() => 'wait' as const)
    asking = false
    if (!live) return
    if (typeof end === 'object') {
      stop()
      on(end.found)
    } else if (end === 'over') stop()
    else if (again) return look()
    else {
      cancel = clock.after(pollMs, () => void look())
      pollMs = Math.min(MAX_POLL_MS, Math.ceil(pollMs * 1.5))
    }
  }
  const unlisten = listen(() => void look())
  if (closing.aborted) stop()
  else closing.addEventListener('abort', stop, { once: true })
  void look()
  return stop
}
