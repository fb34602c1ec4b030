/**
 * A model in ONNX form for embeddings, ranking and classification, run by onnxruntime in a thread of its own. It is a
 * folder as Hugging Face lays it out, an .onnx file with its tokenizer.json, or `hf:user/repo`.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Clock, wallClock } from '../clock.ts'
import { keptSha256 } from './llama/checksum.ts'
import { openSeats, type Seats } from './llama/seats.ts'
import { defaultCacheDir } from './llama/source.ts'
import { untilAborted } from './llama/until-aborted.ts'
import { batchOf, planBatches } from './onnx/batches.ts'
import { countTokens, type Sized } from './onnx/counting.ts'
import { type Desk, openDesk, startWorker } from './onnx/desk.ts'
import { type ModelCard, readCard } from './onnx/folder.ts'
import { fetchModel, hubModel } from './onnx/hub.ts'
import { answerOf, kindsOf, onnxKinds, refuseTask, type Skilled, sequencesOf } from './onnx/tasks.ts'
import { openTokenizer, type TextTokenizer } from './onnx/tokenizer.ts'
import type { Computed, WorkerTask } from './onnx/worker.ts'
import { type Done, type ModelInfo, type Runner, RunnerError, type Work } from './runner.ts'

export interface OnnxOptions {
  /** Folder, .onnx file or `hf:user/repo`. */
  readonly model?: string
  /** Name on offer; the folder's name when left out. */
  readonly name?: string
  /** sha256 that the graph must have. */
  readonly sha256?: string
  /** Job kinds to answer; all that the model can serve when left out. */
  readonly kinds?: readonly number[]
  /** Threads of the processor, 1 when left out. */
  readonly threads?: number
  /** Longest text in tokens; as the model says, 512 where it does not, when left out. */
  readonly contextTokens?: number
  /** Tokens of one piece of work, 262,144 when left out. */
  readonly mostTokens?: number
  /** Tokens that go through the graph at once, padding included, 8,192 when left out. */
  readonly batchTokens?: number
  /** Pieces of work that wait, 64 when left out. */
  readonly queue?: number
  /** The longest that a batch may take before its thread is given up, 120,000 when left out. */
  readonly hangMs?: number
  /** Folder for fetched models. */
  readonly cacheDir?: string
  readonly clock?: Clock
  readonly onProgress?: (progress: {
    readonly phase: 'download' | 'load'
    readonly done: number
    readonly total?: number
  }) => void
  /** Environment variables: `MODEL_ENDPOINT` or `HF_ENDPOINT`, `HF_TOKEN`, `XDG_CACHE_HOME`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For tests: the thread that computes. */
  readonly startWorker?: typeof startWorker
}

interface Loaded {
  readonly skilled: Skilled
  readonly sized: Sized
  readonly info: ModelInfo
  readonly tokenizer: TextTokenizer
  readonly desk: Desk
  readonly seats: Seats<'thread'>
}

/** Opens the runner at once; the model is fetched and loaded when `models`, `check` or `run` first needs it. */
export function onnxRunner(options: OnnxOptions = {}): Runner {
  const closing = new AbortController()
  let loading: Promise<Loaded> | undefined
  let kinds = options.kinds ?? onnxKinds

  const loaded = (): Promise<Loaded> => {
    if (closing.signal.aborted) return Promise.reject(closing.signal.reason)
    loading ??= load(options, closing.signal).then(
      ready => {
        kinds = ready.skilled.kinds
        return ready
      },
      error => {
        loading = undefined
        throw error
      },
    )
    return loading
  }

  const compute = async (work: Work, signal: AbortSignal): Promise<Done> => {
    const { skilled, sized, tokenizer, desk, seats } = await loaded()
    const counted = refuseTask(skilled, work) ?? (await countTokens(sized, sequencesOf(skilled, work), signal))
    if (!counted.ok) throw new RunnerError(`onnx was given work that it refuses (${counted.rule}): ${counted.says}`)
    const seat = await seats.take(signal)
    try {
      const rows: Float32Array[] = []
      const bounds = { mostRows: 64, mostCells: options.batchTokens ?? 8_192 }
      for (const { batch, places } of planBatches(counted.sequences, tokenizer.padId, bounds)) {
        signal.throwIfAborted()
        // Who leaves meanwhile hears of it at once; the seat is free when the batch has ended.
        const { width, data } = await desk.compute(batch)
        for (const [row, place] of places.entries()) rows[place] = data.slice(row * width, (row + 1) * width)
      }
      const text = answerOf(skilled, work, rows)
      return { text, model: skilled.name, promptTokens: counted.promptTokens, outputTokens: 0, finish: 'stop' }
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof RunnerError ? error : new RunnerError(`onnx failed: ${error}`, { cause: error })
    } finally {
      seats.give(seat)
    }
  }

  return {
    name: 'onnx',
    get kinds() {
      return kinds
    },
    async models() {
      return [(await loaded()).info]
    },
    async check(work, signal = closing.signal) {
      signal.throwIfAborted()
      const { skilled, sized } = await untilAborted(loaded(), signal)
      const counted = refuseTask(skilled, work) ?? (await countTokens(sized, sequencesOf(skilled, work), signal))
      if (!counted.ok) return counted
      return { ok: true, model: skilled.name, promptTokens: counted.promptTokens, maxTokens: 0 }
    },
    async run(work, _emit, outer) {
      outer.throwIfAborted()
      const signal = AbortSignal.any([outer, closing.signal])
      return await untilAborted(compute(work, signal), signal)
    },
    async close() {
      closing.abort(new RunnerError('the onnx runner is closed'))
      const ready = await loading?.catch(() => undefined)
      await ready?.desk.close()
    },
  }
}

async function load(options: OnnxOptions, signal: AbortSignal): Promise<Loaded> {
  const { env = process.env, threads = 1, queue = 64, clock = wallClock(), hangMs = 120_000, onProgress } = options
  if (options.model === undefined)
    throw new RunnerError('the onnx runner has no model of its own: name a folder, an .onnx file or hf:user/repo')
  const card = await readCard(await pathOf(options.model, options, env, signal))
  const sha256 = await digestOf(card, options.sha256)
  const tokenizer = await openTokenizer(card.tokenizer, card.tokenizerConfig, card.padId)
  signal.throwIfAborted()
  onProgress?.({ phase: 'load', done: 0, total: 1 })
  const task: WorkerTask = { path: card.path, threads, pooling: card.pooling, classifies: card.classifies }
  const desk = openDesk({ clock, hangMs, start: () => (options.startWorker ?? startWorker)(task) })
  try {
    // What a graph gives is told by what it gives.
    const first = await untilAborted(desk.compute(batchOf([tokenizer.encode('a', 'b')], tokenizer.padId)), signal)
    onProgress?.({ phase: 'load', done: 1, total: 1 })
    const skilled = skillOf(options.name ?? hubName(options.model) ?? card.name, card, first, options.kinds)
    const contextTokens = options.contextTokens ?? card.contextTokens
    const info = {
      ...{ name: skilled.name, contextTokens, sha256, about: aboutOf(card, skilled), kinds: skilled.kinds },
      ...(skilled.what === 'vectors' && { dimensions: skilled.width }),
    }
    const sized = { name: skilled.name, contextTokens, mostTokens: options.mostTokens ?? 262_144, tokenizer }
    return { skilled, sized, info, tokenizer, desk, seats: openSeats(['thread'], queue) }
  } catch (error) {
    await desk.close()
    throw error
  }
}

/** `user/repo`, with the variant where one was asked for. */
function hubName(model: string): string | undefined {
  const hub = hubModel(model)
  return hub && (hub.variant === undefined ? hub.repo : `${hub.repo}:${hub.variant}`)
}

async function pathOf(
  model: string,
  { cacheDir, onProgress }: OnnxOptions,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  const hub = hubModel(model)
  if (!hub) return model
  const endpoint = env['MODEL_ENDPOINT'] || env['HF_ENDPOINT']
  const token = env['HF_TOKEN']
  const tell = (done: number, total: number | undefined): void =>
    onProgress?.({ phase: 'download', done, ...(total !== undefined && { total }) })
  return await fetchModel(
    hub,
    {
      cacheDir: cacheDir ?? defaultCacheDir(env),
      ...(endpoint && { endpoint }),
      ...(token && { token }),
      onProgress: tell,
    },
    signal,
  )
}

/** Of the graph, and of its weights too where they are in a file of their own: then of both digests, one after the other. */
async function digestOf({ path, dataPath }: ModelCard, expected: string | undefined): Promise<string> {
  const graph = await keptSha256(path, expected)
  if (dataPath === undefined) return graph
  return createHash('sha256')
    .update(graph + (await keptSha256(dataPath)))
    .digest('hex')
}

function skillOf(name: string, card: ModelCard, { what, width }: Computed, wanted: OnnxOptions['kinds']): Skilled {
  const sort = what === 'vectors' ? 'vectors' : width === 1 ? 'pairs' : 'labels'
  const named = card.labels.length === width ? card.labels : Array.from({ length: width }, (_, at) => `LABEL_${at}`)
  const kinds = kindsOf(sort).filter(kind => wanted?.includes(kind) ?? true)
  if (kinds.length === 0)
    throw new RunnerError(`${name} serves the kinds ${kindsOf(sort).join(', ')}, none of those that were asked for`)
  return { name, what: sort, width, labels: sort === 'labels' ? named : [], kinds }
}

function aboutOf({ kind, pooling }: ModelCard, { what, width, labels }: Skilled): string {
  if (what === 'pairs') return `${kind}: scores how well a text answers a query, from 0 to 1`
  if (what === 'labels') return `${kind}: chooses among ${labels.length} labels of its own`
  return `${kind}: vectors of ${width} numbers and length 1 (${pooling} of the tokens unless the graph pools them itself); ranks by their cosine, and classifies by the cosine of text and label, never having learned a label`
}
