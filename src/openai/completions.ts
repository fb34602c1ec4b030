/**
 * `/completions`: each prompt is one message of the user, and its text is answered, not continued letter by letter: nodes
 * render their model's own template.
 * @module
 */

import type { TokenLogprob } from '../../kinds/index.ts'
import { present } from '../../kinds/index.ts'
import { string, whole } from '../../kinds/shapes.ts'
import { seconds } from '../clock.ts'
import type { Answered, SessionQuestion } from '../session/session.ts'
import { finishReason, trailingUsage, usageOf } from './chat-answer.ts'
import { times } from './chat-request.ts'
import { whole as answeredWhole, type Call, type StreamWriter, streamed } from './door.ts'
import { invalid } from './errors.ts'
import {
  countOf,
  type Fields,
  field,
  flag,
  modelOf,
  needed,
  refuseUnserved,
  sampling,
  stopOf,
  streamOf,
  tokens,
} from './fields.ts'
import { dataEvent, doneEvent } from './sse.ts'

/** The most answers of one call. */
const mostAnswers = 64

function promptsOf(body: Fields): readonly string[] {
  const text = string(16_777_216)
  const texts = (value: unknown) => {
    const said: unknown[] = Array.isArray(value) ? value : [value]
    const read = said.map(text).filter(one => one !== undefined)
    return read.length === said.length && read.length > 0 && read.length <= mostAnswers ? read : undefined
  }
  return needed(body, 'prompt', texts, `a text or a list of up to ${mostAnswers} texts; lists of tokens are not served`)
}

/** Answers a text completion. */
export function completions(call: Call): Promise<Response> {
  const { body, door } = call
  refuseUnserved(body, ['suffix', 'logit_bias'])
  const bestOf = field(body, 'best_of', whole(1, 20), 'a whole number from 1 to 20')
  const n = countOf(body)
  if (bestOf !== undefined && bestOf > n)
    throw invalid('best_of', "'best_of' beyond 'n' is not served here.", 'unsupported_parameter')
  const logprobs = field(body, 'logprobs', whole(0, 5), 'a whole number from 0 to 5')
  const echo = flag(body, 'echo')
  if (echo && logprobs !== undefined)
    throw invalid('echo', "'echo' with 'logprobs' is not served: nodes do not weigh prompts.", 'unsupported_parameter')
  const prompts = promptsOf(body)
  if (prompts.length * n > mostAnswers)
    throw invalid('n', `One call brings at most ${mostAnswers} answers; ask several times.`)
  const { stream, includeUsage } = streamOf(body)
  const model = modelOf(body)
  const shared = present({
    ...{ model, ...sampling(body), maxTokens: tokens(body, 'max_tokens'), stop: stopOf(body), logprobs, stream },
  })
  const questions = prompts.flatMap(content => {
    const question: SessionQuestion = { ...shared, messages: [{ role: 'user', content }] }
    return times(question, n)
  })
  const shape: Shape = {
    created: seconds(door.clock),
    includeUsage,
    logprobs: logprobs !== undefined,
    echo: index => (echo ? (prompts[Math.floor(index / n)] ?? '') : ''),
  }
  if (stream) return streamed(call, questions, request => writer(shape, `cmpl-${request}`, model ?? 'auto'))
  return answeredWhole(call, questions, answers => ({
    ...{ id: `cmpl-${answers[0]?.request}`, object: 'text_completion', created: shape.created },
    model: answers[0]?.model || (model ?? 'auto'),
    choices: answers.map((answer, index) => ({
      ...{ text: shape.echo(index) + answer.text, index },
      logprobs: shape.logprobs ? oldLogprobs(answer.logprobs, 0) : null,
      finish_reason: reasonOf(answer),
    })),
    usage: usageOf(answers),
  }))
}

interface Shape {
  readonly created: number
  readonly includeUsage: boolean
  readonly logprobs: boolean
  echo(index: number): string
}

/** There are no tools here to be called. */
const reasonOf = ({ finish }: Answered) => (finish === 'length' ? finishReason(finish) : 'stop')

function oldLogprobs(logprobs: readonly TokenLogprob[], from: number) {
  let at = from
  const offsets = logprobs.map(({ token }) => {
    at += token.length
    return at - token.length
  })
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: offsets,
  }
}

function writer(shape: Shape, id: string, model: string): StreamWriter {
  const lengths = new Map<number, number>()
  const frame = (choices: readonly unknown[], usage: unknown) =>
    dataEvent({
      ...{ id, object: 'text_completion', created: shape.created, model, choices },
      ...(shape.includeUsage ? { usage } : {}),
    })
  const choice = (index: number, text: string, logprobs: unknown, reason: string | null) => {
    const said = lengths.has(index) ? text : shape.echo(index) + text
    lengths.set(index, (lengths.get(index) ?? 0) + text.length)
    return frame([{ text: said, index, logprobs, finish_reason: reason }], null)
  }
  return {
    step(step) {
      if ('answer' in step) return choice(step.index, '', null, reasonOf(step.answer))
      const { text = '', logprobs = [] } = step.delta
      if (text === '' && logprobs.length === 0) return ''
      const weighed = shape.logprobs ? oldLogprobs(logprobs, lengths.get(step.index) ?? 0) : null
      return choice(step.index, text, weighed, null)
    },
    end: answers => (shape.includeUsage ? frame([], trailingUsage(answers)) : '') + doneEvent,
    error: error => dataEvent({ error: error.body }),
  }
}
