/** Large questions and answers over the deaths of a node and of a client: nothing is lost, and no chunk is told in two ways. */
import { expect, onTestFinished, test } from 'vitest'
import { type Event, manifest } from '../kinds/index.ts'
import { memoryHub } from '../relays/memory.ts'
import type { Relays } from '../relays/relay.ts'
import { openClient } from '../src/client/client.ts'
import { wallClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { openKeys } from '../src/keys.ts'
import { openNode } from '../src/node/node.ts'
import { simNet } from '../src/payments/sim.ts'
import type { Runner } from '../src/runners/runner.ts'
import { letters, loudRunner } from './large/scene.ts'

const keys = await openKeys()
const clock = wallClock()
const start = 1_000_000n

function town() {
  const hub = memoryHub({ clock })
  const net = simNet({ clock, pollMs: 20 })
  const payee = net.wallet({ alias: 'node', msats: start })
  const payer = net.wallet({ alias: 'client', msats: start })
  const [secret, clientSecret, journal] = [keys.newSecret(), keys.newSecret(), memoryJournal()]
  const pubkey = keys.publicKey(secret)
  const seen: Event[] = []
  hub.watch(event => seen.push(event))
  const relays = (chunks: () => boolean): Relays => {
    const all = hub.connect()
    const publish: Relays['publish'] = (event, how) =>
      event.kind !== 4635 || chunks()
        ? all.publish(event, how)
        : Promise.resolve({ accepted: 0, enough: false, acks: [] })
    return { ...all, publish }
  }
  /** A node that gets so many chunks out; then relays seem to be gone. */
  const node = async (runner: Runner, chunks = Number.POSITIVE_INFINITY) => {
    let left = chunks
    return openNode({
      ...{ keys, clock, journal, payee, secret, runner, priceMsats: 2_000n, relays: relays(() => left-- > 0) },
      service: { id: 'x', name: 'x', about: '', kinds: [5050], nodeKeys: [] },
    })
  }
  const client = () =>
    openClient({
      ...{ keys, clock, payer, secret: clientSecret, network: 'regtest' as const, relays: hub.connect() },
    })
  onTestFinished(async () => {
    for (const wallet of [payee, payer]) await wallet.close()
  })
  return { net, payer, pubkey, seen, node, client, manifests: () => seen.filter(one => one.kind === manifest.number) }
}

const manifestsOf = (events: readonly Event[], author: string): string[] => [
  ...new Set(events.filter(({ pubkey }) => pubkey === author).map(({ id }) => id)),
]

test('a node that dies while its answer goes in chunks goes on with the same ones', async () => {
  const { node, client, pubkey, payer, manifests, seen } = town()
  const first = await node(loudRunner(), 3)
  const text = letters(250_000)
  const asked = client().ask({ text, node: { pubkey }, capMsats: 5_000n, stream: false })
  await expect.poll(() => manifestsOf(manifests(), pubkey).length).toBe(1)
  await expect.poll(() => seen.filter(one => one.kind === 4635 && one.pubkey === pubkey).length).toBe(3)
  await first.close()
  const second = await node({ ...loudRunner(), run: () => Promise.reject(new Error('it was done before')) })
  const outcome = await asked
  expect([outcome.ok, outcome.text === text.toUpperCase()]).toEqual([true, true])
  expect(manifestsOf(manifests(), pubkey)).toHaveLength(1)
  expect(await payer.balance()).toBe(start - 2_000n)
  await second.close()
})

test('a node that dies before it is done fetches the question again, and is paid once', async () => {
  const { node, client, pubkey, payer } = town()
  const begun = Promise.withResolvers<void>()
  const hangs: Runner = {
    ...loudRunner(),
    run: (_work, _emit, signal) => {
      begun.resolve()
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    },
  }
  const first = await node(hangs)
  const text = letters(120_000)
  const asked = client().ask({ text, node: { pubkey }, capMsats: 5_000n, stream: false })
  await begun.promise
  await first.close()
  const second = await node(loudRunner())
  const outcome = await asked
  expect([outcome.ok, outcome.text === text.toUpperCase()]).toEqual([true, true])
  expect(await payer.balance()).toBe(start - 2_000n)
  await second.close()
})
