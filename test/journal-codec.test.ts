/** Plain values survive as text, whatever they are. */
import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decode, encode } from '../src/journal/codec.ts'
import type { Plain } from '../src/journal/index.ts'

const key = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('$n', '$b', '$f', '$o', '$', '__proto__', 'toJSON', 'constructor'),
)
const { plain } = fc.letrec<{ plain: Plain }>(tie => ({
  plain: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt(),
    fc.uint8Array(),
    fc.constant('\ud800'),
    fc.array(tie('plain')),
    fc.array(fc.tuple(key, tie('plain'))).map(entries => Object.fromEntries(entries)),
  ),
}))

test('what is written is read', () => {
  fc.assert(
    fc.property(plain, value => {
      const text = encode(value)
      expect(text.isWellFormed()).toBe(true)
      // Vitest takes a key named `constructor` for the constructor.
      deepStrictEqual(decode(text), value)
      expect(encode(decode(text))).toBe(text)
    }),
    { numRuns: 10_000 },
  )
})

test('absent fields are left out, and long bytes come whole', () => {
  expect(decode(encode({ a: undefined, b: { c: undefined } }))).toStrictEqual({ b: {} })
  const bytes = Uint8Array.from({ length: 100_003 }, (_, n) => n * 7)
  expect(decode(encode(bytes))).toEqual(bytes)
  expect(decode(encode(Buffer.from([1, 2])))).toEqual(new Uint8Array([1, 2]))
  expect(decode(encode(Object.assign(Object.create(null), { a: 1 })))).toEqual({ a: 1 })
})

test('what is no plain data is a bug at once', () => {
  const circle: unknown[] = []
  circle.push(circle)
  for (const value of [
    new Map(),
    new Date(0),
    () => 1,
    Symbol('x'),
    circle,
    undefined,
    [undefined],
    { a: [new Set()] },
  ])
    expect(() => encode(value as Plain), String(value)).toThrow(TypeError)
})

test('text that nobody wrote is not taken for a value', () => {
  for (const text of ['', '{"$x":1}', '{"$n":1}', '{"$n":"1.5"}', '{"$o":[]}', '{"$b":"*"}', '[1,'])
    expect(() => decode(text), text).toThrow()
})
