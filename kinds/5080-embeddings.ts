/**
 * Kind 5080: a customer asks for the vectors of texts.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { maybe } from './fields.ts'
import { fieldsOf, type JobRequest, jobOf, requestFields } from './inputs.ts'
import { brokenTexts, overTexts } from './texts.ts'
import { integer, type Value } from './values.ts'

/** An embeddings job. */
export interface EmbeddingsRequest extends JobRequest {
  /** How many numbers of each vector; absent: as many as the model gives. */
  readonly dimensions?: number
  /** How vectors are written; absent: `base64`. */
  readonly encoding?: 'base64' | 'float'
}

const encoding: Value<'base64' | 'float'> = {
  form: '<base64|float>',
  read: ([said]) => (said === 'base64' || said === 'float' ? said : undefined),
  write: said => [said],
}

const blank = { relays: [], providers: [], stream: false, receipt: false }
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const sky = ['i', 'The sky is blue.', 'text']

/** Embeddings request (own kind 5080). */
export const embeddingsRequest = defineKind({
  number: 5080,
  name: 'embeddings request',
  says: 'A customer asks for the vectors of texts, one for each text and in their order.',
  source: 'NIP-90; gridstr',
  fields: {
    ...requestFields,
    dimensions: maybe(
      ['param', 'dimensions'],
      integer('<count>', 1, 65_536),
      'How many numbers of each vector are wanted: the first ones, made a vector of length 1 again. Unsaid: all.',
      '`dimensions` is a whole number from 1 to 65,536, and all mentions of it agree.',
    ),
    encoding: maybe(
      ['param', 'encoding_format'],
      encoding,
      'How vectors are written: base64 of 32-bit floats, little endian, or lists of numbers. Unsaid: base64.',
      '`encoding_format` is `base64` or `float`, and all mentions of it agree.',
    ),
  },
  ...overTexts,
  read(found, { refuse }) {
    const broken = brokenTexts(found.inputs)
    return broken ? refuse(broken) : ok(present(jobOf(found)))
  },
  write: (value: EmbeddingsRequest) => ({ fields: fieldsOf(value) }),
  good: [
    { says: 'One text.', value: { ...blank, inputs: [{ data: 'The sky is blue.', type: 'text' }] } },
    {
      says: 'Many texts as one input, short vectors, for sats.',
      value: {
        ...{ ...blank, inputs: [{ data: '["The sky is blue.","Grass is green."]', type: 'text', marker: 'texts' }] },
        ...{ model: 'tiny', dimensions: 128, encoding: 'float', bidMsats: 1_000n, providers: [key], privacy: 1 },
      },
    },
    {
      says: 'Texts in chunks, named by their manifest, and the answer of another job.',
      value: {
        ...blank,
        inputs: [
          { data: key, type: 'event', relay: 'wss://relay.example', marker: 'chunked texts' },
          { data: key, type: 'job' },
        ],
      },
    },
  ],
  dialects: [
    {
      says: 'Texts one by one, parameters of text generation ignored.',
      tags: [sky, ['i', 'Grass is green.'], ['param', 'temperature', '9'], ['param', 'dimensions', '']],
      value: {
        ...blank,
        inputs: [
          { data: 'The sky is blue.', type: 'text' },
          { data: 'Grass is green.', type: 'text' },
        ],
      },
    },
  ],
  bad: [
    { breaks: 'input', says: 'Nothing to embed.', tags: [['param', 'model', 'tiny']] },
    { breaks: 'i', says: 'An unknown type of input.', tags: [['i', 'Hi', 'smell']] },
    { breaks: 'texts', says: 'A list of nothing.', tags: [['i', '[]', 'text', '', 'texts']] },
    { breaks: 'texts', says: 'A list of numbers.', tags: [['i', '[1,2]', 'text', '', 'texts']] },
    { breaks: 'texts', says: 'Texts in two ways.', tags: [['i', '["a"]', 'text', '', 'texts'], sky] },
    { breaks: 'dimensions', says: 'No number at all.', tags: [sky, ['param', 'dimensions', '0']] },
    { breaks: 'encoding_format', says: 'An unknown form.', tags: [sky, ['param', 'encoding_format', 'int8']] },
    { breaks: 'model', says: 'Two models.', tags: [sky, ['param', 'model', 'a'], ['param', 'model', 'b']] },
    { breaks: 'bid', says: 'Money with an underscore.', tags: [sky, ['bid', '1_000']] },
    { breaks: 'p', says: 'An npub in a tag.', tags: [sky, ['p', 'npub1xyz']] },
    { breaks: 'expiration', says: 'A date in words.', tags: [sky, ['expiration', 'tomorrow']] },
    { breaks: 'opened', says: 'No strings.', tags: [['encrypted']], content: 'ciphertext', opened: '[["i",1]]' },
  ],
})
