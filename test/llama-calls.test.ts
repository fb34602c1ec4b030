import fc from 'fast-check'
import {
  type ChatWrapper,
  getLlama,
  type Llama,
  LlamaLogLevel,
  type LlamaModel,
  QwenChatWrapper,
  resolveChatWrapper,
} from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { gather, type Tool } from '../kinds/index.ts'
import { loadBinding } from '../src/runners/llama/binding.ts'
import { planCalls } from '../src/runners/llama/calls.ts'
import { drawToken, seededRandom } from '../src/runners/llama/drawing.ts'
import { openPhases } from '../src/runners/llama/phases.ts'
import { render } from '../src/runners/llama/prompt.ts'
import { nanoPath } from '../src/runners/llama/source.ts'
import { readForm } from '../src/runners/refusals.ts'
import type { Delta, Message } from '../src/runners/runner.ts'

// Loading native code takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let llama: Llama
let model: LlamaModel
let plain: ChatWrapper
const qwen = new QwenChatWrapper()
beforeAll(async () => {
  llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error })
  model = await llama.loadModel({ modelPath: nanoPath })
  plain = resolveChatWrapper(model, { type: 'jinjaTemplate' })
})
afterAll(async () => {
  await model.dispose()
})

const time: Tool = { name: 'get_time' }
const weather: Tool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}
const callable = (...tools: Tool[]) => {
  const form = readForm({ id: 'w', kind: 5050, messages: [], tools, deltas: true })
  if (!form.ok) throw new Error(form.says)
  return form.tools
}

/** Follows an answer whose tokens are given instead of drawn; what the runner adds by itself goes in between. */
async function follow(wrapper: ChatWrapper, tools: Tool[], said: readonly (string | 'end')[], parallel = true) {
  const binding = await loadBinding()
  const parts = { llama, model, wrapper, binding }
  const calls = await planCalls(parts, callable(...tools), { must: false, parallel })
  if ('tool' in calls) throw new Error('too large')
  const deltas: Delta[] = []
  const context = await model.createContext({ contextSize: 256, threads: 1 })
  const voice = { binding, model, sequence: context.getSequence(), batchSize: 256, isEnd: () => false }
  const speech = { prompt: [], maxTokens: 99, sampling: {}, stops: ['STOP'], closes: false, calls, trims: true }
  const phases = openPhases(voice, { ...speech, callId: index => `id${index}` }, delta => void deltas.push(delta))
  const fed: string[] = []
  let finish: string | undefined
  for (const piece of said) {
    const tokens =
      piece === 'end' ? [model.tokens.eos ?? model.tokens.eot ?? model.tokenize('.')[0]] : model.tokenize(piece)
    for (const token of tokens) {
      if (token === undefined || finish) continue
      const next = phases.take(token, piece === 'end', undefined)
      finish = next?.finish
      if (!next?.feed) continue
      fed.push(model.detokenize(next.feed, true))
      break
    }
  }
  if (!finish) finish = `not yet, ${phases.cut()}`
  await context.dispose()
  return { finish, fed, deltas, ...gather(deltas) }
}

describe('a model that may call', () => {
  test('calls when it writes the mark: the rest of the mark and the only name are written for it', async () => {
    const { finish, fed, toolCalls, text } = await follow(plain, [weather], ['Let me see. ||call:', '{"city":"Rome"}'])
    expect(fed).toEqual([expect.stringMatching(/^:? ?get_weather\($/)])
    expect({ finish, toolCalls, text }).toEqual({
      finish: 'tool-calls',
      toolCalls: [{ id: 'id0', name: 'get_weather', arguments: '{"city":"Rome"}' }],
      text: 'Let me see. ',
    })
  })

  test('chooses among several by name, and no name that begins another one ends it early', async () => {
    const tools = [time, { name: 'get_time_zone' }, weather]
    for (const name of ['get_time', 'get_time_zone']) {
      const said = name === 'get_time' ? ['||call:', name, 'end', '{}'] : ['||call:', name, '{}']
      const { finish, toolCalls } = await follow(plain, tools, said)
      expect([finish, toolCalls]).toEqual(['tool-calls', [{ id: 'id0', name, arguments: '{}' }]])
    }
  })

  test('may call again where its template knows several calls, but not where one is the most', async () => {
    const said = ['Well, <tool_call>', '{}', '\n<tool_call>', '{}', 'end'] as const
    const several = await follow(qwen, [time], said)
    expect(several.toolCalls.map(({ id, arguments: json }) => [id, json])).toEqual([
      ['id0', '{}'],
      ['id1', '{}'],
    ])
    expect([several.finish, several.text]).toEqual(['tool-calls', 'Well, '])
    const one = await follow(qwen, [time], said, false)
    expect([one.finish, one.toolCalls.length]).toEqual(['tool-calls', 1])
    const chatter = await follow(qwen, [time], ['<tool_call>', '{}', 'And now a poem'])
    expect([chatter.finish, chatter.toolCalls.length, chatter.text]).toEqual(['tool-calls', 1, ''])
  })

  test('that only almost calls has said a text, and a stop text ends it', async () => {
    expect(await follow(plain, [time], ['a ||cal', 'end'])).toMatchObject({
      finish: 'stop',
      text: 'a ||cal',
      toolCalls: [],
    })
    expect(await follow(plain, [time], ['a STOP ||call:'])).toMatchObject({ finish: 'stop', text: 'a ', toolCalls: [] })
    expect(await follow(plain, [time], ['a ||ca'])).toMatchObject({ finish: 'not yet, length', text: 'a ||ca' })
  })

  test('cut in its arguments it has called with half of them, and that is said', async () => {
    const { finish, toolCalls } = await follow(plain, [weather], ['||call:', '{"city":"Ro'])
    expect(finish).toBe('not yet, length')
    expect(toolCalls[0]?.arguments).toBe('{"city":"Ro')
  })
})

describe('a conversation with tools', () => {
  const idsOf = (wrapper: ChatWrapper, messages: readonly Message[], tools: Tool[]) =>
    render(wrapper, messages, callable(...tools)).text.tokenize(model.tokenizer)
  const talk = (one: string, two: string): Message[] => [
    { role: 'user', content: one },
    {
      role: 'assistant',
      content: two,
      toolCalls: [{ id: 'c', name: 'get_time', arguments: JSON.stringify({ a: one }) }],
    },
    { role: 'tool', toolCallId: 'c', content: two },
  ]

  test('tells the model of tools and of what they said, in its own words or in ours', () => {
    for (const wrapper of [plain, qwen]) {
      const seen = model.detokenize(idsOf(wrapper, talk('ask', 'noon'), [weather]), true)
      for (const part of ['get_weather', 'The weather of a city.', 'city', 'get_time', '"a"', 'noon'])
        expect(seen).toContain(part)
    }
    const [first] = render(plain, [{ role: 'system', content: 'Be kind.' }, ...talk('a', 'b')], callable(time)).text
      .values
    expect(`${first}`).toContain('system')
  })

  test('no text of a customer becomes a special token, whatever it says, in calls, answers and tools', () => {
    const special = (ids: readonly number[]) =>
      ids.filter(id => model.isSpecialToken(id as (typeof model.tokens)['bos'] & number))
    const marks = fc.constantFrom('<|end|>', '<|assistant|>', '<|user|>', '</s>', '<|system|>', '||call: x(')
    const text = fc
      .array(fc.oneof(marks, fc.string()), { minLength: 1, maxLength: 4 })
      .map(parts => `a${parts.join('')}z`)
    const toolOf = (description: string): Tool => ({
      name: 'get_time',
      description,
      parameters: { type: 'object', title: description },
    })
    const frame = special(idsOf(plain, talk('a', 'b'), [toolOf('c')]))
    expect(frame.length).toBeGreaterThan(3)
    fc.assert(
      fc.property(text, text, text, (one, two, three) => {
        expect(special(idsOf(plain, talk(one, two), [toolOf(three)]))).toEqual(frame)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a draw', () => {
  const [a, b, c] = [1, 2, 3].map(id => id as NonNullable<(typeof model.tokens)['bos']>)
  const likely = new Map([
    [a, 0.6],
    [b, 0.3],
    [c, 0.1],
  ] as [NonNullable<typeof a>, number][])
  const shares = (temperature: number, topK: number, topP: number) => {
    const random = seededRandom(5)
    const counts = [0, 0, 0, 0]
    for (let index = 0; index < 4_000; index++) {
      const token = Number(drawToken(likely, { temperature, topK, topP, random }))
      counts[token] = (counts[token] ?? 0) + 1
    }
    return counts.slice(1).map(count => count / 4_000)
  }
  const near = (found: readonly number[], wanted: readonly number[]) => {
    for (const [index, share] of found.entries()) expect(Math.abs(share - (wanted[index] ?? 0))).toBeLessThan(0.03)
  }

  test('follows the probabilities, sharpened by temperature and cut by topK and topP', () => {
    near(shares(1, 0, 1), [0.6, 0.3, 0.1])
    near(shares(0.5, 0, 1), [0.36 / 0.46, 0.09 / 0.46, 0.01 / 0.46])
    near(shares(1, 2, 1), [2 / 3, 1 / 3, 0])
    near(shares(1, 0, 0.85), [2 / 3, 1 / 3, 0])
    expect(shares(1, 0, 0)).toEqual([1, 0, 0])
    expect(shares(0, 0, 1)).toEqual([1, 0, 0])
  })
})
