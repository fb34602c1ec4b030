/**
 * Kind 5082: a customer asks which labels fit texts.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { maybe } from './fields.ts'
import { fieldsOf, type JobRequest, jobOf, requestFields } from './inputs.ts'
import { brokenTexts, overTexts } from './texts.ts'
import type { Value } from './values.ts'

/** A classification job. */
export interface ClassificationRequest extends JobRequest {
  /** The labels to choose among; absent: the model's own. */
  readonly labels?: readonly string[]
}

const labels: Value<string[]> = {
  form: '<label> …',
  read: said =>
    said.length <= 256 && new Set(said).size === said.length && said.every(one => one.length > 0 && one.length <= 256)
      ? [...said]
      : undefined,
  write: said => said,
}

const blank = { relays: [], providers: [], stream: false, receipt: false }
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const sky = ['i', 'What a lovely day!', 'text']

/** Classification request (own kind 5082). */
export const classificationRequest = defineKind({
  number: 5082,
  name: 'classification request',
  says: 'A customer asks how well each label fits each text: topics, moods, what breaks the rules of a house.',
  source: 'NIP-90; gridstr',
  fields: {
    ...requestFields,
    labels: maybe(
      ['param', 'labels'],
      labels,
      "The labels to choose among. Unsaid: the model's own.",
      '`labels` are at most 256 different ones of 1 to 256 characters, and all mentions of them agree.',
    ),
  },
  ...overTexts,
  read(found, { refuse }) {
    const broken = brokenTexts(found.inputs)
    return broken ? refuse(broken) : ok(present(jobOf(found)))
  },
  write(value: ClassificationRequest) {
    const { labels: said, ...rest } = fieldsOf(value)
    return { fields: { ...rest, labels: said && [...said] } }
  },
  good: [
    { says: "The model's own labels.", value: { ...blank, inputs: [{ data: 'What a lovely day!', type: 'text' }] } },
    {
      says: 'Many texts, labels of the customer.',
      value: {
        ...{ ...blank, inputs: [{ data: '["What a lovely day!","Rain."]', type: 'text', marker: 'texts' }] },
        ...{ labels: ['glad', 'sad'], model: 'tiny', providers: [key], privacy: 1 },
      },
    },
  ],
  dialects: [
    {
      says: 'Blank labels are none.',
      tags: [sky, ['param', 'labels', '']],
      value: { ...blank, inputs: [{ data: 'What a lovely day!', type: 'text' }] },
    },
  ],
  bad: [
    { breaks: 'input', says: 'Nothing to classify.', tags: [['param', 'model', 'tiny']] },
    { breaks: 'i', says: 'An unknown type of input.', tags: [['i', 'Hi', 'smell']] },
    { breaks: 'texts', says: 'No JSON.', tags: [['i', 'a, b', 'text', '', 'texts']] },
    { breaks: 'labels', says: 'One label twice.', tags: [sky, ['param', 'labels', 'glad', 'glad']] },
    { breaks: 'labels', says: 'A label without a name.', tags: [sky, ['param', 'labels', 'glad', '']] },
    { breaks: 'model', says: 'Two models.', tags: [sky, ['param', 'model', 'a'], ['param', 'model', 'b']] },
    { breaks: 'bid', says: 'Money with an underscore.', tags: [sky, ['bid', '1_000']] },
    { breaks: 'p', says: 'An npub in a tag.', tags: [sky, ['p', 'npub1xyz']] },
    { breaks: 'expiration', says: 'A date in words.', tags: [sky, ['expiration', 'tomorrow']] },
    { breaks: 'opened', says: 'No strings.', tags: [['encrypted']], content: 'ciphertext', opened: '[["i",1]]' },
  ],
})
