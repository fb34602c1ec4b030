/** Embeddings: the numbers of the graph, checked against plain arithmetic, whatever stands beside them in a batch. */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { readEmbeddings } from '../kinds/index.ts'
import { type OnnxOptions, onnxRunner } from '../src/runners/onnx.ts'
import { type Runner, RunnerError, type Work } from '../src/runners/runner.ts'
import {
  encoder,
  evaluate,
  evaluateMean,
  type Files,
  folderOf,
  modelFiles,
  pooledEncoder,
  tokensOf,
  unitOf,
  vocabulary,
  width,
} from './onnx-world.ts'
import { writeOnnx } from './onnx-writer.ts'

const open: Runner[] = []
afterAll(async () => {
  for (const runner of open) await runner.close()
})
const runnerOf = (files: Files, more: OnnxOptions = {}): Runner => {
  const runner = onnxRunner({ model: folderOf(files), name: 'tiny', ...more })
  open.push(runner)
  return runner
}
const live = new AbortController().signal
const work = (texts: readonly string[], rest: Partial<Work> = {}): Work => ({
  id: 'w',
  kind: 5080,
  messages: [],
  texts,
  ...rest,
})
const done = (runner: Runner, job: Work) => runner.run(job, () => undefined, live)
const embed = async (runner: Runner, texts: readonly string[], rest: Partial<Work> = {}) =>
  readEmbeddings((await done(runner, work(texts, rest))).text)?.vectors.map(vector => [...vector]) ?? []
const close = (found: readonly number[] | undefined, wanted: readonly number[]): void => {
  expect(found).toHaveLength(wanted.length)
  for (const [at, value] of wanted.entries()) expect(Math.abs((found?.[at] ?? Number.NaN) - value)).toBeLessThan(1e-5)
}
const words = vocabulary.slice(4).filter(word => !word.startsWith('##'))
const saying = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map(list => list.join(' '))

const tiny = runnerOf(modelFiles(encoder))

describe('vectors', () => {
  test('are the graph’s, pooled over the tokens and of length 1', async () => {
    const texts = ['the sky is blue', 'grass', '', 'why ? why ? why ?']
    const found = await embed(tiny, texts)
    for (const [at, text] of texts.entries()) close(found[at], unitOf(evaluateMean(tokensOf(text))))
  })

  test('of a graph that pools itself are the same', async () => {
    const [found] = await embed(runnerOf(modelFiles(pooledEncoder)), ['the sky is blue'])
    close(found, unitOf(evaluateMean(tokensOf('the sky is blue'))))
  })

  test.each([
    ['pooling_mode_cls_token', (rows: number[][]) => rows[0]],
    ['pooling_mode_lasttoken', (rows: number[][]) => rows.at(-1)],
    [
      'pooling_mode_max_tokens',
      (rows: number[][]) => rows[0]?.map((_, at) => Math.max(...rows.map(row => row[at] ?? 0))),
    ],
  ])('are pooled as the model says: %s', async (mode, pooled) => {
    const runner = runnerOf(modelFiles(encoder, { '1_Pooling/config.json': { [mode]: true } }))
    const [short, long] = await embed(runner, ['grass', 'the sky is blue . grass is green'])
    close(short, unitOf(pooled(evaluate(tokensOf('grass'))) ?? []))
    close(long, unitOf(pooled(evaluate(tokensOf('the sky is blue . grass is green'))) ?? []))
  })

  test('of a batch are those of each text alone, in order, however they are padded', async () => {
    const small = runnerOf(modelFiles(encoder), { batchTokens: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(saying, { minLength: 1, maxLength: 7 }), async texts => {
        const [together, apart] = [await embed(tiny, texts), await embed(small, texts)]
        expect(together).toHaveLength(texts.length)
        for (const [at, text] of texts.entries()) {
          const wanted = unitOf(evaluateMean(tokensOf(text)))
          close(together[at], wanted)
          close(apart[at], wanted)
        }
      }),
      { numRuns: 100 },
    )
  })

  test('are cut to what was asked for and of length 1 again, as numbers too', async () => {
    const [found] = await embed(tiny, ['oslo'], { dimensions: 2, encoding: 'float' })
    close(found, unitOf(evaluateMean(tokensOf('oslo')).slice(0, 2)))
    const { text } = await done(tiny, work(['oslo'], { dimensions: 2, encoding: 'float' }))
    expect(JSON.parse(text)).toMatchObject({ model: 'tiny', dimensions: 2, encoding: 'float' })
  })

  test('are the same again, bit by bit', async () => {
    const job = work(['the sky', 'is blue'])
    expect((await done(tiny, job)).text).toBe((await done(tiny, job)).text)
  })

  test('of weights in a file of their own are the same', async () => {
    const { model, data } = writeOnnx(encoder, 'model.onnx_data')
    const plain = await tiny.models()
    const files = { ...modelFiles(encoder), 'onnx/model.onnx': model, 'onnx/model.onnx_data': data }
    const runner = runnerOf(files)
    close((await embed(runner, ['oslo']))[0], unitOf(evaluateMean(tokensOf('oslo'))))
    const [info] = await runner.models()
    expect(info?.sha256).not.toBe(plain[0]?.sha256)
    data[0] = (data[0] ?? 0) ^ 1
    const other = runnerOf({ ...files, 'onnx/model.onnx_data': data })
    expect((await other.models())[0]?.sha256).not.toBe(info?.sha256)
  })

  test('words are cut into their pieces, lower case, unknown ones are unknown', async () => {
    const [pieces, upper, unknown] = await embed(tiny, ['raining', 'The SKY', 'zebra'])
    const ids = (...list: string[]) => ({
      ids: [2, ...list.map(word => vocabulary.indexOf(word)), 3],
      types: [0, 0, 0, 0],
    })
    close(pieces, unitOf(evaluateMean(ids('rain', '##ing'))))
    close(upper, unitOf(evaluateMean(tokensOf('the sky'))))
    close(unknown, unitOf(evaluateMean(ids('[UNK]'))))
  })
})

describe('before the bill', () => {
  test('tokens are counted, and used as counted', async () => {
    const job = work(['the sky', 'raining'])
    expect(await tiny.check(job)).toEqual({ ok: true, model: 'tiny', promptTokens: 8, maxTokens: 0 })
    expect(await done(tiny, job)).toMatchObject({ model: 'tiny', promptTokens: 8, outputTokens: 0, finish: 'stop' })
  })

  test('the model says what it is', async () => {
    expect(await tiny.models()).toEqual([
      {
        ...{ name: 'tiny', contextTokens: 16, kinds: [5080, 5081, 5082], dimensions: width },
        ...{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), about: expect.stringContaining('mean of the tokens') },
      },
    ])
    expect(tiny.kinds).toEqual([5080, 5081, 5082])
  })

  const long = Array.from({ length: 15 }, () => 'a').join(' ')
  test.each<[string, Partial<Work>, string, string]>([
    ['a text too long', { texts: ['a', long] }, 'too-long', 'text 2 has 17 tokens and tiny holds 16'],
    ['a text beyond counting', { texts: ['a'.repeat(1_025)] }, 'too-long', '1025 characters'],
    ['no text', { texts: [] }, 'texts', 'at least one'],
    ['too many texts', { texts: Array(2_049).fill('a') }, 'texts', '2049 texts are too many; send at most 2048'],
    ['another model', { model: 'huge' }, 'model', 'ask for tiny'],
    ['more numbers than there are', { dimensions: 7 }, 'dimensions', 'gives 6 numbers, not 7'],
    ['text generation', { kind: 5050 }, 'kind', 'ask for 5080, 5081, 5082'],
  ])('%s is refused, and not run', async (_, rest, rule, says) => {
    const job = { ...work(['a']), ...rest }
    expect(await tiny.check(job)).toEqual({ ok: false, rule, says: expect.stringContaining(says) })
    await expect(done(tiny, job)).rejects.toThrow(RunnerError)
  })

  test('fourteen words fit, to the token', async () => {
    expect(await tiny.check(work([long.slice(2)]))).toMatchObject({ ok: true, promptTokens: 16 })
  })

  test('work of too many tokens in all is refused', async () => {
    const runner = runnerOf(modelFiles(encoder), { mostTokens: 8 })
    expect(await runner.check(work(['the sky', 'a b']))).toMatchObject({ ok: true, promptTokens: 8 })
    expect(await runner.check(work(['the sky', 'a b .']))).toMatchObject({
      ...{ ok: false, rule: 'too-long' },
      says: 'the first 2 texts have 9 tokens and a job holds 8; send fewer',
    })
  })
})
