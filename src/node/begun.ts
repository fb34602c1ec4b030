/**
 * An answer whose beginning was bought from another node: it comes as the last message of the conversation, and only the
 * rest is made and billed here.
 * @module
 */
import type { TextRequest } from '../../kinds/index.ts'
import { type NodeAsk, openNodeJob } from '../job/node-side.ts'
import type { Work } from '../runners/runner.ts'

/**
 * What a request says of parts that were bought elsewhere (`terms parts n from`), or nothing. `maxTokens` are those of the
 * whole answer; as many of them count as used as were paid for.
 */
export function begunOf(
  request: Pick<TextRequest, 'terms'>,
  work: Work,
  maxTokens: number,
): Pick<NodeAsk, 'parts' | 'from' | 'soFar'> {
  const { terms } = request
  const last = work.messages.at(-1)
  if (terms?.word !== 'parts' || !terms.from || terms.from >= terms.parts) return {}
  if (last?.role !== 'assistant' || last.content === '') return {}
  const { parts, from } = terms
  const outputTokens = Math.floor((maxTokens * from) / parts)
  return { parts, from, soFar: { text: last.content, model: work.model ?? '', promptTokens: 0, outputTokens } }
}

/** The conversation up to the answer, where the job itself carries the answer's beginning. */
export function workOf(ask: NodeAsk, work: Work): Work {
  const [opened] = openNodeJob(ask)
  return opened.soFar ? { ...work, messages: work.messages.slice(0, -1) } : work
}
