/**
 * Kind 5: an author takes events back; from a customer it cancels a job.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { many, some } from './fields.ts'
import { hex, integer } from './values.ts'

/** A deletion request (NIP-09). It binds only events of the same author. */
export interface Cancel {
  readonly events: readonly string[]
  /** Kinds of the events, where said. */
  readonly kinds: readonly number[]
  readonly reason: string
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'

/** Deletion request (NIP-09 kind 5). */
export const cancel = defineKind({
  number: 5,
  name: 'cancel',
  says: 'The author takes these events back. A provider stops the job, drops its bill and publishes no result.',
  source: 'NIP-09',
  fields: {
    events: some(
      'e',
      hex('<event id>'),
      'What is taken back.',
      'At least one event is named, each by 64 lower-case hex digits, at most 256.',
      256,
    ),
    kinds: many(
      'k',
      integer('<kind>', 0, 65_535),
      'Of which kinds they are.',
      'A kind is a whole number from 0 to 65,535; at most 64 are named.',
    ),
  },
  content: 'A reason for people.',
  rules: {},
  read: (found, { content }) => ok({ ...found, reason: content }),
  write: ({ events, kinds, reason }: Cancel) => ({
    fields: { events: [...events], kinds: [...kinds] },
    content: reason,
  }),
  good: [
    { says: 'A job is cancelled.', value: { events: [job], kinds: [5050], reason: 'Too slow' } },
    { says: 'Without kinds or reason.', value: { events: [job], kinds: [], reason: '' } },
  ],
  bad: [
    { breaks: 'e', says: 'Only an address is named.', tags: [['a', `30023:${job}:x`]] },
    { breaks: 'e', says: 'No id.', tags: [['e', 'last']] },
    {
      breaks: 'k',
      says: 'A kind in words.',
      tags: [
        ['e', job],
        ['k', 'text'],
      ],
    },
  ],
})
