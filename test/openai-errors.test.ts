/** What cannot be answered is told as OpenAI tells it; what a program sends beside its question goes nowhere. */
import fc from 'fast-check'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { createFetch } from '../src/openai/index.ts'
import { all, clientOf, errorOf, failure, obey, pieces, post, say, sessionDouble } from './openai-double.ts'

const hello = [{ role: 'user' as const, content: 'Hi' }]
const call = { model: 'm', messages: hello }
const tool = { type: 'function', function: { name: 'f' } }

describe('a question without an answer', () => {
  const cases: readonly [code: string, status: number, told: string, param?: string][] = [
    ['budget', 402, 'insufficient_quota'],
    ['over-cap', 402, 'insufficient_quota'],
    ['underbid', 402, 'insufficient_quota'],
    ['no-wallet', 402, 'insufficient_quota'],
    ['no-model', 404, 'model_not_found', 'model'],
    ['model', 404, 'model_not_found', 'model'],
    ['too-long', 400, 'context_length_exceeded', 'messages'],
    ['max-tokens', 400, 'max_tokens', 'max_tokens'],
    ['empty-prompt', 400, 'empty_prompt', 'messages'],
    ['5050.topP', 400, '5050.topP', 'top_p'],
    ['tools', 400, 'tools', 'tools'],
    ['schema', 400, 'schema', 'response_format'],
    ['penalties', 400, 'penalties'],
    ['dimensions', 400, 'dimensions'],
    ['privacy', 403, 'privacy'],
    ['busy', 429, 'rate_limit_exceeded'],
    ['rate-limited', 429, 'rate_limit_exceeded'],
    ['no-node', 503, 'no_node'],
    ['no-relay', 503, 'no_relay'],
    ['deadline', 504, 'deadline'],
    ['payment-unknown', 504, 'payment_unknown'],
    ['runner', 502, 'runner'],
    ['never-heard-of', 502, 'never_heard_of'],
    ['cancelled', 499, 'cancelled'],
  ]

  test.each(cases)('%s is %i %s', async (code, status, told, param = null as never) => {
    const session = sessionDouble(job => job.end({ ...failure(code, 'Why.'), request: job.request }))
    const response = await post(createFetch({ session }), '/chat/completions', call)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({
      error: { message: 'Why.', type: expect.any(String), param, code: told },
    })
    const again = [429, 502, 503, 504].includes(status) && code !== 'payment-unknown'
    expect(response.headers.get('x-should-retry')).toBe(String(again))
    expect(response.headers.get('retry-after')).toBe(again ? '1' : null)
    expect(response.headers.get('x-request-id')).toBe(session.began[0]?.request)
  })

  test('the library makes its own errors of them', async () => {
    const raised = (code: string) =>
      clientOf(
        sessionDouble(job => job.end(failure(code))),
        {},
        { maxRetries: 0 },
      ).chat.completions.create(call)
    await expect(raised('no-model')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
    await expect(raised('too-long')).rejects.toBeInstanceOf(OpenAI.BadRequestError)
    await expect(raised('busy')).rejects.toBeInstanceOf(OpenAI.RateLimitError)
    await expect(raised('privacy')).rejects.toBeInstanceOf(OpenAI.PermissionDeniedError)
    await expect(raised('runner')).rejects.toBeInstanceOf(OpenAI.InternalServerError)
  })
})

describe('a call that cannot be asked', () => {
  const image = { type: 'image_url', image_url: { url: 'https://a.example/b.png' } }
  const bad: readonly [what: string, body: unknown, param: string | null, code?: string][] = [
    ['no object', [1], null, 'invalid_json'],
    ['no messages', { model: 'm' }, 'messages', 'missing_required_parameter'],
    ['an empty conversation', { messages: [] }, 'messages'],
    ['an unknown role', { messages: [{ role: 'god', content: '' }] }, 'messages[0].role'],
    ['a picture', { messages: [{ role: 'user', content: [image] }] }, 'messages[0].content[0]', 'unsupported_content'],
    ['a tool without its call', { messages: [{ role: 'tool', content: '' }] }, 'messages[0].tool_call_id'],
    ['a user without words', { messages: [{ role: 'user' }] }, 'messages[0].content'],
    ['heat', { ...call, temperature: 3 }, 'temperature', 'invalid_value'],
    ['half a token', { ...call, max_tokens: 1.5 }, 'max_tokens'],
    ['17 answers', { ...call, n: 17 }, 'n'],
    ['an empty stop', { ...call, stop: '' }, 'stop'],
    ['bias', { ...call, logit_bias: { '5': -100 } }, 'logit_bias', 'unsupported_parameter'],
    ['sound', { ...call, modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
    ['another kind of tool', { ...call, tools: [{ type: 'custom' }] }, 'tools[0]', 'unsupported_tool'],
    ['two tools of one name', { ...call, tools: [tool, tool] }, 'tools'],
    [
      'the choice of a tool that is not there',
      { ...call, tools: [tool], tool_choice: { type: 'function', function: { name: 'g' } } },
      'tool_choice',
    ],
    ['a tool required of none', { ...call, tool_choice: 'required' }, 'tool_choice'],
    ['a schema of no kind', { ...call, response_format: { type: 'xml' } }, 'response_format.type'],
    ['a schema that is missing', { ...call, response_format: { type: 'json_schema' } }, 'response_format.json_schema'],
    ['options of no stream', { ...call, stream_options: {} }, 'stream_options'],
    ['weights that nobody asked for', { ...call, top_logprobs: 2 }, 'top_logprobs'],
  ]

  test.each(bad)('%s is 400 and asks nobody', async (_, body, param, code) => {
    const session = sessionDouble(obey)
    const response = await post(createFetch({ session }), '/chat/completions', body)
    const error = await errorOf(response)
    expect([response.status, error.param, error.type]).toEqual([400, param, 'invalid_request_error'])
    if (code) expect(error.code).toBe(code)
    expect(error.message.length).toBeGreaterThan(10)
    expect(session.asked).toEqual([])
  })

  test('members of null are absent', async () => {
    const nothing = Object.fromEntries(
      'temperature top_p n stop seed max_tokens tools tool_choice response_format stream stream_options logprobs top_logprobs logit_bias user parallel_tool_calls modalities frequency_penalty'
        .split(' ')
        .map(name => [name, null]),
    )
    const session = sessionDouble(obey)
    expect((await post(createFetch({ session }), '/chat/completions', { ...nothing, ...call })).status).toBe(200)
    expect(session.asked[0]).toEqual({ ...call, stream: false, key: expect.any(String) })
  })

  test('an unknown path is 404, another method 405, no JSON 400', async () => {
    const fetch = createFetch({ session: sessionDouble(obey) })
    expect((await post(fetch, '/images/generations', {})).status).toBe(404)
    const get = await fetch('http://nostr.invalid/v1/chat/completions')
    expect([get.status, (await errorOf(get)).code]).toEqual([405, 'method_not_allowed'])
    const text = await fetch('http://nostr.invalid/v1/chat/completions', { method: 'POST', body: '{"a":' })
    expect([text.status, (await errorOf(text)).code]).toEqual([400, 'invalid_json'])
  })

  test('no body makes it throw', async () => {
    const session = sessionDouble(job => say(job, pieces('ok')))
    const fetch = createFetch({ session })
    const names =
      'model messages tools tool_choice response_format stop n seed stream stream_options input prompt documents query instructions text include best_of echo labels dimensions'
    const members = fc.dictionary(fc.constantFrom(...names.split(' ')), fc.jsonValue({ maxDepth: 4 }))
    const turns = fc.array(
      fc.record({
        role: fc.constantFrom('user', 'assistant', 'tool', 'system', 7),
        content: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 3 })),
        tool_calls: fc.jsonValue({ maxDepth: 4 }),
      }),
    )
    const bodies = fc.oneof(
      members,
      fc.jsonValue(),
      fc.record({ messages: turns, n: fc.constantFrom(1, 2, 99), stream: fc.boolean() }),
      fc.record({ input: fc.oneof(turns, fc.string()), stream: fc.boolean() }),
    )
    const paths = fc.constantFrom(
      '/chat/completions',
      '/completions',
      '/embeddings',
      '/responses',
      '/rerank',
      '/classify',
    )
    await fc.assert(
      fc.asyncProperty(paths, bodies, async (path, body) => {
        const response = await post(fetch, path, body)
        const text = await response.text()
        // The double answers every kind with words, which is nonsense where vectors were asked for.
        expect([200, 400, 502]).toContain(response.status)
        if (response.status !== 200) expect(JSON.parse(text).error.message).toEqual(expect.any(String))
      }),
      { numRuns: 1_500 },
    )
  })
})

describe('what stays in the process', () => {
  const secrets = ['sk-live-very-secret', 'cookie-secret', 'org-secret', 'key-secret', 'body-secret']

  test('no header reaches the session: neither keys nor cookies nor names', async () => {
    const session = sessionDouble(obey)
    const fetch = createFetch({ session })
    const headers = {
      authorization: 'Bearer sk-live-very-secret',
      ...{ 'x-api-key': 'key-secret', cookie: 'a=cookie-secret', 'openai-organization': 'org-secret' },
      ...{ 'idempotency-key': 'key-secret', 'user-agent': 'org-secret', 'x-stainless-retry-count': '0' },
    }
    const bodies: readonly [string, object][] = [
      ['/chat/completions', { ...call, user: 'body-secret', metadata: { a: 'body-secret' } }],
      ['/chat/completions', { ...call, stream: true }],
      ['/completions', { prompt: 'Hi', user: 'body-secret' }],
      ['/responses', { input: 'Hi', metadata: { a: 'body-secret' }, user: 'body-secret' }],
      ['/embeddings', { input: 'Hi', user: 'body-secret' }],
    ]
    for (const [path, body] of bodies) await (await post(fetch, path, body, { headers })).text()
    expect(session.asked.length).toBe(bodies.length)
    const seen = JSON.stringify(session.asked)
    for (const secret of secrets) expect(seen).not.toContain(secret)
    expect(seen).toContain('Hi')
  })

  test('the key of the official library neither', async () => {
    const session = sessionDouble(obey)
    await clientOf(session).chat.completions.create(call)
    await all(await clientOf(session).chat.completions.create({ ...call, stream: true }))
    expect(JSON.stringify(session.asked)).not.toContain('sk-secret')
  })
})

describe('ways to call', () => {
  test('any host and path before v1, a Request, a URL, bytes, a stream', async () => {
    const session = sessionDouble(obey)
    const fetch = createFetch({ session })
    const body = JSON.stringify(call)
    const bytes = new TextEncoder().encode(body)
    const stream = () => new Blob([bytes]).stream()
    const all: Promise<Response>[] = [
      fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body }),
      fetch('/chat/completions', { method: 'post', body }),
      fetch(new URL('http://a.example/openai/v1/chat/completions/?x=1'), { method: 'POST', body: bytes }),
      fetch(new Request('http://a.example/v1/chat/completions', { method: 'POST', body })),
      fetch('http://a.example/v1/chat/completions', { method: 'POST', body: stream() }),
    ]
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const form = new FormData()
    form.set('file', new Blob(['x']))
    expect((await fetch('/v1/chat/completions', { method: 'POST', body: form })).status).toBe(400)
    expect((await fetch('/v1/audio/transcriptions', { method: 'POST', body: form })).status).toBe(404)
  })

  test('a session that was handed over stays open; one that cannot be opened says why, each time anew', async () => {
    const session = sessionDouble(obey)
    const fetch = createFetch({ session })
    expect(await fetch.session()).toBe(session)
    await fetch.close()
    expect(session.closed).toBe(false)
    const relays: string[] = []
    const broken = createFetch({ relays })
    for (const says of ['No relay given', 'no address']) {
      const response = await post(broken, '/chat/completions', call)
      const error = await errorOf(response)
      expect([response.status, error.code, response.headers.get('x-should-retry')]).toEqual([500, 'options', 'false'])
      expect(error.message).toContain(says)
      relays.push('no address')
    }
    await broken.close()
  })
})
