/**
 * What a node's channels look like from the chain, kept as LDK asks: the whole state now and then, and between two of
 * them only the updates, because the whole grows with every payment of a channel and an update does not.
 * @module
 */
import { toHex } from '../hash.ts'
import type { Books } from './books.ts'
import {
  type BroadcasterInterface,
  type ChannelMonitor,
  type ChannelMonitorUpdate,
  type FeeEstimator,
  giveBack,
  isNothing,
  type KeysManager,
  type Ldk,
  type Logger,
  type OutPoint,
  take,
} from './lib.ts'

export interface Monitors {
  /** LDK has changed a channel; `update` is nothing when the chain did it. The borrowed state is given back. */
  changed(outpoint: OutPoint, update: ChannelMonitorUpdate | undefined, lent: ChannelMonitor): void
  /** Puts what changed into the books. False when nothing had. */
  save(): boolean
  /** Reads every channel as of the last commit. Throws `PaymentError` for what cannot be read. */
  restore(parts: {
    keys: KeysManager
    broadcaster: BroadcasterInterface
    fees: FeeEstimator
    logger: Logger
  }): readonly ChannelMonitor[]
}

interface Kept {
  /** Size of the whole state, and of the updates since it was written. */
  whole: number
  since: number
  /** Keys of the updates. */
  readonly log: string[]
  next: number
  /** Newest state, borrowed until the commit. */
  lent: ChannelMonitor | undefined
  updates: Uint8Array[]
  rewrite: boolean
}

/** Updates are gathered at least to this size before the whole state is written again. */
const LOG_BYTES = 65_536

/** Opens the channels of one node under `prefix`. */
export function openMonitors(ldk: Ldk, books: Books, prefix: string): Monitors {
  const all = new Map<string, Kept>()
  const dirty = new Set<Kept>()
  const wholeKey = (id: string): string => `${prefix}monitor/${id}`
  const entry = (id: string): Kept => {
    const one = all.get(id) ?? { whole: 0, since: 0, log: [], next: 0, lent: undefined, updates: [], rewrite: true }
    all.set(id, one)
    return one
  }

  const writeWhole = (id: string, one: Kept, bytes: Uint8Array): void => {
    books.put(wholeKey(id), () => bytes)
    for (const key of one.log.splice(0)) books.drop(key)
    Object.assign(one, { whole: bytes.length, since: 0, rewrite: false })
  }

  const writeUpdates = (id: string, one: Kept): void => {
    const bytes = Buffer.concat(one.updates.flatMap(update => [sizeOf(update), update]))
    const key = `${prefix}update/${id}/${String(one.next++).padStart(12, '0')}`
    books.put(key, () => bytes)
    one.log.push(key)
    one.since += bytes.length
  }

  return {
    changed(outpoint, update, lent) {
      if (!books.durable) return giveBack(lent)
      const one = entry(toHex(outpoint.write()))
      if (!update || isNothing(update)) one.rewrite = true
      else one.updates.push(update.write())
      if (one.lent) giveBack(one.lent)
      one.lent = lent
      dirty.add(one)
    },
    save() {
      for (const [id, one] of all) {
        if (!dirty.has(one) || !one.lent) continue
        if (one.rewrite || one.since > Math.max(LOG_BYTES, one.whole)) writeWhole(id, one, one.lent.write())
        else writeUpdates(id, one)
        giveBack(one.lent)
        Object.assign(one, { lent: undefined, updates: [] })
      }
      const any = dirty.size > 0
      dirty.clear()
      return any
    },
    restore({ keys, broadcaster, fees, logger }) {
      return books.keys(wholeKey('')).map(key => {
        const id = key.slice(wholeKey('').length)
        const bytes = books.bytes(key) ?? new Uint8Array()
        const [entropy, signer] = [keys.as_EntropySource(), keys.as_SignerProvider()]
        const monitor = take(
          ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelMonitorZ_read(bytes, entropy, signer),
          ldk.Result_C2Tuple_ThirtyTwoBytesChannelMonitorZDecodeErrorZ_OK,
          'a channel in the store cannot be read',
        ).get_b()
        const one = entry(id)
        one.log.push(...books.keys(`${prefix}update/${id}/`))
        for (const row of one.log)
          for (const one of parts(books.bytes(row) ?? new Uint8Array())) {
            const read = ldk.ChannelMonitorUpdate.constructor_read(one)
            const update = take(
              read,
              ldk.Result_ChannelMonitorUpdateDecodeErrorZ_OK,
              'a change in the store is unreadable',
            )
            if (update.get_update_id() > monitor.get_latest_update_id())
              monitor.update_monitor(update, broadcaster, fees, logger)
          }
        return monitor
      })
    },
  }
}

function sizeOf(bytes: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(bytes.length)
  return size
}

function* parts(bytes: Uint8Array): Iterable<Uint8Array> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < all.length; ) {
    const end = at + 4 + all.readUInt32BE(at)
    yield Uint8Array.from(all.subarray(at + 4, end))
    at = end
  }
}
