/**
 * Real Lightning in this process: LDK nodes from npm on a regtest chain of our own. No daemon, no port, no coins.
 * @module
 */
import type { Clock } from '../clock.ts'
import type { Chain } from './ldk/chain.ts'
import { type LdkNet, ldkNet } from './ldk/net.ts'
import type { LightningNode } from './ldk/node.ts'
import { type LdkWallet, ldkWallet } from './ldk/wallet.ts'

export type { Chain } from './ldk/chain.ts'
export { type LdkNet, ldkNet, type NetOptions } from './ldk/net.ts'
export type { ChannelView, LightningNode, NodeStore } from './ldk/node.ts'
export { type LdkWallet, type LdkWalletOptions, ldkWallet } from './ldk/wallet.ts'

export interface LdkPairOptions {
  readonly clock: Clock
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
  /** Stops both wallets and every timer; the process can then end by itself. */
  close(): Promise<void>
}

/** Two wallets with one funded channel between them. Rejects with `PaymentError`. */
export async function ldkPair(options: LdkPairOptions): Promise<LdkPair> {
  const {
    clock,
    channelSats = 1_000_000,
    pushSats = Math.floor(channelSats / 10),
    aliases = ['payer', 'payee'],
  } = options
  const net = await ldkNet({ clock })
  try {
    const payerNode = net.node(aliases[0])
    const payeeNode = net.node(aliases[1])
    const payer = ldkWallet(net, payerNode)
    const payee = ldkWallet(net, payeeNode)
    net.open(payerNode, payeeNode, { sats: BigInt(channelSats), pushMsats: BigInt(pushSats) * 1000n })
    return {
      payer,
      payee,
      payerNode,
      payeeNode,
      net,
      chain: net.chain,
      async close() {
        await payer.close()
        await payee.close()
        net.close()
      },
    }
  } catch (error) {
    net.close()
    throw error
  }
}
