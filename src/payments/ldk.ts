/**
 * Real Lightning in this process: LDK nodes from npm on a regtest chain of our own. No daemon, no port, no coins.
 * @module
 */
import type { Clock } from '../clock.ts'
import type { LdkStore } from './ldk/books.ts'
import type { Chain } from './ldk/chain.ts'
import { type LdkNet, ldkNet } from './ldk/net.ts'
import type { LightningNode } from './ldk/node.ts'
import { type LdkWallet, ldkWallet } from './ldk/wallet.ts'
import { PaymentError } from './payment.ts'

export type { LdkStore } from './ldk/books.ts'
export type { Chain } from './ldk/chain.ts'
export type { ChannelView } from './ldk/channels.ts'
export { type LdkNet, ldkNet, type NetOptions } from './ldk/net.ts'
export type { LightningNode } from './ldk/node.ts'
export { type LdkWallet, type LdkWalletOptions, ldkWallet } from './ldk/wallet.ts'

export interface LdkPairOptions {
  readonly clock: Clock
  /** Where the pair is kept: an empty store makes a new pair, a used one brings it back. Default: memory only. */
  readonly store?: LdkStore
  /** Size of the one channel. Default 1,000,000. */
  readonly channelSats?: number
  /** What lies on the payee's side. Default a tenth of the channel, so that money can flow both ways. */
  readonly pushSats?: number
  /** Names of payer and payee. */
  readonly aliases?: readonly [string, string]
}

export interface LdkPair {
  readonly payer: LdkWallet
  readonly payee: LdkWallet
  readonly payerNode: LightningNode
  readonly payeeNode: LightningNode
  readonly net: LdkNet
  readonly chain: Chain
  /** All msats in channels: what either side has, its reserve included, and what is under way between them. */
  totalMsats(): bigint
  /** True while that is exactly what the channels were funded with: no money appeared or vanished, and no channel is closed. */
  conserved(): boolean
  /** Stops both wallets and every timer; the process can then end by itself. */
  close(): Promise<void>
}

const OPENED_KEY = 'pair'

/**
 * Two wallets with one funded channel between them. With a store everything that happened is kept, at once and before it
 * is told, so that a pair whose process was killed comes back as it was and ends what it had begun. Rejects with
 * `PaymentError`.
 */
export async function ldkPair(options: LdkPairOptions): Promise<LdkPair> {
  const { clock, store } = options
  const net = await ldkNet({ clock, ...(store && { store }) })
  try {
    return net.run(() => openPair(net, options))
  } catch (error) {
    net.close()
    throw error
  }
}

function openPair(net: LdkNet, options: LdkPairOptions): LdkPair {
  const { channelSats = 1_000_000, pushSats = Math.floor(channelSats / 10), aliases = ['payer', 'payee'] } = options
  try {
    const payerNode = net.node(aliases[0], { name: 'payer' })
    const payeeNode = net.node(aliases[1], { name: 'payee' })
    const payer = ldkWallet(net, payerNode)
    const payee = ldkWallet(net, payeeNode)
    if (net.books.text(OPENED_KEY) === undefined) {
      net.open(payerNode, payeeNode, { sats: BigInt(channelSats), pushMsats: BigInt(pushSats) * 1000n })
      net.books.put(OPENED_KEY, () => 'yes')
    } else {
      // No time passed on the chain while its process was dead.
      net.chain.stamp()
      net.connect(payerNode, payeeNode)
    }
    const sides = () => [...payerNode.channels(), ...payeeNode.channels()]
    const totalMsats = () =>
      sides().reduce((sum, side) => sum + side.outboundMsats + side.reserveMsats + side.underWayMsats, 0n)
    return {
      payer,
      payee,
      payerNode,
      payeeNode,
      net,
      chain: net.chain,
      totalMsats,
      // Both sides show the whole capacity of the channel between them.
      conserved: () =>
        sides().length > 0 && totalMsats() * 2n === sides().reduce((sum, one) => sum + one.capacityMsats, 0n),
      async close() {
        await payer.close()
        await payee.close()
        net.close()
      },
    }
  } catch (error) {
    // A pair that could not be opened whole is not kept at all.
    const broken = net.abandon(error)
    throw error instanceof PaymentError ? error : broken
  }
}
