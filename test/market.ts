/**
 * A node, a client and a simulated Lightning in one world: what most stories need.
 * @module
 */
import type { AskEvent, Client, ClientOptions, Outcome, Question } from '../src/client/client.ts'
import { chooseNode, openClient, readMarket } from '../src/client/client.ts'
import { seconds } from '../src/clock.ts'
import { type Node, type NodeEvent, type NodeOptions, openNode } from '../src/node/node.ts'
import { type SimNet, type SimWallet, simNet } from '../src/payments/sim.ts'
import { type EchoOptions, echoRunner } from '../src/runners/echo.ts'
import type { World } from './worlds.ts'

export interface Market {
  readonly net: SimNet
  readonly payee: SimWallet
  readonly payer: SimWallet
  readonly node: Node
  readonly nodeEvents: NodeEvent[]
  readonly client: Client
  readonly askEvents: AskEvent[]
  /** Resolves when the node told of this. */
  told(event: NodeEvent['event']): Promise<NodeEvent>
  ask(question: Partial<Question> & { text: string }, signal?: AbortSignal): Promise<Outcome>
  close(): Promise<void>
}

export interface MarketOptions {
  readonly priceMsats?: bigint
  readonly echo?: Partial<EchoOptions>
  readonly node?: Partial<NodeOptions>
  readonly client?: Partial<ClientOptions>
  /** The node pays kept money back, and the client takes it. Default false. */
  readonly refunds?: boolean
  /** Default true. */
  readonly awaitReady?: boolean
}

export const walletMsats = 1_000_000n

export async function openMarket(world: World, options: MarketOptions = {}): Promise<Market> {
  const { keys, clock } = world
  const net = simNet({ clock, pollMs: 50 })
  const payee = net.wallet({ alias: 'node', msats: walletMsats })
  const payer = net.wallet({ alias: 'client', msats: walletMsats })
  const nodeEvents: NodeEvent[] = []
  const askEvents: AskEvent[] = []
  const waiting: { event: string; came: (event: NodeEvent) => void }[] = []
  const nodeSecret = keys.newSecret()
  const clientSecret = keys.newSecret()
  const { nodeKey } = await payee.info()
  const node = await openNode({
    relays: world.connect(nodeSecret),
    keys,
    secret: nodeSecret,
    clock,
    runner: echoRunner({ clock, ...options.echo }),
    payee,
    priceMsats: options.priceMsats ?? 2_000n,
    service: { id: 'test', name: 'test', about: 'a test', kinds: [5050], nodeKeys: nodeKey ? [nodeKey] : [] },
    ...(options.refunds ? { refunder: { payer: payee, network: async () => 'regtest' as const } } : {}),
    ...options.node,
    onEvent(event) {
      nodeEvents.push(event)
      for (const one of waiting.splice(0))
        if (one.event === event.event) one.came(event)
        else waiting.push(one)
    },
  })
  if (options.awaitReady !== false && !(await node.ready)) throw new Error('the node does not hear itself')
  const relays = world.connect(clientSecret)
  const client = openClient({
    ...{ relays, keys, secret: clientSecret, clock, payer, network: 'regtest' },
    ...(options.refunds ? { payee: payer } : {}),
    ...options.client,
  })
  return {
    net,
    payee,
    payer,
    node,
    nodeEvents,
    client,
    askEvents,
    told: event =>
      new Promise(came => {
        const already = nodeEvents.find(one => one.event === event)
        if (already) came(already)
        else waiting.push({ event, came })
      }),
    async ask(question, signal) {
      const capMsats = question.capMsats ?? 5_000n
      const choice = chooseNode(await readMarket(relays, seconds(clock)), { capMsats: 10_000_000n, to: node.pubkey })
      if (!choice.ok) throw new Error(choice.says)
      const { pubkey, announcement } = choice.offer
      const onEvent = (event: AskEvent) => void askEvents.push(event)
      return client.ask({ node: { pubkey, announcement }, onEvent, ...question, capMsats }, signal)
    },
    async close() {
      await node.close()
      await payee.close()
      await payer.close()
      await world.close()
    },
  }
}
