/**
 * One paid question of many megabytes with an answer as large, over a relay of its own process with a database and default
 * limits, which is killed and started again in the middle of both directions.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPool } from '../../relays/pool.ts'
import { chooseNode, type Outcome, openClient, readMarket } from '../../src/client/client.ts'
import { seconds, wallClock } from '../../src/clock.ts'
import { sha256Hex } from '../../src/hash.ts'
import { openKeys } from '../../src/keys.ts'
import { openNode } from '../../src/node/node.ts'
import { simNet } from '../../src/payments/sim.ts'
import type { Runner } from '../../src/runners/runner.ts'
import { gridstr, isReady, textOf } from '../spawn.ts'
import { doorOf } from '../worlds.ts'

export interface Scene {
  readonly outcome: Outcome
  readonly expected: string
  readonly sha256: { readonly got: string; readonly expected: string }
  readonly kills: number
  /** Milliseconds until the inputs were put, the node worked, the node's answer was announced, and all was fetched. */
  readonly ms: { readonly sent: number; readonly running: number; readonly delivered: number; readonly whole: number }
  /** Msats that left the customer, and that came to the node. */
  readonly paid: bigint
  readonly earned: bigint
}

/** Says everything in capitals: an answer as long as its question that is not the question. */
export const loudRunner = (): Runner => ({
  name: 'loud',
  kinds: [5050],
  models: async () => [{ name: 'loud', contextTokens: 100_000_000, about: 'shouts' }],
  check: async () => ({ ok: true, model: 'loud', promptTokens: 1, maxTokens: 1_000_000 }),
  async run({ messages }, emit) {
    const text = (messages.at(-1)?.content ?? '').toUpperCase()
    emit(text)
    return { text, model: 'loud', promptTokens: 1, outputTokens: 1, finish: 'stop' }
  },
  close: async () => {},
})

/** Letters that repeat nowhere, the same each time. */
export function letters(count: number, seed = 1): string {
  const words: string[] = []
  let state = seed
  for (let at = 0; at < count; at += 6) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    words.push((state % 1_073_741_824).toString(32).padStart(6, 'x'))
  }
  return words.join('').slice(0, count)
}

const walletMsats = 1_000_000n
const priceMsats = 2_000n

export async function playLarge({
  bytes,
  privacy,
  kills: killing,
}: {
  readonly bytes: number
  readonly privacy: 1 | 2
  readonly kills: boolean
}): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'gridstr-large-'))
  const clock = wallClock()
  const keys = await openKeys()
  const start = (port: string) => gridstr(['relay', '--port', port, '--db', join(folder, 'relay.db'), '--json'])
  let relay = start('0')
  const url = textOf(await relay.row(isReady), 'url')
  const restarts: Promise<void>[] = []
  const restart = async () => {
    await relay.kill()
    relay = start(new URL(url).port)
    await relay.row(isReady)
  }
  const connect = () => openPool({ urls: [url], clock, admit: doorOf(keys), limits: { backoffMs: [20, 100] } })
  const [nodeRelays, clientRelays] = [connect(), connect()]
  const net = simNet({ clock, pollMs: 50 })
  const payee = net.wallet({ alias: 'node', msats: walletMsats })
  const payer = net.wallet({ alias: 'client', msats: walletMsats })
  const began = () => clock.now() - zero
  let zero = clock.now()
  const at = { sent: 0, running: 0, delivered: 0 }
  const secret = keys.newSecret()
  const { nodeKey } = await payee.info()
  const node = await openNode({
    ...{ relays: nodeRelays, keys, secret, clock, runner: loudRunner(), payee, priceMsats },
    service: { id: 'loud', name: 'loud', about: '', kinds: [5050], nodeKeys: nodeKey ? [nodeKey] : [] },
    onEvent({ event }) {
      if (event === 'running') at.running = began()
      if (event === 'delivered') at.delivered = began()
    },
  })
  const client = openClient({
    ...{ relays: clientRelays, keys, secret: keys.newSecret(), clock, payer, network: 'regtest', identity: 'one-job' },
  })
  try {
    if (!(await node.ready)) throw new Error('the node does not hear itself')
    const offers = await readMarket(clientRelays, seconds(clock))
    const choice = chooseNode(offers, { capMsats: 10_000n, to: node.pubkey })
    if (!choice.ok) throw new Error(choice.says)
    const { pubkey, announcement } = choice.offer
    const text = letters(bytes)
    const expected = text.toUpperCase()
    const done = new Set<string>()
    /** Once in each direction, when a third is through. */
    const kill = (way: string) => {
      if (!killing || done.has(way)) return
      done.add(way)
      restarts.push(restart())
    }
    zero = clock.now()
    const outcome = await client.ask({
      ...{ text, privacy, node: { pubkey, announcement }, capMsats: 10_000n, stream: false, ttlSeconds: 600 },
      onEvent(event) {
        if (event.event !== 'sending' && event.event !== 'fetching') return
        if (event.bytes * 3 > event.ofBytes) kill(event.event)
        if (event.event === 'sending') at.sent = began()
      },
    })
    const whole = began()
    await Promise.all(restarts)
    return {
      ...{ outcome, expected, kills: done.size, ms: { ...at, whole } },
      sha256: { got: sha256Hex(outcome.text ?? ''), expected: sha256Hex(expected) },
      paid: walletMsats - (await payer.balance()),
      earned: (await payee.balance()) - walletMsats,
    }
  } finally {
    await Promise.all(restarts)
    await node.close()
    for (const one of [nodeRelays, clientRelays, payee, payer]) await one.close()
    await relay.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
