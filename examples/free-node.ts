/**
 * The language model that is shipped with gridstr answers for nothing, in one process and without a socket: the relay is
 * memory. The question travels sealed all the same.
 * @module
 */
import assert from 'node:assert/strict'
import type { Event } from '../kinds/index.ts'
import { memoryHub } from '../relays/index.ts'
import { chooseNode, openClient, openKeys, openNode, openRunner, readMarket, seconds, wallClock } from '../src/index.ts'

const clock = wallClock()
const keys = await openKeys()
// A relay of this process, which refuses what its author did not sign.
const verify = (event: Event) => keys.verify(event)
const hub = memoryHub({ clock, verify })
const seen: Event[] = []
hub.watch(event => seen.push(event))

const runner = openRunner('llama', { clock })
const nodeRelays = hub.connect()
const node = await openNode({
  ...{ relays: nodeRelays, keys, secret: keys.newSecret(), clock, runner, priceMsats: 0n },
  service: { id: 'nano', name: 'nano for nothing', about: 'A tiny model.', kinds: runner.kinds, nodeKeys: [] },
})
assert(await node.ready)

const relays = hub.connect()
const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 0n })
assert(choice.ok)
const client = openClient({ relays, keys, secret: keys.newSecret(), clock, network: 'mainnet' })
const outcome = await client.ask({
  messages: [{ role: 'user', content: 'What is Nostr?' }],
  node: choice.offer,
  capMsats: 0n,
  onEvent: event => event.event === 'chunk' && process.stdout.write(event.text),
})
process.stdout.write('\n')

assert(outcome.ok)
assert.match(outcome.text ?? '', /Nostr/)
assert.equal(outcome.msats, 0n)
// Whoever runs the relay has read neither the question nor the answer.
assert(!JSON.stringify(seen).includes('What is Nostr'))
assert(!JSON.stringify(seen).includes(outcome.text ?? ''))

await node.close()
await Promise.all([runner.close(), relays.close(), nodeRelays.close()])
