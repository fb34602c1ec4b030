/**
 * A Lightning network in this process: nodes, connections and channels on one chain, and the pump that carries
 * messages until everything is quiet.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { seconds } from '../../clock.ts'
import { PaymentError } from '../payment.ts'
import { type Chain, openChain } from './chain.ts'
import { done, isTrap, type Ldk, loadLdk } from './lib.ts'
import { type LightningNode, type NodeStore, startNode } from './node.ts'
import { connect, type Link } from './wire.ts'

export interface NetOptions {
  readonly clock: Clock
  /** Bytes for seeds and block headers. Default: the system's. */
  readonly random?: (bytes: number) => Uint8Array
}

export interface LdkNet {
  readonly clock: Clock
  readonly chain: Chain
  readonly nodes: readonly LightningNode[]
  /** Starts a node at the present tip. */
  node(alias: string, options?: { seed?: Uint8Array; store?: NodeStore }): LightningNode
  /** Connects two nodes, or does nothing while they are connected. A dropped link is dialled again every minute. */
  connect(a: LightningNode, b: LightningNode): void
  /** Cuts the connection until `connect`. */
  disconnect(a: LightningNode, b: LightningNode): void
  /** Holds back (or lets go) what is on the wire between two connected nodes, losing nothing. */
  stall(a: LightningNode, b: LightningNode, stalled: boolean): void
  /** Connects, opens a channel of `sats` from `a` with `pushMsats` on the side of `b`, and confirms it. Throws `PaymentError`. */
  open(a: LightningNode, b: LightningNode, channel: { sats: bigint; pushMsats?: bigint }): void
  /** Mines blocks and carries what follows from them. */
  mine(blocks?: number): void
  /** Carries messages and events until nothing moves. Throws `PaymentError` when LDK itself has failed. */
  pump(): void
  /** Runs what calls LDK; a trap inside the wasm breaks the net, because LDK's state is lost then. */
  run<T>(calls: () => T): T
  /** Takes a node off the net: connections cut, no more work. */
  remove(node: LightningNode): void
  /** Why the net has stopped, once it has. */
  readonly broken: PaymentError | undefined
  /** Calls when the net breaks; returns the way to stop. */
  onBroken(listener: (error: PaymentError) => void): () => void
  close(): void
}

const TICK_MS = 60_000
/** Far above any real exchange (a payment takes about ten rounds): beyond it two nodes talk in circles. */
const MAX_ROUNDS = 10_000
const CONFIRMATIONS = 6

/** Loads LDK and opens an empty network. */
export async function ldkNet(options: NetOptions): Promise<LdkNet> {
  return buildNet(await loadLdk(), options.clock, options.random ?? (bytes => Uint8Array.from(randomBytes(bytes))))
}

function buildNet(ldk: Ldk, clock: Clock, random: (bytes: number) => Uint8Array): LdkNet {
  const chain = openChain({ clock, random })
  const nodes: LightningNode[] = []
  const links = new Map<string, { readonly a: LightningNode; readonly b: LightningNode; link: Link }>()
  const listeners = new Set<(error: PaymentError) => void>()
  let broken: PaymentError | undefined
  let pumping = false
  let again = false
  let cancelTick = (): void => {}

  const name = (a: LightningNode, b: LightningNode): string => [a.key, b.key].sort().join()

  const fail = (cause: unknown): PaymentError => {
    if (broken) return broken
    broken = new PaymentError('INTERNAL', `the Lightning nodes of this process have stopped: ${cause}`, { cause })
    cancelTick()
    for (const listener of [...listeners]) listener(broken)
    return broken
  }

  const round = (): boolean => {
    let busy = false
    for (const { link } of links.values()) if (link.move()) busy = true
    for (const node of nodes) if (node.work()) busy = true
    return busy
  }

  const pump = (): void => {
    if (broken) throw broken
    if (pumping) {
      again = true
      return
    }
    pumping = true
    try {
      // Two quiet rounds: bytes written by the last node of a round are moved by the first step of the next.
      for (let quiet = 0, rounds = 0; quiet < 2; rounds++) {
        if (rounds > MAX_ROUNDS) throw new Error(`still not quiet after ${MAX_ROUNDS} rounds`)
        quiet = round() || again ? 0 : quiet + 1
        again = false
      }
    } catch (error) {
      throw fail(error)
    } finally {
      pumping = false
    }
  }

  const tick = (): void => {
    cancelTick = clock.after(TICK_MS, tick)
    try {
      for (const node of nodes) node.tick()
      for (const entry of links.values()) if (!entry.link.open) entry.link = connect(ldk, entry.a, entry.b)
      pump()
    } catch (error) {
      fail(error)
    }
  }
  cancelTick = clock.after(TICK_MS, tick)

  const drop = (key: string): void => {
    // After a trap every further call into the wasm may trap again.
    if (!broken) links.get(key)?.link.close()
    links.delete(key)
  }

  const net: LdkNet = {
    clock,
    chain,
    nodes,
    get broken() {
      return broken
    },
    node(alias, { seed = random(32), store } = {}) {
      const node = startNode(ldk, { alias, chain, seed, now: seconds(clock), random, ...(store && { store }) })
      nodes.push(node)
      return node
    },
    connect(a, b) {
      const entry = links.get(name(a, b))
      if (entry?.link.open) return
      links.set(name(a, b), { a, b, link: connect(ldk, a, b) })
      pump()
    },
    disconnect(a, b) {
      drop(name(a, b))
      pump()
    },
    stall(a, b, stalled) {
      const entry = links.get(name(a, b))
      if (!entry) throw new PaymentError('OTHER', `${a.alias} and ${b.alias} are not connected: connect them first`)
      entry.link.stalled = stalled
      if (!stalled) pump()
    },
    open(a, b, { sats, pushMsats = 0n }) {
      net.connect(a, b)
      const before = usable(a, b)
      done(
        a.channelManager.create_channel(b.id, sats, pushMsats, 1n, null, null),
        `${a.alias} cannot open a channel of ${sats} sat to ${b.alias}`,
      )
      pump()
      net.mine(CONFIRMATIONS)
      if (usable(a, b) <= before)
        throw new PaymentError('OTHER', `the channel from ${a.alias} to ${b.alias} was not accepted`)
    },
    mine(blocks = 1) {
      for (let i = 0; i < blocks; i++) {
        chain.mine()
        pump()
      }
    },
    pump,
    run(calls) {
      try {
        return calls()
      } catch (error) {
        throw isTrap(error) ? fail(error) : error
      }
    },
    remove(node) {
      for (const [key, { a, b }] of [...links]) if (a === node || b === node) drop(key)
      const at = nodes.indexOf(node)
      if (at < 0) return
      nodes.splice(at, 1)
      node.stop()
      if (!broken) pump()
    },
    onBroken(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close() {
      cancelTick()
      listeners.clear()
      for (const node of [...nodes]) net.remove(node)
    },
  }
  return net
}

const usable = (a: LightningNode, b: LightningNode): number =>
  a.channels().filter(channel => channel.peer === b.key && channel.usable).length
