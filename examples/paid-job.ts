/**
 * A node sells an answer for two sats and a client buys it, over a relay that is started here. The money is simulated;
 * invoices, preimages and the zap receipt are real.
 * @module
 */
import assert from 'node:assert/strict'
import { startRelay } from '../relays/index.ts'
import {
  chooseNode,
  connectRelays,
  openClient,
  openKeys,
  openNode,
  openRunner,
  readMarket,
  seconds,
  simNet,
  verifier,
  wallClock,
} from '../src/index.ts'

const clock = wallClock()
const keys = await openKeys()
const verify = (event: Parameters<typeof keys.verify>[0]) => keys.verify(event)

const relay = await startRelay({ clock, verify })
const open = () => connectRelays({ urls: [relay.url], keys, clock })

const lightning = simNet({ clock })
const payee = lightning.wallet({ alias: 'node', msats: 0n })
const payer = lightning.wallet({ alias: 'client', msats: 10_000n })

// The seller.
const nodeRelays = open()
const runner = openRunner('echo', { clock })
const node = await openNode({
  relays: nodeRelays,
  keys,
  secret: keys.newSecret(),
  clock,
  runner,
  payee,
  priceMsats: 2_000n,
  service: {
    id: 'echo',
    name: 'An echo for two sats',
    about: 'Says what you say.',
    kinds: runner.kinds,
    nodeKeys: [(await payee.info()).nodeKey ?? ''],
  },
})
assert(await node.ready, 'the node hears itself through the relay')

// The buyer: looks around, chooses, and allows three sats at most.
const relays = open()
const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 3_000n })
assert(choice.ok)
const client = openClient({ relays, keys, secret: keys.newSecret(), clock, payer, network: 'regtest' })
let bolt11 = ''
const outcome = await client.ask({
  text: 'A market without a marketplace.',
  node: choice.offer,
  capMsats: 3_000n,
  onEvent(event) {
    if (event.event === 'quote') bolt11 = event.bolt11
    if (event.event === 'chunk') process.stdout.write(event.text)
  },
})
process.stdout.write('\n')

assert.equal(outcome.text, 'A market without a marketplace.')
assert.equal(outcome.msats, 2_000n)
assert.equal(await payee.balance(), 2_000n)
assert.equal(await payer.balance(), 8_000n)
// Anybody can check the payment, with nothing but the invoice and the preimage.
assert.deepEqual(verifier().judge({ bolt11, preimage: outcome.preimage ?? '', msats: 2_000n }), {
  ok: true,
  reasons: [],
})
assert.equal(outcome.receipt?.pubkey, node.pubkey)

await node.close()
await Promise.all([payee.close(), payer.close(), runner.close(), relays.close(), nodeRelays.close()])
await relay.close()
