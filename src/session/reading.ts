/**
 * The text of an answer turned into deltas as it grows: a text is its own delta, and one JSON delta a line is read.
 * @module
 */
import { type Delta, type Gathered, gather, openDeltas } from '../../kinds/index.ts'

export interface Reading {
  /** The next piece of the answer; gives what it adds. */
  push(text: string): readonly Delta[]
  /** The answer from its beginning; what came before is void. Never empty. */
  replace(text: string): readonly [Delta, ...Delta[]]
}

/** Opens a reading. With `deltas` the answer was asked for line by line; one that is a plain text all the same is read as such. */
export function openReading(deltas: boolean): Reading {
  let lines = deltas ? openDeltas() : undefined
  let began = false
  function push(text: string): readonly Delta[] {
    if (text === '') return []
    if (!began && lines && !text.trimStart().startsWith('{')) lines = undefined
    began = true
    return lines ? lines.push(text) : [{ text }]
  }
  return {
    push,
    replace(text) {
      lines = deltas ? openDeltas() : undefined
      began = false
      const [first = {}, ...rest] = push(text)
      return [first, ...rest]
    },
  }
}

/** A whole answer. Lines that are no deltas make it a plain text. */
export function readAnswer(text: string, deltas: boolean): Gathered {
  const plain = { text, toolCalls: [], logprobs: [] }
  if (!deltas) return plain
  const lines = openDeltas()
  const read = [...lines.push(text), ...lines.push('\n')]
  return lines.spoiled || (read.length === 0 && text !== '') ? plain : gather(read)
}
