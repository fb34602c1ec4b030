/**
 * What a request asks for beside its words, turned into work: the texts of kinds that are no conversation, and forms of
 * an answer that not every request may want.
 * @module
 */
import type { AnyRequest, Message } from '../../kinds/index.ts'
import { deltasOutput, messagesOf, present, queryOf, textRequest, textsOf } from '../../kinds/index.ts'
import type { Why } from '../job.ts'
import type { Work } from '../runners/runner.ts'

/** Everything of `Work` that the request says, or why it cannot be done. */
export function formOf(kind: number, request: AnyRequest): { readonly work: Omit<Work, 'id' | 'kind'>; why?: Why } {
  if (kind === textRequest.number) return textForm(request)
  const { model, topN, labels, dimensions, encoding } = request
  const read = textsOf(request)
  if (!read.ok) return { work: { messages: [] }, why: { code: read.rule, says: read.says } }
  const asked = queryOf(request)
  const query = asked.ok ? asked.value : undefined
  const work = { ...present({ model, topN, labels, dimensions, encoding, query }), texts: read.value, messages: [] }
  return begun(request) ? { work, why: onePiece } : { work }
}

function textForm(request: AnyRequest): { readonly work: Omit<Work, 'id' | 'kind'>; why?: Why } {
  const { model, maxTokens, temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = request
  const { stop, tools, toolChoice, parallelToolCalls, responseFormat, logprobs } = request
  const deltas = request.output === deltasOutput ? true : undefined
  const said = messagesOf(request)
  const messages: readonly Message[] = said.ok ? said.value : []
  const sampling = { model, maxTokens, temperature, topP, topK, seed, frequencyPenalty, presencePenalty, stop }
  const form = { tools, toolChoice, parallelToolCalls, responseFormat, logprobs, deltas }
  const work = { messages, ...present({ ...sampling, ...form }) }
  if (!said.ok) return { work, why: { code: said.rule, says: said.says } }
  const more = (tools !== undefined && toolChoice !== 'none') || logprobs !== undefined
  if (more && !deltas) return { work, why: noDeltas }
  return begun(request) && !divisible(kindOfText, request) ? { work, why: onePiece } : { work }
}

/** True where a part of the answer can be the beginning of the next: it is plain text and nothing else. */
export const divisible = (kind: number, { output, responseFormat }: AnyRequest): boolean =>
  kind === kindOfText && output !== deltasOutput && responseFormat === undefined

const kindOfText: number = textRequest.number
const begun = ({ terms }: AnyRequest): boolean => terms?.word === 'parts' && terms.from !== undefined

const noDeltas: Why = {
  code: 'output',
  says: 'Tool calls and probabilities come as deltas: ask for `output` application/x-ndjson beside them, or leave `tools` and `logprobs` out.',
}
const onePiece: Why = {
  code: 'parts',
  says: 'Only plain text goes on from a beginning that was bought elsewhere; an answer in this form is made in one piece. Leave `from` out of the terms.',
}
