/**
 * llama.cpp behind four verbs: open, prepare, answer, embed. What `prepare` has rendered and counted is what `answer`
 * evaluates. Sequences keep nothing of a conversation: a shared beginning that answers faster would tell one customer
 * what another one asked.
 * @module
 */
import type {
  ChatWrapper,
  Llama,
  LlamaContextSequence,
  LlamaEmbeddingContext,
  LlamaModel,
  LlamaText,
  Token,
} from 'node-llama-cpp'
import type { Callable, Form } from '../refusals.ts'
import { type Delta, type Message, RunnerError, type Work } from '../runner.ts'
import { type Binding, complaints, loadBinding, messageOf, startLlama } from './binding.ts'
import { type Calls, planCalls } from './calls.ts'
import { grammarOf } from './grammar.ts'
import { chat } from './guided.ts'
import { type Rendered, render } from './prompt.ts'
import { type Generated, type Speech, speak } from './speaking.ts'
import type { ThoughtMarks } from './thoughts.ts'

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

/** A rendered conversation, ready to be answered. */
export interface Prepared {
  /** Tokens that will be evaluated before the first one is drawn. */
  readonly promptTokens: number
  /** Answers on one sequence (0 to `sequences` - 1), which must be free. Rejects with the signal's reason. */
  answer(sequence: number, maxTokens: number, emit: (delta: Delta) => void, signal: AbortSignal): Promise<Generated>
}

/** Why a conversation cannot be prepared: the template rejects it, cannot do it, or a grammar would be too large. */
export interface Unprepared {
  readonly rule: 'conversation' | 'tools' | 'logprobs' | 'schema' | 'penalties'
  readonly says: string
}

export interface Engine {
  readonly contextTokens: number
  readonly sequences: number
  readonly threads: number
  /** Length of the vectors of `embed`. */
  readonly dimensions: number
  /** What llama.cpp calls the model: architecture, size, quantization. */
  readonly description: string
  /** The conversation in the model's own template, as the ids that will be evaluated. Throws where the template does. */
  promptTokens(messages: readonly Message[], tools?: readonly Callable[]): readonly number[]
  prepare(work: Work, form: Form): Promise<Prepared | Unprepared>
  /** Tokens of a text as `embed` reads it. */
  textTokens(text: string): Promise<number>
  /** The model's vector of a text, as it comes. One text at a time; loads what it needs when first used. */
  embed(text: string): Promise<readonly number[]>
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
    model = await llama.loadModel({ modelPath: options.path, ...(onLoad && { onLoadProgress: onLoad }) })
    return await openModel(binding, llama, model, options, threads)
  } catch (error) {
    await model?.dispose()
    const why = [messageOf(error), ...complaints].join('; ')
    throw new RunnerError(
      `llama.cpp cannot load ${options.path}: ${why}. Try a smaller model or context, or fetch the file again`,
      { cause: error },
    )
  }
}

async function openModel(
  binding: Binding,
  llama: Llama,
  model: LlamaModel,
  options: EngineOptions,
  threads: number,
): Promise<Engine> {
  const contextTokens = options.contextTokens ?? Math.min(model.trainContextSize, 4096)
  const contextSize = contextTokens + spareTokens
  const context = await model.createContext({ contextSize, sequences: options.sequences, threads })
  const wrapper = binding.resolveChatWrapper(model, { type: options.plainTemplate ? 'jinjaTemplate' : 'auto' })
  const sequences = Array.from({ length: options.sequences }, () => context.getSequence())
  const parts = { binding, llama, model, wrapper }
  let embedding: Promise<LlamaEmbeddingContext> | undefined
  const embedder = () => {
    embedding ??= model.createEmbeddingContext({ contextSize, threads })
    return embedding
  }

  return {
    contextTokens,
    sequences: sequences.length,
    threads,
    dimensions: model.embeddingVectorSize,
    description: model.typeDescription,
    promptTokens: (messages, tools = []) => render(wrapper, messages, tools).text.tokenize(model.tokenizer),
    async prepare(work, form) {
      const planned = await plan(parts, work, form)
      if ('rule' in planned) return planned
      const { rendered, speech } = planned
      const speechOf = { ...speech, ...thinking(speech, parts, form) }
      const { isEnd, texts } = endsOf(rendered.ends, model)
      return {
        promptTokens: speechOf.prompt.length,
        async answer(index, maxTokens, emit, signal) {
          const sequence = sequences[index] as LlamaContextSequence
          const stops = [...(work.stop ?? []), ...texts]
          try {
            if (rendered.guided) return await chat({ binding, wrapper, sequence }, { ...work, maxTokens }, emit, signal)
            const voice = { binding, model, sequence, batchSize: context.batchSize, isEnd }
            return await speak(voice, { ...speechOf, stops, maxTokens }, emit, signal)
          } finally {
            await sequence.clearHistory()
          }
        },
      }
    },
    async textTokens(text) {
      return (await embedder()).calculateInputLength(text)
    },
    async embed(text) {
      return (await (await embedder()).getEmbeddingFor(text)).vector
    },
    async close() {
      await model.dispose()
    },
  }
}

type Parts = {
  readonly binding: Binding
  readonly llama: Llama
  readonly model: LlamaModel
  readonly wrapper: ChatWrapper
}

async function plan(
  parts: Parts,
  work: Work,
  { tools, mustCall, json }: Form,
): Promise<{ rendered: Rendered; speech: Omit<Speech, 'maxTokens' | 'stops'> } | Unprepared> {
  const { llama, model, wrapper } = parts
  let rendered: Rendered
  let prompt: Token[]
  try {
    rendered = render(wrapper, work.messages, tools)
    prompt = rendered.text.tokenize(model.tokenizer)
  } catch {
    return { rule: 'conversation', says: refuseOrder }
  }
  const special = tools.length > 0 ? 'tools' : work.logprobs !== undefined ? 'logprobs' : json && 'schema'
  if (rendered.guided && special)
    return { rule: special, says: `this model answers in text only; ask without ${special}` }
  if (rendered.guided && (work.frequencyPenalty || work.presencePenalty))
    return { rule: 'penalties', says: 'this model is led from step to step and takes no penalties; ask without them' }
  let calls: Calls | undefined
  if (tools.length > 0) {
    const planned = await planCalls(parts, tools, { must: mustCall, parallel: work.parallelToolCalls !== false })
    if ('tool' in planned) return { rule: 'schema', says: tooLarge(`the parameters of the tool ${planned.tool}`) }
    calls = planned
  }
  const text = json && grammarOf(json)
  if (json && text === undefined) return { rule: 'schema', says: tooLarge('the schema') }
  const { logprobs } = work
  if (logprobs !== undefined && (text !== undefined || calls) && (work.temperature ?? 0) > 0)
    return { rule: 'logprobs', says: 'under a grammar probabilities are known at temperature 0 only; ask for that' }
  const head = calls?.must ? [...prompt, ...calls.opening] : prompt
  return {
    rendered,
    speech: {
      prompt: head,
      sampling: work,
      closes: json !== undefined && ['object', 'array'].includes(json.root.is),
      trims: rendered.trims,
      callId: index => `call_${work.id.slice(0, 32)}_${index}`,
      ...(calls && { calls }),
      ...(text !== undefined && { grammar: await llama.createGrammar({ grammar: text }) }),
      ...(logprobs !== undefined && { logprobs }),
    },
  }
}

const refuseOrder =
  'the model does not take the roles in this order; begin with a user message and let user and assistant alternate'
const tooLarge = (what: string) => `the grammar of ${what} would be too large; ask for fewer counted repetitions`

/** What ends an answer: the model's own end tokens, those of its template, and texts of its template. */
function endsOf(ends: readonly LlamaText[], model: LlamaModel): { isEnd(token: Token): boolean; texts: string[] } {
  const tokens = new Set<Token>()
  const texts: string[] = []
  for (const end of ends) {
    const [first, ...rest] = end.tokenize(model.tokenizer)
    if (first !== undefined && rest.length === 0) tokens.add(first)
    else if (end.values.every(value => typeof value === 'string')) texts.push(end.values.join(''))
  }
  return { isEnd: token => tokens.has(token) || model.isEogToken(token), texts: texts.filter(text => text !== '') }
}

function thoughtMarks({ settings }: ChatWrapper): { open: string; close: string } | undefined {
  const thought = settings.segments?.thought
  if (!thought || thought.suffix === undefined) return undefined
  const { prefix, suffix } = thought
  const open = typeof prefix === 'string' || 'values' in prefix ? `${prefix}`.trim() : ''
  return { open: open || '<think>', close: `${suffix}`.trim() }
}

/** A template that leaves the model thinking is made to stop where only JSON or a call may follow. */
function thinking(
  { prompt }: Pick<Speech, 'prompt'>,
  { model, wrapper, binding }: Parts,
  { json, mustCall }: Form,
): { thoughts?: ThoughtMarks; prompt?: readonly Token[] } {
  const marks = thoughtMarks(wrapper)
  if (!marks) return {}
  const inside = model.detokenize(prompt.slice(-16), true).trimEnd().endsWith(marks.open)
  if (!json && !mustCall) return { thoughts: { ...marks, inside } }
  const close = binding.LlamaText(new binding.SpecialTokensText(`${marks.close}\n\n`))
  return inside ? { prompt: [...prompt, ...close.tokenize(model.tokenizer)] } : {}
}
