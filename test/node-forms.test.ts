/** From the tags of a request to the work of the runner, and from what the runner says to the answer. */
import { describe, expect, test } from 'vitest'
import type { AnyRequest, Delta, Message } from '../kinds/index.ts'
import { deltasOutput, gather, jobKinds, messagesInput, openDeltas } from '../kinds/index.ts'
import type { Done, Runner, Work } from '../src/runners/runner.ts'
import { openHidden } from './node-hidden.ts'
import { openTown } from './node-world.ts'

type Said = Partial<Omit<Done, 'text'>> & { readonly pieces: readonly (string | Delta)[]; readonly text?: string }

/** Says what it is told to, and remembers what it was asked. */
function parrot(said: Said, kinds: readonly number[] = [5050]) {
  const works: Work[] = []
  const runner: Runner = {
    name: 'parrot',
    kinds,
    models: async () => [{ name: 'm', contextTokens: 1_000, about: '' }],
    check: async () => ({ ok: true, model: 'm', promptTokens: 3, maxTokens: 10 }),
    async run(work, emit) {
      works.push(work)
      const { pieces, ...rest } = said
      for (const piece of pieces) emit(piece)
      const text = pieces.map(piece => (typeof piece === 'string' ? piece : (piece.text ?? ''))).join('')
      return { text, model: 'm', promptTokens: 3, outputTokens: 2, finish: 'stop', ...rest }
    },
    close: async () => {},
  }
  return { runner, works }
}

async function ask(said: Said, more: Partial<AnyRequest>, prompt = 'hello', kind = 5050) {
  const town = openTown()
  const { runner, works } = parrot(said, [kind])
  const node = await town.open({ runner, priceMsats: 0n })
  const customer = openHidden(town)
  const job = customer.send(customer.request(prompt, 'nip44', more, kind))
  const end = await town.until('an end', () => {
    const { results, words } = customer.heard(job)
    return results[0]?.value ?? words.find(({ status }) => status === 'error')
  })
  await town.clock.advance(2_000)
  await node.close()
  return { end, works, heard: customer.heard(job) }
}

const tools = [{ name: 'weather', parameters: { type: 'object' } }]
const call: Delta[] = [
  { toolCall: { index: 0, id: 'c1', name: 'weather' } },
  { toolCall: { index: 0, arguments: '{"city":"Graz"}' } },
]

describe('a request', () => {
  test('becomes work with every word of it', async () => {
    const more = {
      ...{ model: 'm', maxTokens: 9, temperature: 0.5, topP: 0.9, topK: 40, seed: 7 },
      ...{ frequencyPenalty: 0.5, presencePenalty: -0.5, stop: ['END', '\n'], tools, logprobs: 2 },
      ...{ toolChoice: { name: 'weather' }, parallelToolCalls: false },
      responseFormat: { type: 'json_schema' as const, schema: { type: 'object' } },
    }
    const { works } = await ask({ pieces: ['hi'] }, { ...more, output: deltasOutput })
    expect(works).toEqual([
      { ...more, deltas: true, id: expect.any(String), kind: 5050, messages: [{ role: 'user', content: 'hello' }] },
    ])
  })

  test('may be a conversation with calls', async () => {
    const talk: Message[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'weather', arguments: '{}' }] },
      { role: 'tool', content: 'sunny', toolCallId: 'c1' },
    ]
    const { works } = await ask({ pieces: ['Sunny.'] }, { inputs: [messagesInput(talk)] })
    expect(works[0]?.messages).toEqual(talk)
    expect(works[0]?.deltas).toBeUndefined()
  })

  test.each<[string, Partial<AnyRequest>, string]>([
    ['tools', { tools }, 'output'],
    ['probabilities', { logprobs: 0 }, 'output'],
    ['an earlier beginning of deltas', { output: deltasOutput, terms: { word: 'parts', parts: 4, from: 1 } }, 'parts'],
    [
      'an earlier beginning of JSON',
      { responseFormat: { type: 'json_object' }, terms: { word: 'parts', parts: 4, from: 1 } },
      'parts',
    ],
    ['a level it did not come by', { privacy: 2 }, 'privacy'],
  ])('is refused where it cannot be: %s', async (_, more, code) => {
    const { end, works } = await ask({ pieces: ['x'] }, more)
    expect(end).toMatchObject({ status: 'error', code })
    expect(works).toEqual([])
  })

  test('with tools that must not be called needs no deltas', async () => {
    const { end } = await ask({ pieces: ['x'] }, { tools, toolChoice: 'none' })
    expect(end).toMatchObject({ text: 'x' })
  })
})

describe('an answer', () => {
  test.each(['stop', 'length', 'tool-calls'] as const)('says why it ended: %s', async finish => {
    expect((await ask({ pieces: ['x'], finish }, {})).end).toMatchObject({ text: 'x', finish })
  })

  test('of deltas is their lines, streamed and whole', async () => {
    const pieces = ['Let me ', { text: 'see', logprobs: [{ token: 'see', logprob: -1, top: [] }] }, ...call]
    const { end, heard } = await ask({ pieces, finish: 'tool-calls' }, { tools, logprobs: 0, output: deltasOutput })
    if (!('text' in end)) throw new Error('no result')
    expect(heard.frames.map(({ text }) => text).join('')).toBe(end.text)
    const reader = openDeltas()
    expect(gather(reader.push(end.text))).toEqual({
      text: 'Let me see',
      toolCalls: [{ id: 'c1', name: 'weather', arguments: '{"city":"Graz"}' }],
      logprobs: [{ token: 'see', logprob: -1, top: [] }],
    })
    expect(reader.spoiled).toBe(false)
  })

  test('that only calls a tool is no empty one', async () => {
    const { end } = await ask({ pieces: call, finish: 'tool-calls' }, { tools, output: deltasOutput })
    expect(end).toMatchObject({ finish: 'tool-calls' })
  })

  test.each<[string, Partial<AnyRequest>, readonly (string | Delta)[]]>([
    ['text', {}, []],
    ['deltas', { output: deltasOutput }, []],
    ['deltas that say nothing', { output: deltasOutput }, ['', { text: '' }, { logprobs: [] }]],
  ])('of nothing is no answer: %s', async (_, more, pieces) => {
    expect((await ask({ pieces }, more)).end).toMatchObject({ status: 'error', code: 'empty' })
  })

  test('of a runner that emits nothing is its text all the same', async () => {
    const { end } = await ask({ pieces: [], text: 'whole' }, { output: deltasOutput })
    expect(end).toMatchObject({ text: '{"text":"whole"}\n' })
  })

  test('has no half characters, which no cipher carries', async () => {
    const { end, heard } = await ask({ pieces: ['a\ud83d', '\ude00b', '\udc00'] }, {})
    expect(end).toMatchObject({ text: 'a😀b\ufffd' })
    expect(heard.frames.map(({ text }) => text).join('')).toBe('a😀b\ufffd')
  })
})

describe('other kinds', () => {
  const others = jobKinds.map(({ request }) => request.number).filter(number => number !== 5050)
  test.skipIf(others.length === 0).each(others)('%s is read and answered by its own kind', async kind => {
    const texts = kind === 5081 ? { inputs: [input('b'), input('a'), { ...input('q'), marker: 'query' }] } : {}
    const whole: Record<number, string> = {
      5080: '{"model":"m","dimensions":1,"encoding":"float","embeddings":[[1]]}',
      5081: '{"model":"m","results":[{"index":0,"score":0.9}]}',
      5082: '{"model":"m","results":[[{"label":"x","score":1}]]}',
    }
    const { end, works } = await ask({ pieces: [], text: whole[kind] ?? '{}' }, texts, 'to embed', kind)
    expect(end).toMatchObject({ text: whole[kind] })
    expect(works[0]).toMatchObject(
      kind === 5081 ? { texts: ['b', 'a'], query: 'q', messages: [] } : { texts: ['to embed'], messages: [] },
    )
  })
})

const input = (data: string) => ({ data, type: 'text' as const })
