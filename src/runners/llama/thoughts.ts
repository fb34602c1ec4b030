/**
 * Some models think aloud before they answer, between two marks. Customers get the answer.
 * @module
 */
import { openStopTexts } from '../answers/stop-texts.ts'

/** The marks of a model, and whether its template leaves it thinking. */
export interface ThoughtMarks {
  readonly open: string
  readonly close: string
  readonly inside: boolean
}

/** Opens the sieve: takes each piece and gives what is not thought. */
export function openThoughts({ open, close, inside }: ThoughtMarks): {
  push(piece: string): string
  /** What was held back, when nothing follows any more. */
  rest(): string
} {
  let thinking = inside
  let fresh = inside
  let watch = openStopTexts([inside ? close : open])
  const shown = (text: string): string => {
    if (thinking) return ''
    const out = fresh ? text.trimStart() : text
    if (out !== '') fresh = false
    return out
  }
  return {
    push(piece) {
      let out = ''
      for (let rest = piece; ; ) {
        const { text, stop } = watch.push(rest)
        out += shown(text)
        if (!stop) return out
        thinking = !thinking
        fresh = !thinking
        watch = openStopTexts([thinking ? close : open])
        rest = stop.after
      }
    },
    rest: () => shown(watch.rest()),
  }
}
