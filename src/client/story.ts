/**
 * One text out of several nodes' answers: what was shown is not shown again, and what tells another story replaces it.
 * @module
 */

/** What the reader gets to see. */
export type Telling =
  | { readonly event: 'chunk'; readonly text: string }
  | { readonly event: 'replaced'; readonly text: string }

export interface Story {
  /** Everything shown so far. */
  readonly shown: string
  /** A node begins: with the whole answer once more, or with what comes after `shown`. */
  begin(how: 'whole' | 'rest'): void
  chunk(text: string): void
  /** A node's own stream was wrong: this is its whole answer. */
  replaced(text: string): void
}

export function openStory(tell: (telling: Telling) => void): Story {
  let shown = ''
  /** What the present node has said, from the beginning of the answer. */
  let said = ''

  function follow(): void {
    if (shown.startsWith(said)) return
    const rest = said.startsWith(shown) ? said.slice(shown.length) : undefined
    shown = said
    tell(rest === undefined ? { event: 'replaced', text: said } : { event: 'chunk', text: rest })
  }

  return {
    get shown() {
      return shown
    },
    begin(how) {
      said = how === 'rest' ? shown : ''
    },
    chunk(text) {
      said += text
      follow()
    },
    replaced(text) {
      said = text
      if (shown !== text && shown.startsWith(text)) {
        shown = text
        tell({ event: 'replaced', text })
      } else follow()
    },
  }
}
