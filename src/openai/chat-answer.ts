/**
 * `/chat/completions`: from answers to completions and chunks.
 * @module
 */
import type { Delta, Finish, TokenLogprob } from '../../kinds/index.ts'
import type { Answered } from '../session/session.ts'
import type { StreamWriter } from './door.ts'
import { dataEvent, doneEvent } from './sse.ts'

/** What all chunks of one call say alike. */
export interface ChunkHead {
  readonly id: string
  readonly created: number
  readonly model: string
  readonly includeUsage: boolean
  readonly logprobs: boolean
}

/** Why an answer ends, as OpenAI's interface says it. */
export const finishReason = (finish: Finish): 'stop' | 'length' | 'tool_calls' =>
  finish === 'tool-calls' ? 'tool_calls' : finish

/** Tokens of all answers: each was a job of its own and was billed its own prompt. */
export function usageOf(answers: readonly Answered[]) {
  const prompt = answers.reduce((sum, { usage }) => sum + usage.promptTokens, 0)
  const output = answers.reduce((sum, { usage }) => sum + usage.outputTokens, 0)
  return { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }
}

/** The usage of a stream: what it cost is told here, as headers have long gone. */
export const trailingUsage = (answers: readonly Answered[]) => ({
  ...usageOf(answers),
  cost_msats: Number(answers.reduce((sum, { msats, feeMsats }) => sum + msats + feeMsats, 0n)),
})

const bytes = (token: string): number[] => [...new TextEncoder().encode(token)]

/** Probabilities of tokens. */
export const tokenLogprobs = (logprobs: readonly TokenLogprob[]) =>
  logprobs.map(({ token, logprob, top }) => ({
    ...{ token, logprob, bytes: bytes(token) },
    top_logprobs: top.map(one => ({ token: one.token, logprob: one.logprob, bytes: bytes(one.token) })),
  }))

const logprobsOf = (logprobs: readonly TokenLogprob[]) => ({ content: tokenLogprobs(logprobs), refusal: null })

/** The whole completion. */
export function completion(head: Pick<ChunkHead, 'created' | 'logprobs' | 'model'>, answers: readonly Answered[]) {
  const [first] = answers
  return {
    id: `chatcmpl-${first?.request}`,
    object: 'chat.completion',
    created: head.created,
    model: first?.model || head.model,
    choices: answers.map(({ text, toolCalls, logprobs, finish }, index) => ({
      index,
      message: {
        role: 'assistant',
        content: text === '' && toolCalls.length > 0 ? null : text,
        refusal: null,
        annotations: [],
        ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(callJson) } : {}),
      },
      logprobs: head.logprobs ? logprobsOf(logprobs) : null,
      finish_reason: finishReason(finish),
    })),
    usage: usageOf(answers),
    system_fingerprint: null,
  }
}

/** A call as messages hold it. */
export const callJson = (call: { readonly id: string; readonly name: string; readonly arguments: string }) => ({
  id: call.id,
  type: 'function',
  function: { name: call.name, arguments: call.arguments },
})

/** One piece of a message. */
function deltaJson({ text, toolCall }: Delta) {
  return {
    ...(text ? { content: text } : {}),
    ...(toolCall ? { tool_calls: [pieceJson(toolCall)] } : {}),
  }
}

function pieceJson({ index, id, name, arguments: said }: NonNullable<Delta['toolCall']>) {
  const of = { ...(name === undefined ? {} : { name }), arguments: said ?? '' }
  return id === undefined ? { index, function: of } : { index, id, type: 'function', function: of }
}

/** Writes chunks: the role first, the reason last, then tokens where they were asked for. */
export function chunks(head: ChunkHead): StreamWriter {
  const begun = new Set<number>()
  const frame = (choices: readonly unknown[], usage: unknown) =>
    dataEvent({
      ...{ id: head.id, object: 'chat.completion.chunk', created: head.created, model: head.model },
      ...{ system_fingerprint: null, choices },
      ...(head.includeUsage ? { usage } : {}),
    })
  const choice = (index: number, delta: unknown, logprobs: unknown, reason: string | null) =>
    frame([{ index, delta, logprobs, finish_reason: reason }], null)
  const role = (index: number): string => {
    if (begun.has(index)) return ''
    begun.add(index)
    return choice(index, { role: 'assistant', content: '', refusal: null }, null, null)
  }
  return {
    step(step) {
      const { index } = step
      if ('answer' in step) return role(index) + choice(index, {}, null, finishReason(step.answer.finish))
      const { delta } = step
      if (!delta.text && !delta.toolCall && !delta.logprobs?.length) return ''
      const logprobs = head.logprobs && delta.logprobs?.length ? logprobsOf(delta.logprobs) : null
      return role(index) + choice(index, deltaJson(delta), logprobs, null)
    },
    end: answers => (head.includeUsage ? frame([], trailingUsage(answers)) : '') + doneEvent,
    error: error => dataEvent({ error: error.body }),
  }
}
