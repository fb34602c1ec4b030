/**
 * One answer, token by token: text until it ends or calls a tool, the call's name and arguments under their grammars, and
 * every limit kept on the way.
 * @module
 */
import type { LlamaContextSequence, LlamaGrammar, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp'
import type { Delta, Finish } from '../../../kinds/index.ts'
import { RunnerError } from '../runner.ts'
import type { Binding } from './binding.ts'
import type { Calls } from './calls.ts'
import { type Draw, drawToken, logprobOf, seededRandom } from './drawing.ts'
import { openPhases } from './phases.ts'
import type { ThoughtMarks } from './thoughts.ts'

/** How tokens are drawn. */
export interface Sampling {
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly seed?: number
  readonly frequencyPenalty?: number
  readonly presencePenalty?: number
}

/** What an answer is made from. */
export interface Speech {
  readonly prompt: readonly Token[]
  readonly maxTokens: number
  readonly sampling: Sampling
  readonly stops: readonly string[]
  /** The text is JSON under this grammar; `closes` where it is an object or a list. */
  readonly grammar?: LlamaGrammar
  readonly closes: boolean
  readonly calls?: Calls
  readonly trims: boolean
  readonly thoughts?: ThoughtMarks
  readonly logprobs?: number
  /** The id of a call by its place in the answer. */
  callId(index: number): string
}

export interface Generated {
  /** Tokens of the answer, its end included: those drawn, and those between the parts of a call. */
  readonly outputTokens: number
  readonly finish: Finish
}

export interface Voice {
  readonly binding: Binding
  readonly model: LlamaModel
  readonly sequence: LlamaContextSequence
  /** Tokens evaluated at once. */
  readonly batchSize: number
  isEnd(token: Token): boolean
}

/** Answers on a sequence without history. Rejects with the signal's reason at the next token. */
export async function speak(
  voice: Voice,
  speech: Speech,
  emit: (delta: Delta) => void,
  signal: AbortSignal,
): Promise<Generated> {
  const { model, sequence, binding } = voice
  const { sampling, maxTokens, logprobs } = speech
  const phases = openPhases(voice, speech, emit)
  const drawn: Token[] = []
  const counts = logprobs !== undefined
  const mine = counts && !speech.grammar && !speech.calls ? ownDraw(sampling) : undefined
  let shifted = false
  const options: SequenceEvaluateOptions = {
    ...(mine ? {} : drawing(sampling)),
    ...penalties(sampling, drawn, maxTokens),
    ...(speech.grammar || speech.calls ? { grammarEvaluationState: () => phases.grammar } : {}),
    contextShift: {
      strategy: ({ size }) => {
        shifted = true
        return [{ start: 0, end: size }]
      },
    },
    yieldEogToken: true,
  }
  if (speech.grammar) phases.use(new binding.LlamaGrammarEvaluationState({ model, grammar: speech.grammar }))

  const last = await begin(voice, speech.prompt, signal)
  const answer = sequence.evaluateWithMetadata(last, { probabilities: counts }, options)
  const textOf = (token: Token) => model.detokenize([token], true)
  let used = 0
  try {
    for (let feed: Token[] | undefined; ; ) {
      const { value, done } = await answer.next(feed ?? [])
      signal.throwIfAborted()
      if (shifted) throw new RunnerError('the prompt does not fit into the context, although it was admitted')
      if (done) throw new RunnerError('llama.cpp drew no token')
      used++
      const probabilities = 'probabilities' in value ? probabilitiesOf(value.probabilities) : undefined
      const token = mine && probabilities ? drawToken(probabilities, mine) : value.token
      drawn.push(token)
      const weighed = probabilities && logprobOf(token, probabilities, logprobs ?? 0, textOf)
      const next = phases.take(token, voice.isEnd(token), weighed)
      if (next?.finish) return { outputTokens: used, finish: next.finish }
      feed = next?.feed ?? [token]
      if (next?.feed) used += next.added
      if (used >= maxTokens) return { outputTokens: maxTokens, finish: phases.cut() }
    }
  } finally {
    await answer.return()
  }
}

/** Evaluates a long prompt batch by batch, so that it can be left in between. Gives its last batch. */
async function begin({ sequence, batchSize }: Voice, prompt: readonly Token[], signal: AbortSignal): Promise<Token[]> {
  let at = 0
  for (; prompt.length - at > batchSize; at += batchSize) {
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + batchSize))
    signal.throwIfAborted()
  }
  return prompt.slice(at)
}

/** The types of the binding say less of them than is there. */
const probabilitiesOf = (value: unknown): Map<Token, number> | undefined => (value instanceof Map ? value : undefined)

function drawing({ temperature = 0, topP, topK, seed }: Sampling): SequenceEvaluateOptions {
  return {
    temperature,
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(seed !== undefined && { seed }),
  }
}

function ownDraw({ temperature = 0, topP = 0.95, topK = 40, seed }: Sampling): Draw {
  return { temperature, topP, topK, random: seed === undefined ? Math.random : seededRandom(seed) }
}

/** On what was drawn so far, the prompt left out. */
function penalties(
  { frequencyPenalty = 0, presencePenalty = 0 }: Sampling,
  drawn: Token[],
  maxTokens: number,
): SequenceEvaluateOptions {
  if (frequencyPenalty === 0 && presencePenalty === 0) return {}
  const punishTokens = () => drawn
  return { repeatPenalty: { punishTokens, maxPunishTokens: maxTokens, penalty: 1, frequencyPenalty, presencePenalty } }
}
