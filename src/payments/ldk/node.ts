/**
 * One Lightning node: LDK's parts put together, new or as the books have it, and its events as plain values.
 * @module
 */
import { fromHex, toHex } from '../hash.ts'
import { PaymentError } from '../payment.ts'
import type { Books } from './books.ts'
import type { Chain } from './chain.ts'
import { type ChannelView, viewChannels } from './channels.ts'
import { type Happening, readEvent } from './happening.ts'
import {
  type ChannelManager,
  type ChannelMonitor,
  done,
  type Event,
  giveBack,
  type Ldk,
  type OutPoint,
  type PeerManager,
  take,
} from './lib.ts'
import { openMonitors } from './monitors.ts'
import { confirmTo, confirmToMonitor, settings } from './settings.ts'
import { fundingTransaction } from './transaction.ts'

export interface NodeOptions {
  readonly alias: string
  readonly chain: Chain
  /** 32 bytes from which every key is derived. */
  readonly seed: Uint8Array
  /** Unix seconds. */
  readonly now: number
  readonly random: (bytes: number) => Uint8Array
  /** Where the node's rows lie in the books. */
  readonly prefix: string
  readonly books: Books
}

export interface LightningNode {
  readonly alias: string
  /** Node key, 33 bytes hex. */
  readonly key: string
  readonly id: Uint8Array
  readonly ldk: Ldk
  readonly channelManager: ChannelManager
  readonly peers: PeerManager
  /** Where the node's rows lie in the books of its net. */
  readonly prefix: string
  channels(): readonly ChannelView[]
  /** Lets LDK produce messages and events; true when there were events. Reports go to `hears`. */
  work(): boolean
  /** LDK's housekeeping, due once a minute. */
  tick(): void
  /** Who is told what happened; a node without a listener refuses what is paid to it. */
  hears: ((happening: Happening) => void) | undefined
  /** Puts what changed into the books and stops following the chain. */
  stop(): void
}

/** How a node began, beside the state that LDK writes. Each start derives its randomness anew from `starts`. */
interface Birth {
  readonly seed: string
  readonly starts: number
}

/** LDK's floor, sat per 1,000 weight. */
const FEERATE = 253

/** Starts a node: as the books have it, or a new one at the present tip. Throws `PaymentError` for unreadable books. */
export function startNode(ldk: Ldk, options: NodeOptions): LightningNode {
  const { alias, chain, now, random, prefix, books } = options
  const kept = books.text(`${prefix}birth`)
  const birth = kept === undefined ? { seed: toHex(options.seed), starts: 0 } : (JSON.parse(kept) as Birth)
  const starts = birth.starts + 1
  if (books.durable) books.put(`${prefix}birth`, () => JSON.stringify({ ...birth, starts } satisfies Birth))

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
  const monitors = openMonitors(ldk, books, prefix)
  /** While the tip is only made younger: a channel that comes back is told the tip anyway. */
  let stamping = false
  // Completed before it is written: no peer lives outside this process, and none outlives it without the same commit.
  const keep = (outpoint: OutPoint, lent: ChannelMonitor, update?: Parameters<typeof monitors.changed>[1]) =>
    guarded(() => {
      if (stamping) giveBack(lent)
      else monitors.changed(outpoint, update, lent)
      return completed
    }, frozen)
  const persist = ldk.Persist.new_impl({
    persist_new_channel: (outpoint, monitor) => keep(outpoint, monitor),
    update_persisted_channel: (outpoint, update, monitor) => keep(outpoint, monitor, update),
    archive_persisted_channel: () => {},
  })
  const none = ldk.Option_FilterZ.constructor_none()
  const monitor = ldk.ChainMonitor.constructor_new(none, broadcaster, logger, fees, persist)
  const keys = ldk.KeysManager.constructor_new(fromHex(birth.seed), BigInt(now), starts)
  const network = ldk.Network.LDKNetwork_Regtest
  const graph = ldk.NetworkGraph.constructor_new(network, logger)
  const decay = ldk.ProbabilisticScoringDecayParameters.constructor_default()
  const scorer = ldk.ProbabilisticScorer.constructor_new(decay, graph, logger)
  const score = ldk.MultiThreadedLockableScore.constructor_new(scorer.as_Score())
  const scoring = ldk.ProbabilisticScoringFeeParameters.constructor_default()
  const entropy = keys.as_EntropySource()
  const router = ldk.DefaultRouter.constructor_new(graph, logger, entropy, score.as_LockableScore(), scoring)
  const messages = ldk.DefaultMessageRouter.constructor_new(graph, entropy)

  const open = (): ChannelManager =>
    ldk.ChannelManager.constructor_new(
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
      ldk.ChainParameters.constructor_new(network, ldk.BestBlock.constructor_new(chain.tipHash, chain.height)),
      now,
    )
  const reopen = (bytes: Uint8Array): ChannelManager => {
    const channels = monitors.restore({ keys, broadcaster, fees, logger })
    const read = ldk.UtilMethods.constructor_C2Tuple_ThirtyTwoBytesChannelManagerZ_read(
      bytes,
      entropy,
      keys.as_NodeSigner(),
      keys.as_SignerProvider(),
      fees,
      monitor.as_Watch(),
      broadcaster,
      router.as_Router(),
      messages.as_MessageRouter(),
      logger,
      settings(ldk),
      [...channels],
    )
    const ok = ldk.Result_C2Tuple_ThirtyTwoBytesChannelManagerZDecodeErrorZ_OK
    const manager = take(read, ok, `the node ${alias} in the store cannot be read`).get_b()
    for (const channel of channels) {
      // LDK writes a channel down at every fifth block only: what came after is told again.
      const at = channel.current_best_block().get_height()
      chain.replay(confirmToMonitor(ldk, channel, [broadcaster, fees, logger]), at)
      done(
        monitor.as_Watch().watch_channel(channel.get_funding_txo().get_a(), channel),
        `a channel of ${alias} is refused`,
      )
      giveBack(channel)
    }
    return manager
  }
  const managerBytes = books.bytes(`${prefix}manager`)
  if (kept !== undefined && !managerBytes)
    throw new PaymentError(
      'INTERNAL',
      `the store has keys but no channels of the node ${alias}: use a whole copy of it`,
    )
  const channelManager = managerBytes ? reopen(managerBytes) : open()
  const since = managerBytes ? channelManager.current_best_block().get_height() : chain.height
  if (managerBytes) chain.replay(confirmTo(ldk, [channelManager.as_Confirm()]), since)

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
  const { confirmed, tip } = confirmTo(ldk, [channelManager.as_Confirm(), monitor.as_Confirm()])
  let height = chain.height
  const unfollow = chain.follow({
    confirmed,
    tip(header, at) {
      stamping = at === height
      height = at
      tip(header, at)
      stamping = false
    },
  })
  // LDK holds callbacks weakly: what is not reachable from here would be collected under it.
  const held = [fees, broadcaster, logger, persist, graph, scorer, score, scoring, router, messages, ignore, handler]

  const save = (): void => {
    const changed = monitors.save()
    if (channelManager.get_and_clear_needs_persistence() || changed)
      books.put(`${prefix}manager`, () => channelManager.write())
  }
  if (books.durable && !managerBytes) books.put(`${prefix}manager`, () => channelManager.write())
  const unsave = books.before(save)

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
    prefix,
    hears: undefined,
    channels: () => viewChannels(ldk, channelManager),
    work() {
      peers.process_events()
      for (const source of sources) source.process_pending_events(handler)
      const events = queue.splice(0)
      for (const event of events) act(event, this)
      const [failure] = failures.splice(0)
      if (failure !== undefined) throw failure
      return events.length > 0
    },
    tick() {
      channelManager.timer_tick_occurred()
      peers.timer_tick_occurred()
    },
    stop() {
      unsave()
      unfollow()
      held.length = 0
    },
  }
}
