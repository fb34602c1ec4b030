/**
 * A whole wallet on one LDK node of a net: bills, payments, history and what was settled.
 * @module
 */

import { seconds } from '../../clock.ts'
import { type HoldPayee, PaymentError, type Transaction, type Wallet } from '../payment.ts'
import { watchBill } from '../watch.ts'
import { openBills } from './bills.ts'
import { type Entry, openHistory, readEntry, shownRow, writeEntry } from './history.ts'
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
export interface LdkWallet extends Wallet, HoldPayee {
  /** The wallet itself. */
  hold(signal?: AbortSignal): Promise<HoldPayee>
}

/**
 * Dresses a node as a wallet, with the rows that its store has. The node then belongs to it: `close` takes the node off
 * the net. Nodes from a store are dressed before they are connected, or they refuse what is paid to them meanwhile.
 */
export function ldkWallet(net: LdkNet, node: LightningNode, options: LdkWalletOptions = {}): LdkWallet {
  const { clock } = net
  const now = (): number => seconds(clock)
  const listeners = new Set<(transaction: Transaction) => void>()
  const watches = new Set<() => void>()
  const looks = new Map<string, Set<() => void>>()
  let closed = false

  const { books } = net
  const rowPrefix = `${node.prefix}row/`
  const rowKey = ({ type, hash }: Pick<Entry, 'type' | 'hash'>): string => `${rowPrefix}${type}/${hash}`
  const history = openHistory({
    bound: options.maxRows ?? MAX_ROWS,
    now,
    saved: books.keys(rowPrefix).map(key => readEntry(books.text(key) ?? '')),
    changed: (row, gone) => (gone ? books.drop(rowKey(row)) : books.put(rowKey(row), () => writeEntry(row))),
  })

  const announce = (entry: Entry): void => {
    const row = shownRow(entry)
    net.after(() => {
      // In tasks of their own: a listener that throws must not keep the news from the others.
      if (row.state === 'settled')
        for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(row))
      if (row.type !== 'incoming') return
      for (const look of looks.get(row.hash) ?? []) queueMicrotask(look)
    })
  }
  const sure = (type: Entry['type'], hash: string): boolean => !net.broken || !books.open(rowKey({ type, hash }))
  const sender = openSender({ net, node, history, now, announce, sure })
  const bills = openBills({ net, node, history, now, announce })
  node.hears = happening => {
    if (happening.what === 'sent' || happening.what === 'failed') sender.hears(happening)
    else if (happening.what !== 'closed') bills.hears(happening)
  }
  net.run(sender.resume)

  const reach = (signal?: AbortSignal): void => {
    if (closed) throw new PaymentError('OTHER', `the wallet ${node.alias} is closed`)
    if (signal?.aborted) throw new PaymentError('OTHER', 'the question was called off')
    if (net.broken) throw net.broken
  }

  const listen = (hash: string, look: () => void): (() => void) => {
    looks.set(hash, (looks.get(hash) ?? new Set()).add(look))
    return () => {
      looks.get(hash)?.delete(look)
      if (looks.get(hash)?.size === 0) looks.delete(hash)
    }
  }

  const wallet: LdkWallet = {
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
        ask: async () => {
          reach()
          return bills.state(hash)
        },
        listen: look => listen(hash, look),
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
      const row = history.get('incoming', hash) ?? history.get('outgoing', hash)
      return row && shownRow(row)
    },

    async transactions(query) {
      reach()
      return history.list(query)
    },

    onSettled(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    async hold(signal) {
      reach(signal)
      return wallet
    },

    async holdBill(ask, signal) {
      reach(signal)
      return net.run(() => bills.issue(ask))
    },

    watchHeld(hash, onHeld) {
      // Nothing is lost between a wallet and its own process, so that nothing needs to be polled.
      const look = (): void => {
        if (!live || net.broken) return
        const { state, ...held } = bills.state(hash)
        if (state === 'pending' || state === 'expired') return
        end()
        if (state === 'held' && 'msats' in held) onHeld({ hash, ...held })
      }
      const unlisten = listen(hash, look)
      const end = (): void => {
        watches.delete(end)
        live = false
        unlisten()
      }
      let live = true
      watches.add(end)
      if (closed) end()
      queueMicrotask(look)
      return end
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
      sender.close()
      net.remove(node)
    },
  }
  return wallet
}
