/**
 * What the tests of the LDK rail share.
 * @module
 */

import { fromHex, sha256Hex } from '../src/payments/hash.ts'
import type { LdkPair, LdkStore } from '../src/payments/ldk.ts'
import type { Bill, PayOrder, Wallet } from '../src/payments/payment.ts'

/**
 * What both sides of the channel can send, in msats. While no payment is on its way this is the capacity less both
 * reserves, and so constant: a payment over one hop costs no fee.
 */
export const channelMsats = ({ payerNode, payeeNode }: LdkPair): bigint =>
  [...payerNode.channels(), ...payeeNode.channels()].reduce((sum, { outboundMsats }) => sum + outboundMsats, 0n)

/** What either side of a fresh pair can send: the capacity less both reserves, in msats. */
export const BEGAN = { payer: 890_000_000n, payee: 90_000_000n }

export const orderOf = ({ bolt11, hash, msats }: Bill): PayOrder => ({ bolt11, hash, msats })

let made = 0
/** A fresh bill of a wallet for `msats`. */
export const ask = (msats: bigint, expirySeconds = 600) => ({
  key: `job ${++made}`,
  msats,
  expirySeconds,
  description: 'a job',
})

/** A preimage that everybody can derive, and its hash. */
export function secretOf(name: string): { preimage: string; hash: string } {
  const preimage = sha256Hex(`preimage ${name}`)
  return { preimage, hash: sha256Hex(fromHex(preimage)) }
}

/**
 * Holds the rows of both wallets against each other and against the channel. Empty when every settled payment is on
 * both sides with one preimage, when nothing settled on one side only, and when the balances are what the rows sum up to.
 */
export async function faults(
  pair: LdkPair,
  began: { payer: bigint; payee: bigint } = BEGAN,
): Promise<readonly string[]> {
  const wrong: string[] = []
  const rowsOf = (wallet: Wallet) => wallet.transactions({ unpaid: true, limit: 100_000 })
  const [payer, payee] = [await rowsOf(pair.payer), await rowsOf(pair.payee)]
  if (!pair.conserved()) wrong.push(`${pair.totalMsats()} msats in the channel`)
  for (const [from, to] of [[payer, payee] as const, [payee, payer] as const]) {
    const incoming = new Map(to.filter(({ type }) => type === 'incoming').map(row => [row.hash, row]))
    for (const { type, hash, state, preimage, msats } of from) {
      const there = incoming.get(hash)
      if (type !== 'outgoing') continue
      if ((state === 'settled') !== (there?.state === 'settled'))
        wrong.push(`${hash} is ${state} for the payer and ${there?.state} for the payee`)
      if (state !== 'settled') continue
      if (preimage === undefined || sha256Hex(fromHex(preimage)) !== hash) wrong.push(`${hash} is settled unproven`)
      if (there?.preimage !== preimage || there?.msats !== msats) wrong.push(`${hash} differs`)
      incoming.delete(hash)
    }
    for (const { hash, state } of incoming.values())
      if (state === 'settled' && !from.some(row => row.type === 'outgoing' && row.hash === hash))
        wrong.push(`${hash} came from nobody`)
  }
  for (const [name, rows] of [['payer', payer] as const, ['payee', payee] as const]) {
    let sum = began[name]
    for (const { type, state, msats } of rows) {
      if (type === 'incoming' && state === 'settled') sum += msats
      if (type === 'outgoing' && (state === 'settled' || state === 'pending')) sum -= msats
    }
    const balance = await pair[name].balance()
    if (balance !== sum) wrong.push(`the ${name} has ${balance} msats, its rows say ${sum}`)
  }
  return wrong
}

export interface TestStore extends LdkStore {
  readonly rows: Map<string, Uint8Array | string>
  /** Commits so far. */
  readonly commits: number
  /** Bytes of the values written so far. */
  readonly bytes: number
  /** Called after every commit. */
  committed: () => void
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
    committed() {},
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
      this.committed()
      return result
    },
  }
}
