/**
 * A Lightning network in this process: nodes, connections and channels on one chain, and the pump that carries
 * messages until everything is quiet.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../../clock.ts'
import { seconds } from '../../clock.ts'
import { PaymentError } from '../payment.ts'
import { type Books, type LdkStore, openBooks } from './books.ts'
import { type Chain, openChain } from './chain.ts'
import { done, isTrap, type Ldk, loadLdk } from './lib.ts'
import { type LightningNode, startNode } from './node.ts'
import { connect, type Link } from './wire.ts'

export interface NetOptions {
  readonly clock: Clock
  /** Bytes for seeds and block headers. Default: the system's. */
  readonly random?: (bytes: number) => Uint8Array
  /** Where chain, nodes and wallets are kept. Without one they end with the process. */
  readonly store?: LdkStore
}

export interface LdkNet {
  readonly clock: Clock
  readonly chain: Chain
  readonly nodes: readonly LightningNode[]
  readonly books: Books
  /** Starts a node as the store has it under this name (default: its alias), or a new one at the present tip. */
  node(alias: string, options?: { seed?: Uint8Array; name?: string }): LightningNode
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
  /**
   * Runs what calls LDK, and keeps all that changed before it returns; calls within calls are kept together. A trap
   * inside the wasm or a store that fails breaks the net: what the nodes know is then not what is kept.
   */
  run<T>(calls: () => T): T
  /** Gives up: what happened since the last commit is not kept, and nothing happens any more. */
  abandon(cause: unknown): PaymentError
  /** Calls once everything that happened until now is kept, and never when it could not be. */
  after(tell: () => void): void
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
  return buildNet(await loadLdk(), options)
}

function buildNet(ldk: Ldk, options: NetOptions): LdkNet {
  const { clock, random = bytes => Uint8Array.from(randomBytes(bytes)), store } = options
  const books = openBooks(store)
  const chain = openChain({ clock, random, books })
  const nodes: LightningNode[] = []
  const links = new Map<string, { readonly a: LightningNode; readonly b: LightningNode; link: Link }>()
  const listeners = new Set<(error: PaymentError) => void>()
  let broken: PaymentError | undefined
  let pumping = false
  let again = false
  let depth = 0
  const told: (() => void)[] = []
  let cancelTick = (): void => {}

  const name = (a: LightningNode, b: LightningNode): string => [a.key, b.key].sort().join()

  const fail = (cause: unknown): PaymentError => {
    if (broken) return broken
    broken = new PaymentError('INTERNAL', `the Lightning nodes of this process have stopped: ${cause}`, { cause })
    cancelTick()
    told.length = 0
    for (const listener of [...listeners]) listener(broken)
    return broken
  }

  const round = (): boolean => {
    let busy = false
    for (const { link } of links.values()) if (link.move()) busy = true
    for (const node of nodes) if (node.work()) busy = true
    return busy
  }

  const keep = (): void => {
    if (broken) return
    try {
      books.commit()
    } catch (error) {
      throw fail(error)
    }
    for (const tell of told.splice(0)) queueMicrotask(tell)
  }

  const run = <T>(calls: () => T): T => {
    depth++
    try {
      return calls()
    } catch (error) {
      throw isTrap(error) ? fail(error) : error
    } finally {
      if (--depth === 0) keep()
    }
  }

  const pump = (): void => run(carry)

  const carry = (): void => {
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
      run(() => {
        for (const node of nodes) node.tick()
        for (const entry of links.values()) if (!entry.link.open) entry.link = connect(ldk, entry.a, entry.b)
        carry()
      })
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
    books,
    get broken() {
      return broken
    },
    node: (alias, { seed = random(32), name = alias } = {}) =>
      run(() => {
        const prefix = nodePrefix(name)
        if (nodes.some(node => books.durable && node.prefix === prefix))
          throw new PaymentError('OTHER', `a node is kept as ${name} already: give this one another name`)
        try {
          const node = startNode(ldk, { alias, chain, seed, now: seconds(clock), random, prefix, books })
          nodes.push(node)
          return node
        } catch (error) {
          // A node that came back half must not be kept so.
          fail(error)
          throw error
        }
      }),
    connect(a, b) {
      if (links.get(name(a, b))?.link.open) return
      run(() => {
        links.set(name(a, b), { a, b, link: connect(ldk, a, b) })
        carry()
      })
    },
    disconnect(a, b) {
      run(() => {
        drop(name(a, b))
        carry()
      })
    },
    stall(a, b, stalled) {
      const entry = links.get(name(a, b))
      if (!entry) throw new PaymentError('OTHER', `${a.alias} and ${b.alias} are not connected: connect them first`)
      entry.link.stalled = stalled
      if (!stalled) pump()
    },
    open(a, b, { sats, pushMsats = 0n }) {
      run(() => {
        net.connect(a, b)
        const before = usable(a, b)
        done(
          a.channelManager.create_channel(b.id, sats, pushMsats, 1n, null, null),
          `${a.alias} cannot open a channel of ${sats} sat to ${b.alias}`,
        )
        carry()
        net.mine(CONFIRMATIONS)
        if (usable(a, b) <= before)
          throw new PaymentError('OTHER', `the channel from ${a.alias} to ${b.alias} was not accepted`)
      })
    },
    mine(blocks = 1) {
      run(() => {
        for (let i = 0; i < blocks; i++) {
          chain.mine()
          carry()
        }
      })
    },
    pump,
    run,
    abandon: fail,
    after(tell) {
      if (broken) return
      if (depth === 0) queueMicrotask(tell)
      else told.push(tell)
    },
    remove(node) {
      const at = nodes.indexOf(node)
      const leave = (): void => {
        for (const [key, { a, b }] of [...links]) if (a === node || b === node) drop(key)
        if (at < 0) return
        nodes.splice(at, 1)
        if (!broken) carry()
      }
      if (broken) leave()
      else run(leave)
      if (at >= 0) node.stop()
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

const nodePrefix = (name: string): string => `node/${encodeURIComponent(name)}/`
