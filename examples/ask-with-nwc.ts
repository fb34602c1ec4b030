/**
 * A client that holds no money: it pays from a wallet elsewhere, over Nostr Wallet Connect (NIP-47). The wallet gives it
 * a string with a budget, and what the budget does not cover is not paid.
 * @module
 */
import assert from 'node:assert/strict'
import { startRelay } from '../relays/index.ts'
import {
  chooseNode,
  connectRelays,
  nwcWallet,
  openClient,
  openKeys,
  openNode,
  openRunner,
  openSeal,
  readMarket,
  seconds,
  serveNwc,
  simNet,
  wallClock,
  writeNwcUri,
} from '../src/index.ts'

const clock = wallClock()
const keys = await openKeys()
const verify = (event: Parameters<typeof keys.verify>[0]) => keys.verify(event)
const relay = await startRelay({ clock, verify })
const open = (urls: readonly string[] = [relay.url]) => connectRelays({ urls, keys, clock })
const seal = (secret: Uint8Array) => openSeal({ keys, secret })

// Somewhere else: a wallet, and a connection string for one client with a budget of three sats.
const lightning = simNet({ clock })
const theirs = lightning.wallet({ alias: 'a wallet on a phone', msats: 1_000_000n })
const clientKey = keys.newSecret()
const walletRelays = open()
const service = serveNwc({
  wallet: theirs,
  relays: walletRelays,
  clock,
  keys,
  seal,
  secret: keys.newSecret(),
  clientPubkey: keys.publicKey(clientKey),
  budgetMsats: 3_000n,
})
await service.ready
const connection = writeNwcUri({ wallet: service.pubkey, relays: [relay.url], secret: clientKey })

// A node that asks two sats for an answer.
const payee = lightning.wallet({ alias: 'node', msats: 0n })
const nodeKeys = [(await payee.info()).nodeKey ?? '']
const nodeRelays = open()
const runner = openRunner('echo', { clock })
const node = await openNode({
  ...{ relays: nodeRelays, keys, secret: keys.newSecret(), clock, runner, payee, priceMsats: 2_000n },
  service: { id: 'echo', name: 'echo', about: 'Says what you say.', kinds: runner.kinds, nodeKeys },
})
assert(await node.ready)

// The client knows nothing of the wallet but the string.
const payer = nwcWallet({ uri: connection, relays: open, clock, keys, seal })
const { network } = await payer.info()
const relays = open()
const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 5_000n })
assert(choice.ok)
const client = openClient({ relays, keys, secret: keys.newSecret(), clock, payer, network })
const ask = (text: string) => client.ask({ text, node: choice.offer, capMsats: 5_000n })

const first = await ask('The wallet is elsewhere.')
process.stdout.write(`${first.text}\n`)
assert.equal(first.text, 'The wallet is elsewhere.')
assert.equal(await theirs.balance(), 998_000n)

const second = await ask('And this one is beyond the budget.')
process.stdout.write(`${second.code}: ${second.says}\n`)
assert.equal(second.ok, false)
assert.equal(second.msats, 0n)
assert.equal(await theirs.balance(), 998_000n)

await node.close()
await payer.close()
await service.close()
await Promise.all([payee.close(), theirs.close(), runner.close()])
await Promise.all([relays.close(), nodeRelays.close(), walletRelays.close()])
await relay.close()
