/** The MCP server, driven by the official client of the protocol; the session behind it is scripted. */
import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { embeddingsRequest, textRequest, writeEmbeddings } from '../kinds/index.ts'
import { buildServer, type McpOptions } from '../src/mcp/index.ts'
import { answered, type Cast, node, request, says, scriptedSession, unanswered } from './session-scripted.ts'

type Verify = McpOptions['verify']

async function host(cast: Partial<Cast> = {}, verify: Verify = async () => undefined) {
  const text = 'Relays carry it.'
  const session = scriptedSession({
    reply: () => ({ moments: says('Relays ', 'carry it.'), outcome: answered({ text }) }),
    ...cast,
  })
  const server = buildServer({ session, version: '1.2.3', verify })
  const client = new Client({ name: 'host', version: '1' })
  const [here, there] = InMemoryTransport.createLinkedPair()
  await Promise.all([server.connect(there), client.connect(here)])
  const call = (name: string, args: Record<string, unknown> = {}) => client.callTool({ name, arguments: args })
  return { session, client, call, close: () => client.close() }
}

const textOf = (said: { content: { type: string; text?: string }[] }): string => said.content[0]?.text ?? ''

describe('a host', () => {
  test('finds nine tools, each with a schema for what it takes and gives', async () => {
    const { client, close } = await host()
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual([
      ...['cancel_job', 'embed', 'infer', 'job_status', 'list_models', 'list_nodes', 'quote', 'verify_receipt'],
      'wallet_balance',
    ])
    for (const { name, inputSchema, outputSchema, description } of tools) {
      expect(inputSchema.type, name).toBe('object')
      expect(outputSchema?.['type'], name).toBe('object')
      expect(description?.length, name).toBeGreaterThan(20)
    }
    expect(client.getServerVersion()).toMatchObject({ name: 'gridstr', version: '1.2.3' })
    await close()
  })

  test('gets an answer with what it cost and who could read it', async () => {
    const { call, session, close } = await host()
    const said = await call('infer', { prompt: 'What carries it?', system: 'Be brief.', max_tokens: 9, max_sats: 3 })
    expect(textOf(said)).toBe('Relays carry it.')
    expect(said.structuredContent).toMatchObject({
      ...{ state: 'answered', request, node, model: 'nano', text: 'Relays carry it.', finish: 'stop' },
      ...{ costMsats: 2_000, promptTokens: 7, outputTokens: 3, privacyLevel: 1 },
      readers: ['you: you asked', 'node: it answered'],
    })
    expect(session.questions).toEqual([
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'What carries it?' },
        ],
        ...{ maxTokens: 9, capMsats: 3_000n },
      },
    ])
    await close()
  })

  test('hears the answer grow where it asked for that', async () => {
    const { client, close } = await host()
    const heard: (string | undefined)[] = []
    await client.callTool(
      { name: 'infer', arguments: { prompt: 'x' } },
      { onprogress: ({ message }) => void heard.push(message) },
    )
    expect(heard).toEqual(['Relays ', 'carry it.'])
    await close()
  })

  test('stops a job by cancelling its own request', async () => {
    const { client, session, close } = await host({
      reply: () => ({ moments: says('a'), outcome: answered(), hangs: true }),
    })
    const stop = new AbortController()
    const asked = client.callTool({ name: 'infer', arguments: { prompt: 'x' } }, { signal: stop.signal })
    const told = expect(asked).rejects.toThrow()
    while (session.questions.length === 0) await new Promise(resolve => setImmediate(resolve))
    stop.abort()
    await told
    while (session.aborted.length === 0) await new Promise(resolve => setImmediate(resolve))
    expect(session.aborted).toHaveLength(1)
    await close()
  })

  test('may leave a job to run, look at it and withdraw it', async () => {
    const running = { request, kind: textRequest.number, at: 1, node, state: 'running', msats: 2_000n }
    const { call, close } = await host({ jobs: [running] })
    const said = await call('infer', { prompt: 'x', wait: false })
    expect(said.structuredContent).toMatchObject({ state: 'running', request })
    expect((await call('job_status', { request })).structuredContent).toMatchObject({
      state: 'running',
      costMsats: 2_000,
    })
    expect((await call('cancel_job', { request })).structuredContent).toEqual({ request, cancelled: true })
    const other = 'e'.repeat(64)
    expect(await call('job_status', { request: other })).toMatchObject({ isError: true })
    expect((await call('cancel_job', { request: other })).structuredContent).toMatchObject({ cancelled: false })
    await close()
  })

  test('embeds texts', async () => {
    const text = writeEmbeddings({ model: 'nano', vectors: [Float32Array.from([1, 0]), Float32Array.from([0, 1])] })
    const { call, session, close } = await host({ reply: () => ({ outcome: answered({ text }) }) })
    const said = await call('embed', { texts: ['one', 'two'], dimensions: 2 })
    expect(said.structuredContent).toMatchObject({
      dimensions: 2,
      embeddings: [
        [1, 0],
        [0, 1],
      ],
    })
    expect(session.questions[0]).toMatchObject({ kind: embeddingsRequest.number, dimensions: 2 })
    await close()
  })

  test('sees models, prices and money', async () => {
    const announcement = {
      ...{ id: 'x', kinds: [textRequest.number], topics: [], name: 'A node', about: '', encrypted: true, v: 1 },
      ...{ models: [{ name: 'nano', contextTokens: 512 }], nodeKeys: [], zappers: [], custodial: false, relays: [] },
      ...{ priceMsats: 2_000n, privacy: [1, 2] as const },
    }
    const { call, close } = await host({
      models: [
        {
          ...{ name: 'nano', kinds: [textRequest.number, embeddingsRequest.number], contextTokens: 512 },
          nodes: [
            { pubkey: node, name: 'A node', priceMsats: 3_000n },
            { pubkey: 'f'.repeat(64), name: 'Another', priceMsats: 2_000n },
          ],
        },
      ],
      nodes: [{ pubkey: node, announcement, alive: true }],
      quotes: [{ node, model: 'nano', msats: 2_000n, terms: ['before'] }],
      budget: { spentMsats: 5_000n, heldMsats: 1_000n, totalMsats: 100_000n },
      balance: 890_000_000n,
    })
    expect((await call('list_models')).structuredContent).toEqual({
      models: [{ name: 'nano', work: ['text', 'embeddings'], contextTokens: 512, nodes: 2, cheapestMsats: 2_000 }],
    })
    expect((await call('list_nodes')).structuredContent).toEqual({
      nodes: [{ node, name: 'A node', alive: true, models: ['nano'], priceMsats: 2_000, privacyLevels: [1, 2] }],
    })
    expect((await call('quote', { max_tokens: 9 })).structuredContent).toEqual({
      offers: [{ node, model: 'nano', msats: 2_000, terms: ['before'] }],
    })
    expect((await call('wallet_balance')).structuredContent).toEqual({
      ...{ walletMsats: 890_000_000, sessionSpentMsats: 5_000, sessionHeldMsats: 1_000, sessionLimitMsats: 100_000 },
    })
    await close()
  })

  test('verifies what was published', async () => {
    const checks = [
      { name: 'signature', ok: true, says: 'Signed.' },
      { name: 'amount', ok: false, says: 'Another amount.' },
    ]
    const { call, close } = await host({}, async event =>
      event === 'note1known' ? { ok: false, what: 'zap receipt', checks } : undefined,
    )
    const said = await call('verify_receipt', { event: 'note1known' })
    expect(said.structuredContent).toEqual({ ok: false, what: 'zap receipt', checks })
    expect(textOf(said)).toContain('amount: Another amount.')
    expect(await call('verify_receipt', { event: 'note1other' })).toMatchObject({ isError: true })
    await close()
  })
})

describe('what goes wrong', () => {
  test('no money is a result that a model can read, and nothing is asked again', async () => {
    const { call, session, close } = await host({
      reply: () => ({ outcome: unanswered('budget', 'The session has 3 sats left.', 1_000n) }),
    })
    const said = await call('infer', { prompt: 'x' })
    expect(said.isError).toBe(true)
    expect(textOf(said)).toBe('budget: The session has 3 sats left. 1000 msats were paid and did not come back yet.')
    expect(session.questions).toHaveLength(1)
    await close()
  })

  test('both a prompt and messages, or none, is refused in words', async () => {
    const { call, session, close } = await host()
    for (const args of [{}, { prompt: 'x', messages: [{ role: 'user', content: 'x' }] }])
      expect(textOf(await call('infer', args))).toContain('either "prompt" or "messages"')
    expect(session.questions).toEqual([])
    await close()
  })

  test('arguments outside their schema never reach the session', async () => {
    const { call, session, close } = await host()
    for (const args of [
      { prompt: 'x', max_sats: -1 },
      { prompt: 'x', max_sats: 1.5 },
      { prompt: 'x', temperature: 3 },
      { prompt: 'x', node: 'npub1' },
      { prompt: 7 },
    ])
      expect(await call('infer', args).catch(() => ({ isError: true }))).toMatchObject({ isError: true })
    expect(session.questions).toEqual([])
    await close()
  })
})
