/**
 * A regtest chain in memory: blocks on demand, headers stamped by the clock, no proof of work and no coins. Nodes are
 * told through LDK's `Confirm` interface, which does not ask for more.
 * @module
 */
import { type Clock, seconds } from '../../clock.ts'
import { hash256, readTransaction } from './transaction.ts'

/** Hash of the regtest genesis block, internal byte order. */
const GENESIS = Buffer.from('06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f', 'hex')

/** A confirmed transaction and its place in the block (0 is the coinbase, which is not shown). */
export interface Confirmed {
  readonly index: number
  readonly bytes: Uint8Array
}

/** Who follows the chain. Both calls come in chain order; `tip` may repeat a height with another header. */
export interface Follower {
  confirmed(header: Uint8Array, height: number, transactions: readonly Confirmed[]): void
  tip(header: Uint8Array, height: number): void
}

export interface Chain {
  readonly height: number
  /** Hash of the newest block, internal byte order. */
  readonly tipHash: Uint8Array
  /** Starts at the present tip; returns the way to stop. */
  follow(follower: Follower): () => void
  /** Puts a transaction into the mempool. One that spends a spent coin is never mined. */
  broadcast(transaction: Uint8Array): void
  /** Mines `blocks` (default 1); the first takes the whole mempool. */
  mine(blocks?: number): void
  /** Makes the tip as young as the clock. The height stays, so that no held payment comes closer to its deadline. */
  stamp(): void
}

/** Opens an empty chain. `random` gives what makes two headers of one second differ. */
export function openChain(options: { clock: Clock; random: (bytes: number) => Uint8Array }): Chain {
  const { clock, random } = options
  const followers = new Set<Follower>()
  const mempool = new Map<string, { readonly bytes: Uint8Array; readonly spends: readonly string[] }>()
  const mined = new Set<string>()
  const spent = new Set<string>()
  let height = 0
  let parent: Uint8Array = GENESIS
  let tip: Uint8Array = GENESIS
  let stampedAt = seconds(clock)
  let tipIsEmpty = true

  const header = (): Uint8Array => {
    stampedAt = Math.max(stampedAt, seconds(clock))
    const bytes = Buffer.alloc(80)
    bytes.writeInt32LE(1, 0)
    bytes.set(parent, 4)
    bytes.set(random(32), 36)
    bytes.writeUInt32LE(stampedAt, 68)
    bytes.writeUInt32LE(0x207fffff, 72)
    tip = hash256(bytes)
    return Uint8Array.from(bytes)
  }

  const mineable = (): Confirmed[] => {
    const transactions: Confirmed[] = []
    for (const [id, { bytes, spends }] of mempool) {
      if (spends.some(coin => spent.has(coin))) continue
      for (const coin of spends) spent.add(coin)
      mined.add(id)
      transactions.push({ index: transactions.length + 1, bytes })
    }
    mempool.clear()
    return transactions
  }

  const mine = (blocks = 1): void => {
    for (let i = 0; i < blocks; i++) {
      const transactions = mineable()
      parent = tip
      height++
      tipIsEmpty = transactions.length === 0
      const bytes = header()
      for (const follower of followers) {
        if (!tipIsEmpty) follower.confirmed(bytes, height, transactions)
        follower.tip(bytes, height)
      }
    }
  }

  return {
    get height() {
      return height
    },
    get tipHash() {
      return tip
    },
    follow(follower) {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
    broadcast(transaction) {
      const { id, spends } = readTransaction(transaction)
      if (!mined.has(id)) mempool.set(id, { bytes: Uint8Array.from(transaction), spends })
    },
    mine,
    stamp() {
      if (seconds(clock) <= stampedAt) return
      if (height === 0 || !tipIsEmpty) return mine()
      const bytes = header()
      for (const follower of followers) follower.tip(bytes, height)
    },
  }
}
