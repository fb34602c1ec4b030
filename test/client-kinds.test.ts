/** Every kind of work is asked for, heard, kept and taken up again in one way, with every word that a customer may say. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deltasOutput, jobKind, jobKinds, queryInput, textRequest } from '../kinds/index.ts'
import { openClient, type Question, readMarket } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import { type Desk, openDesk } from './client-desk.ts'
import { memoryWorld } from './worlds.ts'

let desk: Desk
beforeEach(async () => {
  desk = await openDesk(await memoryWorld())
})
afterEach(() => desk.close())

const everything = {
  ...{ model: 'm', maxTokens: 9, temperature: 0.5, topP: 0.9, topK: 40, frequencyPenalty: 0.5, presencePenalty: -1 },
  ...{ seed: 7, stop: ['END', '\n'], tools: [{ name: 'weather', parameters: { type: 'object' } }] },
  ...{ toolChoice: { name: 'weather' }, parallelToolCalls: false, logprobs: 3, partial: true },
  responseFormat: { type: 'json_schema', schema: { type: 'object' } },
} as const satisfies Partial<Question>

describe.each(jobKinds.map(({ request }) => request.number))('kind %i', kind => {
  // What is ranked is ranked for something.
  const inputs = [{ data: 'one', type: 'text' } as const, ...(kind === 5_081 ? [queryInput('which?')] : [])]
  const result = jobKind(kind)?.result.number

  test('is asked for sealed, and answered by its own result', async () => {
    const asking = desk.ask({ kind, inputs })
    const job = await desk.next()
    expect(job).toMatchObject({ request: { kind }, cover: 'sealed', value: { inputs } })
    // A result of another kind of work is none of this job.
    const [other = textRequest.number] = jobKinds.map(({ request }) => request.number).filter(one => one !== kind)
    const wrong = jobKind(other)
    if (other !== kind && wrong) expect(wrong.result.number).not.toBe(result)
    await job.result({ text: '{"n":1}', finish: 'length', usage: { promptTokens: 2, outputTokens: 1 } })
    const outcome = await asking
    expect(outcome).toMatchObject({ ok: true, text: '{"n":1}', finish: 'length', result: { kind: result } })
    expect(outcome.usage).toEqual({ promptTokens: 2, outputTokens: 1 })
  })

  test('is withdrawn by its own number', async () => {
    const stop = new AbortController()
    const asking = desk.ask({ kind, inputs }, stop.signal)
    await desk.next()
    stop.abort()
    expect(await asking).toMatchObject({ ok: false, code: 'cancelled' })
    expect((await desk.letter(5)).event.tags).toContainEqual(['k', String(kind)])
  })

  test('is taken up by the next process where this one ends', async () => {
    const life = new AbortController()
    const first = desk.ask({ kind, inputs, giveUp: life.signal })
    const job = await desk.next()
    life.abort()
    await first
    const [resumed] = desk.again().resume()
    await job.result({ text: 'late' })
    expect(await resumed?.outcome).toMatchObject({ ok: true, text: 'late' })
  })
})

describe('the words of a customer', () => {
  test('all of them reach the node, and none that was not said', async () => {
    void desk.ask({ messages: [{ role: 'user', content: 'Hi' }], ...everything }).catch(() => {})
    const { value } = await desk.next()
    expect(value).toMatchObject({ ...everything, output: deltasOutput, inputs: [{ marker: 'messages' }] })
    void desk.ask({ text: 'Hi', stop: [], tools: [] }).catch(() => {})
    const plain = (await desk.next()).value
    for (const name of Object.keys(everything)) expect(plain).not.toHaveProperty(name)
    expect(plain).not.toHaveProperty('output')
  })

  test.each([
    [{ tools: [{ name: 'f' }] }, deltasOutput],
    [{ logprobs: 0 }, deltasOutput],
    [{ tools: [{ name: 'f' }], output: 'text/plain' }, 'text/plain'],
    [{ responseFormat: { type: 'json_object' as const } }, undefined],
  ])('%j wants the output %s', async (wish, output) => {
    void desk.ask({ text: 'Hi', ...wish }).catch(() => {})
    expect((await desk.next()).value.output).toBe(output)
  })

  test('inputs that lie elsewhere go as they are, before the text', async () => {
    const inputs = [
      { data: 'a'.repeat(64), type: 'job' },
      { data: 'b'.repeat(64), type: 'event', relay: 'wss://a.example' },
    ] as const
    void desk.ask({ inputs, text: 'Sum it up.' }).catch(() => {})
    expect((await desk.next()).value.inputs).toEqual([...inputs, { data: 'Sum it up.', type: 'text' }])
  })

  test('nothing to work on, and no kind that is known, are bugs of the caller', async () => {
    await expect(desk.ask({})).rejects.toThrow('needs a text, messages or inputs')
    await expect(desk.ask({ text: 'x', kind: 5_999 })).rejects.toThrow('Kind 5999')
  })
})

test('a market is read for one kind of work', async () => {
  const { world } = desk
  const relays = world.connect()
  const client = openClient({ ...world, relays, secret: world.keys.newSecret(), network: 'regtest' })
  expect(await readMarket(relays, seconds(world.clock), 5_999)).toEqual([])
  const outcome = await client.askRouted({ text: 'x', routers: [], capMsats: 0n })
  expect(outcome).toMatchObject({ ok: false, code: 'no-node' })
})
