/**
 * Frames that were sent, for readers who miss some: relays drop what nobody keeps.
 * @module
 */
import type { Clock } from '../clock.ts'
import { seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'

export interface SentFrame {
  readonly seq: number
  readonly text: string
  readonly last: boolean
  /** Unix seconds: the same frame at the same time would be the same event, which no relay passes on twice. */
  readonly at: number
}

export interface SentFrames {
  /** Keeps a frame; the oldest are forgotten. */
  keep(seq: number, text: string, last: boolean): SentFrame
  /** The frame before this one was the last: gives it anew. */
  close(): SentFrame | undefined
  /** Those from this place on, in order, with a time of their own; nothing while they are asked for too often, or too much. */
  from(seq: number): readonly SentFrame[]
  clear(): void
}

/** Frames and characters that are kept of one job. */
export const keptFrames = 256
export const keptChars = 262_144
/** Frames that one question brings. */
export const resentFrames = 32
/** Characters that are sent again beyond as many as were sent: a short question must not bring long answers for ever. */
export const resentChars = 1_048_576
/** Questions about one job in a minute; a fifth of it at once. */
export const resendsPerMinute = 60

export function openSentFrames(clock: Clock): SentFrames {
  const frames: SentFrame[] = []
  const asked = openBuckets(resendsPerMinute, resendsPerMinute / 5, 1, () => clock.now())
  let chars = 0
  /** Characters that may still be sent again. */
  let left = resentChars

  function again(index: number, last: boolean): SentFrame | undefined {
    const frame = frames[index]
    if (!frame) return undefined
    const next = { ...frame, last, at: Math.max(seconds(clock), frame.at + 1) }
    frames[index] = next
    return next
  }

  return {
    keep(seq, text, last) {
      const frame = { seq, text, last, at: seconds(clock) }
      // A process that began anew counts from 0 again: what was sent before it is another text.
      if (seq <= (frames.at(-1)?.seq ?? -1)) clear()
      frames.push(frame)
      chars += text.length
      left += text.length
      while (frames.length > keptFrames || chars > keptChars) chars -= frames.shift()?.text.length ?? 0
      return frame
    },
    close: () => again(frames.length - 1, true),
    from(seq) {
      const first = frames.findIndex(frame => frame.seq >= seq)
      if (first < 0 || !asked.has('all')) return []
      asked.take('all')
      const some = frames.slice(first, first + resentFrames)
      return some.flatMap((frame, index) => {
        if (frame.text.length > left) return []
        left -= frame.text.length
        return again(first + index, frame.last) ?? []
      })
    },
    clear,
  }

  function clear() {
    frames.length = 0
    chars = 0
  }
}
