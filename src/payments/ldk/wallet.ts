/**
 * A whole wallet on one LDK node of a net: bills, payments, history and what was settled.
 * @module
 */

import { seconds } from '../../clock.ts'
import { fromHex } from '../hash.ts'
import { type Bill, type BillState, PaymentError, type Transaction, type Wallet } from '../payment.ts'
import { watchBill } from '../watch.ts'
import type { Happening } from './happening.ts'
import { openHistory } from './history.ts'
import { makeInvoice } from './invoice.ts'
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

/** Dresses a node as a wallet. The node then belongs to it: `close` takes the node off the net. */
export function ldkWallet(net: LdkNet, node: LightningNode, options: LdkWalletOptions = {}): Wallet {
  const { clock } = net
  const now = (): number => seconds(clock)
  const bills = new Map<string, Bill>()
  const billKeys = new Map<string, string>()
  const listeners = new Set<(transaction: Transaction) => void>()
  const watches = new Set<() => void>()
  const looks = new Map<string, Set<() => void>>()
  let closed = false

  const history = openHistory({
    bound: options.maxRows ?? MAX_ROWS,
    now,
    forgot({ type, hash }) {
      if (type === 'outgoing') return sender.forget(hash)
      bills.delete(billKeys.get(hash) ?? '')
      billKeys.delete(hash)
    },
  })

  const announce = (row: Transaction | undefined): void => {
    if (!row) return
    // In tasks of their own: a listener that throws must not stop the pump half way.
    for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(row))
    if (row.type !== 'incoming') return
    for (const look of looks.get(row.hash) ?? []) queueMicrotask(look)
  }
  const sender = openSender({ net, node, history, now, announce })

  const hears = (happening: Happening): void => {
    const { channelManager } = node
    if (happening.what === 'claimable') {
      const row = history.get('incoming', happening.hash)
      // LDK keeps no list of invoices and would take the same one twice: a settled bill is not paid again.
      if (row && row.state !== 'settled' && happening.preimage) channelManager.claim_funds(fromHex(happening.preimage))
      else channelManager.fail_htlc_backwards(happening.hashBytes)
    } else if (happening.what === 'claimed') {
      const { hash, msats, preimage } = happening
      const settled = {
        state: 'settled',
        msats,
        settledAt: now(),
        ...(preimage !== undefined && { preimage }),
      } as const
      announce(history.change('incoming', hash, settled))
    } else if (happening.what !== 'closed') sender.hears(happening)
  }
  node.hears = hears

  const reach = (signal?: AbortSignal): void => {
    if (closed) throw new PaymentError('OTHER', `the wallet ${node.alias} is closed`)
    if (signal?.aborted) throw new PaymentError('OTHER', 'the question was called off')
    if (net.broken) throw net.broken
  }

  const billState = (hash: string): BillState => {
    const row = history.get('incoming', hash)
    if (!row) return { state: 'unknown' }
    if (row.state !== 'settled') return { state: row.state }
    if (row.preimage === undefined || row.settledAt === undefined) return { state: 'unknown' }
    return { state: 'settled', msats: row.msats, preimage: row.preimage, at: row.settledAt }
  }

  return {
    async bill(ask, signal) {
      reach(signal)
      const key = `${ask.msats} ${ask.key}`
      const old = bills.get(key)
      if (old) return old
      // LDK knows no time but that of blocks, and writes it into the invoice.
      net.chain.stamp()
      const { bolt11, hash, createdAt, expiresAt } = makeInvoice(node, ask)
      const { msats, description, descriptionHash } = ask
      history.add({
        type: 'incoming',
        state: 'pending',
        hash,
        bolt11,
        msats,
        feeMsats: 0n,
        createdAt,
        expiresAt,
        ...(description !== undefined && { description }),
        ...(descriptionHash !== undefined && { descriptionHash }),
      })
      const bill: Bill = { bolt11, hash, msats, expiresAt }
      bills.set(key, bill)
      billKeys.set(hash, key)
      return bill
    },

    async billState(hash, signal) {
      reach(signal)
      return billState(hash)
    },

    watch(hash, onSettled) {
      const stop = watchBill({
        clock,
        pollMs: POLL_MS,
        ask: async () => billState(hash),
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

    async close() {
      if (closed) return
      closed = true
      for (const stop of [...watches]) stop()
      listeners.clear()
      sender.close()
      net.remove(node)
    },
  }
}
