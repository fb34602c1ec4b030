/**
 * Neither side can cheat: real Lightning holds the money, the answer travels sealed under the preimage, and paying opens
 * it. Then a node fails at its work, and the held money comes back.
 * @module
 */
import assert from 'node:assert/strict'
import { memoryHub } from '../relays/index.ts'
import {
  chooseNode,
  ldkPair,
  memoryJournal,
  openClient,
  openKeys,
  openNode,
  openRunner,
  readMarket,
  seconds,
  wallClock,
} from '../src/index.ts'

const clock = wallClock()
const keys = await openKeys()
const hub = memoryHub({ clock })
const { payer, payee, close } = await ldkPair({ clock })
const began = await payer.balance()

/** A node that sells at two sats, with a good or a broken runner. */
const sell = async (fault?: 'dies') => {
  const runner = openRunner('echo', { clock, ...(fault ? { fault } : {}) })
  const relays = hub.connect()
  const service = { id: 'echo', name: 'echo', about: 'Says what you say.', kinds: runner.kinds, nodeKeys: [] }
  const parts = { relays, keys, clock, runner, payee, service }
  const node = await openNode({ ...parts, secret: keys.newSecret(), priceMsats: 2_000n })
  assert(await node.ready)
  return node
}

const relays = hub.connect()
const journal = memoryJournal()
const client = openClient({ relays, keys, secret: keys.newSecret(), clock, payer, journal, network: 'regtest' })
const buy = async (pubkey: string, text: string) => {
  const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 2_000n, to: pubkey })
  assert(choice.ok)
  return client.ask({ text, node: choice.offer, capMsats: 2_000n, terms: { word: 'hold' } })
}

const good = await sell()
const answered = await buy(good.pubkey, 'Neither of us has to trust the other.')
assert.equal(answered.text, 'Neither of us has to trust the other.')
assert.equal(answered.job.sealed?.hash, answered.job.order?.hash, 'the answer was sealed under its own payment')
assert.equal(await payer.balance(), began - 2_000n)

const bad = await sell('dies')
const failed = await buy(bad.pubkey, 'This one fails.')
assert.equal(failed.ok, false)
assert.equal(failed.msats, 0n, 'what was held came back')
assert.equal(await payer.balance(), began - 2_000n)

// The books know both payments, and nothing is left open.
assert.deepEqual(
  journal.orders.list().map(({ state }) => state),
  ['failed', 'paid'],
)
assert.deepEqual(journal.jobs.unfinished('client'), [])
process.stdout.write(`${answered.text}\n`)

await Promise.all([good.close(), bad.close()])
await close()
