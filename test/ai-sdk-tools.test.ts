import { embed, embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embeddingsRequest, rerankRequest, writeRanking } from '../kinds/index.ts'
import type { Moment } from '../src/session/session.ts'
import { provide, text, vectorsOf } from './ai-sdk-world.ts'
import { answered, says } from './session-scripted.ts'

const call = (id: string, name: string, ...pieces: string[]): Moment[] => [
  { moment: 'delta', delta: { toolCall: { index: 0, id, name } } },
  ...pieces.map((piece): Moment => ({ moment: 'delta', delta: { toolCall: { index: 0, arguments: piece } } })),
]
describe('tools and structure', () => {
  const weather = tool({
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => `sun in ${city}`,
  })

  test('a tool is called, its result goes back, the answer follows', async () => {
    let turn = 0
    const { v4, session } = provide(() =>
      turn++ === 0
        ? {
            moments: [],
            outcome: answered({
              finish: 'tool-calls',
              toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' }],
            }),
          }
        : text('Sun in Rome.'),
    )
    const answer = await generateText({
      ...{ model: v4('nano'), prompt: 'Weather in Rome?', tools: { weather } },
      stopWhen: stepCountIs(2),
    })
    expect(answer.text).toBe('Sun in Rome.')
    expect(session.questions[0]?.tools).toMatchObject([{ name: 'weather', parameters: { type: 'object' } }])
    expect(session.questions[1]?.messages?.slice(1)).toEqual([
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' }],
      },
      { role: 'tool', content: 'sun in Rome', toolCallId: 'call_1' },
    ])
  })

  test('a call streams as a beginning, its arguments, an end, and the whole', async () => {
    const moments = [...says('Let me look. '), ...call('call_1', 'weather', '{"city":', '"Rome"}')]
    const { v4 } = provide(() => ({ moments, outcome: answered({ finish: 'tool-calls' }) }))
    const stream = streamText({ model: v4('nano'), prompt: 'Weather?', tools: { weather } })
    const types: string[] = []
    for await (const part of stream.fullStream) types.push(part.type)
    expect(types.filter(type => /^(text|tool)/.test(type))).toEqual([
      ...['text-start', 'text-delta', 'tool-input-start', 'tool-input-delta', 'tool-input-delta'],
      ...['text-end', 'tool-input-end', 'tool-call', 'tool-result'],
    ])
    expect(await stream.toolCalls).toMatchObject([{ toolName: 'weather', input: { city: 'Rome' } }])
  })

  test('a choice of tool and a schema become ours', async () => {
    const { v4, session } = provide(({ tools }) =>
      tools
        ? { outcome: answered({ toolCalls: [{ id: 'c', name: 'weather', arguments: '{"city":"Rome"}' }] }) }
        : text('{"city":"Rome"}'),
    )
    await generateText({
      ...{ model: v4('nano'), prompt: 'x', tools: { weather } },
      toolChoice: { type: 'tool', toolName: 'weather' },
    })
    expect(session.questions[0]?.toolChoice).toEqual({ name: 'weather' })
    const { output } = await generateText({
      ...{ model: v4('nano'), prompt: 'Where?' },
      output: Output.object({ schema: z.object({ city: z.string() }) }),
    })
    expect(output).toEqual({ city: 'Rome' })
    expect(session.questions[1]?.responseFormat).toMatchObject({ type: 'json_schema', schema: { type: 'object' } })
  })
})

describe('vectors and rankings', () => {
  test('embedMany brings one vector for each text', async () => {
    const { v4, session } = provide(() => ({ outcome: answered({ text: vectorsOf([1, 0], [0, 1]) }) }))
    const { embeddings, usage } = await embedMany({ model: v4.embeddingModel('nano'), values: ['one', 'two'] })
    expect(embeddings).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(usage.tokens).toBe(7)
    expect(session.questions[0]).toMatchObject({ kind: embeddingsRequest.number, model: 'nano' })
  })

  test('fewer vectors than texts, and junk, are no answer', async () => {
    for (const junk of [vectorsOf([1, 0], [0, 1]), 'junk']) {
      const { v4 } = provide(() => ({ outcome: answered({ text: junk }) }))
      const asked = embed({ model: v4.embeddingModel('nano'), value: 'one', maxRetries: 0 })
      await expect(asked).rejects.toMatchObject({ code: 'unreadable' })
    }
  })

  test('documents come back in order of their score', async () => {
    const results = [
      { index: 1, score: 0.9 },
      { index: 0, score: 0.1 },
    ]
    const { v4, session } = provide(() => ({ outcome: answered({ text: writeRanking({ model: 'nano', results }) }) }))
    const answer = await v4.rerankingModel('nano').doRerank({
      documents: { type: 'text', values: ['a', 'b'] },
      query: 'which?',
      topN: 2,
    })
    expect(answer.ranking).toEqual([
      { index: 1, relevanceScore: 0.9 },
      { index: 0, relevanceScore: 0.1 },
    ])
    expect(session.questions[0]).toMatchObject({ kind: rerankRequest.number, topN: 2 })
  })
})
