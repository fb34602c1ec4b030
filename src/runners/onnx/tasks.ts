/**
 * What is asked of a model for each kind of work: which texts go through it, what is refused before billing, and how its
 * numbers become the answer. Pure.
 * @module
 */
import {
  classificationRequest,
  embeddingsRequest,
  MOST_TEXTS,
  rerankRequest,
  writeClasses,
  writeEmbeddings,
  writeRanking,
} from '../../../kinds/index.ts'
import type { Work, WorkRefusal } from '../runner.ts'
import { dot, sigmoid, softmax, unit } from './vectors.ts'

const [embeddings, rerank, classification] = [
  embeddingsRequest.number,
  rerankRequest.number,
  classificationRequest.number,
]
/** All kinds that some model serves. */
export const onnxKinds: readonly number[] = [embeddings, rerank, classification]

/** A model as far as tasks care. */
export interface Skilled {
  readonly name: string
  /** Vectors of texts, one score for a pair, or scores of labels. */
  readonly what: 'vectors' | 'pairs' | 'labels'
  readonly width: number
  /** Names of its scores. */
  readonly labels: readonly string[]
  /** Kinds that it serves here. */
  readonly kinds: readonly number[]
}

/** Kinds that a model of this sort can serve. */
export function kindsOf(what: Skilled['what']): readonly number[] {
  if (what === 'vectors') return onnxKinds
  return what === 'pairs' ? [rerank] : [classification]
}

/** One text, or a pair of them. */
export type Sequence = readonly [text: string, pair?: string]

const refuse = (rule: string, says: string): WorkRefusal => ({ ok: false, rule, says })
const listed = (words: readonly string[]): string =>
  words.length > 12 ? `${words.slice(0, 12).join(', ')} and ${words.length - 12} more` : words.join(', ')

/** Refuses what needs no counting: rules `kind`, `model`, `texts`, `query`, `labels` and `dimensions`. */
export function refuseTask(model: Skilled, work: Work): WorkRefusal | undefined {
  const { kind, texts = [], labels, dimensions, query = '' } = work
  if (!model.kinds.includes(kind))
    return refuse('kind', `kind ${kind} is not served here; ask for ${model.kinds.join(', ')}`)
  if (work.model !== undefined && work.model !== model.name)
    return refuse('model', `the model asked for is not on offer; ask for ${model.name} or leave it open`)
  if (texts.length === 0) return refuse('texts', 'there is no text to work on; send at least one')
  if (texts.length > MOST_TEXTS)
    return refuse('texts', `${texts.length} texts are too many; send at most ${MOST_TEXTS} at once`)
  if (kind === rerank && query.trim() === '')
    return refuse('query', 'nothing says what the texts are ranked for; send a query')
  if (kind === embeddings && dimensions !== undefined && !(dimensions >= 1 && dimensions <= model.width))
    return refuse('dimensions', `${model.name} gives ${model.width} numbers, not ${dimensions}; ask for that or fewer`)
  return kind === classification ? refuseLabels(model, labels) : undefined
}

function refuseLabels(model: Skilled, asked: readonly string[] | undefined): WorkRefusal | undefined {
  if (model.what === 'vectors')
    return asked && asked.length > 0
      ? undefined
      : refuse('labels', `${model.name} has no labels of its own; say which to choose among`)
  const strange = asked?.filter(label => !model.labels.includes(label)) ?? []
  if (strange.length === 0 && asked?.length !== 0) return undefined
  const says = asked?.length === 0 ? 'there is no label to choose' : `${model.name} does not know ${listed(strange)}`
  return refuse('labels', `${says}; its labels are ${listed(model.labels)}`)
}

/** What goes through the graph, in order. `refuseTask` must have let it pass. */
export function sequencesOf(model: Skilled, { kind, texts = [], query = '', labels = [] }: Work): Sequence[] {
  if (kind === rerank && model.what === 'pairs') return texts.map(text => [query, text])
  const first = kind === rerank ? [query] : kind === classification && model.what === 'vectors' ? labels : []
  return [...first, ...texts].map(text => [text])
}

/** The answer's JSON from what the graph gave for each sequence. */
export function answerOf(model: Skilled, work: Work, rows: readonly Float32Array[]): string {
  const { kind, topN, encoding, labels = model.labels, texts = [] } = work
  if (kind === embeddings) {
    const vectors = rows.map(row => unit(row, work.dimensions))
    return writeEmbeddings({ model: model.name, vectors }, encoding)
  }
  if (kind === rerank) {
    const scores = model.what === 'pairs' ? rows.map(([score = 0]) => sigmoid(score)) : likeness(rows)
    const best = scores.map((score, index) => ({ index, score })).sort((a, b) => b.score - a.score || a.index - b.index)
    return writeRanking({ model: model.name, results: best.slice(0, topN ?? texts.length) })
  }
  const results = (model.what === 'vectors' ? nearest(rows, labels.length) : chosen(model, labels, rows)).map(shares =>
    labels.map((label, at) => ({ label, score: shares[at] ?? 0 })).sort((a, b) => b.score - a.score),
  )
  return writeClasses({ model: model.name, results })
}

/** Of the first row to each of the others. */
function likeness(rows: readonly Float32Array[]): number[] {
  const [query = new Float32Array(), ...texts] = rows.map(row => unit(row))
  return texts.map(text => dot(query, text))
}

/** How much likeness counts where labels are only words: a twentieth more is a factor of e. */
const sharpness = 20

const nearest = (rows: readonly Float32Array[], labels: number): number[][] => {
  const units = rows.map(row => unit(row))
  return units.slice(labels).map(text => softmax(units.slice(0, labels).map(label => dot(label, text) * sharpness)))
}

const chosen = (model: Skilled, labels: readonly string[], rows: readonly Float32Array[]): number[][] =>
  rows.map(row => softmax(labels.map(label => row[model.labels.indexOf(label)] ?? 0)))
