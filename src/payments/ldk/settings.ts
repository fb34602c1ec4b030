/**
 * How LDK's nodes are set up here, and how they are told of blocks.
 * @module
 */
import type { Confirmed, Follower } from './chain.ts'
import type { BroadcasterInterface, ChannelMonitor, Confirm, FeeEstimator, Ldk, Logger } from './lib.ts'

/** Dust exposure that a channel may carry: LDK's default at the minimum fee lets three held micro-payments block it. */
const DUST_MSATS = 5_000_000_000n

/** LDK's settings for channels that open after one block and carry many small payments. */
export function settings(ldk: Ldk) {
  const config = ldk.UserConfig.constructor_default()
  const handshake = config.get_channel_handshake_config()
  handshake.set_minimum_depth(1)
  handshake.set_max_inbound_htlc_value_in_flight_percent_of_channel(100)
  config.set_channel_handshake_config(handshake)
  config.set_accept_forwards_to_priv_channels(true)
  const channel = config.get_channel_config()
  channel.set_max_dust_htlc_exposure(ldk.MaxDustHTLCExposure.constructor_fixed_limit_msat(DUST_MSATS))
  config.set_channel_config(channel)
  return config
}

const rowsOf = (ldk: Ldk, transactions: readonly Confirmed[]) =>
  transactions.map(({ index, bytes }) => ldk.TwoTuple_usizeTransactionZ.constructor_new(index, bytes))

/** Hands blocks on to parts of a running node. */
export function confirmTo(ldk: Ldk, sinks: readonly Confirm[]): Follower {
  return {
    confirmed(header, height, transactions) {
      const rows = rowsOf(ldk, transactions)
      for (const sink of sinks) sink.transactions_confirmed(header, rows, height)
    },
    tip(header, height) {
      for (const sink of sinks) sink.best_block_updated(header, height)
    },
  }
}

/** Hands blocks on to a channel that nobody watches yet. */
export function confirmToMonitor(
  ldk: Ldk,
  monitor: ChannelMonitor,
  parts: readonly [BroadcasterInterface, FeeEstimator, Logger],
): Follower {
  return {
    confirmed(header, height, transactions) {
      monitor.transactions_confirmed(header, rowsOf(ldk, transactions), height, ...parts)
    },
    tip(header, height) {
      monitor.best_block_updated(header, height, ...parts)
    },
  }
}
