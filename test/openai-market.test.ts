/** The official library and the judge over a real session: relays, a node that obeys, a wallet. */
import { Server } from 'node:net'
import { scanEndpoint } from 'compatcanary'
import OpenAI from 'openai'
import { afterEach, expect, test, vi } from 'vitest'
import { createFetch } from '../src/openai/index.ts'
import { echoKinds } from '../src/runners/echo.ts'
import type { Session } from '../src/session/session.ts'
import { all } from './openai-double.ts'
import { withSession } from './session-world.ts'
import { memoryWorld } from './worlds.ts'

const open = () => memoryWorld()
const service = { id: 'every', name: 'every', about: 'answers every kind', kinds: echoKinds, nodeKeys: [] }
const every = { echo: { kinds: echoKinds }, node: { service } }
const messages = [{ role: 'user' as const, content: 'what is the weather in Rome today' }]
const call = { model: 'echo', messages }
const clientOf = (session: Session) =>
  new OpenAI({
    apiKey: 'sk-secret',
    baseURL: 'http://nostr.invalid/v1',
    fetch: createFetch({ session, retryAfterMs: 1 }),
  })
afterEach(() => vi.unstubAllGlobals())

test('a chat is found, paid and answered, whole and as it grows', () =>
  withSession(open, [{}], {}, async ({ session, grid, requests, world }) => {
    const client = clientOf(session)
    const { data, response } = await client.chat.completions.create(call).withResponse()
    expect(data.choices[0]?.message.content).toBe(messages[0]?.content)
    expect(data.usage?.total_tokens).toBe(14)
    expect(response.headers.get('x-gridstr-node')).toBe(grid.nodes[0]?.pubkey)
    expect(response.headers.get('x-gridstr-cost-msats')).toBe('2000')
    expect(JSON.parse(response.headers.get('x-gridstr-privacy') ?? '')).toMatchObject({ level: 1 })
    const stream = await client.chat.completions.create({
      ...call,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await all(stream)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(messages[0]?.content)
    expect(chunks.at(-1)?.usage).toMatchObject({ total_tokens: 14, cost_msats: 2_000 })
    expect(requests()).toBe(2)
    expect(session.budget().spentMsats).toBe(4_000n)
    expect(JSON.stringify(world.seen)).not.toContain('sk-secret')
  }))

test('the judge gives all points over relays, and nothing listens', () =>
  withSession(open, [every], { maxSats: 9 }, async ({ session }) => {
    const listen = vi.spyOn(Server.prototype, 'listen')
    vi.stubGlobal('fetch', createFetch({ session }))
    for (const profile of ['chat', 'modern']) {
      const report = await scanEndpoint({ baseUrl: 'http://nostr.invalid/v1', model: 'echo', profile })
      expect(report.results.filter(({ status }) => status !== 'pass')).toEqual([])
      expect(report.score).toBe(100)
    }
    expect(listen).not.toHaveBeenCalled()
    listen.mockRestore()
  }))

test('vectors come over relays', () =>
  withSession(open, [every], { maxSats: 9 }, async ({ session }) => {
    const { data } = await clientOf(session).embeddings.create({ model: 'echo', input: ['one', 'two', 'one'] })
    expect(data.length).toBe(3)
    expect(data[0]?.embedding).toEqual(data[2]?.embedding)
    expect(data[0]?.embedding).not.toEqual(data[1]?.embedding)
  }))

test('a price above the cap is 402, an unknown model 404, a body that breaks a rule 400, and nothing is paid', () =>
  withSession(open, [{ priceMsats: 9_000n }], {}, async ({ session, requests }) => {
    const client = clientOf(session)
    await expect(client.chat.completions.create(call)).rejects.toMatchObject({ status: 402 })
    await expect(client.chat.completions.create({ ...call, model: 'gone' })).rejects.toMatchObject({ status: 404 })
    expect(session.budget().spentMsats).toBe(0n)
    expect(requests()).toBe(0)
  }))

test('an abort withdraws the job, in the stream and before it', () =>
  withSession(open, [{ echo: { fault: 'hangs' } }], {}, async ({ session, grid }) => {
    const control = new AbortController()
    const asking = clientOf(session).chat.completions.create({ ...call, stream: true }, { signal: control.signal })
    await grid.nodes[0]?.told('running')
    control.abort()
    await expect(asking).rejects.toThrow('aborted')
    await grid.withdrawn()
  }))

test('the same idempotency key is one job and one payment, in another fetch too', () =>
  withSession(open, [{}], {}, async ({ session, requests }) => {
    const headers = { 'Idempotency-Key': 'order 7' }
    const [a, b] = await Promise.all([1, 2].map(() => clientOf(session).chat.completions.create(call, { headers })))
    const c = await clientOf(session).chat.completions.create(call, { headers })
    expect([b?.choices, c.choices]).toEqual([a?.choices, a?.choices])
    expect(requests()).toBe(1)
    expect(session.budget().spentMsats).toBe(2_000n)
  }))

test('a fetch of its own opens a session with the first call and closes it', () =>
  withSession(open, [{}], {}, async ({ world, grid }) => {
    const { clock, keys } = world
    const fetch = createFetch({ relays: world.connect(), wallet: grid.payer, maxSats: 5, clock, keys })
    const client = new OpenAI({ apiKey: 'sk-secret', baseURL: 'http://nostr.invalid/v1', fetch })
    const { response } = await client.chat.completions.create(call).withResponse()
    expect(response.headers.get('x-gridstr-cost-msats')).toBe('2000')
    const { choices } = await client.chat.completions.create({ ...call, n: 2 })
    expect(choices.map(({ message }) => message.content)).toEqual([messages[0]?.content, messages[0]?.content])
    await expect(client.chat.completions.create({ ...call, n: 3 })).rejects.toMatchObject({ status: 402 })
    const session = await fetch.session()
    expect(session.budget().spentMsats).toBe(6_000n)
    await fetch.close()
    await expect(client.chat.completions.create(call)).rejects.toMatchObject({ status: 500, code: 'closed' })
  }))
