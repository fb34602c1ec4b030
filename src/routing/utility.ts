/**
 * What a node is worth to a customer, and the weighted draw. Only operations that IEEE 754 fixes exactly: the same order on
 * every engine.
 * @module
 */
import type { Dice, Sampled } from './policy.ts'

/** Below this part of the median a lower price attracts nobody more: a bait of one msat buys no market. */
const baitShare = 0.1

/** The price as a multiple of the median; 1 where there is no median. */
export const priceRatio = (msats: number, median: number): number =>
  median > 0 ? Math.max(baitShare, msats / median) : 1

/** Score per price: U = S/(price/median). */
export const utilityOf = (one: Sampled, median: number): number => one.score / priceRatio(one.msats, median)

/**
 * Draws up to `count` indices without replacement, each with a chance in proportion to its weight among those left: A-ES of
 * Efraimidis and Spirakis, whose key is -ln(lot)/weight, the smallest first. A lot belongs to a node, so leaving others out
 * throws nobody's again. What has no weight is never drawn.
 */
export function drawWeighted(weights: readonly number[], lots: readonly number[], count: number): number[] {
  const keys = weights.map((weight, i) =>
    weight > 0 && weight < Number.POSITIVE_INFINITY ? ln(lots[i] ?? 0) / weight : Number.NEGATIVE_INFINITY,
  )
  return descending(keys, Math.min(count, keys.length)).filter(i => (keys[i] ?? 0) > Number.NEGATIVE_INFINITY)
}

/**
 * A lot per node, more than 0 and less than 1: two throws of the dice, mixed with the first 32 bits of the node's key by the
 * finalizer of MurmurHash3 (Appleby, public domain).
 */
export function openLots(dice: Dice): (node: string) => number {
  const [high, low] = [dice.next() * 2 ** 32, dice.next() * 2 ** 32]
  return node => {
    const word = firstWord(node)
    // 53 bits and a half, so that none is 0.
    return ((mixed(word ^ high) >>> 5) * 2 ** 26 + (mixed(word ^ low) >>> 6) + 0.5) / 2 ** 53
  }
}

/** The first eight hex digits. */
function firstWord(node: string): number {
  let word = 0
  for (let i = 0; i < 8; i++) {
    const code = node.charCodeAt(i)
    word = (word << 4) | (code > 57 ? code - 87 : code - 48)
  }
  return word
}

function mixed(word: number): number {
  let h = word | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** Natural logarithm of a number above 0 and up to 1, of sums and products alone: engines differ in the last digit of theirs. */
export function ln(x: number): number {
  let [m, halvings] = [x, 0]
  for (; m < 0.75 && halvings < 1100; halvings++) m *= 2
  const s = (m - 1) / (m + 1)
  const square = s * s
  let sum = 0
  for (let odd = 21; odd >= 1; odd -= 2) sum = sum * square + 1 / odd
  return 2 * s * sum - halvings * Math.LN2
}

/** Indices of the things, the highest value first, at most `most`; what is equal stays in its order. `skip` are left out. */
export function descending(values: readonly number[], most: number, skip: readonly number[] = []): number[] {
  const found: number[] = []
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0
    let place = found.length
    while (place > 0 && (values[found[place - 1] ?? 0] ?? 0) < value) place--
    if (place >= most || skip.includes(i)) continue
    found.splice(place, 0, i)
    if (found.length > most) found.pop()
  }
  return found
}
