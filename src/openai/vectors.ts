/**
 * `/embeddings`, `/rerank` and `/classify`: many texts in one job.
 * @module
 */
import {
  classificationRequest,
  embeddingsRequest,
  type Input,
  MOST_TEXTS,
  present,
  queryInput,
  readClasses,
  readEmbeddings,
  readRanking,
  rerankRequest,
  textInput,
  textsInput,
} from '../../kinds/index.ts'
import { isRecord } from '../../kinds/json.ts'
import { whole as integer, listOf, string, word } from '../../kinds/shapes.ts'
import type { Answered } from '../session/session.ts'
import { usageOf } from './chat-answer.ts'
import { type Call, whole } from './door.ts'
import { nonsense } from './errors.ts'
import { type Fields, field, flag, modelOf, needed } from './fields.ts'

/** So many texts are inputs of their own; more are one list. */
const mostInputs = 60
const text = string(16_777_216, 1)

const inputsOf = (texts: readonly string[]): readonly Input[] =>
  texts.length > mostInputs ? [textsInput(texts)] : texts.map(textInput)

/** A text or a list of them. Lists of tokens belong to one model's tokenizer, which nobody knows here. */
const textsIn = (body: Fields, name: string): readonly string[] =>
  needed(
    body,
    name,
    value => {
      const texts = listOf(text, MOST_TEXTS)(Array.isArray(value) ? value : [value])
      return texts && texts.length > 0 ? texts : undefined
    },
    `a text or a list of up to ${MOST_TEXTS} texts, none empty; lists of tokens are not served`,
  )

const tokensOf = (answer: Answered) => {
  const { prompt_tokens } = usageOf([answer])
  return { prompt_tokens, total_tokens: prompt_tokens }
}

/** Base64 of 32-bit floats, little endian. */
function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true)
  let binary = ''
  for (let at = 0; at < view.byteLength; at++) binary += String.fromCharCode(view.getUint8(at))
  return btoa(binary)
}

/** Nine digits say every 32-bit float. */
const numbersOf = (vector: Float32Array): readonly number[] => Array.from(vector, one => Number(one.toPrecision(9)))

/** Answers `/embeddings`. */
export function embeddings(call: Call): Promise<Response> {
  const { body } = call
  const texts = textsIn(body, 'input')
  const model = modelOf(body)
  const format = field(body, 'encoding_format', word('float', 'base64'), 'float or base64') ?? 'float'
  const dimensions = field(body, 'dimensions', integer(1, 65_536), 'a whole number from 1 to 65,536')
  const question = { kind: embeddingsRequest.number, inputs: inputsOf(texts), stream: false }
  return whole(call, [{ ...question, ...present({ model, dimensions }) }], ([answer]) => {
    if (!answer) return undefined
    const read = readEmbeddings(answer.text)
    if (read?.vectors.length !== texts.length || read.vectors.some(one => one.length !== (dimensions ?? one.length)))
      throw nonsense('The node did not answer with one vector of the wanted length for each text.', answer.request)
    const data = read.vectors.map((vector, index) => ({
      ...{ object: 'embedding', index },
      embedding: format === 'base64' ? base64Of(vector) : numbersOf(vector),
    }))
    return { object: 'list', data, model: answer.model || read.model, usage: tokensOf(answer) }
  })
}

/** Answers `/rerank` as Jina and Cohere shape it. */
export function rerank(call: Call): Promise<Response> {
  const { body } = call
  const query = needed(body, 'query', text, 'a text')
  const documents = needed(
    body,
    'documents',
    value =>
      Array.isArray(value) && value.length > 0
        ? listOf(one => text(isRecord(one) ? one['text'] : one), MOST_TEXTS)(value)
        : undefined,
    `a list of 1 to ${MOST_TEXTS} texts`,
  )
  const topN = field(body, 'top_n', integer(1, MOST_TEXTS), `a whole number from 1 to ${MOST_TEXTS}`)
  const shown = flag(body, 'return_documents')
  const inputs = [queryInput(query), ...inputsOf(documents)]
  const question = { kind: rerankRequest.number, inputs, stream: false, ...present({ model: modelOf(body), topN }) }
  return whole(call, [question], ([answer]) => {
    if (!answer) return undefined
    const read = readRanking(answer.text, documents.length)
    const wanted = Math.min(topN ?? documents.length, documents.length)
    if (!read || read.results.length < wanted)
      throw nonsense('The node did not answer with a ranking of the texts.', answer.request)
    const results = read.results.slice(0, wanted).map(({ index, score }) => ({
      ...{ index, relevance_score: score },
      ...(shown ? { document: { text: documents[index] } } : {}),
    }))
    return { id: answer.request, model: answer.model || read.model, results, usage: tokensOf(answer) }
  })
}

/** Answers `/classify` as Jina shapes it: for each text the label that fits best, and how well all of them do. */
export function classify(call: Call): Promise<Response> {
  const { body } = call
  const texts = textsIn(body, 'input')
  const labels = field(body, 'labels', listOf(string(256, 1), 256), 'a list of up to 256 labels')
  const question = { kind: classificationRequest.number, inputs: inputsOf(texts), stream: false }
  return whole(call, [{ ...question, ...present({ model: modelOf(body), labels }) }], ([answer]) => {
    if (!answer) return undefined
    const read = readClasses(answer.text)
    if (read?.results.length !== texts.length)
      throw nonsense('The node did not answer with labels for each text.', answer.request)
    const data = read.results.map((predictions, index) => {
      const [best] = predictions
      return { object: 'classification', index, prediction: best?.label, score: best?.score, predictions }
    })
    return { object: 'list', data, model: answer.model || read.model, usage: tokensOf(answer) }
  })
}
