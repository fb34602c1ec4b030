/**
 * A selling node, others that share in its price, and a client: with everybody's wallet, journal and words in hand.
 * @module
 */
import { expect } from 'vitest'
import {
  type Event,
  ephemeralWrap,
  type Feedback,
  feedback,
  parseEvent,
  type Split,
  zapRequest,
} from '../kinds/index.ts'
import type { AskEvent, ClientOptions, Outcome, Question } from '../src/client/client.ts'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { type HandClock, handClock, seconds } from '../src/clock.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { type Node, type NodeEvent, type NodeOptions, openNode } from '../src/node/node.ts'
import { type SimNet, type SimWallet, simNet } from '../src/payments/sim.ts'
import { echoRunner } from '../src/runners/echo.ts'
import { openSeal, wrapEvent } from '../src/seal.ts'
import { memoryWorld, type World } from './worlds.ts'

export const price = 2_003n
export const funds = 1_000_000n

/** Somebody who sells. */
export interface Seller {
  readonly secret: Uint8Array
  readonly pubkey: string
  readonly wallet: SimWallet
  readonly journal: Journal
  readonly events: NodeEvent[]
  node: Node
  /** Opens the node again on the same journal and wallet. */
  again(): Promise<void>
}

export interface SplitTown {
  readonly world: World
  readonly net: SimNet
  readonly seller: Seller
  readonly others: readonly Seller[]
  readonly payer: SimWallet
  readonly journal: Journal
  readonly events: AskEvent[]
  client(options?: Partial<ClientOptions>): ReturnType<typeof openClient>
  /** Asks the seller on what it announced, unless the question says otherwise. */
  ask(question?: Partial<Question>, options?: Partial<ClientOptions>): Promise<Outcome>
  /** What everybody has more than at first: seller, others, payer. */
  gains(): Promise<bigint[]>
  close(): Promise<void>
}

export interface SplitTownOptions {
  /** Weight of the seller and of the others; 0 leaves one out. */
  readonly weights: readonly number[]
  /** Keys that share as well, with weight 1. */
  readonly strangers?: readonly string[]
  readonly seller?: Partial<NodeOptions>
}

export async function openSplitTown(world: World, options: SplitTownOptions): Promise<SplitTown> {
  const { keys, clock } = world
  const net = simNet({ clock, pollMs: 50 })
  const payer = net.wallet({ alias: 'client', msats: funds })
  const journal = memoryJournal()
  const events: AskEvent[] = []
  const clientSecret = keys.newSecret()
  const secrets = options.weights.map(() => keys.newSecret())
  const splits: Split[] = [
    ...secrets.map((secret, i) => ({ pubkey: keys.publicKey(secret), relay: '', weight: options.weights[i] ?? 0 })),
    ...(options.strangers ?? []).map(pubkey => ({ pubkey, relay: '', weight: 1 })),
  ].filter(({ weight }) => weight > 0)

  async function open(secret: Uint8Array, name: string, more: Partial<NodeOptions>): Promise<Seller> {
    const wallet = net.wallet({ alias: name, msats: 0n })
    const kept = memoryJournal()
    const told: NodeEvent[] = []
    const { nodeKey } = await wallet.info()
    const start = () =>
      openNode({
        ...{ relays: world.connect(secret), keys, secret, clock, payee: wallet, priceMsats: price, journal: kept },
        runner: echoRunner({ clock }),
        onEvent: event => told.push(event),
        ...more,
        service: { id: name, name, about: '', kinds: [5050], ...more.service, nodeKeys: nodeKey ? [nodeKey] : [] },
      })
    const seller: Seller = {
      ...{ secret, pubkey: keys.publicKey(secret), wallet, journal: kept, events: told, node: await start() },
      async again() {
        await seller.node.close()
        seller.node = await start()
      },
    }
    return seller
  }

  const [first, ...rest] = secrets
  if (!first) throw new Error('somebody has to sell')
  const service = { id: 'seller', name: 'seller', about: '', kinds: [5050], nodeKeys: [], splits }
  const seller = await open(first, 'seller', { service, ...options.seller })
  const others = await Promise.all(rest.map((secret, i) => open(secret, `other ${i}`, {})))
  const relays = world.connect(clientSecret)
  const client = (more: Partial<ClientOptions> = {}) =>
    openClient({ relays, keys, secret: clientSecret, clock, payer, network: 'regtest', journal, ...more })
  return {
    ...{ world, net, seller, others, payer, journal, events, client },
    async ask(question = {}, more = {}) {
      const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: funds, to: seller.pubkey })
      if (!choice.ok) throw new Error(choice.says)
      const { pubkey, announcement } = choice.offer
      return client(more).ask({
        ...{ text: 'one two three', node: { pubkey, announcement }, capMsats: price },
        onEvent: event => events.push(event),
        ...question,
      })
    },
    async gains() {
      const all = [seller, ...others].map(({ wallet }) => wallet.balance())
      return [...(await Promise.all(all)), (await payer.balance()) - funds]
    },
    async close() {
      expect(net.conserved()).toBe(true)
      for (const { node, wallet } of [seller, ...others]) {
        await node.close()
        await wallet.close()
      }
      await payer.close()
      await world.close()
    },
  }
}

/** A story in memory, with a clock in hand. */
export async function within(options: SplitTownOptions, body: (town: SplitTown, clock: HandClock) => Promise<void>) {
  const clock = handClock()
  const town = await openSplitTown(await memoryWorld(clock), options)
  try {
    await body(town, clock)
  } finally {
    await town.close()
  }
}

/** A receiver who answers zap requests with whatever it likes. Resolves when it hears. */
export async function rogue(
  world: World,
  secret: Uint8Array,
  bill: (request: { job: string; customer: string; msats: bigint; json: string }) => Promise<Partial<Feedback>>,
  signer = secret,
  /** What is signed, changed afterwards. */
  forge: (bill: Event) => Event = bill => bill,
): Promise<void> {
  const { keys, clock } = world
  const seal = openSeal({ keys, secret })
  const relays = world.connect(secret)
  const me = keys.publicKey(secret)
  await relays.listen([{ kinds: [ephemeralWrap.number], '#p': [me] }], {
    async onEvent(wrap) {
      const json = seal.decrypt(wrap.pubkey, wrap.content)
      const event: Event | undefined = parseEvent(json)
      const read = event && zapRequest.read(event)
      if (!event || !read?.ok) return
      const { event: job = '', msats = 0n } = read.value
      const said = await bill({ job, customer: event.pubkey, msats, json })
      const value = { job, customer: event.pubkey, status: 'payment-required' as const, says: '', content: '', ...said }
      const inner = forge(keys.sign(feedback.write(value, seconds(clock)), signer))
      await relays.publish(wrapEvent(keys, inner, event.pubkey, seconds(clock)))
    },
  }).live
}

/** Lets time pass, second by second, until the promise is settled. */
export async function passTime<T>(clock: HandClock, promise: Promise<T>, most = 900): Promise<T> {
  let over = false
  const mark = () => {
    over = true
  }
  promise.then(mark, mark)
  for (let i = 0; i < most && !over; i++) {
    await clock.advance(1_000)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  return promise
}
