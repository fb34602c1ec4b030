/** Conversations, tools and forms: what is written is read back, and what strangers write never throws. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Message, messagesInput, messagesOf, readMessages, textRequest, writeMessages } from '../kinds/index.ts'
import { responseFormat, stopTexts, toolChoice, tools } from '../kinds/messages.ts'
import { eventOf } from './suites/kinds.ts'

const runs = { numRuns: 1_000 }
const text = fc.string({ unit: 'binary', maxLength: 60 })
const name = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,20}$/)
const id = fc.string({ minLength: 1, maxLength: 20 })
const calls = fc.array(fc.record({ id, name, arguments: text }, { noNullPrototype: true }), {
  minLength: 1,
  maxLength: 4,
})
const turn: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content: text }, { noNullPrototype: true }),
  fc.record({ role: fc.constant('assistant'), content: text, toolCalls: calls }, { noNullPrototype: true }),
  fc.record({ role: fc.constant('tool'), content: text, toolCallId: id }, { noNullPrototype: true }),
)
const talk = fc.array(turn, { minLength: 1, maxLength: 8 })
const json = fc.jsonValue({ maxDepth: 3 })
const schema = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }).filter(safe), json, {
  maxKeys: 4,
  noNullPrototype: true,
})
/** No key that reaches a prototype, and no value that JSON does not keep. */
function safe(key: string): boolean {
  return !['__proto__', 'constructor', 'prototype'].includes(key)
}
const kept = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

describe('a conversation', () => {
  test('is read back, whoever speaks', () => {
    fc.assert(
      fc.property(talk, messages => {
        expect(readMessages(writeMessages(messages))).toStrictEqual(messages)
      }),
      runs,
    )
  })

  test('travels in a job, sealed and public', () => {
    const base = { relays: [], providers: [], stream: false, receipt: false }
    fc.assert(
      fc.property(talk, messages => {
        const job = { ...base, inputs: [messagesInput(messages)] }
        const sealed = textRequest.write(job, 1, plain => plain)
        const read = textRequest.read(eventOf(5050, sealed), sealed.content)
        expect(read.ok && messagesOf(read.value)).toStrictEqual({ ok: true, value: messages })
      }),
      runs,
    )
  })

  test('of other programs is read alike', () => {
    const said = JSON.stringify([
      { role: 'developer', content: 'Be brief.', name: 'x' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Is it ' },
          { type: 'text', text: 'raining?' },
        ],
      },
      {
        role: 'assistant',
        content: null,
        refusal: null,
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'w', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'yes' },
      { role: 'assistant', content: 'Yes.', tool_calls: [] },
    ])
    expect(readMessages(said)).toStrictEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Is it raining?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c', name: 'w', arguments: '{}' }] },
      { role: 'tool', content: 'yes', toolCallId: 'c' },
      { role: 'assistant', content: 'Yes.' },
    ])
  })

  test.each([
    ['nothing', ''],
    ['nobody', '[]'],
    ['no list', '{"role":"user","content":"Hi"}'],
    ['a role of a prototype', '[{"role":"constructor","content":"Hi"}]'],
    ['a user without words', '[{"role":"user","content":null}]'],
    ['an assistant without words or calls', '[{"role":"assistant"}]'],
    ['a picture', '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]'],
    ['a picture that has a text', '[{"role":"user","content":[{"type":"image_url","text":"x"}]}]'],
    ['a tool that answers nobody', '[{"role":"tool","content":"x"}]'],
    ['a call without a name', '[{"role":"assistant","tool_calls":[{"id":"c","function":{"arguments":""}}]}]'],
    ['a call without an id', '[{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":""}}]}]'],
    [
      'a call whose arguments are no text',
      '[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a","arguments":{}}}]}]',
    ],
    ['1,025 turns', JSON.stringify(Array.from({ length: 1_025 }, () => ({ role: 'user', content: '' })))],
  ])('is not %s', (_, said) => {
    expect(readMessages(said)).toBe(undefined)
  })

  test('is at most 1,024 turns', () => {
    const most = Array.from({ length: 1_024 }, () => ({ role: 'user', content: '' }) as const)
    expect(readMessages(writeMessages(most))).toHaveLength(1_024)
  })

  test('of strangers never throws, and what is read of it can be written and read again', () => {
    const words = fc.constantFrom('role', 'content', 'tool_calls', 'tool_call_id', 'id', 'function', 'name', 'type')
    const roles = fc.constantFrom('user', 'tool', 'assistant', 'developer', 'text', '', '__proto__')
    const odd = fc.letrec(tie => ({
      value: fc.oneof({ maxDepth: 5 }, roles, fc.constant(null), text, tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 4 }),
      object: fc.dictionary(words, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    }))
    fc.assert(
      fc.property(fc.oneof(text, fc.json(), odd.list.map(String), odd.list.map(kept).map(toJson)), said => {
        const read = readMessages(said)
        if (read) expect(readMessages(writeMessages(read))).toStrictEqual(read)
      }),
      { numRuns: 3_000 },
    )
  })
})

const toJson = (value: unknown): string => JSON.stringify(value)

describe('what goes with it', () => {
  test('tools, choice, form and stops are read back', () => {
    const tool = fc.record(
      { name, description: text, parameters: schema.map(kept) },
      { noNullPrototype: true, requiredKeys: ['name'] },
    )
    fc.assert(
      fc.property(
        fc.uniqueArray(tool, { minLength: 1, maxLength: 5, selector: one => one.name }),
        fc.oneof(fc.constantFrom('auto', 'none', 'required'), fc.record({ name }, { noNullPrototype: true })),
        schema.map(kept),
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 256 }), { minLength: 1, maxLength: 16 }),
        (list, choice, said, stops) => {
          const kind = list.map(one => (hasPoison(one) ? { name: one.name } : one))
          expect(tools.read(tools.write(kind))).toStrictEqual(kind)
          expect(toolChoice.read(toolChoice.write(choice as 'auto'))).toStrictEqual(choice)
          const format = { type: 'json_schema' as const, schema: hasPoison(said) ? {} : said }
          expect(responseFormat.read(responseFormat.write(format))).toStrictEqual(format)
          expect(stopTexts.read(stopTexts.write(stops))).toStrictEqual(stops)
        },
      ),
      runs,
    )
    expect(responseFormat.read(responseFormat.write({ type: 'json_object' }))).toStrictEqual({ type: 'json_object' })
  })

  test('strangers make none of them throw', () => {
    const said = fc.array(fc.oneof(text, fc.json(), fc.constantFrom('json_schema', 'function', '[{"name":"a"}]')), {
      maxLength: 20,
    })
    fc.assert(
      fc.property(said, values => {
        for (const value of [tools, toolChoice, responseFormat, stopTexts])
          expect(typeof value.read(values)).not.toBe('function')
      }),
      { numRuns: 2_000 },
    )
  })

  test('129 tools, schemas without end and schemas too deep are none', () => {
    const many = (count: number) => [JSON.stringify(Array.from({ length: count }, (_, at) => ({ name: `t${at}` })))]
    expect(tools.read(many(128))).toHaveLength(128)
    expect(tools.read(many(129))).toBe(undefined)
    const deep = (levels: number) => ['json_schema', `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`]
    expect(responseFormat.read(deep(32))).toMatchObject({ type: 'json_schema' })
    expect(responseFormat.read(deep(33))).toBe(undefined)
    expect(responseFormat.read(['json_schema', `{"a":"${'x'.repeat(65_536)}"}`])).toBe(undefined)
  })
})

const hasPoison = (value: unknown): boolean => /__proto__|"constructor"|"prototype"/.test(JSON.stringify(value))
