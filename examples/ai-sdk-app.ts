/**
 * An app on the AI SDK buys its answers on this network: a text, a stream, a tool call, an object and vectors, each through
 * a relay and paid over Lightning. Nothing listens on a port but the relay.
 * @module
 */
import assert from 'node:assert/strict'
import { embedMany, generateText, Output, streamText, tool } from 'ai'
import { generateText as generateWithAi6 } from 'ai6'
import { z } from 'zod'
import { createGridstr } from '../src/ai-sdk/index.ts'
import { springs, trap } from './stage/no-listening.ts'
import { openTown } from './stage/town.ts'

const town = await openTown()
const trapped = trap()
const settings = { relays: [town.relay], wallet: town.wallet, maxSats: 5, budgetSats: 30 }
const gridstr = createGridstr(settings)
const model = gridstr('nano')

const answer = await generateText({ model, prompt: 'What is Nostr?' })
assert.match(answer.text, /Notes and Other Stuff/)
const proof = answer.finalStep.providerMetadata?.['nostr']
assert.equal(proof?.['msats'], String(town.priceMsats))
assert.equal(proof?.['node'], town.node.pubkey)

const stream = streamText({ model, prompt: 'What is Lightning?' })
let streamed = ''
for await (const piece of stream.textStream) streamed += piece
assert.equal(streamed, await stream.text)
assert((await stream.usage).outputTokens)

const weather = tool({
  description: 'The weather of a city',
  inputSchema: z.object({ city: z.enum(['Rome', 'Oslo']) }),
  execute: async ({ city }) => `sun in ${city}`,
})
const called = await generateText({
  ...{ model, prompt: 'How is the weather in Oslo?', tools: { weather } },
  toolChoice: { type: 'tool', toolName: 'weather' },
})
const [call] = called.toolCalls
assert(call && !call.dynamic)
assert(['Rome', 'Oslo'].includes(call.input.city))

const { output } = await generateText({
  ...{ model, prompt: 'Is Nostr a protocol?' },
  output: Output.object({ schema: z.object({ answer: z.enum(['yes', 'no']) }) }),
})
assert(['yes', 'no'].includes(output.answer))

const { embeddings } = await embedMany({ model: gridstr.embeddingModel('nano'), values: ['a relay', 'a wallet'] })
assert.equal(embeddings.length, 2)
assert(embeddings.every(vector => vector.length === embeddings[0]?.length && vector.length > 8))

// The specification before, over the same session.
const before = createGridstr({ session: await gridstr.session() }, { specification: 'v3' })
const old = await generateWithAi6({ model: before('nano'), prompt: 'What is Nostr?' })
assert.equal(old.text, answer.text)

// Six answers were paid, each at its price; what the budget does not hold is refused before anybody is asked.
const paid = 6n * town.priceMsats
assert.equal((await gridstr.session()).budget().spentMsats, paid)
assert.equal(await town.earned(), paid)
const poor = createGridstr({ ...settings, maxSats: 1 })
await assert.rejects(generateText({ model: poor('nano'), prompt: 'What is Nostr?' }), { code: 'over-cap' })

assert.deepEqual(trapped.listened, [], 'nobody listens but the relay')
assert(await springs(trapped), 'and the trap would have told')
trapped.release()
process.stdout.write(`${answer.text}\n`)

await Promise.all([gridstr.close(), poor.close()])
await town.close()
