/**
 * Kind 21059: one signed event in ciphertext for one reader, kept by no relay.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { parseEvent } from './json.ts'
import type { Event } from './kind.ts'
import { hex } from './values.ts'

/** A wrapped event, signed by its own author; the wrap is signed by a key used once. `event` is unverified. */
export interface EphemeralWrap {
  readonly to: string
  readonly event: Event
}

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const event: Event = {
  id: '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a',
  pubkey: '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  created_at: 1_800_000_000,
  kind: 9734,
  tags: [['p', key]],
  content: '',
  sig: 'c'.repeat(128),
}

/** Ephemeral gift wrap (NIP-59 kind 21059). */
export const ephemeralWrap = defineKind({
  number: 21_059,
  name: 'ephemeral wrap',
  says: 'Carries one signed event to one reader, such as a zap request to the payee. Its time is the real one: relays refuse old ephemeral events.',
  source: 'NIP-59',
  fields: {
    to: one(
      'p',
      hex('<reader pubkey>'),
      'Who can open it.',
      'Exactly one reader is named by 64 lower-case hex digits.',
    ),
  },
  content: 'The ciphertext of one signed event as JSON.',
  rules: { event: 'The opened content is the JSON of one signed event.' },
  seal: 'content',
  read({ to }, { content, refuse }) {
    const inner = parseEvent(content)
    return inner ? ok({ to, event: inner }) : refuse('event')
  },
  write: ({ to, event: inner }: EphemeralWrap) => ({ fields: { to }, content: JSON.stringify(inner) }),
  good: [{ says: 'A zap request.', value: { to: key, event } }],
  bad: [
    { breaks: 'p', says: 'Nobody can open it.', tags: [], content: 'ciphertext', opened: JSON.stringify(event) },
    {
      breaks: 'event',
      says: 'A rumor without signature.',
      tags: [['p', key]],
      content: 'ciphertext',
      opened: '{"kind":1}',
    },
  ],
})
