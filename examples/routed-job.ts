/**
 * A router that is in nobody's way: three nodes (a fast one, a cheap one, one that lies about its speed), one client, real
 * Lightning. The router names them with its reasons, attests to the payment, and a stranger makes the same decision
 * again from what is on the relay.
 * @module
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { attestation, benchmark, type Event, ofKinds, routing } from '../kinds/index.ts'
import { query, type Relays, startRelay } from '../relays/index.ts'
import {
  connectRelays,
  ldkPair,
  openClient,
  openKeys,
  openNode,
  openPolicy,
  openRouter,
  openRunner,
  seconds,
  wallClock,
} from '../src/index.ts'

const clock = wallClock()
const keys = await openKeys()
const relay = await startRelay({ verify: keys.verify, clock })
const { payer, payee, close } = await ldkPair({ clock })
const { nodeKey } = await payee.info()
const open: Relays[] = []
const connect = (secret: Uint8Array): Relays => {
  const relays = connectRelays({ urls: [relay.url], keys, clock, secret })
  open.push(relays)
  return relays
}
const words = 'Who is fast and who only says so can be measured by anybody who pays for an answer.'

/** A node that writes so many words a second, at a price. */
const sell = async (name: string, wordsPerSecond: number, priceMsats: bigint) => {
  const secret = keys.newSecret()
  const relays = connect(secret)
  const runner = openRunner('echo', { clock, pieceMs: 1_000 / wordsPerSecond })
  const service = { id: name, name, about: `The ${name} one.`, kinds: runner.kinds, nodeKeys: nodeKey ? [nodeKey] : [] }
  const node = await openNode({ relays, keys, secret, clock, runner, payee, priceMsats, service })
  assert(await node.ready)
  return { ...node, name, secret, relays }
}
const fast = await sell('fast', 400, 3_000n)
const cheap = await sell('cheap', 100, 1_000n)
const liar = await sell('liar', 25, 2_000n)
const claim = { node: liar.pubkey, kind: 5050, model: 'echo', profile: 'made up', firstMs: 1, tokensPerSecond: 5_000 }
await liar.relays.publish(
  keys.sign(benchmark.write({ ...claim, samples: 100, at: seconds(clock) }, seconds(clock)), liar.secret),
)

const clientSecret = keys.newSecret()
const routerSecret = keys.newSecret()
const router = openRouter({
  ...{ relays: connect(routerSecret), keys, secret: routerSecret, clock, policy: openPolicy('default') },
  fee: { msats: 1_000n, payee },
  judging: { network: 'regtest' },
})
await router.ready

const relays = connect(clientSecret)
const client = openClient({ relays, keys, secret: clientSecret, clock, payer, network: 'regtest' })
const ask = (allow: readonly string[] = []) =>
  client.askRouted({
    text: words,
    routers: [router.pubkey],
    routerFeeMsats: 1_000n,
    capMsats: 5_000n,
    allow,
    hedge: false,
  })
/** Events of the router that are on the relay. */
const said = async (kind: number): Promise<Event[]> =>
  query(relays, [ofKinds([kind], { authors: [router.pubkey], limit: 500 })])
const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (let i = 0; i < 200; i++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise<void>(resolve => void clock.after(50, resolve))
  }
  throw new Error('It did not come.')
}

// Everybody works twice, so that the router has seen how fast they are.
for (const node of [fast, cheap, liar, fast, cheap, liar]) {
  const first = await ask([node.pubkey])
  assert(first.ok, first.says)
  assert.equal(first.answered?.job.node, node.pubkey)
}
const served = (event: Event) => {
  const read = attestation.read(event)
  return read.ok && read.value.topic === 'outcome' && read.value.label === 'served'
}
await until(async () => ((await said(attestation.number)).filter(served).length >= 6 ? true : undefined))

// Now it chooses by itself, and says why.
const outcome = await ask()
assert(outcome.ok, outcome.says)
assert.equal(outcome.text, words)
const [event] = outcome.route.events
assert(event)
const read = routing.read(event)
assert(read.ok)
const named = new Map(read.value.candidates.map(one => [one.node, one]))
assert.equal(named.size, 3)
const [quick, slow] = [named.get(fast.pubkey), named.get(liar.pubkey)]
assert(quick && slow)
assert(quick.factors.Q > slow.factors.Q, 'what was measured counts')
assert(
  slow.reasons.some(reason => /^claims 5,000 tokens\/s, measured [0-9.]+$/.test(reason)),
  'what was claimed is shown beside it',
)
for (const { node, reasons } of read.value.candidates) {
  const name = [fast, cheap, liar].find(one => one.pubkey === node)?.name
  process.stdout.write(`${name}: ${reasons.join(' · ')}\n`)
}

// The receipt of the payment is judged and attested.
const job = outcome.answered?.request.id ?? ''
const label = await until(async () =>
  (await said(attestation.number)).find(one => {
    const about = attestation.read(one)
    return about.ok && about.value.topic === 'payment' && about.value.label === 'settled' && about.value.job === job
  }),
)
const judged = attestation.read(label)
assert(judged.ok && outcome.answered?.receipt && judged.value.evidence.includes(outcome.answered.receipt.id))
assert.equal(judged.value.msats, outcome.msats)
process.stdout.write(`settled: ${judged.value.checks.join(' ')}\n`)

// Anybody gets the same decision and the same judgement from the relay alone.
const gridstr = fileURLToPath(new URL('../bin/gridstr.mjs', import.meta.url))
for (const id of [event.id, label.id]) {
  const run = await promisify(execFile)(process.execPath, [gridstr, 'verify', id, '--relay', relay.url, '--json'])
  const verdict = JSON.parse(run.stdout)
  assert.equal(verdict.ok, true, run.stdout)
  process.stdout.write(`${verdict.what}: ${verdict.checks.length} checks hold\n`)
}

await router.close()
for (const node of [fast, cheap, liar]) await node.close()
for (const relays of open) await relays.close()
await close()
await relay.close()
