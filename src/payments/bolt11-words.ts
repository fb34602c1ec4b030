/**
 * Groups of 5 bits, the words of bech32 (BIP 173), to and from bytes and numbers.
 * @module
 */

/** The letter of each word value. */
export const BECH32_LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** 8-bit view of 5-bit words. `spare` holds the bits that were left over, which padding must keep at zero. */
export function wordsToBytes(words: ArrayLike<number>): { bytes: Uint8Array; spare: number } {
  const bytes = new Uint8Array(Math.floor((words.length * 5) / 8))
  let bits = 0
  let held = 0
  let at = 0
  for (let i = 0; i < words.length; i++) {
    held = ((held << 5) | (words[i] ?? 0)) & 0xfff
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (held >> bits) & 0xff
    }
  }
  return { bytes, spare: held & ((1 << bits) - 1) }
}

/** 5-bit words of bytes, padded with zero bits. */
export function bytesToWords(bytes: Uint8Array): number[] {
  const words: number[] = []
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      words.push((held >> bits) & 31)
    }
  }
  if (bits > 0) words.push((held << (5 - bits)) & 31)
  return words
}

/** Big-endian number of words; `Infinity` where it would not be exact. */
export function wordsToNumber(words: ArrayLike<number>): number {
  let value = 0
  for (let i = 0; i < words.length; i++) {
    value = value * 32 + (words[i] ?? 0)
    if (value > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY
  }
  return value
}

/** Fewest big-endian words of a number, or exactly `length` of them. */
export function numberToWords(value: number, length = 0): number[] {
  const words: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 32)) words.unshift(rest % 32)
  while (words.length < Math.max(1, length)) words.unshift(0)
  return words
}
