/**
 * Kind 5081: a customer asks which texts answer a query best.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { maybe } from './fields.ts'
import { fieldsOf, type JobRequest, jobOf, requestFields } from './inputs.ts'
import { areLists, textsRule } from './texts.ts'
import { integer } from './values.ts'

/** A rerank job: one input has the marker `query`, the others are ranked. */
export interface RerankRequest extends JobRequest {
  /** How many of the best are wanted; absent: all. */
  readonly topN?: number
}

const blank = { relays: [], providers: [], stream: false, receipt: false }
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const query = ['i', 'Why is the sky blue?', 'text', '', 'query']
const sky = ['i', 'Rayleigh scattering.', 'text']
const asked = { data: 'Why is the sky blue?', type: 'text', marker: 'query' } as const

/** Rerank request (own kind 5081). */
export const rerankRequest = defineKind({
  number: 5081,
  name: 'rerank request',
  says: 'A customer asks how well each text answers a query.',
  source: 'NIP-90; gridstr',
  fields: {
    ...requestFields,
    topN: maybe(
      ['param', 'top_n'],
      integer('<count>', 1, 2_048),
      'How many of the best are wanted. Unsaid: all.',
      '`top_n` is a whole number from 1 to 2,048, and all mentions of it agree.',
    ),
  },
  content: 'Empty, or the ciphertext of a JSON list of the private tags. A public text is ignored.',
  rules: {
    query: 'Exactly one input has the marker `query`.',
    input: 'A job has at least one input to rank beside the query.',
    texts: textsRule,
  },
  seal: 'tags',
  read(found, { refuse }) {
    const queries = found.inputs.filter(({ marker }) => marker === 'query').length
    if (queries !== 1) return refuse('query')
    if (found.inputs.length === 1) return refuse('input')
    return areLists(found.inputs) ? ok(present(jobOf(found))) : refuse('texts')
  },
  write: (value: RerankRequest) => ({ fields: fieldsOf(value) }),
  good: [
    {
      says: 'Two texts.',
      value: {
        ...blank,
        inputs: [asked, { data: 'Rayleigh scattering.', type: 'text' }, { data: 'Oslo.', type: 'text' }],
      },
    },
    {
      says: 'The best of many texts.',
      value: {
        ...{ ...blank, inputs: [{ data: '["Oslo.","Rayleigh scattering."]', type: 'text', marker: 'texts' }, asked] },
        ...{ topN: 1, model: 'tiny', providers: [key], privacy: 2 },
      },
    },
  ],
  dialects: [
    {
      says: 'A marker in the place of the relay.',
      tags: [['i', 'Why is the sky blue?', 'text', 'query'], sky],
      value: { ...blank, inputs: [asked, { data: 'Rayleigh scattering.', type: 'text' }] },
    },
  ],
  bad: [
    { breaks: 'query', says: 'Ranked for nothing.', tags: [sky] },
    { breaks: 'query', says: 'Two queries.', tags: [query, query, sky] },
    { breaks: 'query', says: 'A bare text, opened.', tags: [['encrypted']], content: 'ciphertext', opened: 'Hi' },
    { breaks: 'input', says: 'Nothing to rank.', tags: [query] },
    { breaks: 'i', says: 'An unknown type of input.', tags: [query, ['i', 'Hi', 'smell']] },
    { breaks: 'texts', says: 'A list that is none.', tags: [query, ['i', '{"0":"a"}', 'text', '', 'texts']] },
    { breaks: 'texts', says: 'Texts in two ways.', tags: [query, ['i', '["a"]', 'text', '', 'texts'], sky] },
    { breaks: 'top_n', says: 'None of the best.', tags: [query, sky, ['param', 'top_n', '0']] },
    { breaks: 'model', says: 'Two models.', tags: [query, sky, ['param', 'model', 'a'], ['param', 'model', 'b']] },
    { breaks: 'bid', says: 'Money with an underscore.', tags: [query, sky, ['bid', '1_000']] },
    { breaks: 'p', says: 'An npub in a tag.', tags: [query, sky, ['p', 'npub1xyz']] },
    { breaks: 'expiration', says: 'A date in words.', tags: [query, sky, ['expiration', 'tomorrow']] },
    { breaks: 'opened', says: 'No strings.', tags: [['encrypted']], content: 'ciphertext', opened: '[["i",1]]' },
  ],
})
