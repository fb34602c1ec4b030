/**
 * Texts that end an answer: found also when they come in pieces, and never let out, not even their beginning.
 * @module
 */

/** What a piece brought: text that may go out, and which of the texts came whole, where one did. */
export interface Passed {
  readonly text: string
  /** What ended it: its place in the list, how many of its characters came in earlier pieces, and what came behind it. */
  readonly stop?: { readonly index: number; readonly earlier: number; readonly after: string }
}

/** Watches a growing text. */
export interface StopTexts {
  push(piece: string): Passed
  /** What was held back, when nothing follows any more. */
  rest(): string
}

/**
 * Opens a watch. The text that is complete first ends the answer, the longest where several end at one place: so the
 * outcome does not depend on how the text was cut into pieces. Empty texts are none.
 */
export function openStopTexts(texts: readonly string[]): StopTexts {
  let held = ''
  return {
    push(piece) {
      if (texts.length === 0) return { text: piece }
      const all = held + piece
      const first = firstComplete(all, texts)
      if (first) {
        const earlier = Math.max(0, held.length - first.at)
        held = ''
        return { text: all.slice(0, first.at), stop: { index: first.index, earlier, after: all.slice(first.end) } }
      }
      const from = all.length - longestBeginning(all, texts)
      held = all.slice(from)
      return { text: all.slice(0, from) }
    },
    rest() {
      const rest = held
      held = ''
      return rest
    },
  }
}

function firstComplete(all: string, texts: readonly string[]): { index: number; at: number; end: number } | undefined {
  let best: { index: number; at: number; end: number } | undefined
  for (const [index, text] of texts.entries()) {
    const at = text === '' ? -1 : all.indexOf(text)
    if (at < 0) continue
    const end = at + text.length
    if (!best || end < best.end || (end === best.end && at < best.at)) best = { index, at, end }
  }
  return best
}

/** Length of the longest end of `all` that begins one of the texts. */
function longestBeginning(all: string, texts: readonly string[]): number {
  let longest = 0
  for (const text of texts)
    for (let length = Math.min(text.length - 1, all.length); length > longest; length--)
      if (all.endsWith(text.slice(0, length))) longest = length
  return longest
}
