/** Chat completions through the official library. */
import { describe, expect, test } from 'vitest'
import { clientOf, failure, node, obey, pieces, privacy, say, sessionDouble } from './openai-double.ts'

const hello = [{ role: 'user' as const, content: 'Good morning' }]
const weather = {
  type: 'function' as const,
  function: {
    name: 'weather',
    strict: true,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

describe('chat completions', () => {
  test('bring text, usage, reason, and say in headers which job, which node and what it cost', async () => {
    const session = sessionDouble(obey)
    const { data, response, request_id } = await clientOf(session)
      .chat.completions.create({ model: 'nano', messages: hello, temperature: 0.5, top_p: 0.9, max_tokens: 50 })
      .withResponse()
    expect(data.choices[0]).toMatchObject({
      ...{ index: 0, finish_reason: 'stop', logprobs: null },
      message: { role: 'assistant', content: 'Good morning', refusal: null },
    })
    expect(data).toMatchObject({ object: 'chat.completion', model: 'nano' })
    expect(data.usage).toEqual({ prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 })
    expect(request_id).toBe(session.began[0]?.request)
    expect(response.headers.get('x-gridstr-node')).toBe(node)
    expect(response.headers.get('x-gridstr-cost-msats')).toBe('21000')
    expect(response.headers.get('x-gridstr-fee-msats')).toBe('1000')
    expect(JSON.parse(response.headers.get('x-gridstr-privacy') ?? '')).toEqual(privacy)
    expect(session.asked[0]).toEqual({
      ...{ model: 'nano', messages: hello, temperature: 0.5, topP: 0.9, maxTokens: 50, stream: false },
      key: expect.stringMatching(/^[0-9a-f]{64}:0$/),
    })
  })

  test('read every turn of a conversation: developer, parts, calls and their answers', async () => {
    const session = sessionDouble(obey)
    await clientOf(session).chat.completions.create({
      model: 'auto',
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'Be ' },
            { type: 'text', text: 'brief.' },
          ],
        },
        { role: 'user', content: 'Weather?', name: 'ann' },
        {
          role: 'assistant',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rom"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'sunny' },
        { role: 'assistant', content: null, refusal: null },
        { role: 'user', content: 'And?' },
      ],
    })
    expect(session.asked[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'weather', arguments: '{"city":"Rom"}' }] },
      { role: 'tool', content: 'sunny', toolCallId: 'c1' },
      { role: 'assistant', content: '' },
      { role: 'user', content: 'And?' },
    ])
    expect(session.asked[0]).not.toHaveProperty('model')
  })

  test('stop, seed and length reach the node, and the reason comes back', async () => {
    const session = sessionDouble(obey)
    const client = clientOf(session)
    const stopped = await client.chat.completions.create({ model: 'm', messages: hello, stop: ' ' })
    expect(stopped.choices[0]?.message.content).toBe('Good')
    const cut = await client.chat.completions.create({
      model: 'm',
      messages: hello,
      max_completion_tokens: 3,
      stop: ['x'],
    })
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Goo' } })
    await client.chat.completions.create({ model: 'm', messages: hello, seed: 9 })
    await client.chat.completions.create({ model: 'm', messages: hello, seed: -9 })
    expect(session.asked.map(({ stop, seed }) => ({ stop, seed }))).toEqual([
      { stop: [' '], seed: undefined },
      { stop: ['x'], seed: undefined },
      { stop: undefined, seed: 9 },
      { stop: undefined, seed: Number.MAX_SAFE_INTEGER - 9 },
    ])
  })

  test('tools that must be called are called, and a choice of some is those tools', async () => {
    const session = sessionDouble(obey)
    const client = clientOf(session)
    const other = { ...weather, function: { ...weather.function, name: 'other' } }
    const forced = await client.chat.completions.create({
      ...{ model: 'm', messages: hello, tools: [other, weather], parallel_tool_calls: false },
      tool_choice: { type: 'function', function: { name: 'weather' } },
    })
    expect(forced.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    expect(forced.choices[0]?.message.tool_calls).toEqual([
      { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"CANARY_OK"}' } },
    ])
    expect(session.asked[0]).toMatchObject({ toolChoice: { name: 'weather' }, parallelToolCalls: false })
    expect(session.asked[0]?.tools?.map(({ name }) => name)).toEqual(['other', 'weather'])
    await client.chat.completions.create({
      ...{ model: 'm', messages: hello, tools: [other, weather] },
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'weather' } }] },
      },
    })
    expect(session.asked[1]).toMatchObject({ toolChoice: 'required', tools: [{ name: 'weather' }] })
  })

  test('schemas reach the node, and the parse helpers of the library read the answer', async () => {
    const session = sessionDouble(obey)
    const schema = { type: 'object', properties: { status: { type: 'string', enum: ['ok'] } }, required: ['status'] }
    const parsed = await clientOf(session).chat.completions.parse({
      ...{ model: 'm', messages: hello },
      response_format: { type: 'json_schema', json_schema: { name: 'status', strict: true, schema } },
    })
    expect(JSON.parse(parsed.choices[0]?.message.content ?? '')).toEqual({ status: 'ok' })
    expect(session.asked[0]?.responseFormat).toEqual({ type: 'json_schema', schema })
    await clientOf(session).chat.completions.create({
      ...{ model: 'm', messages: hello, response_format: { type: 'json_object' } },
    })
    expect(session.asked[1]?.responseFormat).toEqual({ type: 'json_object' })
    await clientOf(session).chat.completions.create({ model: 'm', messages: hello, response_format: { type: 'text' } })
    expect(session.asked[2]).not.toHaveProperty('responseFormat')
  })

  test('probabilities come with their bytes', async () => {
    const session = sessionDouble(obey)
    const { choices } = await clientOf(session).chat.completions.create({
      ...{ model: 'm', messages: [{ role: 'user', content: 'Hi' }], logprobs: true, top_logprobs: 2 },
    })
    expect(session.asked[0]?.logprobs).toBe(2)
    expect(choices[0]?.logprobs).toEqual({
      content: [
        {
          ...{ token: 'Hi', logprob: -0.5, bytes: [72, 105] },
          top_logprobs: [{ token: 'é', logprob: -1, bytes: [195, 169] }],
        },
      ],
      refusal: null,
    })
  })

  test('n answers are n jobs under one cap, with seeds of their own and tokens summed', async () => {
    const session = sessionDouble(obey)
    const { data, response } = await clientOf(session, { callMsats: 100_000n })
      .chat.completions.create({ model: 'm', messages: hello, n: 3, seed: 4 })
      .withResponse()
    expect(data.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'Good morning 4'],
      [1, 'Good morning 5'],
      [2, 'Good morning 6'],
    ])
    expect(data.usage).toEqual({ prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 })
    expect(session.asked.map(({ capMsats }) => capMsats)).toEqual([33_333n, 33_333n, 33_333n])
    expect(new Set(session.asked.map(({ key }) => key)).size).toBe(3)
    expect(response.headers.get('x-gridstr-cost-msats')).toBe('63000')
    expect(response.headers.get('x-gridstr-jobs')?.split(', ')).toEqual(session.began.map(({ request }) => request))
  })

  test('where one of n fails for good the others are withdrawn; where it may be asked again they go on', async () => {
    const refused = sessionDouble(job => job.question.key?.endsWith(':1') && job.end(failure('over-cap')))
    const call = { model: 'm', messages: hello, n: 2 }
    await expect(clientOf(refused).chat.completions.create(call)).rejects.toMatchObject({ status: 402 })
    expect(refused.began.map(({ withdrawn }) => withdrawn.aborted)).toEqual([true, false])
    let busy = true
    const late = sessionDouble(job => {
      if (!job.question.key?.endsWith(':1') || !busy) return say(job, pieces('fine'))
      busy = false
      job.end(failure('busy'))
    })
    const { choices } = await clientOf(late).chat.completions.create(call)
    expect(choices.map(({ message }) => message.content)).toEqual(['fine', 'fine'])
    // Three jobs: the one that was answered is not asked for a second time.
    expect(late.began.length).toBe(3)
  })

  test('names that stand for a model are translated, and what concerns OpenAI alone stays here', async () => {
    const session = sessionDouble(obey)
    await clientOf(session, { aliases: { 'gpt-4o': 'nano' }, privacy: 2 }).chat.completions.create({
      ...{ model: 'gpt-4o', messages: hello, user: 'ann', metadata: { a: 'b' }, store: true, service_tier: 'flex' },
      ...{ reasoning_effort: 'high', verbosity: 'low', safety_identifier: 'ann', prompt_cache_key: 'ann' },
    })
    expect(session.asked).toEqual([
      { model: 'nano', messages: hello, stream: false, privacy: 2, key: expect.any(String) },
    ])
  })

  test('an alias is no key of Object', async () => {
    const session = sessionDouble(obey)
    await clientOf(session).chat.completions.create({ model: 'constructor', messages: hello })
    expect(session.asked[0]?.model).toBe('constructor')
  })
})
