/** Ranking and classification by the three sorts of models, checked against plain arithmetic. */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readClasses, readRanking } from '../kinds/index.ts'
import { onnxRunner } from '../src/runners/onnx.ts'
import { type Runner, RunnerError, type Work } from '../src/runners/runner.ts'
import {
  encoder,
  evaluateMean,
  evaluateScores,
  type Files,
  folderOf,
  modelFiles,
  scorer,
  tokensOf,
  unitOf,
  vocabulary,
} from './onnx-world.ts'

const open: Runner[] = []
afterAll(async () => {
  for (const runner of open) await runner.close()
})
const runnerOf = (files: Files): Runner => {
  const runner = onnxRunner({ model: folderOf(files), name: 'tiny' })
  open.push(runner)
  return runner
}
const live = new AbortController().signal
const done = (runner: Runner, job: Omit<Work, 'id' | 'messages'>) =>
  runner.run({ id: 'w', messages: [], ...job }, () => undefined, live)
const check = (runner: Runner, job: Omit<Work, 'id' | 'messages'>) => runner.check({ id: 'w', messages: [], ...job })

const config = { model_type: 'bert', architectures: ['BertForSequenceClassification'], pad_token_id: 0 }
const labelled = { ...config, id2label: { 0: 'glad', 1: 'sad', 2: 'angry' } }
const embedder = runnerOf(modelFiles(encoder))
const judge = runnerOf(modelFiles(scorer(1), { 'config.json': config }))
const chooser = runnerOf(modelFiles(scorer(3), { 'config.json': labelled }))

const words = vocabulary.slice(4).filter(word => !word.startsWith('##'))
const saying = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 5 }).map(list => list.join(' '))
const cosine = (one: string, other: string): number => {
  const [a, b] = [one, other].map(text => unitOf(evaluateMean(tokensOf(text))))
  return (a ?? []).reduce((sum, value, at) => sum + value * (b?.[at] ?? 0), 0)
}
const shares = (values: readonly number[]): number[] => {
  const weights = values.map(Math.exp)
  return weights.map(weight => weight / weights.reduce((a, b) => a + b, 0))
}

describe('ranking', () => {
  const property = (runner: Runner, scoreOf: (query: string, text: string) => number) =>
    fc.assert(
      fc.asyncProperty(saying, fc.array(saying, { minLength: 1, maxLength: 6 }), async (query, texts) => {
        const { text } = await done(runner, { kind: 5081, texts, query })
        const { results = [] } = readRanking(text, texts.length) ?? {}
        expect(results).toHaveLength(texts.length)
        for (const { index, score } of results)
          expect(Math.abs(score - scoreOf(query, texts[index] ?? ''))).toBeLessThan(1e-5)
      }),
      { numRuns: 60 },
    )

  test('by a model of pairs is its score of query and text, from 0 to 1', async () => {
    await property(judge, (query, text) => 1 / (1 + Math.exp(-(evaluateScores(tokensOf(query, text), 1)[0] ?? 0))))
  })

  test('by a model of vectors is their cosine', async () => {
    await property(embedder, cosine)
  })

  test('gives the best that were asked for, and equals in their order', async () => {
    const texts = ['rain', 'the sky is blue', 'rain', 'grass']
    const all = readRanking((await done(judge, { kind: 5081, texts, query: 'why' })).text)?.results ?? []
    const two = readRanking((await done(judge, { kind: 5081, texts, query: 'why', topN: 2 })).text)?.results
    expect(two).toEqual(all.slice(0, 2))
    const places = all.map(({ index }) => index)
    expect(places.indexOf(0)).toBe(places.indexOf(2) - 1)
    const same = await done(judge, { kind: 5081, texts: ['rain', 'rain', 'rain'], query: 'why' })
    expect(readRanking(same.text)?.results.map(({ index }) => index)).toEqual([0, 1, 2])
  })

  test('is counted as it is computed: pairs carry the query each time', async () => {
    const job = { kind: 5081, texts: ['rain', 'the sky'], query: 'why ?' }
    expect(await check(judge, job)).toMatchObject({ ok: true, promptTokens: 6 + 7 })
    expect(await check(embedder, job)).toMatchObject({ ok: true, promptTokens: 4 + 3 + 4 })
    expect(await done(judge, job)).toMatchObject({ promptTokens: 13, outputTokens: 0 })
  })

  test('without a query is refused', async () => {
    for (const query of [undefined, ' '])
      expect(await check(judge, { kind: 5081, texts: ['a'], ...(query && { query }) })).toMatchObject({
        ...{ ok: false, rule: 'query' },
      })
  })

  test('a pair too long is refused with both numbers', async () => {
    const half = Array.from({ length: 7 }, () => 'a').join(' ')
    expect(await check(judge, { kind: 5081, texts: [half], query: half })).toMatchObject({
      ...{ ok: false, rule: 'too-long', says: 'text 1 has 17 tokens and tiny holds 16; shorten it' },
    })
  })
})

describe('classification', () => {
  const labels = ['glad', 'sad', 'angry']
  const scoresIn = (text: string, at = 0) =>
    Object.fromEntries((readClasses(text)?.results[at] ?? []).map(({ label, score }) => [label, score]))

  test('by a classifier is the softmax of its scores, under its own names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(saying, { minLength: 1, maxLength: 4 }), async texts => {
        const { text } = await done(chooser, { kind: 5082, texts })
        expect(readClasses(text)?.results).toHaveLength(texts.length)
        for (const [at, said] of texts.entries()) {
          const wanted = shares(evaluateScores(tokensOf(said), 3))
          for (const [place, label] of labels.entries())
            expect(Math.abs((scoresIn(text, at)[label] ?? 9) - (wanted[place] ?? 0))).toBeLessThan(1e-5)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('among some of its labels shares out among those', async () => {
    const { text } = await done(chooser, { kind: 5082, texts: ['rain'], labels: ['angry', 'glad'] })
    const [glad = 0, , angry = 0] = evaluateScores(tokensOf('rain'), 3)
    const [wanted = 0] = shares([angry, glad])
    expect(Object.keys(scoresIn(text)).sort()).toEqual(['angry', 'glad'])
    expect(Math.abs((scoresIn(text)['angry'] ?? 9) - wanted)).toBeLessThan(1e-5)
  })

  test('among labels that it never learned is refused, and names its own', async () => {
    expect(await check(chooser, { kind: 5082, texts: ['a'], labels: ['glad', 'blue'] })).toEqual({
      ...{ ok: false, rule: 'labels', says: 'tiny does not know blue; its labels are glad, sad, angry' },
    })
    expect(await check(chooser, { kind: 5082, texts: ['a'], labels: [] })).toMatchObject({ ok: false, rule: 'labels' })
  })

  test('by vectors alone is the likeness of text and label, and says so', async () => {
    const asked = ['blue', 'green', 'rain']
    const { text, promptTokens } = await done(embedder, { kind: 5082, texts: ['grass', 'the sky'], labels: asked })
    expect(promptTokens).toBe(3 + 3 + 3 + 3 + 4)
    for (const [at, said] of ['grass', 'the sky'].entries()) {
      const wanted = shares(asked.map(label => cosine(label, said) * 20))
      for (const [place, label] of asked.entries())
        expect(Math.abs((scoresIn(text, at)[label] ?? 9) - (wanted[place] ?? 0))).toBeLessThan(1e-4)
    }
    expect((await embedder.models())[0]?.about).toContain('never having learned a label')
    expect(await check(embedder, { kind: 5082, texts: ['a'] })).toMatchObject({ ok: false, rule: 'labels' })
  })

  test('names are numbers where the model has none, or bad ones', async () => {
    for (const id2label of [undefined, { 0: 'a', 1: 'a', 2: 'b' }, { 0: 'a', 1: 'b' }, { 0: 'a', 1: 7, 2: 'c' }]) {
      const runner = runnerOf(modelFiles(scorer(3), { 'config.json': { ...config, id2label } }))
      const { text } = await done(runner, { kind: 5082, texts: ['a'] })
      expect(Object.keys(scoresIn(text)).sort()).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2'])
    }
  })
})

describe('a model', () => {
  test('serves what it can, and says so when it is loaded', async () => {
    for (const [runner, kinds] of [
      [judge, [5081]],
      [chooser, [5082]],
      [embedder, [5080, 5081, 5082]],
    ] as const) {
      const [info] = await runner.models()
      expect([info?.kinds, runner.kinds]).toEqual([kinds, kinds])
      const other = kinds.length === 3 ? 5050 : 5080
      expect(await check(runner, { kind: other, texts: ['a'] })).toMatchObject({ ok: false, rule: 'kind' })
    }
    expect((await judge.models())[0]).not.toHaveProperty('dimensions')
  })

  test('whose config says that it classifies gives scores, whatever its graph calls them', async () => {
    const { nodes, outputs, ...rest } = scorer(3)
    const renamed = {
      ...rest,
      nodes: [...nodes, { op: 'Identity', inputs: ['logits'], outputs: ['result'] }],
      outputs: outputs.map(port => ({ ...port, name: 'result' })),
    }
    const kindsBy = async (said: object) => {
      const runner = runnerOf(modelFiles(renamed, { 'config.json': said }))
      return (await runner.models())[0]?.kinds
    }
    expect(await kindsBy(labelled)).toEqual([5082])
    expect(await kindsBy({ model_type: 'bert' })).toEqual([5080, 5081, 5082])
  })

  test('that serves none of the wanted kinds does not start', async () => {
    const runner = onnxRunner({ model: folderOf(modelFiles(scorer(1))), kinds: [5080] })
    await expect(runner.models()).rejects.toThrow(RunnerError)
    await expect(runner.models()).rejects.toThrow('serves the kinds 5081')
    await runner.close()
  })

  test('serves only the wanted kinds', async () => {
    const runner = onnxRunner({ model: folderOf(modelFiles(encoder)), kinds: [5080], name: 'tiny' })
    open.push(runner)
    expect((await runner.models())[0]?.kinds).toEqual([5080])
    expect(await check(runner, { kind: 5081, texts: ['a'], query: 'b' })).toMatchObject({ ok: false, rule: 'kind' })
  })
})
