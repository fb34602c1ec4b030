/**
 * Frames on their way in: relays drop, repeat and reorder them, so only what is next in line is shown, and the result
 * itself fills whatever never came.
 * @module
 */

export interface StreamIn {
  /** Takes a frame; returns the text that may be shown now. */
  frame(seq: number, text: string): string
  /** Takes the whole answer; returns what was not shown yet, or the whole where the frames told another story. */
  answer(text: string): { readonly rest: string; readonly replaced: boolean }
  /** Everything shown so far. */
  readonly shown: string
}

/** Frames that may wait for an earlier one, and characters that a stream may hold. */
const room = 1_000
const chars = 4_000_000

/** `begun` is what was shown before the first frame: the beginning of the answer, from elsewhere. */
export function openStreamIn(begun = ''): StreamIn {
  const waiting = new Map<number, string>()
  let next = 0
  let shown = begun
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
      return out
    },
    answer(text) {
      waiting.clear()
      next = Number.MAX_SAFE_INTEGER
      const replaced = !text.startsWith(shown)
      const rest = replaced ? text : text.slice(shown.length)
      shown = text
      return { rest, replaced }
    },
    get shown() {
      return shown
    },
  }
}
