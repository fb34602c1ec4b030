/** `/responses` through the official library. */
import { describe, expect, test } from 'vitest'
import type { Delta } from '../kinds/index.ts'
import { createFetch } from '../src/openai/index.ts'
import { openResponses } from '../src/openai/responses.ts'
import { all, clientOf, failure, jsonOf, obey, post, say, sessionDouble } from './openai-double.ts'

const asked = { model: 'm', input: 'Good morning' }
const calling: Delta[] = [
  { text: 'Let me see.' },
  { toolCall: { index: 0, id: 'a', name: 'one', arguments: '{"x"' } },
  { toolCall: { index: 0, arguments: ':1}' } },
  { toolCall: { index: 1, id: 'b', name: 'two', arguments: '{}' } },
]
const tools = ['one', 'two'].map(name => ({ type: 'function' as const, name, parameters: {}, strict: false }))

describe('a response', () => {
  test('holds text, usage and what was asked for', async () => {
    const session = sessionDouble(obey)
    const response = await clientOf(session).responses.create({
      ...{ ...asked, instructions: 'Be brief.', temperature: 0.3, max_output_tokens: 90, metadata: { a: 'b' } },
    })
    expect(response).toMatchObject({
      ...{ object: 'response', status: 'completed', output_text: 'Good morning', model: 'm', error: null },
      ...{ instructions: 'Be brief.', temperature: 0.3, max_output_tokens: 90, metadata: { a: 'b' }, store: true },
      usage: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
    })
    expect(response.id).toMatch(/^resp_/)
    expect(session.asked[0]).toEqual({
      ...{ model: 'm', temperature: 0.3, maxTokens: 90, stream: false, key: expect.any(String) },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Good morning' },
      ],
    })
  })

  test('reads items: messages, calls that follow one another, their outputs; thoughts are left out', async () => {
    const session = sessionDouble(obey)
    await clientOf(session).responses.create({
      ...{ model: 'm', tools, tool_choice: { type: 'function', name: 'two' } },
      input: [
        { role: 'developer', content: 'Be brief.' },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Go' }] },
        { type: 'reasoning', id: 'r', summary: [] },
        { type: 'function_call', call_id: 'a', name: 'one', arguments: '{}' },
        { type: 'function_call', call_id: 'b', name: 'two', arguments: '{}' },
        { type: 'function_call_output', call_id: 'a', output: 'A' },
        { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: 'B' }] },
      ],
    })
    expect(session.asked[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Go' },
      {
        ...{ role: 'assistant', content: '' },
        toolCalls: [
          { id: 'a', name: 'one', arguments: '{}' },
          { id: 'b', name: 'two', arguments: '{}' },
        ],
      },
      { role: 'tool', content: 'A', toolCallId: 'a' },
      { role: 'tool', content: 'B', toolCallId: 'b' },
    ])
    expect(session.asked[0]).toMatchObject({ toolChoice: { name: 'two' }, tools: [{ name: 'one' }, { name: 'two' }] })
  })

  test('is of a schema where one is given, and the helper of the library parses it', async () => {
    const schema = { type: 'object', properties: { status: { type: 'string', enum: ['ok'] } } }
    const session = sessionDouble(obey)
    const text = { format: { type: 'json_schema' as const, name: 's', schema } }
    const parsed = await clientOf(session).responses.parse({ ...asked, text })
    expect(JSON.parse(parsed.output_text)).toEqual({ status: 'ok' })
    expect(session.asked[0]?.responseFormat).toEqual({ type: 'json_schema', schema })
  })

  test('says where it was cut', async () => {
    const cut = await clientOf(sessionDouble(obey)).responses.create({ ...asked, max_output_tokens: 4 })
    expect(cut).toMatchObject({
      ...{ status: 'incomplete', output_text: 'Good', incomplete_details: { reason: 'max_output_tokens' } },
      output: [{ type: 'message', status: 'incomplete' }],
    })
  })

  test('is an error where there is no answer', async () => {
    const session = sessionDouble(job => job.end(failure('budget')))
    await expect(clientOf(session).responses.create(asked)).rejects.toMatchObject({ status: 402 })
    const bad: [object, string][] = [
      [{ ...asked, background: true }, 'background'],
      [{ model: 'm' }, 'input'],
      [{ input: [{ type: 'computer_call' }] }, 'input[0]'],
      [{ ...asked, tools: [{ type: 'web_search' }] }, 'tools[0]'],
    ]
    for (const [body, param] of bad) {
      const response = await post(createFetch({ session }), '/responses', body)
      expect([response.status, await jsonOf(response)]).toMatchObject([400, { error: { param } }])
    }
  })
})

describe('what came before', () => {
  test('is remembered: a later call goes on from it, reads it, removes it', async () => {
    const session = sessionDouble(obey)
    const { responses } = clientOf(session)
    const first = await responses.create({ ...asked, instructions: 'Be brief.' })
    const second = await responses.create({ model: 'm', input: 'More', previous_response_id: first.id })
    expect(second.previous_response_id).toBe(first.id)
    expect(session.asked[1]?.messages).toEqual([
      { role: 'user', content: 'Good morning' },
      { role: 'assistant', content: 'Good morning' },
      { role: 'user', content: 'More' },
    ])
    expect(await responses.retrieve(first.id)).toMatchObject({ id: first.id, output_text: 'Good morning' })
    await responses.delete(first.id)
    await expect(responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 })
    const lost = responses.create({ ...asked, previous_response_id: first.id })
    await expect(lost).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
  })

  test('is not where it should not be', async () => {
    const { responses } = clientOf(sessionDouble(obey))
    const { id } = await responses.create({ ...asked, store: false })
    await expect(responses.create({ ...asked, previous_response_id: id })).rejects.toMatchObject({ status: 400 })
  })

  test('ends somewhere: the oldest is forgotten first, by number and by size', async () => {
    const fetch = createFetch({ session: sessionDouble(obey) })
    const memories = [openResponses(2), openResponses(9, 2_500)]
    for (const memory of memories) {
      const ids: string[] = []
      for (const input of ['a', 'b', 'c']) {
        let made = 0
        const door = {
          ...{ keepAliveMs: 1, retryAfterMs: 1, privacy: undefined, capMsats: undefined, aliases: {} },
          ...{ clock: { now: () => 0, after: () => () => {} }, newId: () => `${input}${made++}` },
        }
        const one = {
          key: input,
          spent: undefined,
          signal: new AbortController().signal,
          head() {},
          leave() {},
          over() {},
        }
        const body = { input: input.repeat(40) }
        const call = { door, name: '', body, signal: undefined, session: fetch.session, begin: () => one }
        ids.push((await jsonOf<{ id: string }>(await memory.create(call))).id)
      }
      const known = await Promise.all(
        ids.map(name =>
          memory.read({ name } as never).then(
            () => true,
            () => false,
          ),
        ),
      )
      expect(known).toEqual([false, true, true])
    }
  })
})

describe('a stream of a response', () => {
  test('tells text by typed events, in order and numbered', async () => {
    const response = await post(createFetch({ session: sessionDouble(obey) }), '/responses', { ...asked, stream: true })
    const text = await response.text()
    const events = text
      .trim()
      .split('\n\n')
      .map(event => /^event: (.*)\ndata: (.*)$/.exec(event) ?? [])
    const told = events.map(([, name, data]) => ({ name, data: JSON.parse(data ?? '') }))
    expect(told.every(({ name, data }, at) => data.type === name && data.sequence_number === at)).toBe(true)
    expect(told.map(({ name }) => name)).toEqual([
      ...['response.created', 'response.in_progress', 'response.output_item.added', 'response.content_part.added'],
      ...['response.output_text.delta', 'response.output_text.delta', 'response.output_text.delta'],
      ...['response.output_text.done', 'response.content_part.done', 'response.output_item.done'],
      'response.completed',
    ])
    expect(told.at(-1)?.data.response).toMatchObject({ status: 'completed', usage: { cost_msats: 22_000 } })
  })

  test('tells calls one after the other, and the library puts them together', async () => {
    const session = sessionDouble(job => say(job, calling))
    const events = await all(await clientOf(session).responses.create({ ...asked, tools, stream: true }))
    expect(events.map(({ type }) => type.replace('response.', ''))).toEqual([
      ...['created', 'in_progress', 'output_item.added', 'content_part.added', 'output_text.delta'],
      ...['output_text.done', 'content_part.done', 'output_item.done'],
      ...['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.delta'],
      ...['function_call_arguments.done', 'output_item.done'],
      ...['output_item.added', 'function_call_arguments.delta', 'function_call_arguments.done', 'output_item.done'],
      'completed',
    ])
    const final = await clientOf(session)
      .responses.stream({ ...asked, tools })
      .finalResponse()
    const whole = await clientOf(session).responses.create({ ...asked, tools })
    const bare = (output: readonly object[]) => output.map(item => ({ ...item, id: '', parsed_arguments: undefined }))
    expect(bare(final.output)).toMatchObject(bare(whole.output))
    expect(whole.output).toMatchObject([
      { type: 'message', content: [{ text: 'Let me see.' }] },
      { type: 'function_call', call_id: 'a', name: 'one', arguments: '{"x":1}', status: 'completed' },
      { type: 'function_call', call_id: 'b', name: 'two', arguments: '{}' },
    ])
  })

  test('of nothing is an empty message', async () => {
    const session = sessionDouble(job => say(job, []))
    const final = await clientOf(session).responses.stream(asked).finalResponse()
    expect(final.output_text).toBe('')
    expect(final.output).toMatchObject([{ type: 'message', status: 'completed' }])
  })

  test('is cut, and remembered', async () => {
    const { responses } = clientOf(sessionDouble(obey))
    const events = await all(await responses.create({ ...asked, stream: true, max_output_tokens: 4 }))
    const last = events.at(-1)
    expect(last).toMatchObject({ type: 'response.incomplete', response: { status: 'incomplete' } })
    const id = last && 'response' in last ? last.response.id : ''
    expect(await responses.retrieve(id)).toMatchObject({ output_text: 'Good' })
  })

  test('that breaks off says so twice: by an error, and by a response that failed', async () => {
    const session = sessionDouble(job => {
      job.tell({ moment: 'delta', delta: { text: 'Go' } })
      job.end(failure('runner', 'It fell over.'))
    })
    const stream = await clientOf(session).responses.create({ ...asked, stream: true })
    await expect(all(stream)).rejects.toMatchObject({ message: 'It fell over.' })
    const text = await (await post(createFetch({ session }), '/responses', { ...asked, stream: true })).text()
    expect(text).toContain('event: error\n')
    expect(text).toContain('event: response.failed\n')
  })

  test('of a node that goes on with a call which it had ended breaks off', async () => {
    const [, first, more, second] = calling
    const deltas = [first, second, more].filter(delta => delta !== undefined)
    const session = sessionDouble(job => say(job, deltas))
    const stream = await clientOf(session).responses.create({ ...asked, tools, stream: true })
    await expect(all(stream)).rejects.toMatchObject({ code: 'bad_answer' })
  })

  test('weighs tokens where that is asked for', async () => {
    const session = sessionDouble(obey)
    const body = { ...asked, include: ['message.output_text.logprobs' as const], top_logprobs: 1 }
    const whole = await clientOf(session).responses.create(body)
    expect(whole.output).toMatchObject([
      { content: [{ logprobs: [{ token: 'Good' }, { token: ' mor' }, { token: 'ning' }] }] },
    ])
    expect(session.asked[0]?.logprobs).toBe(1)
  })
})
