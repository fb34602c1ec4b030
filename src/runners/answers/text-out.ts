/**
 * The way of text out of a runner: held back where it may begin a text that ends it, together with the probabilities of
 * its tokens, and never empty.
 * @module
 */
import type { Delta, TokenLogprob } from '../../../kinds/index.ts'
import { openStopTexts, type Passed } from './stop-texts.ts'

export interface TextOutOptions {
  readonly stops: readonly string[]
  /** Blanks at the beginning are no part of the text. */
  readonly trims?: boolean
  emit(delta: Delta): void
}

export interface TextOut {
  /** Takes a piece and what its token weighed; says which text ended it, where one did. */
  push(piece: string, weighed?: TokenLogprob): Passed['stop'] | undefined
  /** Nothing follows: lets out what was held. */
  end(piece: string, before?: { push(piece: string): string; rest(): string }): void
}

/** Opens the way out. */
export function openTextOut({ stops, trims = false, emit }: TextOutOptions): TextOut {
  const watch = openStopTexts(stops)
  let fresh = trims
  /** Where each weighed token begins; those that begin in text that is out are out. */
  let waiting: { readonly weighed: TokenLogprob; readonly at: number }[] = []
  let pushed = 0
  let out = 0

  const release = (text: string): void => {
    out += text.length
    const due = waiting.filter(({ at }) => at < out)
    if (due.length > 0) waiting = waiting.filter(({ at }) => at >= out)
    if (text === '' && due.length === 0) return
    emit({
      ...(text === '' ? {} : { text }),
      ...(due.length === 0 ? {} : { logprobs: due.map(({ weighed }) => weighed) }),
    })
  }
  const push = (said: string, weighed?: TokenLogprob) => {
    const piece = fresh ? said.trimStart() : said
    if (piece !== '') fresh = false
    if (weighed && !fresh) waiting.push({ weighed, at: pushed })
    pushed += piece.length
    const { text, stop } = watch.push(piece)
    release(text)
    return stop
  }
  return {
    push,
    end(piece, before) {
      const last = before ? before.push(piece) + before.rest() : piece
      if (last === '' || !push(last)) release(watch.rest())
    },
  }
}
