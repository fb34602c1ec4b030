import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gather, openDeltas, readDelta, writeDelta } from '../kinds/index.ts'
import { openJsonEnd } from '../src/runners/answers/json-end.ts'
import { openStopTexts } from '../src/runners/answers/stop-texts.ts'
import { openTextOut } from '../src/runners/answers/text-out.ts'
import { openThoughts } from '../src/runners/llama/thoughts.ts'
import type { Delta } from '../src/runners/runner.ts'

/** What comes out of pieces, and which text ended it. */
function watch(pieces: readonly string[], stops: readonly string[]) {
  const texts = openStopTexts(stops)
  let out = ''
  for (const piece of pieces) {
    const { text, stop } = texts.push(piece)
    out += text
    if (stop) return { out, stop: stop.index }
  }
  return { out: out + texts.rest(), stop: undefined }
}

/** The end of the first text that is complete, found the slow way. */
function slow(whole: string, stops: readonly string[]) {
  for (let end = 1; end <= whole.length; end++) {
    const hits = stops.flatMap((stop, index) => (stop && whole.slice(0, end).endsWith(stop) ? [{ stop, index }] : []))
    const longest = hits.toSorted((a, b) => b.stop.length - a.stop.length)[0]
    if (longest) return { out: whole.slice(0, end - longest.stop.length), stop: longest.index }
  }
  return { out: whole, stop: undefined }
}

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ü', '🎈'), maxLength: 6 })

describe('stop texts', () => {
  test('end the answer at the same place, however it is cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), fc.array(letters, { maxLength: 4 }), (pieces, stops) => {
        const expected = slow(pieces.join(''), stops)
        expect(watch(pieces, stops)).toEqual(expected)
        expect(watch([pieces.join('')], stops)).toEqual(expected)
        expect(watch([...pieces.join('')], stops)).toEqual(expected)
      }),
      { numRuns: 3_000 },
    )
  })

  test('hold back what may begin one and nothing else', () => {
    const texts = openStopTexts(['###', 'END'])
    expect(texts.push('a #')).toEqual({ text: 'a ' })
    expect(texts.push('# b E')).toEqual({ text: '## b ' })
    expect(texts.push('x')).toEqual({ text: 'Ex' })
    expect(texts.push('y EN')).toEqual({ text: 'y ' })
    expect(texts.rest()).toBe('EN')
    expect(texts.rest()).toBe('')
    expect(texts.push('..E')).toEqual({ text: '..' })
    expect(texts.push('NDbehind')).toEqual({ text: '', stop: { index: 1, earlier: 1, after: 'behind' } })
  })
})

describe('the way out', () => {
  test('lets each token of the text out with its probability, never before its text, and none of what was stopped', () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 12 }), fc.array(letters, { maxLength: 3 }), (pieces, stops) => {
        const deltas: Delta[] = []
        const out = openTextOut({ stops, emit: delta => void deltas.push(delta) })
        const stopped = pieces.some(token => out.push(token, { token, logprob: -1, top: [] }))
        if (!stopped) out.end('')
        const { text, logprobs } = gather(deltas)
        expect(text).toBe(slow(pieces.join(''), stops).out)
        const told = logprobs.map(({ token }) => token).join('')
        expect(told.startsWith(text) && pieces.join('').startsWith(told)).toBe(true)
        expect(deltas.every(delta => delta.text !== '')).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('trims blanks at the beginning only', () => {
    const said: string[] = []
    const out = openTextOut({ stops: [], trims: true, emit: ({ text = '' }) => void said.push(text) })
    for (const piece of ['\n', ' ', ' a', ' ', 'b ']) out.push(piece)
    out.end(' ')
    expect(said).toEqual(['a', ' ', 'b ', ' '])
  })
})

describe('deltas', () => {
  const delta = fc.record(
    {
      text: fc.string({ unit: 'binary' }),
      toolCall: fc.record(
        {
          index: fc.integer({ min: 0, max: 127 }),
          id: fc.string({ minLength: 1 }),
          name: fc.string({ minLength: 1 }),
          arguments: fc.string(),
        },
        { requiredKeys: ['index'] },
      ),
    },
    { requiredKeys: [] },
  )
  test('are the same after their lines were cut anywhere', () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }), (deltas, size) => {
        const whole = deltas.map(writeDelta).join('')
        const reader = openDeltas()
        const read: Delta[] = []
        for (let at = 0; at < whole.length; at += size) read.push(...reader.push(whole.slice(at, at + size)))
        expect(read).toEqual(deltas.map(one => readDelta(JSON.stringify(one))))
        expect(read).toHaveLength(deltas.length)
        expect(reader.spoiled).toBe(false)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('the end of JSON', () => {
  test('is seen in the piece that closes it, and not before', () => {
    const json = fc
      .oneof(fc.dictionary(fc.string(), fc.json()), fc.array(fc.json()))
      .map(value => JSON.stringify(value))
    fc.assert(
      fc.property(json, text => {
        const ended = openJsonEnd()
        const seen = [...text].map(character => ended(character))
        expect(seen.indexOf(true)).toBe(seen.length - 1)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('thoughts', () => {
  const sieve = (pieces: readonly string[], inside = false) => {
    const thoughts = openThoughts({ open: '<think>', close: '</think>', inside })
    return pieces.map(piece => thoughts.push(piece)).join('') + thoughts.rest()
  }
  test('are kept back, wherever the marks are cut', () => {
    const whole = '<think>\nhow many?</think>\n\nSeven <think>of nine</think> is.'
    for (let size = 1; size < 12; size++) {
      const pieces = whole.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
      expect(sieve(pieces)).toBe('Seven is.')
    }
    expect(sieve(['still ', 'thinking</thi', 'nk> done'], true)).toBe('done')
    expect(sieve(['never ', 'ends'], true)).toBe('')
    expect(sieve(['a <thin', ' line'])).toBe('a <thin line')
  })
})
