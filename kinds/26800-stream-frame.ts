/**
 * Kind 26800: the next piece of a text that is being generated.
 * @module
 */
import { jobField, neededCustomerField } from './answers.ts'
import { defineKind, ok, present } from './define.ts'
import { loose, one } from './fields.ts'
import { integer, yes } from './values.ts'

/** One piece. Frames may be lost, come out of order or again; together they are the text of the result, which is authoritative. */
export interface Frame {
  readonly job: string
  readonly to: string
  /** Counts from 0. */
  readonly seq: number
  readonly text: string
  /** No more frames follow. */
  readonly last?: boolean
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

/** Stream frame (own kind 26800, ephemeral). */
export const frame = defineKind({
  number: 26_800,
  name: 'stream frame',
  says: 'A piece of the text while it grows, for a customer who asked with the parameter `stream`. Sealed where the request was.',
  source: 'own',
  fields: {
    job: jobField('A frame names its job by 64 lower-case hex digits.'),
    to: neededCustomerField('A frame names its customer by 64 lower-case hex digits.'),
    seq: one(
      'seq',
      integer('<number>', 0, 1_000_000),
      'Its place, from 0.',
      'A frame has one place from 0 to 1,000,000.',
    ),
    last: loose(
      'last',
      yes,
      'No more frames follow. A frame that was sent before may come again to say so, and when it was asked for (26801).',
    ),
  },
  content: 'The piece, or its ciphertext.',
  rules: { text: 'A frame carries at most 16,384 characters.' },
  seal: 'content',
  alt: 'Part of an answer',
  read({ last, ...found }, { content, refuse }) {
    if (content.length > 16_384) return refuse('text')
    return ok(present({ ...found, text: content, last: last === true ? true : undefined }))
  },
  write: ({ text, last, ...rest }: Frame) => ({ fields: { ...rest, last: last ? true : undefined }, content: text }),
  good: [
    { says: 'The first.', value: { job, to: key, seq: 0, text: 'Ray' } },
    { says: 'The last, which may be empty.', value: { job, to: key, seq: 9, text: '', last: true } },
  ],
  bad: [
    {
      breaks: 'e',
      says: 'No job.',
      tags: [
        ['p', key],
        ['seq', '0'],
      ],
    },
    {
      breaks: 'p',
      says: 'Nobody to read it.',
      tags: [
        ['e', job],
        ['seq', '0'],
      ],
    },
    {
      breaks: 'seq',
      says: 'Before the first.',
      tags: [
        ['e', job],
        ['p', key],
        ['seq', '-1'],
      ],
    },
    {
      breaks: 'text',
      says: 'Too much at once.',
      tags: [
        ['e', job],
        ['p', key],
        ['seq', '0'],
      ],
      content: 'x'.repeat(16_385),
    },
  ],
})
