/**
 * What the tests of the LDK rail share.
 * @module
 */
import type { LdkPair } from '../src/payments/ldk.ts'
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
