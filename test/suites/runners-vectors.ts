/**
 * What every runner promises about texts as vectors, rankings and labels, by the kinds that it lists.
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readClasses, readEmbeddings, readRanking } from '../../kinds/index.ts'
import { type Runner, RunnerError, type Work } from '../../src/runners/runner.ts'

const never = new AbortController().signal
let serial = 0

/** A piece of work on texts. */
export const textsWork = (kind: number, texts: readonly string[], rest: Partial<Work> = {}): Work => ({
  ...{ id: `t${serial++}`, kind, messages: [], texts },
  ...rest,
})

const texts = ['What is Nostr?', 'a cat sat on the mat', 'What is the Lightning Network?']

/** Proves what `src/runners/runner.ts` promises about kinds 5080 to 5082, as far as the runner lists them. */
export function vectorSuite(name: string, open: () => Promise<Runner> | Runner, kinds: readonly number[]): void {
  describe(`runner ${name}, texts`, () => {
    let runner: Runner
    beforeAll(async () => {
      runner = await open()
      await runner.models()
    })
    afterAll(async () => {
      await runner.close()
    })
    const vectors = async (job: Work) => {
      const done = await runner.run(job, () => {}, never)
      const read = readEmbeddings(done.text)
      if (!read) throw new Error(`no embeddings: ${done.text.slice(0, 80)}`)
      return { done, vectors: read.vectors }
    }

    const where = (kind: number) => (kinds.includes(kind) ? test : () => undefined)

    test('lists these kinds', () => {
      expect([5080, 5081, 5082].filter(kind => runner.kinds.includes(kind))).toEqual(kinds)
    })

    where(5080)('embeds each text as one vector of length 1, the same each time', async () => {
      const [model] = await runner.models()
      const job = textsWork(5080, texts)
      const estimate = await runner.check(job)
      const { done, vectors: whole } = await vectors(job)
      expect(estimate).toMatchObject({ ok: true, model: done.model, promptTokens: done.promptTokens, maxTokens: 0 })
      expect(done).toMatchObject({ outputTokens: 0, finish: 'stop' })
      expect(done.promptTokens).toBeGreaterThan(texts.length)
      expect(whole.map(({ length }) => length)).toEqual(texts.map(() => model?.dimensions))
      for (const vector of whole) expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
      const turned = await vectors(textsWork(5080, texts.toReversed()))
      expect(turned.vectors.toReversed()).toEqual(whole)
      const float = await vectors(textsWork(5080, texts, { encoding: 'float' }))
      expect(float.vectors).toEqual(whole)
      expect(JSON.parse(float.done.text)).toMatchObject({ encoding: 'float' })
    })

    where(5080)('cuts vectors and makes them long as one again', async () => {
      const { vectors: whole } = await vectors(textsWork(5080, texts))
      const { vectors: short } = await vectors(textsWork(5080, texts, { dimensions: 8 }))
      for (const [index, vector] of short.entries()) {
        const begin = [...(whole[index] ?? [])].slice(0, 8)
        const length = Math.hypot(...begin)
        expect(vector).toHaveLength(8)
        for (const [at, value] of vector.entries()) expect(value).toBeCloseTo((begin[at] ?? 0) / length, 5)
      }
    })

    where(5081)('ranks: the text that is the query comes first, and no more than asked', async () => {
      const query = texts[2] ?? ''
      const done = await runner.run(textsWork(5081, texts, { query }), () => {}, never)
      const ranking = readRanking(done.text, texts.length)
      expect(ranking?.results.map(({ index }) => index).toSorted()).toEqual([0, 1, 2])
      expect(ranking?.results[0]?.index).toBe(2)
      const best = await runner.run(textsWork(5081, texts, { query, topN: 1 }), () => {}, never)
      expect(readRanking(best.text)?.results).toEqual(ranking?.results.slice(0, 1))
      const twice = await runner.check(textsWork(5081, [query], { query }))
      const once = await runner.check(textsWork(5080, [query]))
      expect(twice.ok && once.ok && twice.promptTokens).toBeGreaterThan(once.ok ? once.promptTokens : 0)
    })

    where(5082)('classifies: scores of all labels, best first, that sum to 1', async () => {
      const labels = ['cat', 'network', 'relay']
      const done = await runner.run(textsWork(5082, texts, { labels }), () => {}, never)
      const classes = readClasses(done.text)
      expect(classes?.results).toHaveLength(texts.length)
      for (const result of classes?.results ?? [])
        expect(result.map(({ label }) => label).toSorted()).toEqual(labels.toSorted())
    })

    test('refuses before work: no text, an empty one, no query, too long, too many numbers', async () => {
      const [model] = await runner.models()
      const long = 'word '.repeat((model?.contextTokens ?? 0) + 1)
      for (const kind of kinds) {
        const query = kind === 5081 ? { query: 'what?' } : {}
        const refused = async (rule: string, list: readonly string[], rest: Partial<Work> = query) => {
          const job = textsWork(kind, list, rest)
          expect(await runner.check(job)).toMatchObject({ ok: false, rule })
          await expect(runner.run(job, () => {}, never)).rejects.toBeInstanceOf(RunnerError)
        }
        await refused('empty-texts', [])
        await refused('empty-texts', ['a', ' '])
        await refused('too-long', ['a', long])
        if (kind === 5081) await refused('query', ['a'], {})
        if (kind === 5080) await refused('dimensions', ['a'], { dimensions: (model?.dimensions ?? 0) + 1 })
        await refused('model', ['a'], { ...query, model: 'no-such-model' })
      }
    })

    test('stops with the reason of the signal', async () => {
      const reason = new Error('the customer left')
      const [kind = 0] = kinds
      const job = textsWork(kind, texts, kind === 5081 ? { query: 'x' } : {})
      await expect(runner.run(job, () => {}, AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })
}
