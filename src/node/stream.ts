/**
 * Frames of an answer on their way out: the first words at once, the rest gathered, because each event costs a signature
 * here and two checks elsewhere; and no faster than a relay takes them.
 * @module
 */
import type { Clock } from '../clock.ts'

export interface StreamOut {
  push(text: string): void
  /** Sends all that is left, whatever is under way. `last`: no more frames follow, and the last one says so. */
  end(last: boolean): void
  /** Forgets what is left. */
  drop(): void
  /** A relay has taken a frame, or none ever will. */
  acked(): void
}

export interface StreamOptions {
  readonly clock: Clock
  /** One frame. An empty text with `last` says of the frame before it that it was the last. */
  send(text: string, last: boolean): void
}

/** Milliseconds between two frames. */
export const frameMs = 60
/** Characters of one frame: in every script it fits a relay's 64 KiB, sealed and wrapped. */
export const frameChars = 8_000
/** Frames that no relay has taken yet. */
export const framesUnderWay = 4
/** Characters that wait for relays. Beyond it the result itself tells the rest. */
export const waitingChars = 131_072

/** Pieces in order, gathered into frames that are together the same text. */
export function openStream({ clock, send }: StreamOptions): StreamOut {
  let waiting = ''
  let underWay = 0
  let sentMs = Number.NEGATIVE_INFINITY
  let given = false
  let full = false
  let cancel: (() => void) | undefined

  const quiet = () => {
    cancel?.()
    cancel = undefined
  }

  /** Cuts the next frame. Half a character has no bytes: it waits for its other half. */
  function cut(all: boolean): string {
    let end = Math.min(frameChars, waiting.length)
    const half = /[\uD800-\uDBFF]/.test(waiting.charAt(end - 1))
    if (half && !(all && end === waiting.length)) end--
    const text = waiting.slice(0, end)
    waiting = waiting.slice(end)
    return text.toWellFormed()
  }

  function hand(text: string, last: boolean) {
    underWay++
    sentMs = clock.now()
    given = true
    send(text, last)
  }

  function flush() {
    quiet()
    const text = cut(false)
    if (text !== '') hand(text, false)
    schedule()
  }

  function schedule() {
    if (cancel || waiting === '' || underWay >= framesUnderWay) return
    const waitMs = sentMs + frameMs - clock.now()
    if (waitMs > 0) cancel = clock.after(waitMs, flush)
    else if (waiting.length > 1 || !/[\uD800-\uDBFF]/.test(waiting)) flush()
  }

  return {
    push(text) {
      if (full) return
      waiting += text
      if (waiting.length <= waitingChars) return schedule()
      full = true
      waiting = ''
      quiet()
    },
    end(last) {
      quiet()
      if (full) return
      let closed = false
      while (waiting !== '') {
        const text = cut(true)
        closed = last && waiting === ''
        hand(text, closed)
      }
      if (last && given && !closed) send('', true)
    },
    drop() {
      quiet()
      waiting = ''
    },
    acked() {
      underWay = Math.max(0, underWay - 1)
      schedule()
    },
  }
}
