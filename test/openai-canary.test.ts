/** An independent judge of OpenAI compatibility, and what other gateways were found lacking. */

import { Server } from 'node:net'
import { scanEndpoint } from 'compatcanary'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createFetch } from '../src/openai/index.ts'
import { all, clientOf, failure, obey, sessionDouble } from './openai-double.ts'

afterEach(() => vi.unstubAllGlobals())
const served = [{ name: 'nano', kinds: [], contextTokens: 512, nodes: [] }]

describe('the judge', () => {
  test.each(['chat', 'modern'])('gives all points to %s, and nothing listens', async profile => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    vi.stubGlobal('fetch', createFetch({ session: sessionDouble(obey, served) }))
    const report = await scanEndpoint({ baseUrl: 'http://nostr.invalid/v1', model: 'nano', profile })
    expect(report.results.map(({ id, status }) => `${id} ${status}`).filter(line => !line.endsWith(' pass'))).toEqual(
      [],
    )
    expect([report.score, report.compatible]).toEqual([100, true])
    expect(listen).not.toHaveBeenCalled()
    listen.mockRestore()
  })

  test('does not give them to a model that does not obey', async () => {
    const session = sessionDouble(job => job.end(failure('runner')), served)
    vi.stubGlobal('fetch', createFetch({ session }))
    const report = await scanEndpoint({ baseUrl: 'http://nostr.invalid/v1', model: 'nano', profile: 'modern' })
    expect(report.score).toBeLessThan(20)
  })
})

const user = { role: 'user' as const, content: 'Ping me. Now.' }
const tool = {
  type: 'function' as const,
  function: { name: 'f', parameters: { type: 'object', properties: { a: { type: 'string' } } } },
}
const forced = { type: 'function' as const, function: { name: 'f' } }
const object = { type: 'json_schema' as const, json_schema: { name: 'o', schema: tool.function.parameters } }
const picture = [{ type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AA==' } }]

/** Fifteen rows that a gateway of another network was judged by, one test each. */
describe('fifteen rows', () => {
  const session = sessionDouble(
    job => (job.question.model === 'gone' ? job.end(failure('no-model')) : obey(job)),
    served,
  )
  const { chat, models } = clientOf(session)
  const ask = (more: object) => chat.completions.create({ model: 'nano', messages: [user], ...more, stream: false })
  const stream = (more: object) => chat.completions.create({ model: 'nano', messages: [user], ...more, stream: true })
  const rows: readonly [string, () => Promise<void>][] = [
    [
      'system and developer',
      async () => {
        await ask({ messages: [{ role: 'system', content: 'a' }, { role: 'developer', content: 'b' }, user] })
        expect(session.asked.at(-1)?.messages?.map(({ role }) => role)).toEqual(['system', 'system', 'user'])
      },
    ],
    ['stop', async () => expect((await ask({ stop: ['.'] })).choices[0]?.message.content).toBe('Ping me')],
    ['seed', async () => expect((await ask({ seed: 5 })).choices).toEqual((await ask({ seed: 5 })).choices)],
    [
      'usage of a stream',
      async () => {
        const chunks = await all(await stream({ stream_options: { include_usage: true } }))
        expect(chunks.filter(({ usage }) => usage).map(({ choices }) => choices)).toEqual([[]])
      },
    ],
    [
      'a forced call',
      async () =>
        expect((await ask({ tools: [tool], tool_choice: forced })).choices[0]?.message.tool_calls?.length).toBe(1),
    ],
    [
      'a streamed call',
      async () => {
        const chunks = await all(await stream({ tools: [tool], tool_choice: 'required' }))
        const calls = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
        expect(calls.map(call => call.function?.arguments).join('')).toBe('{"a":"CANARY_OK"}')
      },
    ],
    [
      'the history of a call',
      async () => {
        const call = { id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }
        const turns = [user, { role: 'assistant', content: null, tool_calls: [call] }]
        const answered = await ask({ messages: [...turns, { role: 'tool', tool_call_id: 'x', content: 'Pong' }] })
        expect(answered.choices[0]?.message.content).toBe('Pong')
      },
    ],
    [
      'any object',
      async () =>
        expect((await ask({ response_format: { type: 'json_object' } })).choices[0]?.message.content).toBe('{}'),
    ],
    [
      'an object of a schema',
      async () =>
        expect((await ask({ response_format: object })).choices[0]?.message.content).toBe('{"a":"CANARY_OK"}'),
    ],
    [
      'a picture is refused',
      async () =>
        expect(ask({ messages: [{ role: 'user', content: picture }] })).rejects.toMatchObject({
          ...{ status: 400, code: 'unsupported_content' },
        }),
    ],
    ['effort', async () => expect((await ask({ reasoning_effort: 'low' })).choices.length).toBe(1)],
    ['a limit', async () => expect((await ask({ max_tokens: 2 })).choices[0]?.finish_reason).toBe('length')],
    ['several answers', async () => expect((await ask({ n: 2 })).choices.map(({ index }) => index)).toEqual([0, 1])],
    ['an unknown model', async () => expect(ask({ model: 'gone' })).rejects.toMatchObject({ status: 404 })],
    ['the list of models', async () => expect((await models.list()).data.map(({ id }) => id)).toEqual(['nano'])],
  ]
  test.each(rows)('%s', (_, row) => row())
})
