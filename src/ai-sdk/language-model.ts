/**
 * A language model of this network, as the AI SDK drives it.
 * @module
 */
import type { Delta } from '../../kinds/index.ts'
import type { Answered, Asking, Moment, Session } from '../session/session.ts'
import { answerOf, GridstrFailure, metadataOf } from './failure.ts'
import { questionOf } from './question.ts'
import type { Content, FinishReason, LanguageModel, ModelUsage, Specification, StreamPart, Warning } from './spec.ts'

/** Opens the model named `modelId`; the empty name is any. `open` gives the session when it is first needed. */
export function languageModel<S extends Specification>(
  specificationVersion: S,
  modelId: string,
  open: () => Promise<Session>,
): LanguageModel<S> {
  return {
    specificationVersion,
    provider: 'gridstr',
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      const { question, warnings } = questionOf(modelId, options)
      const session = await open()
      const outcome = await session.ask({ ...question, stream: false }, options.abortSignal).outcome
      const answer = answerOf(outcome, options.abortSignal)
      const text: Content[] = answer.text === '' ? [] : [{ type: 'text', text: answer.text }]
      const calls = answer.toolCalls.map(
        ({ id, name, arguments: input }): Content => ({
          type: 'tool-call',
          toolCallId: id,
          toolName: name,
          input,
        }),
      )
      return {
        content: [...text, ...calls],
        finishReason: finishOf(answer),
        usage: usageOf(answer),
        warnings,
        providerMetadata: metadataOf(answer),
        response: { id: answer.request, modelId: answer.model },
      }
    },
    async doStream(options) {
      const { question, warnings } = questionOf(modelId, options)
      const session = await open()
      // Who stops reading wants no answer any more.
      const left = new AbortController()
      const signal = options.abortSignal ? AbortSignal.any([options.abortSignal, left.signal]) : left.signal
      const parts = partsOf(session.ask(question, signal), warnings, options.abortSignal)
      const stream = new ReadableStream<StreamPart>({
        async pull(controller) {
          const { done, value } = await parts.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
        async cancel(reason) {
          left.abort(reason)
          await parts.return(undefined)
        },
      })
      return { stream }
    },
  }
}

const finishOf = ({ finish }: Answered): FinishReason => ({ unified: finish, raw: finish })

const usageOf = ({ usage }: Pick<Answered, 'usage'>): ModelUsage => ({
  inputTokens: { total: usage.promptTokens, noCache: usage.promptTokens, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: usage.outputTokens, text: usage.outputTokens, reasoning: undefined },
})

const textId = 'text'

/** The moments of an answer as parts of a stream. Whatever goes wrong becomes an `error` part, and the stream ends well. */
async function* partsOf(
  asking: Asking,
  warnings: Warning[],
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamPart, void> {
  yield { type: 'stream-start', warnings }
  const calls = openCalls()
  let talking = false
  try {
    for await (const moment of asking) {
      if (moment.moment === 'asked') yield { type: 'response-metadata', id: moment.request }
      const delta = deltaOf(moment)
      if (!delta) continue
      if (delta.text) {
        if (!talking) yield { type: 'text-start', id: textId }
        talking = true
        yield { type: 'text-delta', id: textId, delta: delta.text }
      }
      yield* calls.take(delta)
    }
    const answer = answerOf(await asking.outcome, signal)
    if (talking) yield { type: 'text-end', id: textId }
    yield* calls.end()
    const [usage, finishReason] = [usageOf(answer), finishOf(answer)]
    yield { type: 'finish', usage, finishReason, providerMetadata: metadataOf(answer) }
  } catch (error) {
    yield { type: 'error', error }
    const usage = usageOf({ usage: { promptTokens: 0, outputTokens: 0 } })
    const raw = error instanceof GridstrFailure ? error.code : 'error'
    yield { type: 'finish', usage, finishReason: { unified: 'error', raw } }
  }
}

/** What a moment adds. Throws for what takes back what was shown: a stream cannot. */
function deltaOf(moment: Moment): Delta | undefined {
  if (moment.moment === 'delta') return moment.delta
  if (moment.moment !== 'replaced') return undefined
  throw new GridstrFailure({ code: 'replaced', says: replaced, msats: 0n })
}

const replaced =
  'The signed answer differs from what was streamed. Ask without streaming to get the signed answer; it is paid for.'

/** Tool calls as they grow: each has a beginning, its arguments, an end, and then stands as a whole. */
function openCalls() {
  const open = new Map<number, { id: string; name: string; input: string }>()

  function* close(index: number, { id, name, input }: { id: string; name: string; input: string }) {
    open.delete(index)
    yield { type: 'tool-input-end', id } as const
    yield { type: 'tool-call', toolCallId: id, toolName: name, input } as const
  }

  function* begin(index: number, id: string, name: string): Generator<StreamPart> {
    for (const [other, call] of open) yield* close(other, call)
    open.set(index, { id, name, input: '' })
    yield { type: 'tool-input-start', id, toolName: name }
  }

  return {
    *take({ toolCall }: Delta): Generator<StreamPart> {
      if (!toolCall) return
      const { index, id, name, arguments: piece = '' } = toolCall
      if (!open.has(index) && id !== undefined && name !== undefined) yield* begin(index, id, name)
      const call = open.get(index)
      if (!call || piece === '') return
      call.input += piece
      yield { type: 'tool-input-delta', id: call.id, delta: piece }
    },
    *end(): Generator<StreamPart> {
      for (const [index, call] of [...open]) yield* close(index, call)
    },
  }
}
