/** The parts between texts and numbers: batches, pooling, shares, and what folders and names of hubs may say. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planBatches } from '../src/runners/onnx/batches.ts'
import { readCard } from '../src/runners/onnx/folder.ts'
import { hubModel } from '../src/runners/onnx/hub.ts'
import { openTokenizer } from '../src/runners/onnx/tokenizer.ts'
import { dot, pool, softmax, unit } from '../src/runners/onnx/vectors.ts'
import { onnxRunner } from '../src/runners/onnx.ts'
import { RunnerError } from '../src/runners/runner.ts'
import { encoder, type Files, folderOf, modelFiles, tokenizerJson } from './onnx-world.ts'
import { writeOnnx } from './onnx-writer.ts'

const runs = { numRuns: 1_000 }

describe('batches', () => {
  test('hold every text once, padded to the longest, within their bounds', () => {
    const text = fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(60),
        (lists, mostRows, mostCells) => {
          const texts = lists.map(ids => ({ ids, types: ids.map(id => id % 2) }))
          const planned = planBatches(texts, 7, { mostRows, mostCells })
          expect(planned.flatMap(({ places }) => places).sort((a, b) => a - b)).toEqual([...texts.keys()])
          for (const { batch, places } of planned) {
            const { rows, columns } = batch
            expect(rows).toBe(places.length)
            expect(rows <= mostRows && (rows === 1 || rows * columns <= mostCells)).toBe(true)
            expect(columns).toBe(Math.max(...places.map(place => lists[place]?.length ?? 0)))
            for (const [row, place] of places.entries())
              for (let at = 0; at < columns; at++) {
                const id = lists[place]?.[at]
                const cell = row * columns + at
                expect([batch.ids[cell], batch.mask[cell], batch.types[cell]]).toEqual(
                  id === undefined ? [7n, 0n, 0n] : [BigInt(id), 1n, BigInt(id % 2)],
                )
              }
          }
        },
      ),
      runs,
    )
  })
})

describe('numbers', () => {
  const float = fc.integer({ min: -1_000, max: 1_000 }).map(value => value / 8)

  test('pooling is the mean, the first, the largest or the last of the tokens', () => {
    const hidden = { data: new Float32Array([1, 6, 3, 2, 5, 1, 9, 9]), rows: 1, columns: 4, width: 2 }
    const found = (['mean', 'cls', 'max', 'last'] as const).map(how => [...pool(hidden, [3], how)])
    expect(found).toEqual([
      [3, 3],
      [1, 6],
      [5, 6],
      [5, 1],
    ])
  })

  test('pooling does not see the padding', () => {
    const rows = fc.array(fc.array(float, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(
        rows,
        fc.nat(4),
        float,
        fc.constantFrom('mean', 'cls', 'max', 'last'),
        (tokens, padding, fill, how) => {
          const padded = [...tokens, ...Array.from({ length: padding }, () => [fill, fill, fill])].flat()
          const hidden = { data: new Float32Array(padded), rows: 1, columns: tokens.length + padding, width: 3 }
          const alone = { data: new Float32Array(tokens.flat()), rows: 1, columns: tokens.length, width: 3 }
          expect(pool(hidden, [tokens.length], how)).toEqual(pool(alone, [tokens.length], how))
        },
      ),
      runs,
    )
  })

  test('a vector is of length 1, or of nothing but zeros', () => {
    fc.assert(
      fc.property(
        fc.array(float, { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (row, dimensions) => {
          const found = unit(new Float32Array(row), dimensions)
          expect(found).toHaveLength(Math.min(row.length, dimensions))
          expect(dot(found, found)).toBeCloseTo(row.slice(0, dimensions).some(value => value !== 0) ? 1 : 0, 4)
        },
      ),
      runs,
    )
  })

  test('shares sum to 1, however far apart', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 9 }), values => {
        expect(softmax(values).reduce((a, b) => a + b)).toBeCloseTo(1, 9)
      }),
      runs,
    )
  })
})

describe('a folder', () => {
  const read = (files: Files, file = '') => readCard(join(folderOf(files), file))
  const card = (config: object, tokenizerConfig: object = {}, more: Files = {}) =>
    read(modelFiles(encoder, { 'config.json': config, 'tokenizer_config.json': tokenizerConfig, ...more }))

  test.each([
    ['the smaller of what is said', { max_position_embeddings: 512 }, { model_max_length: 256 }, 256],
    ['no length that means none', { max_position_embeddings: 512 }, { model_max_length: 1e30 }, 512],
    ['what roberta leaves', { model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 1 }, {}, 512],
    ['512 where nothing is said', {}, {}, 512],
    ['no words, no fractions', { max_position_embeddings: '9' }, { model_max_length: 0.5 }, 512],
  ])('its context: %s', async (_, config, tokenizerConfig, tokens) => {
    expect((await card(config, tokenizerConfig)).contextTokens).toBe(tokens)
  })

  test('its context: what sentence-transformers say', async () => {
    const more = { 'sentence_bert_config.json': { max_seq_length: 128 } }
    expect((await card({ max_position_embeddings: 512 }, {}, more)).contextTokens).toBe(128)
  })

  test('a graph may lie beside its tokenizer, and is named by its file', async () => {
    const { 'onnx/model.onnx': graph, ...small } = modelFiles(encoder)
    const beside = await read({ ...small, 'minilm.onnx': graph }, 'minilm.onnx')
    expect(beside).toMatchObject({ name: 'minilm', contextTokens: 16, classifies: false, pooling: 'mean' })
    const below = await read(modelFiles(encoder), 'onnx/model.onnx')
    expect(below.name).toMatch(/^gridstr-onnx-/)
  })

  test('names in its files are no paths', async () => {
    const config = { _name_or_path: '../../etc', model_file: '/etc/passwd', architectures: ['../X', 7] }
    const found = await card(config, { name_or_path: '/etc', tokenizer_file: '/etc/passwd' })
    expect(found.path).toMatch(/gridstr-onnx-[^/]*\/onnx\/model\.onnx$/)
    expect(JSON.stringify({ ...found, tokenizerConfig: {} })).not.toContain('etc')
  })

  test.each<[string, Files, string]>([
    ['without a graph', { 'config.json': {} }, 'give a folder with onnx/model.onnx'],
    ['without a tokenizer', { 'model.onnx': 'x' }, 'no tokenizer.json'],
    ['with a broken config', modelFiles(encoder, { 'config.json': '{' }), 'is no JSON: fetch it again'],
    ['with a list as config', modelFiles(encoder, { 'config.json': '[]' }), 'is no JSON object'],
    [
      'with pooling that nobody knows',
      modelFiles(encoder, { '1_Pooling/config.json': { pooling_mode_weightedmean_tokens: true } }),
      'mean, cls, max and last token are served',
    ],
  ])('%s is told with the way out', async (_, files, says) => {
    await expect(read(files)).rejects.toThrow(RunnerError)
    await expect(read(files)).rejects.toThrow(says)
  })

  test.each<[string, Files, string]>([
    ['a graph that is none', modelFiles(encoder, { 'onnx/model.onnx': 'not a graph' }), 'the model cannot be loaded'],
    ['a tokenizer that is none', modelFiles(encoder, { 'tokenizer.json': {} }), 'tokenizer.json cannot be used'],
    [
      'a graph that asks for a picture',
      modelFiles(encoder, {
        'onnx/model.onnx': writeOnnx({
          nodes: [{ op: 'Identity', inputs: ['pixels'], outputs: ['y'] }],
          constants: [],
          inputs: [{ name: 'pixels', type: 'float', dims: [1] }],
          outputs: [{ name: 'y', type: 'float', dims: [1] }],
        }).model,
      }),
      'the graph asks for pixels',
    ],
    [
      'a graph that gives whole numbers',
      modelFiles(encoder, {
        'onnx/model.onnx': writeOnnx({
          nodes: [{ op: 'Identity', inputs: ['input_ids'], outputs: ['y'] }],
          constants: [],
          inputs: [{ name: 'input_ids', type: 'int64', dims: ['b', 's'] }],
          outputs: [{ name: 'y', type: 'int64', dims: ['b', 's'] }],
        }).model,
      }),
      'y is int64, not float32',
    ],
  ])('%s does not start, and says why', async (_, files, says) => {
    const runner = onnxRunner({ model: folderOf(files) })
    const failed = runner.models()
    await expect(failed).rejects.toThrow(RunnerError)
    await expect(failed).rejects.toThrow(says)
    await runner.close()
  })

  test('a graph that was changed, or is not the one expected, does not start', async () => {
    const model = folderOf(modelFiles(encoder))
    const wrong = onnxRunner({ model, sha256: '0'.repeat(64) })
    await expect(wrong.models()).rejects.toThrow('wrong checksum')
    const first = onnxRunner({ model })
    await first.models()
    writeFileSync(join(model, 'onnx/model.onnx'), 'another')
    const second = onnxRunner({ model })
    await expect(second.models()).rejects.toThrow('has changed')
    await Promise.all([wrong.close(), first.close(), second.close()])
  })

  test('without a model nothing starts', async () => {
    await expect(onnxRunner().models()).rejects.toThrow('name a folder, an .onnx file or hf:user/repo')
  })
})

describe('the name of a model of a hub', () => {
  test.each([
    ['hf:Xenova/all-MiniLM-L6-v2', { repo: 'Xenova/all-MiniLM-L6-v2', revision: 'main' }],
    ['huggingface:a/b@v1.0:int8', { repo: 'a/b', revision: 'v1.0', variant: 'int8' }],
    ['./folder', undefined],
  ])('%s', (uri, wanted) => {
    expect(hubModel(uri)).toEqual(wanted)
  })

  test.each(['hf:', 'hf:a', 'hf:a/..', 'hf:../b', 'hf:a/b/c', 'hf:a/b@../x', 'hf:a/b:../x', 'hf:a/b?c', 'hf:a/.b'])(
    '%s is none',
    uri => {
      expect(() => hubModel(uri)).toThrow(RunnerError)
    },
  )
})

describe('the tokenizer', () => {
  test('knows its padding by config, by word, or by custom', async () => {
    expect((await openTokenizer(tokenizerJson, {}, 9)).padId).toBe(9)
    expect((await openTokenizer(tokenizerJson, { pad_token: { content: '[SEP]' } })).padId).toBe(3)
    expect((await openTokenizer(tokenizerJson, {})).padId).toBe(0)
  })

  test('of byte pairs counts as such', async () => {
    const vocab = Object.fromEntries(
      ['l', 'o', 'w', 'e', 'r', 'lo', 'low', 'er', 'Ġ', 'Ġlow'].map((word, id) => [word, id]),
    )
    const bpe = {
      ...{ version: '1.0', added_tokens: [], normalizer: null, post_processor: null },
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
      decoder: { type: 'ByteLevel' },
      model: { type: 'BPE', vocab, merges: ['l o', 'lo w', 'e r', 'Ġ low'], ignore_merges: false },
    }
    const { encode } = await openTokenizer(bpe, {})
    expect(encode('lower low')).toEqual({ ids: [6, 7, 9], types: [0, 0, 0] })
  })
  test('takes whatever a stranger writes', async () => {
    const { encode } = await openTokenizer(tokenizerJson, {})
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.constantFrom('\ud800', '[CLS][SEP]', '\0', '\u202e'),
    )
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (said, pair) => {
        const { ids, types } = encode(said, pair)
        expect(types).toHaveLength(ids.length)
        expect(ids.every(id => id >= 0 && id < 20)).toBe(true)
        expect(ids.length).toBeGreaterThanOrEqual(pair === undefined ? 2 : 3)
      }),
      { numRuns: 1_000 },
    )
  })
})
