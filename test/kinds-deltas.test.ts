/** Answers of deltas: however the lines are cut, the same pieces come out, and strangers' bytes never throw. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Delta, gather, openDeltas, readDelta, writeDelta } from '../kinds/index.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const probability = fc.double({ min: -100_000, max: 0, noNaN: true }).map(value => value + 0)
const token = { token: text, logprob: probability }
const pieces: fc.Arbitrary<Delta> = fc.record(
  {
    text,
    toolCall: fc.record(
      {
        index: fc.nat(3),
        id: fc.string({ minLength: 1, maxLength: 9 }),
        name: fc.string({ minLength: 1, maxLength: 9 }),
        arguments: text,
      },
      { noNullPrototype: true, requiredKeys: ['index'] },
    ),
    logprobs: fc.array(
      fc.record(
        { ...token, top: fc.array(fc.record(token, { noNullPrototype: true }), { maxLength: 3 }) },
        { noNullPrototype: true },
      ),
      { maxLength: 3 },
    ),
  },
  { noNullPrototype: true, requiredKeys: [] },
)

/** Cuts a text at these places. */
const cut = (whole: string, places: readonly number[]): string[] => {
  const at = [...new Set(places.map(place => place % (whole.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => whole.slice(from, at[index]))
}
const readAll = (parts: readonly string[]) => {
  const reader = openDeltas()
  const deltas = parts.flatMap(part => reader.push(part))
  return { deltas, spoiled: reader.spoiled }
}

describe('lines of deltas', () => {
  test('one is one line, and read back', () => {
    fc.assert(
      fc.property(pieces, delta => {
        const line = writeDelta(delta)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(readDelta(line.trimEnd())).toStrictEqual(delta)
      }),
      { numRuns: 1_000 },
    )
  })

  test('cut anywhere they give the same', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (deltas, places) => {
        const whole = deltas.map(writeDelta).join('')
        expect(readAll(cut(whole, places))).toStrictEqual({ deltas, spoiled: false })
      }),
      { numRuns: 1_000 },
    )
  })

  test('bytes of strangers never throw, and are read the same however they are cut', () => {
    const line = fc.oneof(
      text,
      fc.json(),
      pieces.map(writeDelta),
      fc.constantFrom('{}', '\n', '{"text":7}', '[', 'null'),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 12 }), (lines, places) => {
        const whole = `${lines.join('\n')}\n`
        const once = readAll([whole])
        expect(readAll(cut(whole, places))).toStrictEqual(once)
        expect(once.spoiled).toBe(whole.split('\n').some(one => one !== '' && readDelta(one) === undefined))
        gather(once.deltas)
      }),
      { numRuns: 2_000 },
    )
  })

  test('what follows a bad line is read', () => {
    expect(readAll(['{"text":"a"}\nno\n{"text":"b"}\n'])).toEqual({
      deltas: [{ text: 'a' }, { text: 'b' }],
      spoiled: true,
    })
  })

  test('a line without end is not kept, and its rest is not taken for a line of its own', () => {
    const reader = openDeltas()
    const big = 'x'.repeat(1_048_576)
    for (let at = 0; at < 4; at++) expect(reader.push(big)).toEqual([])
    expect(reader.spoiled).toBe(false)
    reader.push('x')
    expect(reader.spoiled).toBe(true)
    expect(reader.push('{"text":"forged"}\n{"text":"next"}\n')).toEqual([{ text: 'next' }])
    expect(readAll([`${big.repeat(4)}x{"text":"forged"}\n{"text":"next"}\n`]).deltas).toEqual([{ text: 'next' }])
  })

  test('a line per letter takes no longer than its letters', () => {
    const reader = openDeltas()
    const line = writeDelta({ text: 'x'.repeat(200_000) })
    const found = [...line].flatMap(letter => reader.push(letter))
    expect(found).toEqual([{ text: 'x'.repeat(200_000) }])
  })

  test.each([
    '',
    '[]',
    '"a"',
    '{"text":1}',
    '{"toolCall":{}}',
    '{"toolCall":{"index":128}}',
    '{"toolCall":{"index":0,"name":""}}',
    '{"logprobs":[{"token":"a","logprob":0.1,"top":[]}]}',
    '{"logprobs":[{"token":"a","logprob":null,"top":[]}]}',
    '{"logprobs":[{"token":"a","logprob":-1}]}',
  ])('%s is no delta', line => {
    expect(readDelta(line)).toBe(undefined)
  })

  test('unknown members are left out, and none reaches a prototype', () => {
    expect(readDelta('{"text":"a","x":1,"__proto__":{"y":1}}')).toStrictEqual({ text: 'a' })
  })
})

describe('put together', () => {
  test('texts, calls by their index and probabilities are in order', () => {
    const logprob = { token: 'a', logprob: -0.5, top: [] }
    const whole = gather([
      { text: 'Let me ' },
      { toolCall: { index: 1, id: 'c2', name: 'time' } },
      { text: 'see.', logprobs: [logprob] },
      { toolCall: { index: 0, id: 'c1', name: 'weather', arguments: '{"city":' } },
      { toolCall: { index: 0, id: 'other', name: 'other', arguments: '"Oslo"}' } },
    ])
    expect(whole).toEqual({
      text: 'Let me see.',
      toolCalls: [
        { id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { id: 'c2', name: 'time', arguments: '' },
      ],
      logprobs: [logprob],
    })
  })

  test('a call that nobody could answer is left out', () => {
    const calls = [
      { index: 0, id: 'c', arguments: '{}' },
      { index: 1, name: 'n' },
    ]
    expect(gather(calls.map(toolCall => ({ toolCall }))).toolCalls).toEqual([])
  })

  test('cutting texts and arguments finer changes nothing', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), deltas => {
        const finer = deltas.flatMap(({ text: said = '', toolCall, logprobs = [] }): Delta[] => [
          ...[...said].map(letter => ({ text: letter })),
          ...(toolCall ? [{ toolCall: { ...toolCall, arguments: '' } }] : []),
          ...[...(toolCall?.arguments ?? '')].map(letter => ({
            toolCall: { index: toolCall?.index ?? 0, arguments: letter },
          })),
          ...logprobs.map(one => ({ logprobs: [one] })),
        ])
        expect(gather(finer)).toEqual(gather(deltas))
      }),
      { numRuns: 1_000 },
    )
  })
})
