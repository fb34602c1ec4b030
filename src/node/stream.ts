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
  /** True: the first piece goes out at once, because the first words are what a person waits for. */
  readonly eager: boolean
  send(text: string): void
}

/** Pieces in order, gathered. */
export function openStream(options: StreamOptions): StreamOut {
  let waiting = ''
  let began = false
  let cancel: (() => void) | undefined
  const flush = () => {
    cancel?.()
    cancel = undefined
    // An empty text cannot be sealed, and the result itself ends a stream whose words are all out.
    if (waiting === '') return
    const text = waiting
    waiting = ''
    began = true
    options.send(text)
  }
  return {
    push(text) {
      waiting += text
      if ((options.eager && !began) || waiting.length >= options.chars) flush()
      else cancel ??= options.clock.after(options.everyMs, flush)
    },
    end: flush,
    drop() {
      cancel?.()
      cancel = undefined
      waiting = ''
    },
  }
}
