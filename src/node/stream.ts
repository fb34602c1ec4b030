/**
 * Pieces of an answer on their way out: gathered, because each event costs a signature here and two checks elsewhere.
 * @module
 */
import type { Clock } from '../clock.ts'

export interface StreamOut {
  push(text: string): void
  /** Sends what is left. */
  end(): void
  /** Forgets what is left. */
  drop(): void
}

export interface StreamOptions {
  readonly clock: Clock
  /** Milliseconds from the first waiting piece to the sending. */
  readonly everyMs: number
  /** Characters that are sent without waiting. */
  readonly chars: number
  send(seq: number, text: string, last: boolean): void
}

/** Numbered deltas from 0, in order; the last one says so. */
export function openStream(options: StreamOptions): StreamOut {
  let waiting = ''
  let seq = 0
  let cancel: (() => void) | undefined
  const flush = (last: boolean) => {
    cancel?.()
    cancel = undefined
    // An empty text cannot be sealed, and the result itself ends a stream whose words are all out.
    if (waiting === '') return
    const text = waiting
    waiting = ''
    options.send(seq++, text, last)
  }
  return {
    push(text) {
      waiting += text
      // The first words go out at once: they are what a person waits for.
      if (seq === 0 || waiting.length >= options.chars) flush(false)
      else cancel ??= options.clock.after(options.everyMs, () => flush(false))
    },
    end: () => flush(true),
    drop() {
      cancel?.()
      waiting = ''
    },
  }
}
