/**
 * Probabilities as customers get them, and a draw from them that keeps them whole: llama.cpp's own draw shows only what
 * temperature and cuts have left.
 * @module
 */
import type { Token } from 'node-llama-cpp'
import type { TokenLogprob } from '../../../kinds/index.ts'

export interface Draw {
  readonly temperature: number
  readonly topP: number
  readonly topK: number
  /** A number from 0 up to 1. */
  readonly random: () => number
}

/** Draws a token. The map is sorted, the likeliest first, and sums to 1. */
export function drawToken(likely: ReadonlyMap<Token, number>, { temperature, topP, topK, random }: Draw): Token {
  const [first] = likely.keys()
  if (first === undefined) throw new RangeError('no token can follow')
  if (temperature <= 0) return first
  const kept: [Token, number][] = []
  let sum = 0
  for (const [token, share] of likely) {
    if (kept.length > 0 && ((topK > 0 && kept.length >= topK) || sum >= topP)) break
    kept.push([token, share])
    sum += share
  }
  const [top = 1] = likely.values()
  const weights = kept.map(([, share]) => (share / top) ** (1 / temperature))
  let at = random() * weights.reduce((total, weight) => total + weight, 0)
  for (const [index, weight] of weights.entries()) {
    at -= weight
    if (at < 0) return kept[index]?.[0] ?? first
  }
  return kept.at(-1)?.[0] ?? first
}

/** Small and repeatable: enough for a draw of words. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The drawn token and so many of the likeliest, natural logarithms. */
export function logprobOf(
  token: Token,
  likely: ReadonlyMap<Token, number>,
  top: number,
  textOf: (token: Token) => string,
): TokenLogprob {
  const best = [...likely].slice(0, top)
  return {
    token: textOf(token),
    logprob: logarithm(likely.get(token)),
    top: best.map(([other, share]) => ({ token: textOf(other), logprob: logarithm(share) })),
  }
}

/** What is less likely than single precision can say counts as its smallest number. */
const logarithm = (share = 0): number => Math.min(0, Math.log(Math.max(share, 1e-45)))
