/**
 * A host of the Model Context Protocol starts `gridstr mcp` as its tool: it lists models, asks for a price, buys an answer
 * and vectors, and verifies the receipt, all over standard input and output. In the server's process nobody may listen.
 * @module
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { springs, trap } from './stage/no-listening.ts'
import { openTown } from './stage/town.ts'

const town = await openTown()
const trapped = trap()
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const limits = ['--max-sats', '5', '--budget-sats', '10']
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [
    '--import',
    path('./stage/no-listening.ts'),
    path('../bin/gridstr.mjs'),
    'mcp',
    '--relay',
    town.relay,
    ...limits,
  ],
  // The wallet is not an argument: others could read it in the list of processes.
  env: { PATH: process.env['PATH'] ?? '', GRIDSTR_WALLET: town.wallet, GRIDSTR_TRAP: 'throw' },
})
const host = new Client({ name: 'a host', version: '1.0.0' })
await host.connect(transport)

/** One call whose result must be one. */
const use = async (name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
  const heard: string[] = []
  const result = await host.callTool(
    { name, arguments: args },
    { onprogress: ({ message }) => void heard.push(message ?? '') },
  )
  assert(!result.isError, JSON.stringify(result.content))
  return { ...(result.structuredContent as object), heard: heard.join('') }
}

const { models } = await use('list_models')
assert(Array.isArray(models) && models.some(({ name }) => name === 'nano'))
const { offers } = await use('quote', { model: 'nano' })
assert(Array.isArray(offers) && offers[0].msats === Number(town.priceMsats))

const answer = await use('infer', { prompt: 'What is Nostr?', model: 'nano', temperature: 0 })
assert.match(String(answer['text']), /Notes and Other Stuff/)
assert.equal(answer['heard'], answer['text'])
assert.equal(answer['costMsats'], Number(town.priceMsats))
assert.equal(answer['privacyLevel'], 1)
const { state } = await use('job_status', { request: answer['request'] })
assert.equal(state, 'delivered')

const { embeddings } = await use('embed', { texts: ['a relay', 'a wallet'] })
assert(Array.isArray(embeddings) && embeddings.length === 2)

const money = await use('wallet_balance')
assert.equal(money['sessionSpentMsats'], 2 * Number(town.priceMsats))
assert.equal(money['sessionLimitMsats'], 10_000)
assert.equal(await town.earned(), 2n * town.priceMsats)

// The server may spend ten sats and sets five aside for each answer: after a third one there is not enough for a fourth.
await use('infer', { prompt: 'What is Lightning?' })
const refused = await host.callTool({ name: 'infer', arguments: { prompt: 'What is a relay?' } })
assert.equal(refused.isError, true)
assert.match(JSON.stringify(refused.content), /budget/)
assert.equal(await town.earned(), 3n * town.priceMsats)

assert.deepEqual(trapped.listened, [], 'nobody listens but the relay')
assert(await springs(trapped), 'and the trap would have told')
trapped.release()
process.stdout.write(`${answer['text']}\n`)

await host.close()
await town.close()
