/**
 * llama.cpp behind four verbs: fetch, open, count, generate. The only file that knows node-llama-cpp; its native code
 * is loaded when the first engine opens. Nothing is ever compiled or fetched but the weights asked for.
 * @module
 */
import type { ChatHistoryItem, Llama, LlamaContextSequence, LlamaModel } from 'node-llama-cpp'
import { type Message, RunnerError, type Work } from '../runner.ts'
import { untilAborted } from './until-aborted.ts'

export interface EngineOptions {
  readonly path: string
  /** Tokens per sequence; the model's own when left out, at most 4,096. */
  readonly contextTokens?: number
  readonly sequences: number
  /** Threads of the processor; one less than it has cores when left out. */
  readonly threads?: number
  readonly gpu: 'auto' | false
  /** Takes the file's template as it is; otherwise half a second goes into looking whose family it is of. */
  readonly plainTemplate?: boolean
  /** Share of the weights that is loaded, 0 to 1. */
  readonly onLoad?: (share: number) => void
}

/** What one answer is made from. Temperature is 0, the likeliest token each time, when left out. */
export interface Prompt extends Pick<Work, 'messages' | 'temperature' | 'topP' | 'topK' | 'seed'> {
  readonly maxTokens: number
}

export interface Generated {
  /** Tokens that were drawn, the end token included, as the sequence's own meter counted them. */
  readonly outputTokens: number
  readonly finish: 'stop' | 'length'
}

export interface Engine {
  readonly contextTokens: number
  readonly sequences: number
  readonly threads: number
  /** What llama.cpp calls the model: architecture, size, quantization. */
  readonly description: string
  /** The conversation in the model's own template, as the ids that will be evaluated. Throws where the template does. */
  promptTokens(messages: readonly Message[]): readonly number[]
  /** Answers on one sequence (0 to `sequences` - 1), which must be free. Rejects with the signal's reason. */
  generate(sequence: number, prompt: Prompt, onText: (text: string) => void, signal: AbortSignal): Promise<Generated>
  close(): Promise<void>
}

/**
 * llama.cpp shifts old tokens out one step before a context is full. These spare tokens keep that point beyond what
 * `check` admits, so that no billed prompt is ever cut.
 */
const spareTokens = 8

/** Loads weights. Throws `RunnerError` that names the way out. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const binding = await loadBinding()
  const llama = await startLlama(options.gpu)
  complaints.length = 0
  let model: LlamaModel | undefined
  try {
    const threads = Math.max(1, options.threads ?? llama.cpuMathCores - 1)
    const { onLoad } = options
    const weights = await llama.loadModel({ modelPath: options.path, ...(onLoad && { onLoadProgress: onLoad }) })
    model = weights
    const contextTokens = options.contextTokens ?? Math.min(weights.trainContextSize, 4096)
    const context = await weights.createContext({
      contextSize: contextTokens + spareTokens,
      sequences: options.sequences,
      threads,
    })
    const chatWrapper = binding.resolveChatWrapper(weights, { type: options.plainTemplate ? 'jinjaTemplate' : 'auto' })
    const sequences = Array.from({ length: options.sequences }, () => context.getSequence())

    return {
      contextTokens,
      sequences: sequences.length,
      threads,
      description: weights.typeDescription,
      promptTokens(messages) {
        const { contextText } = chatWrapper.generateContextState({ chatHistory: historyOf(messages) })
        return contextText.tokenize(weights.tokenizer)
      },
      async generate(index, { messages, maxTokens, temperature = 0, topP, topK, seed }, onText, signal) {
        const sequence = sequences[index] as LlamaContextSequence
        await sequence.clearHistory()
        const chat = new binding.LlamaChat({ contextSequence: sequence, chatWrapper })
        // What a strategy throws is swallowed and the prompt cut all the same; only an abort ends the work.
        const cut = new AbortController()
        const before = sequence.tokenMeter.usedOutputTokens
        try {
          const { metadata } = await chat.generateResponse(historyOf(messages), {
            maxTokens,
            temperature,
            ...(topP !== undefined && { topP }),
            ...(topK !== undefined && { topK }),
            ...(seed !== undefined && { seed }),
            repeatPenalty: false,
            trimWhitespaceSuffix: false,
            onTextChunk: text => cut.signal.aborted || onText(text),
            signal: AbortSignal.any([signal, cut.signal]),
            contextShift: {
              strategy: ({ chatHistory }) => {
                cut.abort(new RunnerError('the prompt does not fit into the context, although it was admitted'))
                return { chatHistory: [...chatHistory], metadata: null }
              },
            },
          })
          const outputTokens = sequence.tokenMeter.usedOutputTokens - before
          return { outputTokens, finish: metadata.stopReason === 'maxTokens' ? 'length' : 'stop' }
        } finally {
          chat.dispose({ disposeSequence: false })
          await sequence.clearHistory()
        }
      },
      async close() {
        await weights.dispose()
      },
    }
  } catch (error) {
    await model?.dispose()
    const why = [messageOf(error), ...complaints].join('; ')
    throw new RunnerError(
      `llama.cpp cannot load ${options.path}: ${why}. Try a smaller model or context, or fetch the file again`,
      { cause: error },
    )
  }
}

export interface FetchOptions {
  readonly directory: string
  readonly fileName?: string
  /** Another Hugging Face hub, as `MODEL_ENDPOINT` and `HF_ENDPOINT` name one. */
  readonly endpoint?: string
  /** Token for gated models, as `HF_TOKEN`. */
  readonly token?: string
  readonly onProgress?: (done: number, total: number) => void
}

/**
 * Fetches weights by `hf:` URI or URL unless they are there, and returns their path. What an aborted fetch has got
 * stays on disk and the next one goes on from it. Throws `RunnerError` that names the way out.
 */
export async function fetchWeights(uri: string, options: FetchOptions, signal: AbortSignal): Promise<string> {
  const { directory, fileName, endpoint, token, onProgress } = options
  const { resolveModelFile } = await loadBinding()
  const where = {
    directory,
    cli: false,
    ...(fileName !== undefined && { fileName }),
    ...(endpoint !== undefined && { endpoints: { huggingFace: endpoint } }),
  }
  const kept = await resolveModelFile(uri, { ...where, download: false }).catch(() => undefined)
  if (kept !== undefined) return kept
  try {
    await requireAnswer(uri.startsWith('http') ? uri : (endpoint ?? 'https://huggingface.co/'), signal)
    const fetching = resolveModelFile(uri, {
      ...where,
      deleteTempFileOnCancel: false,
      signal,
      ...(token !== undefined && { tokens: { huggingFace: token } }),
      ...(onProgress && { onProgress: ({ downloadedSize, totalSize }) => onProgress(downloadedSize, totalSize) }),
    })
    const path = await untilAborted(fetching, signal)
    signal.throwIfAborted()
    return path
  } catch (error) {
    signal.throwIfAborted()
    const says = `cannot fetch ${uri}: ${messageOf(error)}`
    const way = 'Check the name and the connection, set HF_TOKEN for a gated model, or fetch the file and give its path'
    throw new RunnerError(`${says}. ${way}`, { cause: error })
  }
}

/** One try, because the downloader itself repeats silently for minutes when nobody answers. */
async function requireAnswer(url: string, signal: AbortSignal): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(20_000)])
  const response = await fetch(url, { method: 'HEAD', signal: patience }).catch(error => {
    throw new Error(`${new URL(url).host} does not answer`, { cause: error })
  })
  if (response.status >= 500) throw new Error(`${new URL(url).host} answers ${response.status}, try later`)
}

async function loadBinding() {
  try {
    return await import('node-llama-cpp')
  } catch (error) {
    throw new RunnerError('the package node-llama-cpp is not installed: run npm install', { cause: error })
  }
}

/** The last words of llama.cpp; its log is one per process. */
const complaints: string[] = []

/** One llama.cpp per kind of device and process: a second one would take the first one's log and start time. */
const started = new Map<'auto' | false, Promise<Llama>>()

function startLlama(gpu: 'auto' | false): Promise<Llama> {
  const known = started.get(gpu)
  if (known) return known
  const starting = bootLlama(gpu)
  started.set(gpu, starting)
  starting.catch(() => started.delete(gpu))
  return starting
}

async function bootLlama(gpu: 'auto' | false): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await loadBinding()
  try {
    return await getLlama({
      gpu,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      logger: (_level, message) => {
        complaints.push(message.trim())
        if (complaints.length > 3) complaints.shift()
      },
    })
  } catch (error) {
    const platform = `${process.platform}-${process.arch}`
    throw new RunnerError(
      `no llama.cpp binary runs on ${platform}: run npm install without --omit=optional, or serve another runner`,
      { cause: error },
    )
  }
}

/**
 * Strings become plain text in the template: special tokens come from the template alone. A last message of the
 * assistant is the beginning of the answer.
 */
function historyOf(messages: readonly Message[]): ChatHistoryItem[] {
  const history = messages.map(({ role, content }): ChatHistoryItem => {
    if (role === 'assistant') return { type: 'model', response: [content] }
    return role === 'system' ? { type: 'system', text: content } : { type: 'user', text: content }
  })
  return history.at(-1)?.type === 'model' ? history : [...history, { type: 'model', response: [] }]
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
