/**
 * What a node is worth to a customer, and the weighted draw. Only operations that IEEE 754 fixes exactly, no logarithm:
 * the same order on every engine.
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
 * Draws up to `count` indices without replacement, each with a chance in proportion to its weight among those left: the
 * distribution of the A-ES draw (Efraimidis and Spirakis), by sums instead of logarithms. What has no weight is never drawn.
 */
export function drawWeighted(weights: readonly number[], count: number, dice: Dice): number[] {
  const left = weights.map(weight => (weight > 0 && weight < Number.POSITIVE_INFINITY ? weight : 0))
  const drawn: number[] = []
  while (drawn.length < count) {
    let all = 0
    for (const weight of left) all += weight
    if (!(all > 0)) break
    const target = dice.next() * all
    let sum = 0
    let chosen = -1
    for (let i = 0; i < left.length && !(sum > target); i++) {
      const weight = left[i] ?? 0
      if (weight === 0) continue
      sum += weight
      chosen = i
    }
    drawn.push(chosen)
    left[chosen] = 0
  }
  return drawn
}

/** Indices of the things, the highest value first; what is equal stays in its order. `skip` are left out. */
export function descending(values: readonly number[], most: number, skip: readonly number[] = []): number[] {
  const found: number[] = []
  while (found.length < most) {
    let best = -1
    for (let i = 0; i < values.length; i++)
      if (!skip.includes(i) && !found.includes(i) && (best < 0 || (values[i] ?? 0) > (values[best] ?? 0))) best = i
    if (best < 0) break
    found.push(best)
  }
  return found
}
