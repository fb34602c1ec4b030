/** Embeddings, rankings, labels, text completions and models. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textsOf, writeClasses, writeEmbeddings, writeRanking } from '../kinds/index.ts'
import { createFetch } from '../src/openai/index.ts'
import { all, answer, clientOf, errorOf, type Job, jsonOf, obey, post, sessionDouble } from './openai-double.ts'

const served = [
  { name: 'nano', kinds: [], contextTokens: 512, nodes: [] },
  { name: 'qwen/qwen3', kinds: [], contextTokens: 512, nodes: [] },
]
const textsIn = ({ question }: Job) => {
  const texts = textsOf({ inputs: question.inputs ?? [] })
  return texts.ok ? texts.value : []
}
/** Length and first letter of each text. */
const embed = (encoding: 'base64' | 'float') => (job: Job) => {
  const vectors = textsIn(job).map(text => new Float32Array([text.length, text.charCodeAt(0) / 3]))
  job.end(answer(job, [{ text: writeEmbeddings({ model: 'tiny', vectors }, encoding) }]))
}

describe('embeddings', () => {
  test('come in order, as numbers or as base64, whatever the node wrote', async () => {
    for (const encoding of ['base64', 'float'] as const) {
      const session = sessionDouble(embed(encoding))
      const client = clientOf(session)
      const two = await client.embeddings.create({ model: 'tiny', input: ['abc', 'x'] })
      expect(two.data.map(({ index, embedding }) => [index, embedding[0]])).toEqual([
        [0, 3],
        [1, 1],
      ])
      expect(two).toMatchObject({ object: 'list', model: 'tiny', usage: { prompt_tokens: 7, total_tokens: 7 } })
      const numbers = await client.embeddings.create({ model: 'tiny', input: 'abc', encoding_format: 'float' })
      expect(new Float32Array(numbers.data[0]?.embedding ?? [])).toEqual(new Float32Array([3, 97 / 3]))
      expect(numbers.data[0]?.embedding).toEqual(two.data[0]?.embedding.map(one => Number(one.toPrecision(9))))
      expect(session.asked[0]).toMatchObject({ model: 'tiny', stream: false, inputs: [{ data: 'abc' }, { data: 'x' }] })
      const fetch = createFetch({ session })
      const raw = await post(fetch, '/embeddings', { input: 'abc', encoding_format: 'base64' })
      const { data } = await jsonOf<{ data: { embedding: string }[] }>(raw)
      const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64')
      expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([3, Math.fround(97 / 3)])
    }
  })

  test('any number of texts is one job, and each gets its own vector', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ minLength: 1, maxLength: 9 }), { minLength: 1, maxLength: 130 }),
        async input => {
          const session = sessionDouble(embed('base64'))
          const { data } = await clientOf(session).embeddings.create({ model: 'tiny', input })
          expect(data.map(({ embedding }) => embedding[0])).toEqual(input.map(text => text.length))
          expect(session.asked.length).toBe(1)
          expect(session.asked[0]?.inputs?.length).toBeLessThanOrEqual(64)
        },
      ),
      { numRuns: 200, examples: [[Array.from({ length: 130 }, (_, at) => 'x'.repeat(at + 1))]] },
    )
  })

  test('of a wrong length, or fewer than texts, are a failure of the node that nobody pays twice', async () => {
    const session = sessionDouble(job => {
      const vectors = [new Float32Array([1, 2])]
      job.end(answer(job, [{ text: writeEmbeddings({ model: 'tiny', vectors }) }]))
    })
    const fetch = createFetch({ session })
    for (const body of [{ input: ['a', 'b'] }, { input: 'a', dimensions: 3 }]) {
      const response = await post(fetch, '/embeddings', body)
      expect([response.status, response.headers.get('x-should-retry')]).toEqual([502, 'false'])
    }
    expect((await post(fetch, '/embeddings', { input: 'a', dimensions: 2 })).status).toBe(200)
    expect(session.asked.at(-1)).toMatchObject({ dimensions: 2 })
  })

  test.each([[[1, 2]], [[[1], [2]]], [''], [[]], [['a', '']], [undefined]])('of %j are refused', async input => {
    const session = sessionDouble(embed('float'))
    const response = await post(createFetch({ session }), '/embeddings', { input })
    expect([response.status, (await errorOf(response)).param]).toEqual([400, 'input'])
    expect(session.asked).toEqual([])
  })
})

describe('rankings and labels', () => {
  test('rerank says the best first, so many as were wanted', async () => {
    const session = sessionDouble(job => {
      const results = textsIn(job).map((text, index) => ({ index, score: text.length }))
      job.end(answer(job, [{ text: writeRanking({ model: 'r', results: results.sort((a, b) => b.score - a.score) }) }]))
    })
    const fetch = createFetch({ session })
    const body = { model: 'r', query: 'q', documents: ['a', { text: 'ccc' }, 'bb'], top_n: 2, return_documents: true }
    expect(await jsonOf(await post(fetch, '/rerank', body))).toMatchObject({
      model: 'r',
      results: [
        { index: 1, relevance_score: 3, document: { text: 'ccc' } },
        { index: 2, relevance_score: 2, document: { text: 'bb' } },
      ],
    })
    expect(session.asked[0]).toMatchObject({ topN: 2, inputs: [{ data: 'q', marker: 'query' }, {}, {}, {}] })
    expect((await post(fetch, '/rerank', { query: 'q', documents: [] })).status).toBe(400)
  })

  test('a ranking that leaves texts out is a failure', async () => {
    const session = sessionDouble(job => job.end(answer(job, [{ text: writeRanking({ model: 'r', results: [] }) }])))
    expect((await post(createFetch({ session }), '/rerank', { query: 'q', documents: ['a'] })).status).toBe(502)
  })

  test('classify says the label that fits best', async () => {
    const session = sessionDouble(job => {
      const [a = '', b = ''] = job.question.labels ?? []
      const results = textsIn(job).map(() => [
        { label: b, score: 0.75 },
        { label: a, score: 0.25 },
      ])
      job.end(answer(job, [{ text: writeClasses({ model: 'c', results }) }]))
    })
    const response = await post(createFetch({ session }), '/classify', { input: ['x', 'y'], labels: ['sad', 'glad'] })
    expect(await jsonOf(response)).toMatchObject({
      data: [
        { index: 0, prediction: 'glad', score: 0.75 },
        { index: 1, predictions: [{}, { label: 'sad' }] },
      ],
    })
  })
})

describe('text completions', () => {
  test('answer each prompt n times, in order', async () => {
    const session = sessionDouble(obey)
    const { choices, object, usage } = await clientOf(session).completions.create({
      ...{ model: 'm', prompt: ['one', 'two'], n: 2, echo: true, max_tokens: 2 },
    })
    expect(object).toBe('text_completion')
    expect(choices.map(({ text, index, finish_reason }) => [index, text, finish_reason])).toEqual([
      [0, 'oneon', 'length'],
      [1, 'oneon', 'length'],
      [2, 'twotw', 'length'],
      [3, 'twotw', 'length'],
    ])
    expect(usage?.completion_tokens).toBe(12)
    expect(session.asked[2]?.messages).toEqual([{ role: 'user', content: 'two' }])
  })

  test('stream, weigh and count', async () => {
    const session = sessionDouble(obey)
    const { completions } = clientOf(session)
    const options = { stream_options: { include_usage: true } }
    const chunks = await all(
      await completions.create({ model: 'm', prompt: 'Hello', echo: true, stream: true, ...options }),
    )
    expect(chunks.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe('HelloHello')
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 10 } })
    const weighed = await all(await completions.create({ model: 'm', prompt: 'Hello', logprobs: 1, stream: true }))
    expect(weighed.flatMap(chunk => chunk.choices[0]?.logprobs?.text_offset ?? [])).toEqual([0, 4])
    const { choices } = await completions.create({ model: 'm', prompt: 'Hello', logprobs: 1 })
    expect(choices[0]?.logprobs).toEqual({
      ...{ tokens: ['Hell', 'o'], token_logprobs: [-0.5, -0.5], text_offset: [0, 4] },
      top_logprobs: [{ é: -1 }, { é: -1 }],
    })
  })

  test.each([
    [{ prompt: [1, 2] }, 'prompt'],
    [{ prompt: 'a', suffix: 'b' }, 'suffix'],
    [{ prompt: 'a', best_of: 2 }, 'best_of'],
    [{ prompt: 'a', echo: true, logprobs: 0 }, 'echo'],
    [{ prompt: Array(33).fill('a'), n: 2 }, 'n'],
  ])('%j is refused', async (body, param) => {
    const response = await post(createFetch({ session: sessionDouble(obey) }), '/completions', body)
    expect([response.status, (await errorOf(response)).param]).toEqual([400, param])
  })
})

describe('models', () => {
  test('are listed and found, with the names that stand for them', async () => {
    const client = clientOf(sessionDouble(obey, served), { aliases: { 'gpt-4o': 'nano', old: 'gone' } })
    expect((await all(client.models.list())).map(({ id }) => id)).toEqual(['nano', 'qwen/qwen3', 'gpt-4o'])
    expect(await client.models.retrieve('qwen/qwen3')).toMatchObject({ id: 'qwen/qwen3', object: 'model' })
    const lost = client.models.retrieve('old')
    await expect(lost).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
    await expect(client.models.delete('nano')).rejects.toMatchObject({ status: 405 })
  })
})
