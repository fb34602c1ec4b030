/**
 * What every text runner promises about the form of an answer: stop texts, tools, JSON, probabilities.
 * @module
 */
import { expect, test } from 'vitest'
import { gather, readDelta, writeDelta } from '../../kinds/index.ts'
import { anyObject, readSchema, type Tree } from '../../src/runners/answers/schema.ts'
import { accepts } from '../../src/runners/answers/schema-walks.ts'
import type { Delta, Message, Runner, Work } from '../../src/runners/runner.ts'
import { collect, textIn, work } from './runners.ts'

/** Runs work to its end and keeps every delta; a text outside of a delta breaks the promise. */
export async function collectDeltas(runner: Runner, job: Work) {
  const deltas: Delta[] = []
  const done = await runner.run(
    job,
    piece => {
      if (typeof piece === 'string') throw new Error(`text without a delta: ${piece}`)
      deltas.push(piece)
    },
    new AbortController().signal,
  )
  return { deltas, done, gathered: gather(deltas) }
}

const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', maxLength: 12 }, unit: { enum: ['C', 'F'] }, days: { type: 'integer' } },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
}
const clock = { name: 'get_time' }

/** The tree of a schema that must be readable. */
export function treeOf(schema: unknown): Tree {
  const read = readSchema(schema)
  if (!read.ok) throw new Error(read.says)
  return read.tree
}

/** Promises about forms, each with `runner()`; to be called inside a `describe`. */
export function formTests(runner: () => Runner, question: string): void {
  test('a stop text ends the answer, and no letter of it comes out', async () => {
    const { pieces, done } = await collect(runner(), work(question))
    const at = Math.floor(done.text.length / 2)
    for (const stop of [done.text.slice(at, at + 5), done.text.slice(at, at + 1), done.text.slice(-3)]) {
      const stopped = await collect(runner(), work(question, { stop: ['never said', stop] }))
      expect(stopped.done.text).toBe(done.text.slice(0, done.text.indexOf(stop)))
      expect(stopped.pieces.join('')).toBe(stopped.done.text)
      expect(stopped.done.finish).toBe('stop')
      expect(stopped.done.outputTokens).toBeLessThanOrEqual(done.outputTokens)
    }
    const almost = await collect(runner(), work(question, { stop: [`${done.text.slice(-4)}#`] }))
    expect(almost.done.text).toBe(done.text)
    expect(pieces.join('')).toBe(done.text)
  })

  test('with deltas the text is the same, piece by piece, and each survives its line', async () => {
    const plain = await collect(runner(), work(question))
    const { deltas, done, gathered } = await collectDeltas(runner(), work(question, { deltas: true }))
    expect(done).toEqual(plain.done)
    expect(deltas.map(textIn)).toEqual(plain.pieces)
    expect(gathered).toEqual({ text: done.text, toolCalls: [], logprobs: [] })
    expect(deltas.map(delta => readDelta(writeDelta(delta)))).toEqual(deltas)
  })

  test('a tool that must be called is called once, with arguments of its schema', async () => {
    for (const toolChoice of [{ name: 'get_weather' }, { name: 'get_time' }]) {
      const job = work(question, { tools: [clock, weather], toolChoice, deltas: true })
      const estimate = await runner().check(job)
      const { done, deltas, gathered } = await collectDeltas(runner(), job)
      expect(estimate).toMatchObject({ ok: true, promptTokens: done.promptTokens })
      const [call, ...more] = gathered.toolCalls
      expect([call?.name, more]).toEqual([toolChoice.name, []])
      const given: unknown = JSON.parse(call?.arguments ?? '')
      const schema = toolChoice.name === 'get_time' ? { type: 'object', properties: {} } : weather.parameters
      expect(accepts(treeOf(schema), given), call?.arguments).toBe(true)
      expect(done).toMatchObject({ text: '', finish: 'tool-calls' })
      expect(done.outputTokens).toBeGreaterThan(0)
      expect(deltas.map(delta => readDelta(writeDelta(delta)))).toEqual(deltas)
    }
  })

  test('some tool is called where one is required; ids of two jobs differ', async () => {
    const calls = []
    for (const id of ['a'.repeat(64), 'b'.repeat(64)]) {
      const job = { ...work(question, { tools: [clock, weather], toolChoice: 'required', deltas: true }), id }
      calls.push(...(await collectDeltas(runner(), job)).gathered.toolCalls)
    }
    expect(calls).toHaveLength(2)
    for (const { name } of calls) expect(['get_time', 'get_weather']).toContain(name)
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2)
  })

  test('no tool is called where none may be, and tools that may be are paid as prompt', async () => {
    const plain = await collect(runner(), work(question))
    const none = await collect(runner(), work(question, { tools: [weather], toolChoice: 'none' }))
    expect(none.done).toEqual(plain.done)
    const auto = await runner().check(work(question, { tools: [weather], deltas: true }))
    expect(auto.ok && auto.promptTokens).toBeGreaterThan(plain.done.promptTokens)
  })

  test('calls and their answers are part of the conversation, each call answered once', async () => {
    const ask: Message = { role: 'user', content: question }
    const call = { id: 'c1', name: 'get_time', arguments: '{}' }
    const asked: Message = { role: 'assistant', content: '', toolCalls: [call] }
    const told: Message = { role: 'tool', toolCallId: 'c1', content: 'noon' }
    const check = (...messages: Message[]) => runner().check({ ...work(''), messages })
    const alone = await check(ask)
    const whole = await check(ask, asked, told)
    expect(whole.ok && alone.ok && whole.promptTokens > alone.promptTokens).toBe(true)
    expect(await check(ask, asked, told, { role: 'assistant', content: 'It is noon.' }, ask)).toMatchObject({
      ok: true,
    })
    const broken = [
      [ask, asked],
      [ask, told],
      [ask, asked, told, told],
      [ask, asked, ask, told],
    ]
    for (const messages of broken) expect(await check(...messages)).toMatchObject({ ok: false, rule: 'conversation' })
  })

  test('JSON of a schema is what the schema wants, and any object where any may be', async () => {
    const schema = {
      type: 'object',
      properties: { status: { enum: ['ok'] }, size: { type: 'integer', minimum: 1, maximum: 5 } },
      required: ['status', 'size'],
      additionalProperties: false,
    }
    const strict = await collect(runner(), work(question, { responseFormat: { type: 'json_schema', schema } }))
    expect(accepts(treeOf(schema), JSON.parse(strict.done.text)), strict.done.text).toBe(true)
    expect([strict.done.finish, strict.pieces.join('')]).toEqual(['stop', strict.done.text])
    const any = await collect(runner(), work(question, { responseFormat: { type: 'json_object' } }))
    expect(accepts(anyObject, JSON.parse(any.done.text)), any.done.text).toBe(true)
    const list = { type: 'json_schema', schema: { type: 'array', items: { type: 'null' }, minItems: 3 } } as const
    const cut = await collect(runner(), work(question, { responseFormat: list, maxTokens: 2 }))
    expect(cut.done).toMatchObject({ finish: 'length', outputTokens: 2 })
    expect(() => JSON.parse(cut.done.text)).toThrow()
  })

  test('refuses before work what it could not keep, and says the way out', async () => {
    const schema = (one: object) => ({ responseFormat: { type: 'json_schema', schema: { ...one } } }) as const
    const cases: [rule: string, says: RegExp, rest: Partial<Work>][] = [
      ['tools', /application\/x-ndjson/, { tools: [weather] }],
      ['tools', /send it with the request/, { tools: [weather], toolChoice: { name: 'other' }, deltas: true }],
      ['tools', /send it with the request/, { toolChoice: 'required', deltas: true }],
      ['tools', /none or required/, { tools: [weather], deltas: true, responseFormat: { type: 'json_object' } }],
      ['logprobs', /application\/x-ndjson/, { logprobs: 2 }],
      ['schema', /"pattern".*leave it out/, schema({ type: 'string', pattern: '^a' })],
      ['schema', /"not"/, schema({ not: {} })],
      ['schema', /leads nowhere/, schema({ $ref: '#/$defs/none' })],
      ['schema', /requires itself/, schema({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] })],
      [
        'schema',
        /tool bad.*"pattern"/,
        { deltas: true, tools: [{ name: 'bad', parameters: { properties: { a: { type: 'string', pattern: 'x' } } } }] },
      ],
    ]
    for (const [rule, says, rest] of cases)
      expect(await runner().check(work(question, rest)), rule).toMatchObject({
        ok: false,
        rule,
        says: expect.stringMatching(says),
      })
  })

  test('tells how likely each token was, natural logarithms, best first', async () => {
    const job = work(question, { deltas: true, logprobs: 3, stop: ['never said'] })
    const { done, gathered } = await collectDeltas(runner(), job)
    expect(done).toEqual((await collect(runner(), work(question))).done)
    expect(gathered.logprobs.map(({ token }) => token).join('')).toBe(done.text)
    for (const { token, logprob, top } of gathered.logprobs) {
      expect(top).toHaveLength(3)
      expect(top[0]).toEqual({ token, logprob })
      const shares = top.map(one => Math.exp(one.logprob))
      expect(shares).toEqual(shares.toSorted((a, b) => b - a))
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(1.000_01)
      expect(new Set(top.map(one => one.token)).size).toBe(3)
    }
    const none = await collectDeltas(runner(), { ...job, logprobs: 0 })
    expect(none.gathered.logprobs.map(({ top }) => top.length)).toEqual(none.gathered.logprobs.map(() => 0))
  })
}
