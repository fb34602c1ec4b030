/**
 * Ranges of whole numbers as GBNF, digit by digit.
 * @module
 */

/** The whole part of any number. */
export const digits = '("0" | [1-9] [0-9]{0,14})'
/** What may follow its point. */
export const fraction = '[0-9]{1,15}'

/** All whole numbers between two, both of at most 15 digits. */
export function wholes(from: number, to: number): string {
  const parts: string[] = []
  if (from < 0) parts.push(`"-" (${upward(Math.max(1, -to), -from).join(' | ')})`)
  if (to >= 0) parts.push(...upward(Math.max(0, from), to))
  return parts.join(' | ')
}

/** Ranges from 0 up, one for each number of digits. */
function upward(from: number, to: number): string[] {
  const parts: string[] = []
  for (let low = from; low <= to; ) {
    const high = Math.min(to, 10 ** `${low}`.length - 1)
    parts.push(sameLength(`${low}`, `${high}`))
    low = high + 1
  }
  return parts
}

function sameLength(low: string, high: string): string {
  const [a = '0', b = '9'] = [low[0], high[0]]
  const length = low.length - 1
  if (length === 0) return between(a, b)
  if (a === b) return `"${a}" (${sameLength(low.slice(1), high.slice(1))})`
  const zeros = '0'.repeat(length)
  const nines = '9'.repeat(length)
  const whole = (from: number, to: number) => (from > to ? [] : [`${between(`${from}`, `${to}`)} [0-9]{${length}}`])
  const lowWhole = low.slice(1) === zeros
  const highWhole = high.slice(1) === nines
  return [
    ...(lowWhole ? [] : [`"${a}" (${sameLength(low.slice(1), nines)})`]),
    ...whole(Number(a) + (lowWhole ? 0 : 1), Number(b) - (highWhole ? 0 : 1)),
    ...(highWhole ? [] : [`"${b}" (${sameLength(zeros, high.slice(1))})`]),
  ].join(' | ')
}

const between = (a: string, b: string): string => (a === b ? `"${a}"` : `[${a}-${b}]`)
