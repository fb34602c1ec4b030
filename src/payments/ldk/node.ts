/**
 * One Lightning node: LDK's parts put together, and its events as plain values.
 * @module
 */
import { toHex } from '../hash.ts'
import type { Chain } from './chain.ts'
import { type Happening, readEvent } from './happening.ts'
import {
  type ChannelManager,
  type ChannelMonitor,
  type Confirm,
  done,
  type Event,
  giveBack,
  type Ldk,
  type OutPoint,
  type PeerManager,
} from './lib.ts'
import { fundingTransaction } from './transaction.ts'

/** Where a node's state goes, synchronously: LDK goes on as soon as `monitor` returns. What throws freezes the channel. */
export interface NodeStore {
  /** State of one channel on the chain side; `id` is the hex of its funding outpoint. */
  monitor(id: string, bytes: Uint8Array): void
  /** State of everything else, written after every change that matters. */
  manager(bytes: Uint8Array): void
}

export interface NodeOptions {
  readonly alias: string
  readonly chain: Chain
  /** 32 bytes from which every key is derived. */
  readonly seed: Uint8Array
  /** Unix seconds. */
  readonly now: number
  readonly random: (bytes: number) => Uint8Array
  readonly store?: NodeStore
}

/** One side's view of a channel. Money in msats; `outbound` and `inbound` leave the reserve out. */
export interface ChannelView {
  readonly peer: string
  readonly usable: boolean
  readonly capacityMsats: bigint
  readonly outboundMsats: bigint
  readonly inboundMsats: bigint
  /** What one payment may carry now, after the opener's commitment fee. */
  readonly nextMsats: bigint
  /** Payments on their way in either direction. */
  readonly pending: number
}

export interface LightningNode {
  readonly alias: string
  /** Node key, 33 bytes hex. */
  readonly key: string
  readonly id: Uint8Array
  readonly ldk: Ldk
  readonly channelManager: ChannelManager
  readonly peers: PeerManager
  channels(): readonly ChannelView[]
  /** Lets LDK produce messages and events; true when there were events. Reports go to `hears`. */
  work(): boolean
  /** LDK's housekeeping, due once a minute. */
  tick(): void
  /** Who is told what happened; a node without a listener refuses what is paid to it. */
  hears: ((happening: Happening) => void) | undefined
  /** Stops following the chain. */
  stop(): void
}

/** Dust exposure that a channel may carry: LDK's default at the minimum fee lets three held micro-payments block it. */
const DUST_MSATS = 5_000_000_000n
/** LDK's floor, sat per 1,000 weight. */
const FEERATE = 253

/** Starts a node at the present tip of its chain. */
export function startNode(ldk: Ldk, options: NodeOptions): LightningNode {
  const { alias, chain, seed, now, random, store } = options
  const failures: unknown[] = []
  const guarded = <T>(run: () => T, otherwise: T): T => {
    try {
      return run()
    } catch (error) {
      // An exception that crosses wasm frames would leave LDK's locks held for ever.
      failures.push(error)
      return otherwise
    }
  }

  const fees = ldk.FeeEstimator.new_impl({ get_est_sat_per_1000_weight: () => FEERATE })
  const broadcaster = ldk.BroadcasterInterface.new_impl({
    broadcast_transactions: all =>
      guarded(() => {
        for (const bytes of all) chain.broadcast(bytes)
      }, undefined),
  })
  const logger = ldk.Logger.new_impl({ log: () => {} })
  const { LDKChannelMonitorUpdateStatus_Completed: completed, LDKChannelMonitorUpdateStatus_InProgress: frozen } =
    ldk.ChannelMonitorUpdateStatus
  const keep = (outpoint: OutPoint, lent: ChannelMonitor) =>
    guarded(() => {
      store?.monitor(toHex(outpoint.write()), lent.write())
      giveBack(lent)
      return completed
    }, frozen)
  const persist = ldk.Persist.new_impl({
    persist_new_channel: (outpoint, monitor) => keep(outpoint, monitor),
    update_persisted_channel: (outpoint, _update, monitor) => keep(outpoint, monitor),
    archive_persisted_channel: () => {},
  })
  const none = ldk.Option_FilterZ.constructor_none()
  const monitor = ldk.ChainMonitor.constructor_new(none, broadcaster, logger, fees, persist)
  const keys = ldk.KeysManager.constructor_new(seed, BigInt(now), 0)
  const network = ldk.Network.LDKNetwork_Regtest
  const graph = ldk.NetworkGraph.constructor_new(network, logger)
  const decay = ldk.ProbabilisticScoringDecayParameters.constructor_default()
  const scorer = ldk.ProbabilisticScorer.constructor_new(decay, graph, logger)
  const score = ldk.MultiThreadedLockableScore.constructor_new(scorer.as_Score())
  const scoring = ldk.ProbabilisticScoringFeeParameters.constructor_default()
  const entropy = keys.as_EntropySource()
  const router = ldk.DefaultRouter.constructor_new(graph, logger, entropy, score.as_LockableScore(), scoring)
  const messages = ldk.DefaultMessageRouter.constructor_new(graph, entropy)
  const best = ldk.BestBlock.constructor_new(chain.tipHash, chain.height)
  const channelManager = ldk.ChannelManager.constructor_new(
    fees,
    monitor.as_Watch(),
    broadcaster,
    router.as_Router(),
    messages.as_MessageRouter(),
    logger,
    entropy,
    keys.as_NodeSigner(),
    keys.as_SignerProvider(),
    settings(ldk),
    ldk.ChainParameters.constructor_new(network, best),
    now,
  )
  const ignore = ldk.IgnoringMessageHandler.constructor_new()
  const peers = ldk.PeerManager.constructor_new(
    channelManager.as_ChannelMessageHandler(),
    ignore.as_RoutingMessageHandler(),
    ignore.as_OnionMessageHandler(),
    ignore.as_CustomMessageHandler(),
    now,
    random(32),
    logger,
    keys.as_NodeSigner(),
  )
  const queue: Event[] = []
  const handler = ldk.EventHandler.new_impl({
    handle_event(event) {
      queue.push(event)
      return ldk.Result_NoneReplayEventZ.constructor_ok()
    },
  })
  const sources = [channelManager.as_EventsProvider(), monitor.as_EventsProvider()]
  const unfollow = follow(ldk, chain, [channelManager.as_Confirm(), monitor.as_Confirm()])
  // LDK holds callbacks weakly: what is not reachable from here would be collected under it.
  const held = [fees, broadcaster, logger, persist, graph, scorer, score, scoring, router, messages, ignore, handler]

  const act = (event: Event, node: LightningNode): void => {
    if (event instanceof ldk.Event_FundingGenerationReady) {
      const funding = fundingTransaction(
        event.output_script,
        event.channel_value_satoshis,
        Buffer.concat([random(32), Uint8Array.of(0, 0, 0, 0)]),
      )
      const { temporary_channel_id: channel, counterparty_node_id: peer } = event
      done(channelManager.funding_transaction_generated(channel, peer, funding), 'the channel cannot be funded')
    } else if (event instanceof ldk.Event_PendingHTLCsForwardable) channelManager.process_pending_htlc_forwards()
    else {
      const happening = readEvent(ldk, event)
      if (!happening) return
      if (node.hears) node.hears(happening)
      else if (happening.what === 'claimable') channelManager.fail_htlc_backwards(happening.hashBytes)
    }
  }

  const id = channelManager.get_our_node_id()
  return {
    alias,
    id,
    key: toHex(id),
    ldk,
    channelManager,
    peers,
    hears: undefined,
    channels: () =>
      channelManager.list_channels().map(channel => ({
        peer: toHex(channel.get_counterparty().get_node_id()),
        // Declared boolean, delivered as 0 or 1.
        usable: Boolean(channel.get_is_usable()),
        capacityMsats: channel.get_channel_value_satoshis() * 1000n,
        outboundMsats: channel.get_outbound_capacity_msat(),
        inboundMsats: channel.get_inbound_capacity_msat(),
        nextMsats: channel.get_next_outbound_htlc_limit_msat(),
        pending: channel.get_pending_inbound_htlcs().length + channel.get_pending_outbound_htlcs().length,
      })),
    work() {
      peers.process_events()
      for (const source of sources) source.process_pending_events(handler)
      const events = queue.splice(0)
      for (const event of events) act(event, this)
      if (store && channelManager.get_and_clear_needs_persistence()) store.manager(channelManager.write())
      const [failure] = failures.splice(0)
      if (failure !== undefined) throw failure
      return events.length > 0
    },
    tick() {
      channelManager.timer_tick_occurred()
      peers.timer_tick_occurred()
    },
    stop() {
      unfollow()
      held.length = 0
    },
  }
}

function settings(ldk: Ldk) {
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

function follow(ldk: Ldk, chain: Chain, sinks: readonly Confirm[]): () => void {
  return chain.follow({
    confirmed(header, height, transactions) {
      const rows = transactions.map(({ index, bytes }) => ldk.TwoTuple_usizeTransactionZ.constructor_new(index, bytes))
      for (const sink of sinks) sink.transactions_confirmed(header, rows, height)
    },
    tip(header, height) {
      for (const sink of sinks) sink.best_block_updated(header, height)
    },
  })
}
