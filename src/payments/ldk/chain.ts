/**
 * A regtest chain in memory: blocks on demand, headers stamped by the clock, no proof of work and no coins. Nodes are
 * told through LDK's `Confirm` interface, which does not ask for more.
 * @module
 */
import { type Clock, seconds } from '../../clock.ts'
import { fromHex, toHex } from '../hash.ts'
import { type Books, openBooks } from './books.ts'
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
  /** Starts at the present tip, or tells first what came after `height`; returns the way to stop. */
  follow(follower: Follower, height?: number): () => void
  /** Tells what came after `height`: every block that holds something, then the tip. */
  replay(follower: Follower, height: number): void
  /** Puts a transaction into the mempool. One that spends a spent coin is never mined. */
  broadcast(transaction: Uint8Array): void
  /** Mines `blocks` (default 1); the first takes the whole mempool. */
  mine(blocks?: number): void
  /** Makes the tip as young as the clock. The height stays, so that no held payment comes closer to its deadline. */
  stamp(): void
}

/** A block that holds something. */
interface Block {
  readonly height: number
  readonly header: Uint8Array
  readonly transactions: readonly Confirmed[]
}

const TIP_KEY = 'chain'
const BLOCK_KEY = 'block/'

/** Opens the chain that is in the books, or an empty one. `random` gives what makes two headers of one second differ. */
export function openChain(options: { clock: Clock; random: (bytes: number) => Uint8Array; books?: Books }): Chain {
  const { clock, random, books = openBooks() } = options
  const followers = new Set<Follower>()
  const mempool = new Map<string, { readonly bytes: Uint8Array; readonly spends: readonly string[] }>()
  const mined = new Set<string>()
  const spent = new Set<string>()
  let height = 0
  let parent: Uint8Array = GENESIS
  let tip: Uint8Array = GENESIS
  let newest: Uint8Array | undefined
  let stampedAt = seconds(clock)
  let tipIsEmpty = true
  const blocks: Block[] = []

  const kept = books.text(TIP_KEY)
  if (kept !== undefined) {
    const saved = JSON.parse(kept) as SavedTip
    ;({ height, stampedAt, tipIsEmpty } = saved)
    parent = fromHex(saved.parent)
    tip = fromHex(saved.tip)
    newest = saved.newest === undefined ? undefined : fromHex(saved.newest)
    for (const hex of saved.mempool) mempool.set(readTransaction(fromHex(hex)).id, waiting(fromHex(hex)))
    for (const key of books.keys(BLOCK_KEY)) blocks.push(readBlock(books.text(key) ?? ''))
    for (const { bytes } of blocks.flatMap(({ transactions }) => transactions)) {
      const { id, spends } = readTransaction(bytes)
      mined.add(id)
      for (const coin of spends) spent.add(coin)
    }
  }
  const keep = (): void =>
    books.put(TIP_KEY, () => {
      const waits = [...mempool.values()].map(({ bytes }) => toHex(bytes))
      const hashes = { parent: toHex(parent), tip: toHex(tip), ...(newest && { newest: toHex(newest) }) }
      const saved: SavedTip = { height, stampedAt, tipIsEmpty, ...hashes, mempool: waits }
      return JSON.stringify(saved)
    })

  const header = (): Uint8Array => {
    stampedAt = Math.max(stampedAt, seconds(clock))
    const bytes = Buffer.alloc(80)
    bytes.writeInt32LE(1, 0)
    bytes.set(parent, 4)
    bytes.set(random(32), 36)
    bytes.writeUInt32LE(stampedAt, 68)
    bytes.writeUInt32LE(0x207fffff, 72)
    tip = hash256(bytes)
    newest = Uint8Array.from(bytes)
    keep()
    return newest
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

  const mine = (count = 1): void => {
    for (let i = 0; i < count; i++) {
      const transactions = mineable()
      parent = tip
      height++
      tipIsEmpty = transactions.length === 0
      const bytes = header()
      if (!tipIsEmpty) {
        const block = { height, header: bytes, transactions }
        blocks.push(block)
        books.put(`${BLOCK_KEY}${String(height).padStart(9, '0')}`, () => writeBlock(block))
      }
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
    follow(follower, from = height) {
      if (from < height) this.replay(follower, from)
      followers.add(follower)
      return () => void followers.delete(follower)
    },
    replay(follower, from) {
      for (const block of blocks)
        if (block.height > from) follower.confirmed(block.header, block.height, block.transactions)
      if (newest) follower.tip(newest, height)
    },
    broadcast(transaction) {
      const { id } = readTransaction(transaction)
      if (mined.has(id) || mempool.has(id)) return
      mempool.set(id, waiting(Uint8Array.from(transaction)))
      keep()
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

/** The tip as it is kept: hashes, headers and transactions in hex. */
interface SavedTip {
  readonly height: number
  readonly stampedAt: number
  readonly tipIsEmpty: boolean
  readonly parent: string
  readonly tip: string
  readonly newest?: string
  readonly mempool: readonly string[]
}

const waiting = (bytes: Uint8Array) => ({ bytes, spends: readTransaction(bytes).spends })

const writeBlock = ({ height, header, transactions }: Block): string =>
  JSON.stringify({ height, header: toHex(header), hexes: transactions.map(({ bytes }) => toHex(bytes)) })

function readBlock(text: string): Block {
  const { height, header, hexes } = JSON.parse(text) as { height: number; header: string; hexes: string[] }
  const transactions = hexes.map((hex, at) => ({ index: at + 1, bytes: fromHex(hex) }))
  return { height, header: fromHex(header), transactions }
}
