/** The book of one answer: whoever reads it, whenever and however slowly, ends with the same answer; and it stays small. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Delta, gather, writeDelta } from '../kinds/index.ts'
import type { Moment } from '../src/session/index.ts'
import { openMoments } from '../src/session/moments.ts'
import { openReading, readAnswer } from '../src/session/reading.ts'

const text = fc.record({ text: fc.string({ maxLength: 4 }) })
const piece = fc.record({
  toolCall: fc.record(
    { index: fc.nat(2), id: fc.constantFrom('a', 'b'), name: fc.constant('f'), arguments: fc.string({ maxLength: 3 }) },
    { requiredKeys: ['index'] },
  ),
})
const token = fc.record({
  text: fc.constant('t'),
  logprobs: fc.array(fc.record({ token: fc.constant('t'), logprob: fc.constant(-1), top: fc.constant([]) }), {
    maxLength: 2,
  }),
})
const delta: fc.Arbitrary<Delta> = fc.oneof({ weight: 4, arbitrary: text }, piece, token)
const moment: fc.Arbitrary<Moment> = fc.oneof(
  { weight: 12, arbitrary: delta.map((delta): Moment => ({ moment: 'delta', delta })) },
  { weight: 1, arbitrary: delta.map((delta): Moment => ({ moment: 'replaced', delta })) },
  fc.constantFrom<Moment>({ moment: 'processing' }, { moment: 'paid', msats: 1n }),
)

/** What somebody who read these moments has: the answer, and what else was said. */
function view(moments: readonly Moment[]) {
  let deltas: Delta[] = []
  const words: string[] = []
  for (const one of moments) {
    if (one.moment === 'delta') deltas.push(one.delta)
    else if (one.moment === 'replaced') deltas = [one.delta]
    else words.push(one.moment)
  }
  // Only the first id and name of a call count, and pieces without them are nothing: the pieces themselves must be the same.
  const pieces = [0, 1, 2].map(index => {
    const mine = deltas.flatMap(({ toolCall }) => (toolCall?.index === index ? [toolCall] : []))
    return {
      id: mine.find(({ id }) => id !== undefined)?.id,
      said: mine.map(({ arguments: said = '' }) => said).join(''),
    }
  })
  return { answer: gather(deltas), pieces, words }
}

describe('the book of an answer', () => {
  test('any reader, early, late or slow, reads what was said', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ moment, read: fc.array(fc.nat(3), { maxLength: 3 }), join: fc.boolean() }), {
          maxLength: 60,
        }),
        fc.integer({ min: 2, max: 12 }),
        async (steps, apart) => {
          const book = openMoments(apart)
          const readers: { next: AsyncIterator<Moment>; seen: Moment[]; due: number }[] = []
          let said = 0
          for (const { moment, read, join } of steps) {
            if (join && readers.length < 4) readers.push({ next: book[Symbol.asyncIterator](), seen: [], due: 0 })
            book.add(moment)
            said++
            for (const at of read) {
              const reader = readers[at]
              // A book is at most as long as what was said, so that a reader this far behind need not wait.
              if (!reader || reader.seen.length >= book.length - apart) continue
              const { value, done } = await reader.next.next()
              if (!done) reader.seen.push(value)
            }
          }
          book.end()
          readers.push({ next: book[Symbol.asyncIterator](), seen: [], due: 0 })
          const whole = view(steps.map(({ moment }) => moment))
          for (const { next, seen } of readers) {
            for (let one = await next.next(); !one.done; one = await next.next()) seen.push(one.value)
            expect(view(seen)).toEqual(whole)
          }
          expect(book.length).toBeLessThanOrEqual(said)
        },
      ),
      { numRuns: 2_000 },
    ))

  test('a million words that one slow reader and nobody else reads are a few pieces', async () => {
    const book = openMoments()
    const slow = book[Symbol.asyncIterator]()
    for (let at = 0; at < 100_000; at++) book.add({ moment: 'delta', delta: { text: 'word ' } })
    expect(book.length).toBeLessThan(2_000)
    book.end()
    let seen = ''
    for (let one = await slow.next(); !one.done; one = await slow.next())
      if (one.value.moment === 'delta') seen += one.value.delta.text
    expect(seen).toBe('word '.repeat(100_000))
  })

  test('who comes late does not read what is void, and words and calls keep their order', async () => {
    const read = async (moments: readonly Moment[]) => {
      const book = openMoments(2)
      for (const one of moments) book.add(one)
      book.end()
      const seen: Moment[] = []
      for await (const one of book) seen.push(one)
      return seen
    }
    const text = (said: string): Moment => ({ moment: 'delta', delta: { text: said } })
    const call: Moment = { moment: 'delta', delta: { toolCall: { index: 0, id: 'a', name: 'f' } } }
    const anew: Moment = { moment: 'replaced', delta: { text: 'c' } }
    expect(await read([text('a'), { moment: 'processing' }, text('b'), anew])).toEqual([{ moment: 'processing' }, anew])
    const ordered = [text('a'), call, text('b'), call, text('c')]
    expect(await read(ordered)).toEqual(ordered)
  })

  test('a reader who leaves wakes up, also one who waits twice', async () => {
    const book = openMoments()
    const reader = book[Symbol.asyncIterator]()
    const waiting = [reader.next(), reader.next()]
    await reader.return?.()
    expect(await Promise.all(waiting)).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ])
  })
})

describe('an answer read as it grows', () => {
  test('deltas are the same however their lines are cut, and the same as of the whole', () =>
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 12 }), fc.array(fc.nat(40), { maxLength: 20 }), (deltas, cuts) => {
        const whole = deltas.map(writeDelta).join('')
        const reading = openReading(true)
        const seen: Delta[] = []
        let at = 0
        for (const cut of cuts) {
          seen.push(...reading.push(whole.slice(at, at + cut)))
          at += cut
        }
        seen.push(...reading.push(whole.slice(at)))
        expect(gather(seen)).toEqual(gather(deltas))
        expect(readAnswer(whole, true)).toEqual(gather(deltas))
        expect(gather([...openReading(true).replace(whole)])).toEqual(gather(deltas))
      }),
      { numRuns: 1_000 },
    ))

  test('a plain text is a text, asked for as lines or not', () => {
    for (const plain of ['Hello\nyou', '{"a":1}', '']) {
      expect(readAnswer(plain, false)).toEqual({ text: plain, toolCalls: [], logprobs: [] })
      expect(openReading(false).push(plain)).toEqual(plain === '' ? [] : [{ text: plain }])
    }
    expect(readAnswer('Hello', true).text).toBe('Hello')
    expect(readAnswer('{"a":1', true).text).toBe('{"a":1')
    const reading = openReading(true)
    expect([...reading.push('Hel'), ...reading.push('{lo')]).toEqual([{ text: 'Hel' }, { text: '{lo' }])
    expect(openReading(true).replace('')).toEqual([{}])
  })
})
