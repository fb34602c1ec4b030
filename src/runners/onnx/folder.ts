/**
 * A model as Hugging Face lays it out: which files it has, and what its small files say. Names of files are known here;
 * none is taken from what a file says.
 * @module
 */
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { JsonObject } from '../../../kinds/index.ts'
import { RunnerError } from '../runner.ts'
import type { Pooling } from './vectors.ts'

/** Files beside a graph that say what it is; the first two are needed to read text. */
export const smallFiles = {
  tokenizer: 'tokenizer.json',
  tokenizerConfig: 'tokenizer_config.json',
  config: 'config.json',
  sentences: 'sentence_bert_config.json',
  pooling: '1_Pooling/config.json',
} as const

/** Where graphs are, the best first. */
export const graphFiles: readonly string[] = ['onnx/model.onnx', 'model.onnx', 'onnx/model_quantized.onnx']

/** What is known of a model before its graph is loaded. */
export interface ModelCard {
  readonly name: string
  /** The graph. */
  readonly path: string
  /** Its weights, where they are in a file of their own. */
  readonly dataPath?: string
  readonly tokenizer: JsonObject
  readonly tokenizerConfig: JsonObject
  /** Longest text, special tokens included. */
  readonly contextTokens: number
  readonly pooling: Pooling
  /** It is a sequence classifier, says its config. */
  readonly classifies: boolean
  /** Names of scores, by their place. */
  readonly labels: readonly string[]
  readonly padId?: number
  /** What its config calls it. */
  readonly kind: string
}

/** True for a file that is there. */
export const isFile = async (path: string): Promise<boolean> =>
  await stat(path).then(
    found => found.isFile(),
    () => false,
  )

/** Reads a model from a folder, or from a graph with its small files beside it or one folder up. Throws `RunnerError`. */
export async function readCard(model: string): Promise<ModelCard> {
  const given = resolve(model)
  const path = (await isFile(given)) ? given : await firstFile(graphFiles.map(file => join(given, file)))
  if (path === undefined)
    throw new RunnerError(`no model at ${given}: give a folder with onnx/model.onnx, an .onnx file or hf:user/repo`)
  if (!path.endsWith('.onnx')) throw new RunnerError(`${path} is no .onnx file: export the model to ONNX first`)
  const above = [dirname(path), dirname(dirname(path))]
  const tokenizerPath = await firstFile(above.map(folder => join(folder, smallFiles.tokenizer)))
  if (tokenizerPath === undefined)
    throw new RunnerError(`no tokenizer.json beside ${path}: lay it there, it belongs to the model`)
  const folder = dirname(tokenizerPath)
  const small = async (file: string): Promise<JsonObject> => (await readJson(join(folder, file))) ?? {}
  const [config, tokenizerConfig, sentences, pooling] = await Promise.all(
    [smallFiles.config, smallFiles.tokenizerConfig, smallFiles.sentences, smallFiles.pooling].map(small),
  )
  const dataPath = await firstFile([`${path}_data`, `${path}.data`])
  const padId = whole(config?.['pad_token_id'])
  const own = path === given && basename(given) !== 'model.onnx' ? basename(given, '.onnx') : basename(folder)
  return {
    name: own.slice(0, 256),
    path,
    ...(dataPath !== undefined && { dataPath }),
    tokenizer: (await readJson(tokenizerPath)) ?? {},
    tokenizerConfig: tokenizerConfig ?? {},
    contextTokens: longest(config ?? {}, tokenizerConfig ?? {}, sentences ?? {}),
    pooling: poolingOf(pooling ?? {}),
    classifies: architectures(config).some(name => name.endsWith('ForSequenceClassification')),
    labels: labelsOf(config?.['id2label']),
    ...(padId !== undefined && { padId }),
    kind: typeof config?.['model_type'] === 'string' ? config['model_type'].slice(0, 64) : 'onnx',
  }
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path
  return undefined
}

/** The object in a file, `undefined` where there is no file. Throws `RunnerError` for anything else. */
async function readJson(path: string): Promise<JsonObject | undefined> {
  if (!(await isFile(path))) return undefined
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (isObject(found)) return found
  } catch (error) {
    throw new RunnerError(`${path} is no JSON: fetch it again`, { cause: error })
  }
  throw new RunnerError(`${path} is no JSON object: fetch it again`)
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const whole = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined

const architectures = (config: JsonObject | undefined): string[] => {
  const said = config?.['architectures']
  return Array.isArray(said) ? said.filter(name => typeof name === 'string') : []
}

/** Roberta and its kin number positions from behind the padding token. */
const shifted = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet'])

function longest(config: JsonObject, tokenizerConfig: JsonObject, sentences: JsonObject): number {
  const shift = shifted.has(String(config['model_type'])) ? (whole(config['pad_token_id']) ?? 1) + 1 : 0
  const positions = whole(config['max_position_embeddings'])
  const said = [
    positions === undefined ? undefined : positions - shift,
    whole(tokenizerConfig['model_max_length']),
    whole(sentences['max_seq_length']),
  ].filter(tokens => tokens !== undefined && tokens > 0)
  return said.length > 0 ? Math.min(...said.map(Number), 1_048_576) : 512
}

/** As the folder `1_Pooling` of sentence-transformers says; the mean where it says nothing. */
function poolingOf(said: JsonObject): Pooling {
  if (said['pooling_mode_cls_token'] === true) return 'cls'
  if (said['pooling_mode_max_tokens'] === true) return 'max'
  if (said['pooling_mode_lasttoken'] === true) return 'last'
  const other = Object.keys(said).find(key => key.startsWith('pooling_mode_') && said[key] === true)
  if (other === undefined || other === 'pooling_mode_mean_tokens') return 'mean'
  throw new RunnerError(`1_Pooling/config.json wants ${other.slice(0, 64)}: mean, cls, max and last token are served`)
}

/** `id2label` in the order of its numbers, empty where a name is missing, odd or there twice. */
function labelsOf(said: unknown): string[] {
  if (!isObject(said)) return []
  const count = Object.keys(said).length
  const names = Array.from({ length: Math.min(count, 1_024) }, (_, at) => said[String(at)])
  const labels = names.filter(name => typeof name === 'string' && name.length > 0 && name.length <= 256).map(String)
  return labels.length === count && new Set(labels).size === count ? labels : []
}
