/**
 * A node's channels as plain values.
 * @module
 */
import { toHex } from '../hash.ts'
import { type ChannelManager, type Ldk, some } from './lib.ts'

/** One side's view of a channel. Money in msats; `outbound` and `inbound` leave the reserve out. */
export interface ChannelView {
  readonly peer: string
  readonly usable: boolean
  readonly capacityMsats: bigint
  readonly outboundMsats: bigint
  readonly inboundMsats: bigint
  /** What this side must keep in the channel. */
  readonly reserveMsats: bigint
  /** What this side has sent and the other has not taken yet. */
  readonly underWayMsats: bigint
  /** What one payment may carry now, after the opener's commitment fee. */
  readonly nextMsats: bigint
  /** Payments on their way in either direction. */
  readonly pending: number
}

/** Asks LDK for every channel. */
export function viewChannels(ldk: Ldk, channelManager: ChannelManager): readonly ChannelView[] {
  return channelManager.list_channels().map(channel => {
    const outgoing = channel.get_pending_outbound_htlcs()
    return {
      peer: toHex(channel.get_counterparty().get_node_id()),
      // Declared boolean, delivered as 0 or 1.
      usable: Boolean(channel.get_is_usable()),
      capacityMsats: channel.get_channel_value_satoshis() * 1000n,
      outboundMsats: channel.get_outbound_capacity_msat(),
      inboundMsats: channel.get_inbound_capacity_msat(),
      reserveMsats: (some(channel.get_unspendable_punishment_reserve(), ldk.Option_u64Z_Some) ?? 0n) * 1000n,
      underWayMsats: outgoing.reduce((sum, one) => sum + one.get_amount_msat(), 0n),
      nextMsats: channel.get_next_outbound_htlc_limit_msat(),
      pending: channel.get_pending_inbound_htlcs().length + outgoing.length,
    }
  })
}
