/**
 * Vectors without a model: each word has a direction of its own, drawn from its letters, and a text is the sum of its
 * words. So texts that share words are alike, the same everywhere.
 * @module
 */
import {
  classificationRequest,
  embeddingsRequest,
  rerankRequest,
  writeClasses,
  writeEmbeddings,
  writeRanking,
} from '../../../kinds/index.ts'
import { likeness, rank, unitVector } from '../answers/vectors.ts'
import type { Work } from '../runner.ts'
import { words } from './saying.ts'

/** Numbers of a vector. */
export const echoDimensions = 32

/** Kinds that are answered by vectors. */
export const vectorKinds: readonly number[] = [
  embeddingsRequest.number,
  rerankRequest.number,
  classificationRequest.number,
]

/** The vector of a text, of length 1. */
export function echoVector(text: string, dimensions = echoDimensions): Float32Array {
  const sum = new Array<number>(echoDimensions).fill(0)
  for (const word of words(text.toLowerCase())) {
    let state = 0x811c9dc5
    for (const character of word.trim()) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
    for (let index = 0; index < echoDimensions; index++) {
      state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0
      sum[index] = (sum[index] ?? 0) + (state / 2 ** 31 - 1)
    }
  }
  return unitVector(sum, dimensions)
}

const moods = ['negative', 'positive']

/** The text of a 6080, 6081 or 6082. */
export function vectorAnswer(work: Work, model: string, read = (text: string) => text): string {
  const { kind, texts = [], query = '', labels = moods } = work
  const vectors = texts.map(text => echoVector(read(text), work.dimensions))
  if (kind === embeddingsRequest.number) return writeEmbeddings({ model, vectors }, work.encoding)
  if (kind === rerankRequest.number)
    return writeRanking({ model, results: rank(echoVector(query, work.dimensions), vectors, work.topN) })
  const results = vectors.map(vector => {
    const weights = labels.map(label => Math.exp(8 * likeness(vector, echoVector(label))))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    return labels
      .map((label, index) => ({ label, score: (weights[index] ?? 0) / total }))
      .sort((a, b) => b.score - a.score)
  })
  return writeClasses({ model, results })
}
