/**
 * Where a JSON object or list ends that grows piece by piece, so that nobody has to wait for what follows it.
 * @module
 */

/** Opens a watch for one text; its answer is true from the piece on that closes what the text opened first. */
export function openJsonEnd(): (piece: string) => boolean {
  let depth = 0
  let quoted = false
  let escaped = false
  let closed = false
  return piece => {
    for (const character of piece) {
      if (closed) break
      if (quoted) {
        if (escaped) escaped = false
        else if (character === '\\') escaped = true
        else if (character === '"') quoted = false
      } else if (character === '"') quoted = true
      else if (character === '{' || character === '[') depth++
      else if (character === '}' || character === ']') closed = --depth === 0
    }
    return closed
  }
}
