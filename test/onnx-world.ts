/**
 * Small models for tests, as graphs in folders and once more in plain TypeScript: an encoder whose tokens see the mean of
 * their text, a classifier on top of it, and a scorer of pairs.
 * @module
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Constant, type Graph, type Node, type Port, writeOnnx } from './onnx-writer.ts'

export const vocabulary = [
  ...['[PAD]', '[UNK]', '[CLS]', '[SEP]'],
  ...['the', 'sky', 'is', 'blue', 'grass', 'green', 'why', 'rain', '##s', '##ing', 'a', 'b', '.', '?', '!', 'oslo'],
]
const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } })

/** WordPiece as BERT has it. */
export const tokenizerJson = {
  version: '1.0',
  added_tokens: vocabulary.slice(0, 4).map((content, id) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  })),
  normalizer: {
    type: 'BertNormalizer',
    ...{ clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [special('[CLS]'), sequence('A', 0), special('[SEP]')],
    pair: [
      special('[CLS]'),
      sequence('A', 0),
      special('[SEP]'),
      sequence('B', 1),
      { SpecialToken: { id: '[SEP]', type_id: 1 } },
    ],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    ...{ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
    vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
  },
}

/** The ids that these words have, special ones and the types of a pair included. */
export function tokensOf(words: string, pair?: string): { ids: number[]; types: number[] } {
  const idsOf = (said: string) => (said === '' ? [] : said.split(' ').map(word => vocabulary.indexOf(word)))
  const first = [2, ...idsOf(words), 3]
  const second = pair === undefined ? [] : [...idsOf(pair), 3]
  return { ids: [...first, ...second], types: [...first.map(() => 0), ...second.map(() => 1)] }
}

export const width = 6
const numbers = (count: number, seed: number): number[] =>
  Array.from({ length: count }, (_, at) => Math.fround(Math.sin((at + 1) * 12.9898 + seed * 78.233) * 1.5))

const weights = {
  words: numbers(vocabulary.length * width, 1),
  types: numbers(2 * width, 2),
  own: numbers(width * width, 3),
  mean: numbers(width * width, 4),
}
export const headOf = (outputs: number): number[] => numbers(width * outputs, 5 + outputs)

const constants: Constant[] = [
  { name: 'words', dims: [vocabulary.length, width], floats: weights.words },
  { name: 'types', dims: [2, width], floats: weights.types },
  { name: 'own', dims: [width, width], floats: weights.own },
  { name: 'mean', dims: [width, width], floats: weights.mean },
  { name: 'last', dims: [1], ints: [-1] },
  { name: 'middle', dims: [1], ints: [1] },
]
const node = (op: string, inputs: string[], output: string, attributes = {}): Node => ({
  ...{ op, inputs, outputs: [output], attributes },
})
/** Mean over the tokens that the mask shows. */
const mean = (of: string, output: string, keep: number): Node[] => [
  node('Mul', [of, 'mask3'], `${output}.shown`),
  node('ReduceSum', [`${output}.shown`, 'middle'], `${output}.sum`, { keepdims: keep }),
  node('ReduceSum', ['mask3', 'middle'], `${output}.count`, { keepdims: keep }),
  node('Div', [`${output}.sum`, `${output}.count`], output),
]
const body: Node[] = [
  node('Gather', ['words', 'input_ids'], 'word'),
  node('Gather', ['types', 'token_type_ids'], 'type'),
  node('Add', ['word', 'type'], 'token'),
  node('Cast', ['attention_mask'], 'maskf', { to: 1 }),
  node('Unsqueeze', ['maskf', 'last'], 'mask3'),
  ...mean('token', 'text', 1),
  node('MatMul', ['token', 'own'], 'a'),
  node('MatMul', ['text', 'mean'], 'b'),
  node('Add', ['a', 'b'], 'sum'),
  node('Tanh', ['sum'], 'hidden'),
]
const inputs: Port[] = ['input_ids', 'attention_mask', 'token_type_ids'].map(name => ({
  ...{ name, type: 'int64' as const, dims: ['batch', 'tokens'] },
}))
const named = (name: string, dims: readonly (number | string)[]): Port => ({ name, type: 'float', dims })

/** Vectors of tokens. */
export const encoder: Graph = {
  ...{ nodes: [...body, node('Identity', ['hidden'], 'last_hidden_state')], constants, inputs },
  outputs: [named('last_hidden_state', ['batch', 'tokens', width])],
}
/** Vectors of texts, pooled inside. */
export const pooledEncoder: Graph = {
  ...{ nodes: [...body, ...mean('hidden', 'sentence_embedding', 0)], constants, inputs },
  outputs: [
    named('last_hidden_state', ['batch', 'tokens', width]),
    named('sentence_embedding', ['batch', width]),
  ].slice(1),
}
/** Scores: one of a pair, or one for each label. */
export const scorer = (outputs: number): Graph => ({
  nodes: [...body, ...mean('hidden', 'pooled', 0), node('MatMul', ['pooled', 'head'], 'logits')],
  constants: [...constants, { name: 'head', dims: [width, outputs], floats: headOf(outputs) }],
  inputs,
  outputs: [named('logits', ['batch', outputs])],
})

type Row = readonly number[]
const rowOf = (table: Row, at: number): Row => table.slice(at * width, (at + 1) * width)
const times = (row: Row, matrix: Row, columns: number): number[] =>
  Array.from({ length: columns }, (_, column) =>
    row.reduce((sum, value, at) => sum + value * (matrix[at * columns + column] ?? 0), 0),
  )
const plus = (one: Row, other: Row): number[] => one.map((value, at) => value + (other[at] ?? 0))
const meanOf = (rows: readonly Row[]): number[] =>
  Array.from({ length: width }, (_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0) / rows.length)

/** What the graph computes for one text without padding: the vector of each token. */
export function evaluate({ ids, types }: { ids: Row; types: Row }): number[][] {
  const tokens = ids.map((id, at) => plus(rowOf(weights.words, id), rowOf(weights.types, types[at] ?? 0)))
  const text = times(meanOf(tokens), weights.mean, width)
  return tokens.map(token => plus(times(token, weights.own, width), text).map(Math.tanh))
}
export const evaluateMean = (tokens: { ids: Row; types: Row }): number[] => meanOf(evaluate(tokens))
export const evaluateScores = (tokens: { ids: Row; types: Row }, outputs: number): number[] =>
  times(evaluateMean(tokens), headOf(outputs), outputs)
export const unitOf = (row: Row): number[] => row.map(value => value / Math.hypot(...row))

/** What is in a folder beside the graph; `undefined` leaves a file out. */
export type Files = Readonly<Record<string, object | string | Uint8Array | undefined>>

/** Lays files down in a new folder and gives its path. */
export function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-onnx-'))
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    const plain = typeof content === 'string' || content instanceof Uint8Array
    writeFileSync(join(folder, name), plain ? content : JSON.stringify(content))
  }
  return folder
}

/** The files of a model as Hugging Face lays them out. */
export const modelFiles = (graph: Graph, more: Files = {}): Files => ({
  'config.json': { model_type: 'bert', max_position_embeddings: 32, pad_token_id: 0 },
  'tokenizer.json': tokenizerJson,
  'tokenizer_config.json': { model_max_length: 16, pad_token: '[PAD]' },
  'onnx/model.onnx': writeOnnx(graph).model,
  ...more,
})
