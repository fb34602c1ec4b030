/**
 * Frames on their way in: relays drop, repeat and reorder them, so only what is next in line is shown, what is missing is
 * asked for again a few times, and the result itself fills whatever never came.
 * @module
 */
import type { Clock } from '../clock.ts'
import { sha256Hex } from '../hash.ts'

export interface StreamIn {
  /** Takes a frame; returns the text that may be shown now. */
  frame(seq: number, text: string): string
  /** The frame of this place is the last one. */
  ends(seq: number): void
  /** Everything that was streamed, where all of it came and its SHA-256 is this (hex). */
  whole(digest: string): string | undefined
  /** Takes the whole answer; returns what was not shown yet, or the whole where the frames told another story. */
  answer(text: string): { readonly rest: string; readonly replaced: boolean }
  /** Everything shown so far. */
  readonly shown: string
  /** Nothing more is asked for. */
  close(): void
}

export interface StreamInOptions {
  /** What was shown before the first frame: the beginning of the answer, from elsewhere. */
  readonly begun?: string
  readonly clock: Clock
  /** Asks for the frames from this place on. */
  resend(from: number): void
}

/** Frames that may wait for an earlier one, and characters that a stream may hold. */
const room = 1_000
const chars = 4_000_000
/** How long a frame may be missing while later ones wait; twice as long after each question. */
const gapMs = 300
/** Questions about one place, and about a whole stream: who streams badly is not asked for ever. */
const mostTries = 3
const mostAsked = 60

export function openStreamIn({ begun = '', clock, resend }: StreamInOptions): StreamIn {
  const waiting = new Map<number, string>()
  let next = 0
  let shown = begun
  let last: number | undefined
  let answered = false
  let asked = 0
  /** The place that is missing, how often it was asked for, and the timer of the next question. */
  let gap: { readonly at: number; tries: number; cancel(): void } | undefined

  function watch() {
    if (gap?.at === next && waiting.size > 0) return
    gap?.cancel()
    gap = waiting.size === 0 ? undefined : { at: next, tries: 0, cancel: () => {} }
    if (gap) arm(gap)
  }
  function arm(one: NonNullable<typeof gap>) {
    if (one.tries >= mostTries || asked >= mostAsked) return
    one.cancel = clock.after(gapMs * 2 ** one.tries, () => {
      one.tries++
      asked++
      resend(one.at)
      arm(one)
    })
  }
  function close() {
    waiting.clear()
    watch()
  }

  return {
    frame(seq, text) {
      if (seq < next || seq > next + room || waiting.size >= room || shown.length + text.length > chars) return ''
      waiting.set(seq, text)
      let out = ''
      for (let piece = waiting.get(next); piece !== undefined; piece = waiting.get(next)) {
        waiting.delete(next++)
        out += piece
      }
      shown += out
      watch()
      return out
    },
    ends(seq) {
      last ??= seq
    },
    whole: digest =>
      !answered && last !== undefined && next === last + 1 && sha256Hex(shown) === digest ? shown : undefined,
    answer(text) {
      answered = true
      next = Number.MAX_SAFE_INTEGER
      close()
      const replaced = !text.startsWith(shown)
      const rest = replaced ? text : text.slice(shown.length)
      shown = text
      return { rest, replaced }
    },
    get shown() {
      return shown
    },
    close,
  }
}
