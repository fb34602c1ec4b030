/**
 * Samples of kind 4641.
 * @module
 */
import type { FaultEvidence } from './4641-fault-evidence.ts'
import type { Event } from './kind.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const accused = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const preimage = '0'.repeat(64)

const result = (id: string, content: string): Event => ({
  id,
  pubkey: accused,
  created_at: 1_800_000_000,
  kind: 6050,
  tags: [
    ['e', job],
    ['p', '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'],
  ],
  content,
  sig: 'c'.repeat(128),
})
const one = result('a'.repeat(64), 'Yes.')
const two = result('b'.repeat(64), 'No.')

export const good: readonly GoodSample<FaultEvidence>[] = [
  { says: 'One event.', value: { rule: 'E7', accused, events: [one], opened: {}, says: '' } },
  {
    says: 'Two results of one job, a sealed one with its key and what it says.',
    value: {
      rule: 'E1',
      accused,
      events: [one, two],
      opened: { [two.id]: 'No.' },
      keys: { [two.id]: job },
      preimage,
      says: 'Two answers to one question.',
    },
  },
]

const tags = [
  ['p', accused],
  ['rule', 'E1'],
  ['e', one.id],
]
const content = JSON.stringify({ events: [one] })

export const dialects: readonly Dialect<FaultEvidence>[] = [
  {
    says: 'Unknown members are left out, in the events too; a long saying is cut.',
    tags,
    content: JSON.stringify({
      events: [{ ...one, seen: ['wss://a.example'] }],
      says: 'he '.repeat(400),
      keys: {},
      v: 2,
    }),
    value: { rule: 'E1', accused, events: [one], opened: {}, says: 'he '.repeat(400).slice(0, 1_024) },
  },
]

const spoil = spoiled(tags, content)
const withContent = (value: unknown) => ({ content: JSON.stringify(value) })
const crowd = Array.from({ length: 17 }, (_, index) => ({ ...one, id: index.toString(16).padStart(64, '0') }))
const foreign = { ...one, pubkey: job }

export const bad: readonly BadSample[] = [
  spoil('p', 'Nobody is accused.', { drop: 'p' }),
  spoil('p', 'Two are accused.', { add: [['p', job]] }),
  spoil('rule', 'Bad taste.', { drop: 'rule', add: [['rule', 'slow']] }),
  spoil('rule', 'A rule that is none.', { drop: 'rule', add: [['rule', 'E12']] }),
  spoil('content', 'No JSON.', { content: 'Believe me.' }),
  spoil('content', 'Nested for ever.', { content: `{"events":${'['.repeat(5_000)}${']'.repeat(5_000)}}` }),
  spoil(
    'content',
    'Opened text of an event that is not there.',
    withContent({ events: [one], opened: { [two.id]: 'No.' } }),
  ),
  spoil('content', 'A key in words.', withContent({ events: [one], keys: { [one.id]: 'open sesame' } })),
  spoil('content', 'Half a preimage.', withContent({ events: [one], preimage: '00' })),
  spoil('events', 'No events.', withContent({ events: [] })),
  spoil('events', 'An event without a signature.', withContent({ events: [{ ...one, sig: '' }] })),
  spoil('events', 'One event twice.', withContent({ events: [one, one] })),
  spoil('events', 'Seventeen events.', withContent({ events: crowd })),
  spoil('named', 'An event that no tag names.', { drop: 'e' }),
  spoil('named', 'A tag for an event that is not there.', { add: [['e', two.id]] }),
  spoil('signed', 'Nothing of the accused.', withContent({ events: [foreign] })),
]
