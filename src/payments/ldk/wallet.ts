/**
 * A whole wallet on one LDK node of a net: bills, payments, history and what was settled.
 * @module
 */

import { seconds } from '../../clock.ts'
import { PaymentError, type Transaction, type Wallet } from '../payment.ts'
import { watchBill } from '../watch.ts'
import { openBills } from './bills.ts'
import { openHistory } from './history.ts'
import type { Held, HoldPayee } from './hold.ts'
import type { LdkNet } from './net.ts'
import type { LightningNode } from './node.ts'
import { openSender } from './sender.ts'

export interface LdkWalletOptions {
  /** Rows kept in memory, both directions together. Default 10,000. */
  readonly maxRows?: number
}

const MAX_ROWS = 10_000
const POLL_MS = 5_000
const METHODS = ['pay_invoice', 'make_invoice', 'lookup_invoice', 'list_transactions', 'get_balance', 'get_info']

/** A wallet that can also hold. */
export interface LdkWallet extends Wallet, HoldPayee {}

/** Dresses a node as a wallet. The node then belongs to it: `close` takes the node off the net. */
export function ldkWallet(net: LdkNet, node: LightningNode, options: LdkWalletOptions = {}): LdkWallet {
  const { clock } = net
  const now = (): number => seconds(clock)
  const listeners = new Set<(transaction: Transaction) => void>()
  const holdListeners = new Set<(held: Held) => void>()
  const watches = new Set<() => void>()
  const looks = new Map<string, Set<() => void>>()
  let closed = false

  const history = openHistory({
    bound: options.maxRows ?? MAX_ROWS,
    now,
    pinned: ({ type, hash }) => type === 'incoming' && bills.isHeld(hash),
    forgot: ({ type, hash }) => (type === 'incoming' ? bills : sender).forget(hash),
  })

  const announce = (row: Transaction | undefined): void => {
    if (!row) return
    // In tasks of their own: a listener that throws must not stop the pump half way.
    for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(row))
    if (row.type !== 'incoming') return
    for (const look of looks.get(row.hash) ?? []) queueMicrotask(look)
  }
  const sender = openSender({ net, node, history, now, announce })

  const accepted = (held: Held): void => {
    for (const listener of holdListeners) queueMicrotask(() => holdListeners.has(listener) && listener(held))
  }
  const bills = openBills({ net, node, history, now, announce, accepted })
  node.hears = happening => {
    if (happening.what === 'sent' || happening.what === 'failed') sender.hears(happening)
    else if (happening.what !== 'closed') bills.hears(happening)
  }

  const reach = (signal?: AbortSignal): void => {
    if (closed) throw new PaymentError('OTHER', `the wallet ${node.alias} is closed`)
    if (signal?.aborted) throw new PaymentError('OTHER', 'the question was called off')
    if (net.broken) throw net.broken
  }

  return {
    async bill(ask, signal) {
      reach(signal)
      return net.run(() => bills.issue(ask))
    },

    async billState(hash, signal) {
      reach(signal)
      return bills.state(hash)
    },

    watch(hash, onSettled) {
      const stop = watchBill({
        clock,
        pollMs: POLL_MS,
        ask: async () => bills.state(hash),
        listen(look) {
          looks.set(hash, (looks.get(hash) ?? new Set()).add(look))
          return () => {
            looks.get(hash)?.delete(look)
            if (looks.get(hash)?.size === 0) looks.delete(hash)
          }
        },
        onSettled(settled) {
          watches.delete(stop)
          onSettled(settled)
        },
      })
      const end = (): void => {
        watches.delete(stop)
        stop()
      }
      watches.add(stop)
      if (closed) end()
      return end
    },

    pay: (order, signal) => sender.pay(order, signal),
    payState: async hash => sender.state(hash),

    async balance(signal) {
      reach(signal)
      return node.channels().reduce((sum, channel) => sum + (channel.usable ? channel.outboundMsats : 0n), 0n)
    },

    async info(signal) {
      reach(signal)
      return { alias: node.alias, nodeKey: node.key, network: 'regtest', methods: METHODS }
    },

    async transaction(hash, signal) {
      reach(signal)
      return history.get('incoming', hash) ?? history.get('outgoing', hash)
    },

    async transactions(query) {
      reach()
      return history.list(query)
    },

    onSettled(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    async holdBill(ask, signal) {
      reach(signal)
      return net.run(() => bills.issue(ask))
    },

    onAccepted(listener) {
      holdListeners.add(listener)
      return () => void holdListeners.delete(listener)
    },

    async held() {
      reach()
      return bills.held()
    },

    async settle(preimage, signal) {
      reach(signal)
      return net.run(() => bills.settle(preimage))
    },

    async cancel(hash, signal) {
      reach(signal)
      net.run(() => bills.cancel(hash))
    },

    async close() {
      if (closed) return
      closed = true
      for (const stop of [...watches]) stop()
      listeners.clear()
      holdListeners.clear()
      sender.close()
      net.remove(node)
    },
  }
}
