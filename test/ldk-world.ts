/**
 * What the tests of the LDK rail share.
 * @module
 */
import type { LdkPair, LdkStore } from '../src/payments/ldk.ts'
import type { Bill, PayOrder } from '../src/payments/payment.ts'

/**
 * What both sides of the channel can send, in msats. While no payment is on its way this is the capacity less both
 * reserves, and so constant: a payment over one hop costs no fee.
 */
export const channelMsats = ({ payerNode, payeeNode }: LdkPair): bigint =>
  [...payerNode.channels(), ...payeeNode.channels()].reduce((sum, { outboundMsats }) => sum + outboundMsats, 0n)

export const orderOf = ({ bolt11, hash, msats }: Bill): PayOrder => ({ bolt11, hash, msats })

let made = 0
/** A fresh bill of a wallet for `msats`. */
export const ask = (msats: bigint, expirySeconds = 600) => ({
  key: `job ${++made}`,
  msats,
  expirySeconds,
  description: 'a job',
})

export interface TestStore extends LdkStore {
  readonly rows: Map<string, Uint8Array | string>
  /** Commits so far. */
  readonly commits: number
  /** Bytes of the values written so far. */
  readonly bytes: number
  /** The commit of this number, and every one after it, throws: before or after its rows were kept. */
  failAt(commit: number, kept: boolean): void
}

/** A store in memory that survives its pair, with what `rows` a former one left. */
export function testStore(former?: TestStore): TestStore {
  const rows = new Map(former?.rows)
  let writing: Map<string, Uint8Array | string | undefined> | undefined
  let commits = 0
  let bytes = 0
  let end: { commit: number; kept: boolean } | undefined
  const inside = () => {
    if (!writing) throw new Error('written outside of a commit')
    return writing
  }
  return {
    rows,
    get commits() {
      return commits
    },
    get bytes() {
      return bytes
    },
    failAt(commit, kept) {
      end = { commit, kept }
    },
    get: key => rows.get(key),
    set(key, value) {
      inside().set(key, typeof value === 'string' ? value : Uint8Array.from(value))
      bytes += value.length
    },
    delete: key => void inside().set(key, undefined),
    entries: (prefix = '') => [...rows].filter(([key]) => key.startsWith(prefix)),
    atomically(write) {
      writing = new Map()
      const result = write()
      commits++
      const dead = end !== undefined && commits >= end.commit
      if (!dead || (end?.kept && commits === end.commit))
        for (const [key, value] of writing) {
          if (value === undefined) rows.delete(key)
          else rows.set(key, value)
        }
      writing = undefined
      if (dead) throw new Error('disk full')
      return result
    },
  }
}
