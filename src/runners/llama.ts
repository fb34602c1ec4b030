/**
 * A language model in GGUF form, run in this process by llama.cpp. Without a name it is the nano model that ships
 * with the package; any other is a path, a Hugging Face URI or a URL away.
 * @module
 */
import { basename } from 'node:path'
import { embeddingsRequest, rerankRequest, writeEmbeddings, writeRanking } from '../../kinds/index.ts'
import { rank, unitVector } from './answers/vectors.ts'
import { keptSha256, sha256File } from './llama/checksum.ts'
import { type Engine, openEngine, type Prepared } from './llama/engine.ts'
import { fetchWeights } from './llama/fetching.ts'
import { openSeats, type Seats } from './llama/seats.ts'
import { defaultCacheDir, nanoAbout, nanoSha256, readSource, requireGguf } from './llama/source.ts'
import { untilAborted } from './llama/until-aborted.ts'
import { fitContext, fitTexts, readForm, refuseEarly, refuseLength, refuseTexts, textKinds } from './refusals.ts'
import {
  type Delta,
  type Done,
  type Estimate,
  type ModelInfo,
  type Runner,
  RunnerError,
  type Work,
  type WorkRefusal,
} from './runner.ts'

export { nanoAbout } from './llama/source.ts'

export interface LlamaOptions {
  /** Path, `hf:user/repo:quant` or https URL of a GGUF; `nano` when left out. */
  readonly model?: string
  /** Name on offer; the file's name without `.gguf` when left out. */
  readonly name?: string
  /** sha256 that the weights must have. */
  readonly sha256?: string
  /** Job kinds to answer; text generation (NIP-90), embeddings and reranking when left out. */
  readonly kinds?: readonly number[]
  /** 1 for nano, else one less than the processor has cores. */
  readonly threads?: number
  /** Tokens that one prompt and its answer share; the model's own, at most 4,096, when left out. */
  readonly contextTokens?: number
  /** Pieces of work computed at once, 2 when left out. */
  readonly parallel?: number
  /** Pieces of work that wait beyond those, 64 when left out. */
  readonly queue?: number
  /** False for nano, else `auto`. */
  readonly gpu?: 'auto' | false
  /** Folder for fetched weights. */
  readonly cacheDir?: string
  /** Bytes while weights are fetched, hundredths while they are loaded. */
  readonly onProgress?: (progress: LlamaProgress) => void
  /** Environment variables: `MODEL_ENDPOINT` or `HF_ENDPOINT`, `HF_TOKEN`, `XDG_CACHE_HOME`. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface LlamaProgress {
  readonly phase: 'download' | 'load'
  readonly done: number
  readonly total?: number
}

interface Loaded {
  readonly engine: Engine
  readonly seats: Seats<number>
  /** One text is embedded at a time. */
  readonly desk: Seats<number>
  readonly info: ModelInfo
}

/** What this runner answers when it is not told otherwise. */
const llamaKinds: readonly number[] = [...textKinds, embeddingsRequest.number, rerankRequest.number]

/** Work that was looked at: refused, or estimated and ready. */
type Seen = WorkRefusal | { readonly ok: true; readonly fits: Estimate; readonly prepared?: Prepared }

/** Opens the runner at once; weights are fetched and loaded when `models`, `check` or `run` first needs them. */
export function llamaRunner(options: LlamaOptions = {}): Runner {
  const { kinds = llamaKinds } = options
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  // What `check` has rendered and counted, `run` needs not do again. Work is never changed.
  const seen = new WeakMap<Work, Promise<Seen>>()
  let loading: Promise<Loaded> | undefined
  let closed: Promise<void> | undefined

  const loaded = (): Promise<Loaded> => {
    if (closing.signal.aborted) return Promise.reject(closing.signal.reason)
    loading ??= load(options, kinds, closing.signal).catch(error => {
      loading = undefined
      throw error
    })
    return loading
  }
  const look = (ready: Loaded, work: Work): Promise<Seen> => {
    const known = seen.get(work)
    if (known) return known
    const looking = lookAt(ready, kinds, work)
    seen.set(work, looking)
    return looking
  }

  const compute = async (work: Work, emit: (piece: string | Delta) => void, outer: AbortSignal): Promise<Done> => {
    const ready = await loaded()
    const found = await look(ready, work)
    if (!found.ok) throw new RunnerError(`llama was given work that it refuses (${found.rule}): ${found.says}`)
    const { fits, prepared } = found
    const { model, promptTokens } = fits
    if (!prepared) {
      const text = await withSeat(ready.desk, outer, () => writeVectors(ready, work, outer))
      return { text, model, promptTokens, outputTokens: 0, finish: 'stop' }
    }
    // A bug in `emit` must end the work and come out again.
    const bug = new AbortController()
    const signal = AbortSignal.any([outer, bug.signal])
    let text = ''
    const onDelta = (delta: Delta) => {
      if (signal.aborted) return
      text += delta.text ?? ''
      try {
        if (work.deltas) emit(delta)
        else if (delta.text !== undefined) emit(delta.text)
      } catch (error) {
        bug.abort(error)
      }
    }
    const generated = await withSeat(ready.seats, signal, seat =>
      prepared.answer(seat, fits.maxTokens, onDelta, signal),
    )
    signal.throwIfAborted()
    return { text, model, promptTokens, ...generated }
  }

  return {
    name: 'llama',
    kinds,
    async models() {
      return [(await loaded()).info]
    },
    async check(work, signal) {
      signal?.throwIfAborted()
      const looking = loaded().then(ready => look(ready, work))
      const found = signal ? await untilAborted(looking, signal) : await looking
      return found.ok ? found.fits : found
    },
    async run(work, emit, outer) {
      outer.throwIfAborted()
      const signal = AbortSignal.any([outer, closing.signal])
      const job = compute(work, emit, signal)
      const settled = job.then(
        () => undefined,
        () => undefined,
      )
      running.add(settled)
      void settled.then(() => running.delete(settled))
      return await untilAborted(job, signal)
    },
    async close() {
      closing.abort(new RunnerError('the llama runner is closed'))
      closed ??= (async () => {
        await Promise.all(running)
        const ready = await loading?.catch(() => undefined)
        await ready?.engine.close()
      })()
      await closed
    },
  }
}

/** Runs on a free seat. Throws `RunnerError` for what llama.cpp throws. */
async function withSeat<T>(seats: Seats<number>, signal: AbortSignal, act: (seat: number) => Promise<T>): Promise<T> {
  const seat = await seats.take(signal)
  try {
    return await act(seat)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RunnerError ? error : new RunnerError(`llama.cpp failed: ${error}`, { cause: error })
  } finally {
    seats.give(seat)
  }
}

async function lookAt({ engine, info }: Loaded, kinds: readonly number[], work: Work): Promise<Seen> {
  const offer = { kinds, model: info.name, contextTokens: info.contextTokens }
  const refusal = refuseEarly(offer, work) ?? refuseLength(offer, work)
  if (refusal) return refusal
  if (!textKinds.includes(work.kind)) {
    const texts = refuseTexts(work, engine.dimensions)
    if (texts) return texts
    const counts: number[] = []
    for (const text of textsOf(work)) counts.push(await engine.textTokens(text))
    const fits = fitTexts(offer, counts)
    return fits.ok ? { ok: true, fits } : fits
  }
  const form = readForm(work)
  if (!form.ok) return form
  const prepared = await engine.prepare(work, form)
  if ('rule' in prepared) return { ok: false, ...prepared }
  const fits = fitContext(offer, work, prepared.promptTokens)
  return fits.ok ? { ok: true, fits, prepared } : fits
}

/** The query of a ranking comes last, so that refusals count the texts as the customer does. */
const textsOf = ({ kind, texts = [], query }: Work): readonly string[] =>
  kind === rerankRequest.number && query !== undefined ? [...texts, query] : texts

/** The text of a 6080 or a 6081. */
async function writeVectors({ engine, info }: Loaded, work: Work, signal: AbortSignal): Promise<string> {
  const vectors: Float32Array[] = []
  for (const text of textsOf(work)) {
    vectors.push(unitVector(await engine.embed(text), work.dimensions))
    signal.throwIfAborted()
  }
  const model = info.name
  if (work.kind === embeddingsRequest.number) return writeEmbeddings({ model, vectors }, work.encoding)
  const query = vectors.pop() ?? new Float32Array()
  return writeRanking({ model, results: rank(query, vectors, work.topN) })
}

async function load(options: LlamaOptions, kinds: readonly number[], signal: AbortSignal): Promise<Loaded> {
  const { env = process.env, parallel = 2, queue = 64, onProgress } = options
  const source = readSource(options.model ?? 'nano', options.cacheDir ?? defaultCacheDir(env))
  const isNano = source.from === 'nano'
  const endpoint = env['MODEL_ENDPOINT'] || env['HF_ENDPOINT']
  const token = env['HF_TOKEN']
  const path =
    source.from !== 'net'
      ? source.path
      : await fetchWeights(
          source.uri,
          {
            directory: source.directory,
            ...(source.fileName !== undefined && { fileName: source.fileName }),
            ...(endpoint && { endpoint }),
            ...(token && { token }),
            ...(onProgress && { onProgress: (done, total) => onProgress({ phase: 'download', done, total }) }),
          },
          signal,
        )
  await requireGguf(path)
  const sha256 = isNano ? await sha256File(path) : await keptSha256(path, options.sha256)
  if (isNano && sha256 !== nanoSha256) {
    throw new RunnerError(`the shipped model ${path} is damaged (sha256 ${sha256}): install the package again`)
  }
  signal.throwIfAborted()
  const threads = options.threads ?? (isNano ? 1 : undefined)
  const engine = await openEngine({
    path,
    sequences: parallel,
    gpu: options.gpu ?? (isNano ? false : 'auto'),
    plainTemplate: isNano,
    ...(threads !== undefined && { threads }),
    ...(options.contextTokens !== undefined && { contextTokens: options.contextTokens }),
    ...(onProgress && { onLoad: share => onProgress({ phase: 'load', done: Math.round(share * 100), total: 100 }) }),
  })
  const name = options.name ?? (isNano ? 'nano' : basename(path).replace(/\.gguf$/i, ''))
  const { contextTokens, dimensions } = engine
  const about = isNano ? nanoAbout : engine.description
  const info = { name, contextTokens, sha256, about, kinds, dimensions }
  const places = [...Array(engine.sequences).keys()]
  return { engine, info, seats: openSeats(places, queue), desk: openSeats([0], queue) }
}
