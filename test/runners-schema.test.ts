import fc from 'fast-check'
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { type Json, readSchema, type Tree } from '../src/runners/answers/schema.ts'
import { accepts, plainest } from '../src/runners/answers/schema-walks.ts'
import { grammarOf } from '../src/runners/llama/grammar.ts'
import { treeOf } from './suites/runners-forms.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

/** Whether a text is of a grammar, as llama.cpp itself reads it. */
type Matcher = (tree: Tree) => Promise<(text: string) => boolean>
let matcher: Matcher
beforeAll(async () => {
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error })
  matcher = async tree => {
    const grammar = await llama.createGrammar({ grammar: grammarOf(tree) ?? 'root ::= "too large"' })
    // The binding asks llama.cpp itself and shows it to nobody: there is no other way to try a grammar without a model.
    const matches: unknown = Reflect.get(grammar, '_testText')
    return text => typeof matches === 'function' && Reflect.apply(matches, grammar, [text]) === true
  }
})

interface Pair {
  readonly schema: Record<string, unknown>
  readonly value: Json
}

const name = fc.constantFrom('a', 'b', 'cé', 'd"d', 'e\\', 'f g')
const pairs = fc.letrec<{ pair: Pair }>(tie => ({
  pair: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom<Pair[]>(
      { schema: { type: 'null' }, value: null },
      { schema: { type: 'string', format: 'date-time' }, value: '2026-02-28T23:59:59.5Z' },
      { schema: { type: 'string', format: 'uuid' }, value: '00000000-0000-4000-8000-00000000000f' },
      { schema: { type: 'string', format: 'email' }, value: 'a.b_c@d.example' },
      { schema: { type: 'string', format: 'ipv4' }, value: '255.10.0.199' },
      { schema: {}, value: [1, { x: [] }] },
    ),
    fc.boolean().map((value): Pair => ({ schema: { type: 'boolean' }, value })),
    fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', 'é', '🎈', '{'), maxLength: 5 }).chain(value => {
      const length = [...value].length
      return fc.constantFrom<Pair[]>(
        { schema: { type: 'string' }, value },
        { schema: { type: 'string', minLength: Math.max(0, length - 1), maxLength: length + 1 }, value },
        { schema: { enum: [value, 'other', 3] }, value },
        { schema: { const: value }, value },
      )
    }),
    fc.tuple(fc.integer({ min: -2_000, max: 2_000 }), fc.nat(300), fc.nat(300)).chain(([value, below, above]) =>
      fc.constantFrom<Pair[]>(
        { schema: { type: 'integer' }, value },
        { schema: { type: 'integer', minimum: value - below, maximum: value + above }, value },
        { schema: { type: 'integer', exclusiveMinimum: value - 1 }, value },
        {
          schema: { type: 'number', minimum: value - below, exclusiveMaximum: value + above + 1 },
          value: value + 0.25,
        },
        { schema: { type: 'number', exclusiveMinimum: value - 1, maximum: value + above }, value },
        { schema: { type: ['number', 'null'] }, value: value / 8 },
      ),
    ),
    fc.tuple(tie('pair'), fc.nat(3), fc.nat(2)).map(([{ schema, value }, count, more]): Pair => {
      const bounds = { minItems: Math.max(0, count - 1), maxItems: count + more }
      return { schema: { type: 'array', items: schema, ...bounds }, value: Array<Json>(count).fill(value) }
    }),
    fc.array(tie('pair'), { minLength: 1, maxLength: 3 }).map(
      (list): Pair => ({
        schema: { type: 'array', prefixItems: list.map(({ schema }) => schema), items: false },
        value: list.map(({ value }) => value),
      }),
    ),
    fc.tuple(tie('pair'), tie('pair'), fc.boolean()).map(
      ([one, other, first]): Pair => ({
        schema: { anyOf: first ? [one.schema, other.schema] : [other.schema, one.schema] },
        value: one.value,
      }),
    ),
    fc
      .array(fc.tuple(name, tie('pair'), fc.constantFrom('required', 'optional', 'absent')), { maxLength: 4 })
      .map(list => {
        const members = [...new Map(list.map(member => [member[0], member]))].map(([, member]) => member)
        return {
          schema: {
            type: 'object',
            properties: Object.fromEntries(members.map(([key, { schema }]) => [key, schema])),
            required: members.filter(([, , how]) => how === 'required').map(([key]) => key),
            additionalProperties: false,
          },
          value: Object.fromEntries(
            members.filter(([, , how]) => how !== 'absent').map(([key, { value }]) => [key, value]),
          ),
        }
      }),
    fc.tuple(tie('pair'), fc.uniqueArray(name, { maxLength: 3 })).map(
      ([{ schema, value }, keys]): Pair => ({
        schema: { type: 'object', additionalProperties: schema },
        value: Object.fromEntries(keys.map(key => [key, value])),
      }),
    ),
  ),
}))

describe('a schema', () => {
  test('and a value made for it: read, fitting, and written by the grammar', async () => {
    await fc.assert(
      fc.asyncProperty(pairs.pair, async ({ schema, value }) => {
        const tree = treeOf(schema)
        const text = JSON.stringify(value)
        expect(accepts(tree, value)).toBe(true)
        expect((await matcher(tree))(text), text).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('and a value made for another: what the grammar writes fits, and other readers agree', async () => {
    await fc.assert(
      fc.asyncProperty(
        pairs.pair,
        fc.array(pairs.pair, { minLength: 3, maxLength: 6 }),
        async ({ schema, value }, others) => {
          const tree = treeOf(schema)
          const matches = await matcher(tree)
          const reader = z.fromJSONSchema(schema)
          for (const other of [value, ...others.map(one => one.value)]) {
            if (!matches(JSON.stringify(other))) continue
            expect(accepts(tree, other), JSON.stringify(other)).toBe(true)
            expect(reader.safeParse(other).success, JSON.stringify([schema, other])).toBe(true)
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('has a plainest value, which fits and which the grammar writes', async () => {
    await fc.assert(
      fc.asyncProperty(pairs.pair, async ({ schema }) => {
        const tree = treeOf(schema)
        const plain = plainest(tree)
        expect(plain !== undefined && accepts(tree, plain)).toBe(true)
        expect((await matcher(tree))(JSON.stringify(plain))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  test('may contain itself', async () => {
    const node = {
      type: 'object',
      properties: { next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
      required: ['next'],
    }
    const tree = treeOf({ $defs: { node }, $ref: '#/$defs/node' })
    const matches = await matcher(tree)
    expect(plainest(tree)).toEqual({ next: null })
    for (const text of ['{"next":null}', '{"next": {"next": {"next": null}}}']) expect(matches(text)).toBe(true)
    for (const text of ['{"next":{}}', '{}', 'null']) expect(matches(text)).toBe(false)
  })

  test('optional properties may be left out, others may not come, and blanks are few', async () => {
    const matches = await matcher(
      treeOf({ properties: { a: { type: 'null' }, b: { type: 'null' }, c: { type: 'null' } }, required: ['b'] }),
    )
    const good = ['{"b":null}', '{"a":null,"b":null}', '{"b": null, "c": null}', '{"a":null,"b":null,"c":null}']
    for (const text of good) expect(matches(text), text).toBe(true)
    const bad = ['{}', '{"a":null}', '{"b":null,}', '{,"b":null}', '{"b":null,"d":null}', '{"b":  null}', '{"b":null} ']
    for (const text of bad) expect(matches(text), text).toBe(false)
  })

  test.each([
    [{ type: 'integer', minimum: -17, maximum: 253 }, '0 -17 253 99 -1 249', '254 -18 300 -20 1000 - 1.0'],
    [{ type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 100 }, '1 99 10', '0 100 -1'],
    [{ type: 'number', minimum: 0, maximum: 1 }, '0 0.5 1', '1.5 -0.1 2 1.0'],
    [{ type: 'number', exclusiveMinimum: 0 }, '0.5 1 20.25', '0 -1 0.0'],
    [{ type: 'number', minimum: -2, exclusiveMaximum: 3 }, '-2 -1.5 2.99 0 -0.5', '3 -2.5 -3 3.5'],
    [{ type: 'number', exclusiveMinimum: -3, exclusiveMaximum: -1 }, '-2.5 -1.5 -2 -1.01', '-3 -1 0 -3.5 -0.5 1'],
  ])('of numbers %j is kept at both ends', async (schema, good, bad) => {
    const matches = await matcher(treeOf(schema))
    for (const text of good.split(' ')) expect(matches(text), text).toBe(true)
    for (const text of bad.split(' ')) expect(matches(text), text).toBe(false)
  })

  test.each([
    [{ type: 'array', uniqueItems: true }, /"uniqueItems" at #/],
    [
      { type: 'object', properties: { a: { type: 'object', patternProperties: {} } } },
      /"patternProperties" at #\/properties\/a/,
    ],
    [{ type: 'string', format: 'regex' }, /"format".*date-time/],
    [{ type: 'string', maxLength: 5_000 }, /"maxLength".*0 to 1000/],
    [{ type: 'number', minimum: 0.5 }, /"minimum".*whole number/],
    [{ type: 'number', multipleOf: 2 }, /"multipleOf"/],
    [{ type: 'integer', minimum: 3, maximum: 2 }, /nothing fits/],
    [{ enum: ['a'], type: 'integer' }, /nothing fits/],
    [{ type: 'thing' }, /"type" at #/],
    [{ anyOf: [{ type: 'string' }], minLength: 2 }, /"anyOf" beside "minLength"/],
    [{ allOf: [{ type: 'string' }, { type: 'string' }] }, /"allOf".*one schema/],
    [{ $ref: 'https://example.com/schema' }, /"\$ref"/],
    [{ $defs: { a: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' }, /leads back to itself/],
    [{ type: 'object', properties: { a: false } }, /no schema at #\/properties\/a/],
    [{ type: 'object', required: ['a'], properties: {}, additionalProperties: false }, /nothing fits/],
  ])('%j is refused by name, never silently bent', (schema, says) => {
    expect(readSchema(schema)).toEqual({ ok: false, says: expect.stringMatching(says) })
  })

  test('notes are no rules', () => {
    const notes = { title: 't', description: 'd', default: 1, examples: [], $comment: 'c', 'x-order': 1 }
    expect(treeOf({ ...notes, type: 'null' })).toEqual(treeOf({ type: 'null' }))
  })

  test('that explodes is refused, not followed', () => {
    const defs = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [
        `n${index}`,
        { type: 'array', items: index === 59 ? { type: 'null' } : { $ref: `#/$defs/n${index + 1}` }, minItems: 2 },
      ]),
    )
    const tree = treeOf({ $defs: defs, $ref: '#/$defs/n0' })
    expect(plainest(tree)).toBeUndefined()
    expect(grammarOf(tree)?.length).toBeLessThan(20_000)
    const counted = Object.fromEntries(
      Array.from({ length: 9 }, (_, index) => [`s${index}`, { type: 'string', maxLength: 900 }]),
    )
    expect(grammarOf(treeOf({ properties: counted }))).toBeUndefined()
  })

  test('any JSON whatever is read or refused', () => {
    const key = fc.constantFrom(
      'type',
      'properties',
      'required',
      'items',
      'enum',
      'anyOf',
      '$ref',
      '$defs',
      'minLength',
      'minimum',
      'maxItems',
    )
    const word = fc.constantFrom('object', 'array', 'string', 'integer', '#', '#/$defs/a')
    const { any } = fc.letrec(tie => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(word, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(any, schema => {
        const read = readSchema(schema)
        if (!read.ok) expect(read.says.length).toBeGreaterThan(20)
        else expect(typeof grammarOf(read.tree)).toBe('string')
      }),
      { numRuns: 3_000 },
    )
  })
})
