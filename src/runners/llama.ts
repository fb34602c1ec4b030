/**
 * A language model in GGUF form, run in this process by llama.cpp. Without a name it is the nano model that ships
 * with the package; any other is a path, a Hugging Face URI or a URL away.
 * @module
 */
import { basename } from 'node:path'
import { keptSha256, sha256File } from './llama/checksum.ts'
import { type Engine, fetchWeights, openEngine } from './llama/engine.ts'
import { openSeats, type Seats } from './llama/seats.ts'
import { defaultCacheDir, nanoAbout, nanoSha256, readSource, requireGguf } from './llama/source.ts'
import { untilAborted } from './llama/until-aborted.ts'
import { fitContext, refuseEarly, refuseLength, textKinds } from './refusals.ts'
import { type Done, type ModelInfo, type Runner, RunnerError, type Work, type WorkRefusal } from './runner.ts'

export { nanoAbout } from './llama/source.ts'

export interface LlamaOptions {
  /** Path, `hf:user/repo:quant` or https URL of a GGUF; `nano` when left out. */
  readonly model?: string
  /** Name on offer; the file's name without `.gguf` when left out. */
  readonly name?: string
  /** sha256 that the weights must have. */
  readonly sha256?: string
  /** Job kinds to answer; text generation (NIP-90) when left out. */
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
  readonly info: ModelInfo
}

/** Opens the runner at once; weights are fetched and loaded when `models`, `check` or `run` first needs them. */
export function llamaRunner(options: LlamaOptions = {}): Runner {
  const { kinds = textKinds } = options
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  let loading: Promise<Loaded> | undefined
  let closed: Promise<void> | undefined

  const loaded = (): Promise<Loaded> => {
    if (closing.signal.aborted) return Promise.reject(closing.signal.reason)
    loading ??= load(options, closing.signal).catch(error => {
      loading = undefined
      throw error
    })
    return loading
  }
  const estimate = ({ engine, info }: Loaded, work: Work) => {
    const offer = { kinds, model: info.name, contextTokens: info.contextTokens }
    const refusal = refuseEarly(offer, work) ?? refuseLength(offer, work)
    if (refusal) return refusal
    const tokens = tokenCount(engine, work)
    return tokens === undefined ? refuseOrder : fitContext(offer, work, tokens)
  }

  const compute = async (work: Work, emit: (text: string) => void, outer: AbortSignal): Promise<Done> => {
    // The binding swallows what its callbacks throw; a bug in `emit` must end the work and come out again.
    const bug = new AbortController()
    const signal = AbortSignal.any([outer, bug.signal])
    const ready = await loaded()
    const fits = estimate(ready, work)
    if (!fits.ok) throw new RunnerError(`llama was given work that it refuses (${fits.rule}): ${fits.says}`)
    const seat = await ready.seats.take(signal)
    let text = ''
    const onText = (piece: string) => {
      if (piece === '' || signal.aborted) return
      text += piece
      try {
        emit(piece)
      } catch (error) {
        bug.abort(error)
      }
    }
    try {
      const generated = await ready.engine.generate(seat, { ...work, maxTokens: fits.maxTokens }, onText, signal)
      signal.throwIfAborted()
      return { text, model: fits.model, promptTokens: fits.promptTokens, ...generated }
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof RunnerError ? error : new RunnerError(`llama.cpp failed: ${error}`, { cause: error })
    } finally {
      ready.seats.give(seat)
    }
  }

  return {
    name: 'llama',
    kinds,
    async models() {
      return [(await loaded()).info]
    },
    async check(work, signal) {
      signal?.throwIfAborted()
      const ready = signal ? await untilAborted(loaded(), signal) : await loaded()
      return estimate(ready, work)
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

const refuseOrder: WorkRefusal = {
  ok: false,
  rule: 'conversation',
  says: 'the model does not take the roles in this order; begin with a user message and let user and assistant alternate',
}

/** Nothing where the model's template rejects the conversation, as many do for a first message of the assistant. */
function tokenCount(engine: Engine, work: Work): number | undefined {
  try {
    return engine.promptTokens(work.messages).length
  } catch {
    return undefined
  }
}

async function load(options: LlamaOptions, signal: AbortSignal): Promise<Loaded> {
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
  const info = { name, contextTokens: engine.contextTokens, sha256, about: isNano ? nanoAbout : engine.description }
  return { engine, info, seats: openSeats([...Array(engine.sequences).keys()], queue) }
}
