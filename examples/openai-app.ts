/**
 * An app that knows only the official `openai` package buys its answers on this network: it is given another `fetch` and
 * nothing else. Each answer comes through a relay and is paid over Lightning; nothing listens on a port but the relay.
 * @module
 */
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import { createFetch } from '../src/openai/index.ts'
import { springs, trap } from './stage/no-listening.ts'
import { openTown } from './stage/town.ts'

const town = await openTown()
const trapped = trap()
const settings = { relays: [town.relay], wallet: town.wallet, maxSats: 5 }
const fetch = createFetch({ ...settings, budgetSats: 30 })
const app = (fetcher: typeof fetch) =>
  new OpenAI({ apiKey: 'sk-never-sent', baseURL: 'http://gridstr.invalid/v1', fetch: fetcher })
const openai = app(fetch)
const messages = (content: string) => [{ role: 'user' as const, content }]

const models = await openai.models.list()
assert(models.data.some(({ id }) => id === 'nano'))

// One answer, with what it cost and who could read it in the headers.
const { data: answer, response } = await openai.chat.completions
  .create({ model: 'nano', messages: messages('What is Nostr?'), temperature: 0 })
  .withResponse()
const text = answer.choices[0]?.message.content ?? ''
assert.match(text, /Notes and Other Stuff/)
assert.equal(answer.choices[0]?.finish_reason, 'stop')
assert(answer.usage && answer.usage.total_tokens === answer.usage.prompt_tokens + answer.usage.completion_tokens)
assert.equal(response.headers.get('x-gridstr-node'), town.node.pubkey)
assert.equal(response.headers.get('x-gridstr-cost-msats'), String(town.priceMsats))
assert.equal(JSON.parse(response.headers.get('x-gridstr-privacy') ?? '{}').level, 1)

// The same as a stream.
let streamed = ''
let total = 0
const stream = await openai.chat.completions.create({
  ...{ model: 'nano', messages: messages('What is Nostr?'), temperature: 0 },
  ...{ stream: true, stream_options: { include_usage: true } },
})
for await (const chunk of stream) {
  streamed += chunk.choices[0]?.delta.content ?? ''
  total = chunk.usage?.total_tokens ?? total
}
assert.equal(streamed, text)
assert.equal(total, answer.usage.total_tokens)

// JSON of a schema, and a call of a tool, made by grammars on the node.
const judged = await openai.chat.completions.create({
  ...{ model: 'nano', messages: messages('Is Nostr a protocol?') },
  response_format: {
    type: 'json_schema',
    json_schema: {
      name: 'verdict',
      strict: true,
      schema: {
        type: 'object',
        properties: { answer: { type: 'string', enum: ['yes', 'no'] } },
        required: ['answer'],
        additionalProperties: false,
      },
    },
  },
})
assert(['yes', 'no'].includes(JSON.parse(judged.choices[0]?.message.content ?? '{}').answer))
const called = await openai.chat.completions.create({
  ...{ model: 'nano', messages: messages('How is the weather in Oslo?') },
  tools: [
    {
      type: 'function',
      function: {
        name: 'weather',
        parameters: {
          type: 'object',
          properties: { city: { type: 'string', enum: ['Rome', 'Oslo'] } },
          required: ['city'],
        },
      },
    },
  ],
  tool_choice: { type: 'function', function: { name: 'weather' } },
})
const call = called.choices[0]?.message.tool_calls?.[0]
assert(call?.type === 'function' && ['Rome', 'Oslo'].includes(JSON.parse(call.function.arguments).city))

// Vectors, and the newer interface.
const vectors = await openai.embeddings.create({ model: 'nano', input: ['a relay', 'a wallet'] })
assert.equal(vectors.data.length, 2)
assert((vectors.data[0]?.embedding.length ?? 0) > 8)
const responded = await openai.responses.create({ model: 'nano', input: 'What is Nostr?', temperature: 0 })
assert.equal(responded.output_text, text)

// Six answers, six prices.
const paid = 6n * town.priceMsats
assert.equal((await fetch.session()).budget().spentMsats, paid)
assert.equal(await town.earned(), paid)

// What is not allowed to cost so much is refused with 402, which no library asks again.
const poor = createFetch({ ...settings, maxSats: 1 })
await assert.rejects(app(poor).chat.completions.create({ model: 'nano', messages: messages('What is Nostr?') }), {
  status: 402,
})
assert.equal(await town.earned(), paid)

assert.deepEqual(trapped.listened, [], 'nobody listens but the relay')
assert(await springs(trapped), 'and the trap would have told')
trapped.release()
process.stdout.write(`${text}\n`)

await Promise.all([fetch.close(), poor.close()])
await town.close()
