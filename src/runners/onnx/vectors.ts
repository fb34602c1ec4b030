/**
 * The arithmetic between a graph and an answer: pooling, lengths, likeness and shares. Pure, over plain arrays.
 * @module
 */

/** How the vectors of tokens become the vector of a text. */
export type Pooling = 'mean' | 'cls' | 'max' | 'last'

/** Row-major numbers of tokens: `rows` texts of `columns` tokens (padding included) of `width` numbers. */
export interface Hidden {
  readonly data: Float32Array
  readonly rows: number
  readonly columns: number
  readonly width: number
}

/** One vector for each text. `tokens[row]` are its own tokens, which stand first: padding counts for nothing. */
export function pool({ data, rows, columns, width }: Hidden, tokens: readonly number[], how: Pooling): Float32Array {
  const pooled = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    const count = tokens[row] ?? 0
    const from = row * columns
    const first = how === 'last' ? Math.max(0, count - 1) : 0
    const last = how === 'mean' || how === 'max' ? count : first + 1
    for (let at = 0; at < width; at++) {
      let sum = how === 'max' ? Number.NEGATIVE_INFINITY : 0
      for (let token = first; token < last; token++) {
        const value = data[(from + token) * width + at] ?? 0
        sum = how === 'max' ? Math.max(sum, value) : sum + value
      }
      pooled[row * width + at] = how === 'mean' ? sum / Math.max(1, count) : sum
    }
  }
  return pooled
}

/** The first `dimensions` numbers, made a vector of length 1; nothing but zeros stays as it is. */
export function unit(vector: Float32Array, dimensions = vector.length): Float32Array {
  const cut = vector.slice(0, dimensions)
  const length = Math.sqrt(dot(cut, cut))
  return length > 0 ? cut.map(value => value / length) : cut
}

/** Likeness of two vectors of length 1, from -1 to 1. */
export function dot(one: Float32Array, other: Float32Array): number {
  let sum = 0
  for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (other[at] ?? 0)
  return sum
}

/** Shares that sum to 1. */
export function softmax(values: readonly number[]): number[] {
  const most = Math.max(...values)
  const weights = values.map(value => Math.exp(value - most))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map(weight => weight / sum)
}

/** From 0 to 1. */
export const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
