/**
 * Kind 4641: somebody shows the signed events that prove a fault.
 * @module
 */
import { bad, dialects, good } from './4641-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { type Field, one } from './fields.ts'
import { isRecord, parseJson, shapedEvent } from './json.ts'
import type { Event } from './kind.ts'
import { hex, type Value } from './values.ts'

/**
 * What is held against somebody. The events are whole and of the right shape; their signatures, and whether they prove
 * anything, are for the judge.
 */
export interface FaultEvidence {
  /** `E1` to `E11`. */
  readonly rule: string
  readonly accused: string
  /** 1 to 16 events, each once, one of the accused at least. */
  readonly events: readonly Event[]
  /** What sealed ones say, by id, for people: a claim of the accuser that proves nothing. */
  readonly opened: Readonly<Record<string, string>>
  /** NIP-44 conversation keys (32 bytes hex) by the id of the event that each one opens. */
  readonly keys?: Readonly<Record<string, string>>
  readonly preimage?: string
  /** For people; at most 1,024 characters. */
  readonly says: string
}

/** Most events that one piece of evidence carries. */
export const MOST_EVIDENCE_EVENTS = 16
const LONGEST_SAYING = 1_024
const limits = { chars: 262_144, depth: 5, nodes: 40_000 }
const key = hex('')

const rule: Value<string> = {
  form: '<E1 to E11>',
  read: ([said = '']) => (/^E([1-9]|1[01])$/.test(said) ? said : undefined),
  write: said => [said],
}

const idsField: Field<string[]> = {
  id: 'e',
  form: '["e", "<event id>"]',
  count: '1..n',
  says: 'Each embedded event, in order.',
  read: tags => tags.flatMap(tag => (tag[0] === 'e' && tag[1] !== undefined ? [tag[1]] : [])),
  write: said => said.map(id => ['e', id]),
}

/** A JSON object from ids of these events to texts; absent is an empty one. */
const textsOf = (value: unknown, ids: ReadonlySet<string>): Record<string, string> | undefined => {
  if (value === undefined) return {}
  if (!isRecord(value)) return undefined
  const entries = Object.entries(value)
  const texts = entries.flatMap(([id, said]): [string, string][] =>
    ids.has(id) && typeof said === 'string' ? [[id, said]] : [],
  )
  return texts.length === entries.length ? Object.fromEntries(texts) : undefined
}

/** Fault evidence (regular kind 4641). */
export const faultEvidence = defineKind({
  number: 4641,
  name: 'fault evidence',
  says: 'Anybody shows complete signed events that together break a numbered rule. It needs no trust in who shows it: the events carry the signature of the accused, and the same pure function judges them everywhere.',
  source: 'gridstr',
  alt: 'Evidence of a fault',
  fields: {
    accused: one('p', hex('<accused pubkey>'), 'Who broke the rule.', 'Exactly one key is accused.'),
    rule: one('rule', rule, 'The rule that was broken.', 'Exactly one rule from E1 to E11 is named.'),
    ids: idsField,
  },
  content:
    'JSON object: `events` (1 to 16 complete signed events), `opened?` {id: plain text, a claim}, `keys?` {id: NIP-44 conversation key that opens it}, `preimage?`, `says?`. At most 262,144 characters.',
  rules: {
    content: 'The content is a JSON object of at most 262,144 characters, with texts only where texts belong.',
    events: 'There are 1 to 16 whole events, each once.',
    named: 'Each embedded event is named by an `e`, in order, and nothing else is.',
    signed: 'One event at least is of the accused.',
  },
  read({ ids, ...found }, { content, refuse }) {
    const said = parseJson(content, limits)
    if (!isRecord(said)) return refuse('content')
    const { preimage, says = '' } = said
    const list = Array.isArray(said['events']) ? said['events'] : []
    const events = list.slice(0, MOST_EVIDENCE_EVENTS).flatMap(item => shapedEvent(item) ?? [])
    const known = new Set(events.map(event => event.id))
    if (list.length === 0 || known.size !== list.length) return refuse('events')
    const [opened, keys] = [textsOf(said['opened'], known), textsOf(said['keys'], known)]
    if (opened === undefined || keys === undefined || typeof says !== 'string') return refuse('content')
    if (!Object.values(keys).every(text => key.read([text]) !== undefined)) return refuse('content')
    const revealed = typeof preimage === 'string' ? key.read([preimage]) : undefined
    if (preimage !== undefined && revealed === undefined) return refuse('content')
    if (ids.length !== events.length || !events.every((event, at) => event.id === ids[at])) return refuse('named')
    if (!events.some(event => event.pubkey === found.accused)) return refuse('signed')
    return ok(
      present({
        ...found,
        events,
        opened,
        keys: Object.keys(keys).length === 0 ? undefined : keys,
        preimage: revealed,
        says: says.slice(0, LONGEST_SAYING),
      }),
    )
  },
  write({ events, opened, keys, preimage, says, ...fields }: FaultEvidence) {
    if (says.length > LONGEST_SAYING) throw new TypeError('4641.says: at most 1,024 characters are for people.')
    const whole = events.map(({ id, pubkey, created_at, kind, tags, content, sig }) => ({
      ...{ id, pubkey, created_at, kind, tags, content, sig },
    }))
    const content = {
      events: whole,
      ...(Object.keys(opened).length === 0 ? {} : { opened }),
      ...(keys === undefined || Object.keys(keys).length === 0 ? {} : { keys }),
      ...(preimage === undefined ? {} : { preimage }),
      ...(says === '' ? {} : { says }),
    }
    return { fields: { ...fields, ids: events.map(event => event.id) }, content: JSON.stringify(content) }
  },
  good,
  dialects,
  bad,
})
