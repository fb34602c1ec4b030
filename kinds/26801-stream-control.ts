/**
 * Kind 26801: who reads a stream asks for frames that did not come.
 * @module
 */
import { jobField } from './answers.ts'
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { hex, integer, type Value } from './values.ts'

/** A wish about a stream of one's own job: every frame from this place on, again, as far as the provider remembers. */
export interface StreamControl {
  readonly job: string
  /** The provider. */
  readonly to: string
  readonly ask: 'resend'
  /** The first missing place. */
  readonly from: number
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

const place = integer('<seq>', 0, 1_000_000)
const resend: Value<number> = {
  form: '<resend> <seq>',
  read: ([word, from]) => (word === 'resend' && from !== undefined ? place.read([from]) : undefined),
  write: from => ['resend', ...place.write(from)],
}

/** Stream control (own kind 26801, ephemeral). */
export const streamControl = defineKind({
  number: 26_801,
  name: 'stream control',
  says: 'The customer of a stream (26800) misses frames and asks for them again. Sealed where the request was; in a wrap (21059) where the request came in one.',
  source: 'own',
  fields: {
    job: jobField('A wish about a stream names its job by 64 lower-case hex digits.'),
    to: one(
      'p',
      hex('<provider pubkey>'),
      'Who streams.',
      'Exactly one provider is named by 64 lower-case hex digits.',
    ),
    from: one(
      'stream',
      resend,
      'What is wanted: the frames from this place on. The provider sends what it still has, and not more often than it likes.',
      'A wish is `resend` and a place from 0 to 1,000,000.',
    ),
  },
  content: 'Empty, or the ciphertext of a JSON list of the private tags.',
  rules: {},
  seal: 'tags',
  alt: 'About the stream of an answer',
  read: found => ok({ ...found, ask: 'resend' as const }),
  write: ({ job: of, to, from }: StreamControl) => ({ fields: { job: of, to, from } }),
  good: [
    { says: 'All of it.', value: { job, to: node, ask: 'resend', from: 0 } },
    { says: 'From the middle.', value: { job, to: node, ask: 'resend', from: 41 } },
  ],
  bad: [
    {
      breaks: 'e',
      says: 'No job.',
      tags: [
        ['p', node],
        ['stream', 'resend', '0'],
      ],
    },
    {
      breaks: 'p',
      says: 'Nobody to do it.',
      tags: [
        ['e', job],
        ['stream', 'resend', '0'],
      ],
    },
    {
      breaks: 'stream',
      says: 'Another wish.',
      tags: [
        ['e', job],
        ['p', node],
        ['stream', 'faster', '0'],
      ],
    },
    {
      breaks: 'stream',
      says: 'Before the first.',
      tags: [
        ['e', job],
        ['p', node],
        ['stream', 'resend', '-1'],
      ],
    },
    {
      breaks: 'stream',
      says: 'No place.',
      tags: [
        ['e', job],
        ['p', node],
        ['stream', 'resend'],
      ],
    },
    {
      breaks: 'opened',
      says: 'Tags that are no strings.',
      tags: [['e', job], ['p', node], ['encrypted']],
      content: 'ciphertext',
      opened: '[["stream",0]]',
    },
  ],
})
