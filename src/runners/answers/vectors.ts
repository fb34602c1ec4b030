/**
 * Vectors of texts as customers get them: of length one, cut where fewer numbers are wanted, and compared.
 * @module
 */

/** The first `dimensions` numbers, scaled to length 1; a vector of zeros stays one. */
export function unitVector(raw: readonly number[], dimensions = raw.length): Float32Array {
  const cut = raw.slice(0, dimensions)
  const length = Math.hypot(...cut)
  return Float32Array.from(cut, value => (length > 0 ? value / length : 0))
}

/** How alike two vectors of length 1 are, from -1 to 1 (their cosine). */
export function likeness(one: Float32Array, other: Float32Array): number {
  const sum = one.reduce((total, value, index) => total + value * (other[index] ?? 0), 0)
  return Math.max(-1, Math.min(1, sum))
}

/** The places of the vectors by how alike they are to a query, best first, equals in their order; at most `most`. */
export function rank(
  query: Float32Array,
  vectors: readonly Float32Array[],
  most = vectors.length,
): { index: number; score: number }[] {
  return vectors
    .map((vector, index) => ({ index, score: likeness(query, vector) }))
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, most)
}
