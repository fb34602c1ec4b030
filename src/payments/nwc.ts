/**
 * Any wallet that speaks NIP-47 as our `Wallet`. The wallet is ours, the relays between are not: what is forged, late,
 * doubled or unreadable is counted and settles nothing.
 * @module
 */
import type { WalletNotification } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { bounded } from '../bounded.ts'
import { type Clock, seconds } from '../clock.ts'
import { readInvoice } from './bolt11.ts'
import { proves } from './hash.ts'
import { amount, type Fields, integer, type Row, readRow, text, transactionOf } from './nwc/body.ts'
import { MAX_ROWS, nwcBooks, PAGE } from './nwc/books.ts'
import { openConnection } from './nwc/connection.ts'
import { HOLD_METHODS, nwcHold } from './nwc/hold.ts'
import { type Found, nwcPayer } from './nwc/pay.ts'
import type { NwcKeys, NwcSeal } from './nwc/ports.ts'
import type { NwcShelf } from './nwc/store.ts'
import { type NwcUri, readNwcUri } from './nwc/uri.ts'
import { nwcWatches } from './nwc/watch.ts'
import {
  type Bill,
  type BillAsk,
  type BillState,
  type HoldAsk,
  type Network,
  PaymentError,
  type Transaction,
  type Wallet,
  type WalletInfo,
} from './payment.ts'

export interface NwcOptions {
  /** The connection, or the `nostr+walletconnect://` string that the wallet handed out. */
  readonly uri: string | NwcUri
  /** Ready relays (the caller closes them), or how to open those that the connection names (`close` closes them). */
  readonly relays: Relays | ((urls: readonly string[]) => Relays)
  readonly clock: Clock
  readonly keys: NwcKeys
  /** Seals with one secret: `secret => openSeal({ keys, secret })`. */
  readonly seal: (secret: Uint8Array) => NwcSeal
  /** How long a payment may take until it is `unknown`. Default 60,000. */
  readonly payMs?: number
  /** How long any other question may take. Default 20,000. */
  readonly askMs?: number
  /** Pause between two sendings of one question that nobody answered; payments are never sent twice. Default 4,000. */
  readonly repeatMs?: number
  /**
   * Remembers over restarts which payments left: a shelf of its own for each connection. Without it a payment that an
   * earlier process ordered (`again`) is not sent anew before a request of that process would be void.
   */
  readonly sent?: NwcShelf
  /** First pause between questions about a watched invoice (default 2,000), growing to `pollMaxMs` (default 30,000). */
  readonly pollMs?: number
  readonly pollMaxMs?: number
}

export interface NwcWallet extends Wallet {
  /** Useless events so far: forged, foreign, late, undecryptable, malformed. */
  readonly dropped: number
}

/** Opens the connection at once. Throws for an unusable connection string; no message repeats a secret. */
export function nwcWallet(options: NwcOptions): NwcWallet {
  const { clock, askMs = 20_000, payMs = 60_000 } = options
  const uri = typeof options.uri === 'string' ? readNwcUri(options.uri) : options.uri
  const relays = typeof options.relays === 'function' ? options.relays(uri.relays) : options.relays
  const { keys } = options
  const { repeatMs } = options
  const repeating = repeatMs === undefined ? {} : { repeatMs }
  const seal = options.seal(uri.secret)
  const connection = openConnection({ uri, relays, clock, keys, seal, onNotification, ...repeating })
  const watches = nwcWatches({ clock, firstMs: options.pollMs ?? 2_000, maxMs: options.pollMaxMs ?? 30_000, state })
  const payer = nwcPayer({
    ...{ clock, timeoutMs: payMs, read: readInvoice, ask: connection.request, find: findOutgoing },
    ...(options.sent && { sent: options.sent }),
  })
  const books = nwcBooks(ask)
  const bills = bounded<string, Promise<Bill>>(10_000)
  const listeners = new Set<{ run: (transaction: Transaction) => void }>()
  const announced = bounded<string, true>(10_000)

  async function ask(method: string, params: Fields, signal?: AbortSignal): Promise<Fields> {
    const outcome = await connection.request(method, params, askMs, signal)
    if (outcome.state === 'answered') return outcome.result
    const code = outcome.state === 'silent' ? 'TIMEOUT' : outcome.code
    throw new PaymentError(code, outcome.says || `The wallet said ${code}.`)
  }

  async function findOutgoing(hash: string, signal?: AbortSignal): Promise<Found> {
    try {
      const row = await books.find(hash, 'outgoing', signal)
      if (!row) return 'none'
      report(row, 'outgoing')
      return { row }
    } catch (error) {
      if (error instanceof PaymentError) return { lost: error.message }
      throw error
    }
  }

  async function state(hash: string, signal?: AbortSignal): Promise<BillState> {
    const row = await books.find(hash, 'incoming', signal)
    if (!row) return { state: 'unknown' }
    if (row.state === 'settled') {
      report(row, 'incoming')
      return asSettled(row)
    }
    if (row.held) return { state: 'held', ...moneyOf(row) }
    if (row.state === 'pending' && row.expiresAt > 0 && row.expiresAt < seconds(clock)) return { state: 'expired' }
    return { state: row.state }
  }

  /** A false preimage is left out: the own wallet's word settles a bill, but proves nothing to others. */
  const asSettled = (row: Row) => ({
    state: 'settled' as const,
    msats: row.msats ?? msatsOf(row.bolt11),
    preimage: proves(row.preimage, row.hash) ? (row.preimage ?? '') : '',
    at: row.settledAt ?? seconds(clock),
  })

  const moneyOf = ({ msats, bolt11, settleDeadline }: Row) => ({
    msats: msats ?? msatsOf(bolt11),
    ...(settleDeadline !== undefined && { settleDeadline }),
  })

  function onNotification({ notification_type: type, notification }: WalletNotification['body']): void {
    const row = readRow(notification)
    if (type === 'hold_invoice_accepted') {
      if (row.held && row.hash !== '') watches.tellHeld({ hash: row.hash, ...moneyOf(row) })
      else watches.nudge(row.hash)
      return
    }
    const direction = type === 'payment_received' ? 'incoming' : type === 'payment_sent' ? 'outgoing' : undefined
    if (!direction || row.hash === '' || (row.type ?? direction) !== direction) return
    if (row.state !== 'settled') {
      if (direction === 'incoming') watches.nudge(row.hash)
      return
    }
    report(row, direction)
    if (direction === 'outgoing') return
    if (proves(row.preimage, row.hash)) watches.tell(row.hash, asSettled(row))
    else watches.nudge(row.hash)
  }

  function report(row: Row, type: 'incoming' | 'outgoing'): void {
    if (row.state !== 'settled' || announced.has(`${type} ${row.hash}`)) return
    announced.set(`${type} ${row.hash}`, true)
    const transaction = transactionOf({ ...row, type }, msatsOf)
    if (!transaction) return
    // Apart, so that a listener that throws is nobody else's trouble.
    for (const listener of listeners)
      queueMicrotask(() => {
        if (listeners.has(listener)) listener.run(transaction)
      })
  }

  const invoiceParams = ({ msats, expirySeconds, description, descriptionHash }: BillAsk): Fields => ({
    amount: integer(msats),
    expiry: expirySeconds,
    ...(description !== undefined && { description }),
    ...(descriptionHash !== undefined && { description_hash: descriptionHash }),
  })

  function billOf(bolt11: unknown, asked: BillAsk | HoldAsk): Bill {
    const read = readInvoice(text(bolt11) ?? '')
    if (!read.ok) throw new PaymentError('OTHER', `The wallet made no usable invoice: ${read.says}`)
    const { invoice } = read
    if (invoice.msats !== asked.msats)
      throw new PaymentError('OTHER', 'The wallet made an invoice over another amount.')
    if (asked.descriptionHash !== undefined && invoice.descriptionHash !== asked.descriptionHash)
      throw new PaymentError('OTHER', 'The wallet does not put description hashes into its invoices.')
    if ('hash' in asked && invoice.hash !== asked.hash)
      throw new PaymentError('OTHER', 'The wallet made an invoice for another hash.')
    return { bolt11: invoice.bolt11, hash: invoice.hash, msats: asked.msats, expiresAt: invoice.expiresAt }
  }

  const makeBill = async (asked: BillAsk): Promise<Bill> =>
    billOf((await ask('make_invoice', invoiceParams(asked)))['invoice'], asked)

  async function info(signal?: AbortSignal): Promise<WalletInfo> {
    const said = await ask('get_info', {}, signal)
    const methods = Array.isArray(said['methods']) ? said['methods'] : []
    const nodeKey = text(said['pubkey'])?.toLowerCase()
    return {
      alias: text(said['alias']) ?? '',
      ...(nodeKey && /^0[23][0-9a-f]{64}$/.test(nodeKey) && { nodeKey }),
      network: networkOf(said['network']),
      methods: methods.filter(method => typeof method === 'string').slice(0, 100),
    }
  }

  const holding = nwcHold({
    ...{ clock, ask, state, billOf, askMs, pollMs: options.pollMs ?? 2_000, params: invoiceParams },
    find: (hash, signal) => books.find(hash, 'incoming', signal),
    watchHeld: watches.watchHeld,
  })
  let holds: Promise<boolean> | undefined

  return {
    async bill(order, signal) {
      const key = `${order.msats} ${order.key}`
      let bill = bills.get(key)
      if (!bill && !signal?.aborted) {
        bill = makeBill(order)
        bills.set(key, bill)
        bill.catch(() => bills.delete(key))
      }
      return unlessAborted(bill, signal)
    },
    billState: state,
    watch: watches.watch,
    async pay(order, signal) {
      const state = await payer.pay(order, signal)
      if (state.state === 'paid' && listeners.size > 0) {
        const { bolt11, hash, msats } = order
        const read = readInvoice(bolt11)
        const at = seconds(clock)
        const times = { createdAt: at, settledAt: at, expiresAt: read.ok ? read.invoice.expiresAt : at }
        report({ ...times, ...state, state: 'settled', hash, bolt11, msats }, 'outgoing')
      }
      return state
    },
    payState: payer.payState,
    async balance(signal) {
      const balance = amount((await ask('get_balance', {}, signal))['balance'])
      if (balance === undefined) throw new PaymentError('OTHER', 'The wallet told no usable balance.')
      return balance
    },
    info,
    async hold(signal) {
      holds ??= info().then(({ methods }) => HOLD_METHODS.every(method => methods.includes(method)))
      holds.catch(() => {
        holds = undefined
      })
      return (await unlessAborted(holds, signal)) ? holding : undefined
    },
    async transaction(hash, signal) {
      const row = await books.lookup(hash, signal)
      return row && transactionOf({ ...row, type: row.type ?? 'incoming' }, msatsOf)
    },
    async transactions({ limit = PAGE, offset = 0, unpaid = false, type } = {}) {
      const found: Transaction[] = []
      const rows = books.history({ unpaid, ...(type && { type }) }, offset, Math.min(limit, MAX_ROWS))
      for await (const row of rows) {
        const transaction = row.hash === '' ? undefined : transactionOf(row, msatsOf)
        if (transaction) found.push(transaction)
      }
      return found
    },
    onSettled(run) {
      const listener = { run }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    get dropped() {
      return connection.dropped
    },
    async close() {
      watches.close()
      connection.close()
      if (typeof options.relays === 'function') await relays.close()
    },
  }
}

/** What several callers wait for goes on when one of them stops waiting. */
function unlessAborted<T>(shared: Promise<T> | undefined, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new PaymentError('ABORTED', 'The caller stopped waiting.'))
    if (!shared || signal?.aborted) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    shared.then(resolve, reject).finally(() => signal?.removeEventListener('abort', stop))
  })
}

function msatsOf(bolt11: string): bigint {
  const read = readInvoice(bolt11)
  return read.ok ? (read.invoice.msats ?? 0n) : 0n
}

/** lnd and CLN say `bitcoin`; a wallet that says nothing is taken for real money. */
function networkOf(said: unknown): Network {
  const name = text(said)?.toLowerCase()
  return NETWORKS.find(network => network === name) ?? 'mainnet'
}

const NETWORKS: readonly Network[] = ['mainnet', 'testnet', 'signet', 'regtest', 'simnet']
