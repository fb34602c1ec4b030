/**
 * Dice that everybody can throw again: SHA-256 of a committed seed and a request id feeds xoshiro128** 1.1 (Blackman and
 * Vigna, public domain, prng.di.unimi.it), which uses only 32-bit integers and so gives the same numbers everywhere.
 * @module
 */
import { fromHex, sha256 } from '../hash.ts'
import type { Dice } from './policy.ts'

const mostUnlikely = 0x9e3779b9

/** Dice of one decision. Both are hex: the seed that was revealed, and the id of the request; the bytes are hashed together. */
export function openDice(seedHex: string, requestId = ''): Dice {
  const digest = new DataView(sha256(fromHex(seedHex + requestId)).buffer)
  let a = digest.getUint32(0)
  let b = digest.getUint32(4)
  let c = digest.getUint32(8)
  // A state of zeros would stay there for ever.
  let d = digest.getUint32(12) || mostUnlikely
  const word = (): number => {
    const times5 = Math.imul(b, 5)
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result >>> 0
  }
  // 53 bits, as many as a double holds: the upper 27 of one word above the upper 26 of the next.
  return { next: () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53 }
}
