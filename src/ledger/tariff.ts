/**
 * Prices by the token: what some tokens cost, and how many a bid buys. Exact whole msats; each part is rounded up by itself.
 * @module
 */

/** Prices of a thousand tokens of prompt and of answer. */
export interface Tariff {
  readonly promptMsatsPer1k: bigint
  readonly answerMsatsPer1k: bigint
}

/** A price by the token, with a part that is owed whatever the tokens are. */
export interface Metered extends Tariff {
  readonly flatMsats: bigint
}

const upwards = (tokens: bigint, msatsPer1k: bigint): bigint => (tokens * msatsPer1k + 999n) / 1_000n

/** What so many tokens cost; a count that is no whole number above 0 counts as none. */
export const meteredMsats = (price: Metered, promptTokens: number, answerTokens: number): bigint =>
  price.flatMsats +
  upwards(countOf(promptTokens), price.promptMsatsPer1k) +
  upwards(countOf(answerTokens), price.answerMsatsPer1k)

/** Most tokens of the answer, of `mostTokens`, that `msats` buy beside the prompt; below 0 where they do not buy the prompt. */
export function tokensFor(price: Metered, promptTokens: number, mostTokens: number, msats: bigint): number {
  const left = msats - meteredMsats(price, promptTokens, 0)
  if (left < 0n) return -1
  if (price.answerMsatsPer1k === 0n) return mostTokens
  const bought = (left * 1_000n) / price.answerMsatsPer1k
  return bought < BigInt(mostTokens) ? Number(bought) : mostTokens
}

const countOf = (tokens: number): bigint => (Number.isSafeInteger(tokens) && tokens > 0 ? BigInt(tokens) : 0n)
