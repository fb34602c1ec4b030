/** Embeddings, rankings and labels: texts go in as one list or one by one, results are read strictly and never throw. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnyRequest,
  handler,
  jobKind,
  jobKinds,
  MOST_TEXTS,
  queryInput,
  queryOf,
  readClasses,
  readEmbeddings,
  readRanking,
  readTexts,
  resultKind,
  textInput,
  textsInput,
  textsOf,
  writeClasses,
  writeEmbeddings,
  writeRanking,
} from '../kinds/index.ts'
import { eventOf } from './suites/kinds.ts'

const runs = { numRuns: 1_000 }
const text = fc.string({ unit: 'binary', maxLength: 30 })
const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0)
const model = fc.string({ maxLength: 20 })
const vectors = fc
  .integer({ min: 1, max: 12 })
  .chain(length => fc.array(fc.array(float, { minLength: length, maxLength: length }), { maxLength: 5 }))
  .map(list => list.map(one => new Float32Array(one)))
const base = { relays: [], providers: [], stream: false, receipt: false }

describe('texts of a job', () => {
  test('are the same as one list and one by one, through a sealed event', () => {
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 10 }),
        fc.constantFrom(5080, 5081, 5082),
        (texts, number) => {
          const query = number === 5081 ? [queryInput('which?')] : []
          for (const inputs of [
            [...query, textsInput(texts)],
            [...texts.map(textInput), ...query],
          ]) {
            const kind = jobKind(number)?.request
            const event = kind?.write({ ...base, inputs }, 1, plain => plain)
            const read = event && kind?.read(eventOf(number, event), event.content)
            expect(read?.ok && textsOf(read.value)).toStrictEqual({ ok: true, value: texts })
            if (number === 5081) expect(read?.ok && queryOf(read.value)).toStrictEqual({ ok: true, value: 'which?' })
          }
        },
      ),
      runs,
    )
  })

  test('are 1 to 2,048', () => {
    const many = (count: number) => Array.from({ length: count }, () => 'a')
    expect(textsOf({ inputs: [textsInput(many(MOST_TEXTS))] })).toMatchObject({ ok: true })
    expect(textsOf({ inputs: [textsInput(many(MOST_TEXTS + 1))] })).toMatchObject({ ok: false, rule: 'texts' })
    expect(textsOf({ inputs: [textsInput([])] })).toMatchObject({ ok: false, rule: 'texts' })
    expect(textsOf({ inputs: [queryInput('a')] })).toMatchObject({ ok: false, rule: 'texts' })
    expect(textsOf({ inputs: [textsInput(['a']), textInput('b')] })).toMatchObject({ ok: false, rule: 'texts' })
  })

  test('of strangers never throw', () => {
    const data = fc.oneof(text, fc.json(), fc.array(text).map(toJson))
    fc.assert(
      fc.property(fc.array(fc.tuple(data, fc.constantFrom('texts', 'query', 'x'))), said => {
        const inputs = said.map(([words, marker]) => ({ data: words, type: 'text' as const, marker }))
        const found = textsOf({ inputs })
        if (found.ok) expect(readTexts(textsInput(found.value).data)).toStrictEqual(found.value)
        else expect(found.rule).toBe('texts')
        queryOf({ inputs })
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['none', []],
    ['two', [queryInput('a'), queryInput('b')]],
    ['a blank one', [queryInput(' ')]],
  ])('a query: %s', (_, inputs) => {
    expect(queryOf({ inputs })).toMatchObject({ ok: false, rule: 'query' })
  })
})

const toJson = (value: unknown): string => JSON.stringify(value)

describe('vectors', () => {
  test('are read back bit by bit, as base64 and as numbers', () => {
    fc.assert(
      fc.property(model, vectors, fc.constantFrom('base64' as const, 'float' as const), (name, list, encoding) => {
        const read = readEmbeddings(writeEmbeddings({ model: name, vectors: list }, encoding))
        expect(read).toStrictEqual({ model: name, vectors: list })
      }),
      runs,
    )
  })

  test('are little endian', () => {
    const said = JSON.parse(writeEmbeddings({ model: 'm', vectors: [new Float32Array([1, -2])] })) as {
      embeddings: string[]
    }
    expect(Buffer.from(said.embeddings[0] ?? '', 'base64').toString('hex')).toBe('0000803f000000c0')
  })

  test('of ten thousand numbers come whole', () => {
    const long = Float32Array.from({ length: 10_000 }, (_, at) => Math.sin(at))
    expect(readEmbeddings(writeEmbeddings({ model: '', vectors: [long] }))?.vectors[0]).toEqual(long)
  })

  const nan = Buffer.from(new Float32Array([Number.NaN]).buffer).toString('base64')
  test.each([
    ['no JSON', 'x'],
    ['another length', '{"model":"","dimensions":2,"encoding":"float","embeddings":[[1,2],[1]]}'],
    ['no dimensions', '{"model":"","encoding":"float","embeddings":[]}'],
    ['words in the place of numbers', '{"model":"","dimensions":1,"encoding":"float","embeddings":[["1"]]}'],
    ['base64 where numbers were said', '{"model":"","dimensions":1,"encoding":"float","embeddings":["AACAPw=="]}'],
    ['numbers where base64 was said', '{"model":"","dimensions":1,"encoding":"base64","embeddings":[[1]]}'],
    ['base64 without its padding', '{"model":"","dimensions":1,"encoding":"base64","embeddings":["AACAPw"]}'],
    ['half a float', '{"model":"","dimensions":1,"encoding":"base64","embeddings":["AACA"]}'],
    ['a float that is none', `{"model":"","dimensions":1,"encoding":"base64","embeddings":["${nan}"]}`],
    ['a number without end', '{"model":"","dimensions":1,"encoding":"float","embeddings":[[1e39]]}'],
    ['2,049 vectors', toJson({ model: '', dimensions: 1, encoding: 'float', embeddings: Array(2_049).fill([1]) })],
  ])('are not %s', (_, said) => {
    expect(readEmbeddings(said)).toBe(undefined)
  })

  test('that a reader would refuse are not written', () => {
    const write = (...list: number[][]) =>
      writeEmbeddings({ model: '', vectors: list.map(one => new Float32Array(one)) })
    expect(() => write([1], [1, 2])).toThrow(TypeError)
    expect(() => write([Number.NaN])).toThrow(TypeError)
    expect(() => write([Number.POSITIVE_INFINITY])).toThrow(TypeError)
    expect(() => write([])).toThrow(TypeError)
  })
})

describe('rankings and labels', () => {
  const score = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0)

  test('a ranking is read back, best first', () => {
    const ranked = fc.uniqueArray(fc.tuple(fc.nat(99), score), { selector: ([index]) => index, maxLength: 20 })
    fc.assert(
      fc.property(model, ranked, (name, list) => {
        const results = list.map(([index, value]) => ({ index, score: value })).sort((a, b) => b.score - a.score)
        expect(readRanking(writeRanking({ model: name, results }), 100)).toStrictEqual({ model: name, results })
        const [worst] = results.toReversed()
        if (worst && results[0] && worst.score < results[0].score)
          expect(() => writeRanking({ model: name, results: results.toReversed() })).toThrow(TypeError)
      }),
      runs,
    )
  })

  test('labels are read back, best first and summing to 1', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(model, fc.array(weights, { maxLength: 4 }), (name, rows) => {
        const results = rows.map(row => {
          const sum = row.reduce((a, b) => a + b)
          const sorted = row.toSorted((a, b) => b - a)
          return sorted.map((weight, at) => ({ label: `label ${at}`, score: weight / sum }))
        })
        expect(readClasses(writeClasses({ model: name, results }))).toStrictEqual({ model: name, results })
      }),
      runs,
    )
  })

  const row = (...results: unknown[]) => toJson({ model: 'm', results })
  test.each([
    ['worst first', row({ index: 0, score: 1 }, { index: 1, score: 2 })],
    ['a text twice', row({ index: 0, score: 2 }, { index: 0, score: 1 })],
    ['a text that is not there', row({ index: 3, score: 1 })],
    ['a place before the first', row({ index: -1, score: 1 })],
    ['a score in words', row({ index: 0, score: '1' })],
    ['no score', row({ index: 0 })],
    ['no model', '{"results":[]}'],
  ])('no ranking of three texts: %s', (_, said) => {
    expect(readRanking(said, 3)).toBe(undefined)
  })

  test.each([
    [
      'worst first',
      row([
        { label: 'a', score: 0.4 },
        { label: 'b', score: 0.6 },
      ]),
    ],
    [
      'a label twice',
      row([
        { label: 'a', score: 0.5 },
        { label: 'a', score: 0.5 },
      ]),
    ],
    ['half of it', row([{ label: 'a', score: 0.5 }])],
    [
      'more than all',
      row([
        { label: 'a', score: 0.9 },
        { label: 'b', score: 0.2 },
      ]),
    ],
    ['no labels', row([])],
    ['a score above one', row([{ label: 'a', score: 1.5 }])],
    ['a label without a name', row([{ label: '', score: 1 }])],
  ])('no classes: %s', (_, said) => {
    expect(readClasses(said)).toBe(undefined)
  })

  test('what strangers answer never throws', () => {
    const parts = fc.constantFrom('model', 'results', 'embeddings', 'dimensions', 'encoding', 'index', 'score', 'label')
    const value = fc.letrec(tie => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(0, 1, 'float', 'base64', 'AACAPw==', null),
        tie('list'),
        tie('of'),
      ),
      list: fc.array(tie('any'), { maxLength: 4 }),
      of: fc.dictionary(parts, tie('any'), { maxKeys: 5, noNullPrototype: true }),
    }))
    fc.assert(
      fc.property(fc.oneof(text, fc.json(), value.of.map(toJson)), said => {
        const [vector, ranking, labels] = [readEmbeddings(said), readRanking(said), readClasses(said)]
        if (vector) expect(readEmbeddings(writeEmbeddings(vector))).toStrictEqual(vector)
        if (ranking) expect(readRanking(writeRanking(ranking))).toStrictEqual(ranking)
        if (labels) expect(readClasses(writeClasses(labels))).toStrictEqual(labels)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('the kinds of work', () => {
  test('a result has the number of its request and 1,000', () => {
    for (const { request, result } of jobKinds) expect(result.number).toBe(resultKind(request.number))
    expect(jobKinds.map(({ request }) => request.number)).toEqual([5050, 5080, 5081, 5082])
    expect([jobKind(5081)?.result.number, jobKind(5100)]).toEqual([6081, undefined])
  })

  test('each writes what concerns it and leaves the rest', () => {
    const all: AnyRequest = {
      ...{ ...base, inputs: [queryInput('which?'), textInput('this')], model: 'm', maxTokens: 5, seed: 1 },
      ...{ topN: 2, labels: ['a', 'b'], dimensions: 3, encoding: 'float' },
    }
    const said = jobKinds.map(({ request }) => {
      const read = request.read(eventOf(request.number, request.write(all, 1)))
      return read.ok
        ? Object.keys(read.value).filter(key => !['inputs', 'model', ...Object.keys(base)].includes(key))
        : []
    })
    expect(said).toEqual([['maxTokens', 'seed'], ['dimensions', 'encoding'], ['topN'], ['labels']])
  })

  test('an announcement names the parameters of the kinds that it offers', () => {
    const paramsOf = (...kinds: number[]) => {
      const value = { id: 'x', kinds, topics: [], name: '', about: '', encrypted: true, custodial: false, v: 1 }
      const more = { models: [{ name: 'm', contextTokens: 9 }], nodeKeys: [], zappers: [], relays: [] }
      const { nip90Params } = JSON.parse(handler.write({ ...value, ...more }, 1).content) as { nip90Params: object }
      return nip90Params
    }
    expect(paramsOf(5100)).toEqual({})
    expect(paramsOf(5080, 5081)).toEqual({
      model: { required: false, values: ['m'] },
      dimensions: { required: false, values: [] },
      encoding_format: { required: false, values: ['base64', 'float'] },
      top_n: { required: false, values: [] },
    })
    expect(Object.keys(paramsOf(5082))).toEqual(['model', 'labels'])
    expect(Object.keys(paramsOf(5050))).toContain('max_tokens')
  })
})
