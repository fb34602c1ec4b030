/**
 * Several nodes, one client and routers that are doubles, in one world: what stories of routed questions need.
 * @module
 */
import { cancel } from '../kinds/index.ts'
import type { Relays } from '../relays/relay.ts'
import {
  type Client,
  type ClientOptions,
  openClient,
  type RoutedEvent,
  type RoutedOutcome,
  type RoutedQuestion,
} from '../src/client/client.ts'
import type { Journal } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { type Node, type NodeEvent, type NodeOptions, openNode } from '../src/node/node.ts'
import { type SimNet, type SimWallet, simNet } from '../src/payments/sim.ts'
import { type EchoOptions, echoRunner } from '../src/runners/echo.ts'
import { type FakeRouter, fakeRouter, type RouterOptions } from './client-router.ts'
import type { World } from './worlds.ts'

export const walletMsats = 1_000_000n

export interface GridNode {
  readonly pubkey: string
  readonly payee: SimWallet
  readonly events: NodeEvent[]
  /** Resolves when the node told of this, for the `times`-th time. */
  told(event: NodeEvent['event'], times?: number): Promise<NodeEvent>
  /** As if its process were killed: it says nothing more, and its wallet lives. */
  kill(): Promise<void>
  /** Its process starts again on what it had written down. */
  restart(): Promise<void>
}

export interface GridNodeOptions {
  readonly priceMsats?: bigint
  readonly echo?: Partial<EchoOptions>
  readonly node?: Partial<NodeOptions>
}

export interface Grid {
  readonly net: SimNet
  readonly nodes: readonly GridNode[]
  readonly payer: SimWallet
  readonly client: Client
  readonly journal: Journal
  readonly events: RoutedEvent[]
  onEvent(event: RoutedEvent): void
  /** Resolves when the client told of this, for the `times`-th time. */
  onceEvent(event: RoutedEvent['event'], times?: number): Promise<RoutedEvent>
  /** Resolves when a withdrawal has been seen on the relay. */
  withdrawn(): Promise<void>
  router(options?: RouterOptions): Promise<FakeRouter>
  close(): Promise<void>
}

/** Opens nodes and waits until each hears itself. */
export async function openGrid(
  world: World,
  options: { readonly nodes: readonly GridNodeOptions[]; readonly client?: Partial<ClientOptions> },
): Promise<Grid> {
  const { keys, clock } = world
  const net = simNet({ clock, pollMs: 50 })
  const payer = net.wallet({ alias: 'client', msats: walletMsats })
  const nodes = await Promise.all(options.nodes.map((one, at) => openGridNode(world, net, one, at)))
  const journal = memoryJournal()
  const secret = keys.newSecret()
  const events: RoutedEvent[] = []
  const client = openClient({
    ...{ relays: world.connect(secret), keys, secret, clock, payer, payee: payer, network: 'regtest', journal },
    recomputedShare: 0,
    ...options.client,
  })
  const routers: FakeRouter[] = []
  let waiting: (() => void)[] = []
  const { promise: withdrawal, resolve: seeWithdrawal } = Promise.withResolvers<void>()
  const spy = world.connect().listen([{ kinds: [cancel.number] }], { onEvent: () => seeWithdrawal() })
  return {
    ...{ net, nodes, payer, client, journal, events },
    onEvent(event) {
      events.push(event)
      const now = waiting
      waiting = []
      for (const look of now) look()
    },
    async onceEvent(event, times = 1) {
      for (;;) {
        const found = events.filter(one => one.event === event)[times - 1]
        if (found) return found
        await new Promise<void>(look => waiting.push(look))
      }
    },
    withdrawn: () => withdrawal,
    async router(how = {}) {
      const router = await fakeRouter(world, net, nodes, how)
      routers.push(router)
      return router
    },
    async close() {
      spy.close()
      for (const router of routers) router.close()
      for (const node of nodes) await node.kill()
      for (const node of nodes) await node.payee.close()
      await payer.close()
      await world.close()
    },
  }
}

async function openGridNode(world: World, net: SimNet, options: GridNodeOptions, at: number): Promise<GridNode> {
  const { keys, clock } = world
  const secret = keys.newSecret()
  const payee = net.wallet({ alias: `node ${at}`, msats: walletMsats })
  const { nodeKey } = await payee.info()
  const journal = memoryJournal()
  const events: NodeEvent[] = []
  let waiting: (() => void)[] = []
  let relays: Relays | undefined
  let node: Node | undefined
  async function start() {
    relays = world.connect(secret)
    node = await openNode({
      ...{ relays, keys, secret, clock, payee, journal },
      runner: echoRunner({ clock, ...options.echo }),
      priceMsats: options.priceMsats ?? 2_000n,
      service: { id: 'test', name: `node ${at}`, about: 'a test', kinds: [5050], nodeKeys: nodeKey ? [nodeKey] : [] },
      refunder: { payer: payee, network: async () => 'regtest' as const },
      ...options.node,
      onEvent(event) {
        events.push(event)
        const now = waiting
        waiting = []
        for (const look of now) look()
      },
    })
    if (!(await node.ready)) throw new Error('the node does not hear itself')
  }
  await start()
  return {
    ...{ pubkey: keys.publicKey(secret), payee, events },
    async told(event, times = 1) {
      for (;;) {
        const found = events.filter(one => one.event === event)[times - 1]
        if (found) return found
        await new Promise<void>(look => waiting.push(look))
      }
    },
    async kill() {
      await node?.close()
      await relays?.close()
    },
    restart: start,
  }
}

/** What a reader has in front of him after these events. */
export const shown = (events: readonly RoutedEvent[]): string =>
  events.reduce(
    (text, event) => (event.event === 'chunk' ? text + event.text : event.event === 'replaced' ? event.text : text),
    '',
  )

export const words = 'one two three four five six seven eight nine ten eleven twelve'

/** Opens a world with these nodes, runs the body, and holds that no money came or went. */
export async function withGrid(
  open: () => Promise<World>,
  nodes: readonly GridNodeOptions[],
  body: (grid: Grid, world: World) => Promise<void>,
): Promise<void> {
  const world = await open()
  const grid = await openGrid(world, { nodes })
  try {
    await body(grid, world)
    if (!grid.net.conserved()) throw new Error('money came or went')
  } finally {
    await grid.close()
  }
}

/** Asks by a router whose dice give this order, with little patience. */
export async function askInOrder(
  grid: Grid,
  order: readonly number[],
  question: Partial<RoutedQuestion> = {},
): Promise<RoutedOutcome> {
  const router = await grid.router({ order })
  return grid.client.askRouted({
    ...{ text: words, routers: [router.pubkey], capMsats: 5_000n, hedge: false, refundMs: 300 },
    patience: () => ({ billMs: 1_500, firstMs: 1_500, gapMs: 1_000, wholeMs: 2_000 }),
    onEvent: grid.onEvent,
    ...question,
  })
}
