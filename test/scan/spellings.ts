/** Finds a text in what passed by, also where it was merely encoded: whoever reads base64 reads the text. */

/** The text as it may stand in a frame: plain, escaped as JSON, hex, percent-encoded, and base64 at each of three offsets. */
export function spellings(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8')
  const inBase64 = [0, 1, 2].flatMap(offset => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The first and last letters hold bits of what stands beside it.
    const whole = shifted.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + bytes.length) * 8) / 6))
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const json = JSON.stringify(text).slice(1, -1)
  const all = [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    bytes.toString('hex'),
    encodeURIComponent(text),
    ...inBase64,
  ]
  return [...new Set(all)]
}

/** Which of these texts can be read in this one, however spelled; case does not matter. */
export function found(texts: readonly string[], where: string): string[] {
  const low = where.toLowerCase()
  return texts.filter(text => spellings(text).some(spelled => low.includes(spelled.toLowerCase())))
}
