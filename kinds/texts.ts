/**
 * Many texts as the inputs of one job: what to embed, to rank or to classify.
 * @module
 */
import { ok } from './define.ts'
import type { Input, JobRequest } from './inputs.ts'
import { parseJson } from './json.ts'
import type { Read } from './kind.ts'
import { listOf, string } from './shapes.ts'

/** Most texts of one job. */
export const MOST_TEXTS = 2_048

type Job = Pick<JobRequest, 'inputs'>

/** Many texts as one input: a JSON list under the marker `texts`. */
export const textsInput = (texts: readonly string[]): Input => ({
  data: JSON.stringify(texts),
  type: 'text',
  marker: 'texts',
})

/** What the texts of a rerank job are ranked for. */
export const queryInput = (query: string): Input => ({ data: query, type: 'text', marker: 'query' })

/** Reads the data of a `texts` input: 1 to 2,048 texts, `undefined` for anything else. */
export function readTexts(data: string): string[] | undefined {
  const list = listOf(
    string(16_777_216),
    MOST_TEXTS,
  )(parseJson(data, { chars: 16_777_216, depth: 1, nodes: MOST_TEXTS + 1 }))
  return list && list.length > 0 ? list : undefined
}

const marked = (inputs: readonly Input[], marker: string): readonly Input[] =>
  inputs.filter(input => input.type === 'text' && input.marker === marker)

/** True where the `texts` input, if there is one, can be read and no other text is beside it but a query. */
export function areLists(inputs: readonly Input[]): boolean {
  const lists = marked(inputs, 'texts')
  if (lists.length === 0) return true
  const others = inputs.filter(input => input.type === 'text' && input.marker !== 'query')
  return others.length === 1 && lists.every(({ data }) => readTexts(data) !== undefined)
}

/** What inputs say that are worked on one by one. `texts` and `query` say what is wrong with them. */
export const textsRule =
  'An input with marker `texts` is a JSON list of 1 to 2,048 texts, and no other text is beside it but a `query`.'

/** What jobs that work on each of their texts have in common beside their fields. */
export const overTexts = {
  content: 'Empty, or the ciphertext of a JSON list of the private tags. A public text is ignored.',
  rules: { input: 'A job has at least one input.', texts: textsRule },
  seal: 'tags',
  bare: (opened: string) => ['i', opened, 'text'],
} as const

/** The rule of `overTexts` that inputs break, if they break one. */
export const brokenTexts = (inputs: readonly Input[]): keyof typeof overTexts.rules | undefined =>
  inputs.length === 0 ? 'input' : areLists(inputs) ? undefined : 'texts'

/**
 * The texts of a job, in order: its `texts` input, or else its text inputs but the query. Inputs that point elsewhere must
 * have been fetched before; rule `texts` where none is left.
 */
export function textsOf({ inputs }: Job): Read<readonly string[]> {
  if (!areLists(inputs)) return { ok: false, rule: 'texts', says: textsRule }
  const [list] = marked(inputs, 'texts')
  const texts = list
    ? readTexts(list.data)
    : inputs.filter(input => input.type === 'text' && input.marker !== 'query').map(({ data }) => data)
  return texts && texts.length > 0
    ? ok(texts)
    : { ok: false, rule: 'texts', says: 'The job brings no text to work on.' }
}

/** The query of a rerank job; rule `query` where there is none that says something. */
export function queryOf({ inputs }: Job): Read<string> {
  const [query, more] = marked(inputs, 'query')
  return query && !more && query.data.trim() !== ''
    ? ok(query.data)
    : { ok: false, rule: 'query', says: 'The job says by one input with marker `query` what the texts are ranked for.' }
}
