/**
 * Any wallet that speaks NIP-47 as our `Wallet`. The wallet is ours, the relays between are not: what is forged, late,
 * doubled or unreadable is counted and settles nothing.
 * @module
 */
import type { WalletNotification } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { readInvoice } from './bolt11.ts'
import { proves } from './hash.ts'
import { amount, type Fields, integer, isFields, type Row, readRow, text } from './nwc/body.ts'
import { bounded } from './nwc/bounded.ts'
import { openConnection } from './nwc/connection.ts'
import { type Found, nwcPayer } from './nwc/pay.ts'
import type { NwcKeys, NwcSeal } from './nwc/ports.ts'
import { type NwcUri, readNwcUri } from './nwc/uri.ts'
import { nwcWatches } from './nwc/watch.ts'
import { type Bill, type BillState, type Network, PaymentError, type Transaction, type Wallet } from './payment.ts'

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
  /** First pause between questions about a watched invoice (default 2,000), growing to `pollMaxMs` (default 30,000). */
  readonly pollMs?: number
  readonly pollMaxMs?: number
}

export interface NwcWallet extends Wallet {
  /** Useless events so far: forged, foreign, late, undecryptable, malformed. */
  readonly dropped: number
}

/** NIP-47 asks for pages of at most 20 rows. */
const PAGE = 20
const MAX_ROWS = 1_000

/** Opens the connection at once. Throws for an unusable connection string; no message repeats a secret. */
export function nwcWallet(options: NwcOptions): NwcWallet {
  const { clock, askMs = 20_000, payMs = 60_000 } = options
  const uri = typeof options.uri === 'string' ? readNwcUri(options.uri) : options.uri
  const relays = typeof options.relays === 'function' ? options.relays(uri.relays) : options.relays
  const { keys } = options
  const connection = openConnection({ uri, relays, clock, keys, seal: options.seal(uri.secret), onNotification })
  const watches = nwcWatches({ clock, firstMs: options.pollMs ?? 2_000, maxMs: options.pollMaxMs ?? 30_000, state })
  const payer = nwcPayer({ clock, timeoutMs: payMs, read: readInvoice, ask: connection.request, find: findOutgoing })
  const bills = bounded<string, Promise<Bill>>(10_000)
  const listeners = new Set<{ run: (transaction: Transaction) => void }>()
  const announced = bounded<string, true>(10_000)

  async function ask(method: string, params: Fields, signal?: AbortSignal): Promise<Fields> {
    const outcome = await connection.request(method, params, askMs, signal)
    if (outcome.state === 'answered') return outcome.result
    const code = outcome.state === 'silent' ? 'TIMEOUT' : outcome.code
    throw new PaymentError(code, outcome.says || `The wallet said ${code}.`)
  }

  async function lookup(hash: string, signal?: AbortSignal): Promise<Row | undefined> {
    try {
      const row = readRow(await ask('lookup_invoice', { payment_hash: hash }, signal))
      if (row.hash !== '' && row.hash !== hash) throw new PaymentError('INTERNAL', 'The wallet showed another invoice.')
      return { ...row, hash }
    } catch (error) {
      if (error instanceof PaymentError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  /** The row of one direction: a wallet that paid its own invoice has two under one hash and `lookup_invoice` shows one. */
  async function find(hash: string, type: 'incoming' | 'outgoing', signal?: AbortSignal): Promise<Row | undefined> {
    const row = await lookup(hash, signal)
    if (!row || (row.type ?? type) === type) return row
    for (let offset = 0; offset < MAX_ROWS; ) {
      const rows = await page({ limit: PAGE, offset, type, unpaid: true }, signal)
      const found = rows.find(other => other.hash === hash && (other.type ?? type) === type)
      if (found || rows.length === 0) return found
      offset += rows.length
    }
    throw new PaymentError('OTHER', 'The wallet has too many rows to look through.')
  }

  async function findOutgoing(hash: string, signal?: AbortSignal): Promise<Found> {
    try {
      const row = await find(hash, 'outgoing', signal)
      if (!row) return 'none'
      report(row, 'outgoing')
      return { row }
    } catch (error) {
      if (error instanceof PaymentError) return { lost: error.message }
      throw error
    }
  }

  async function page(params: Fields, signal?: AbortSignal): Promise<Row[]> {
    const { transactions } = await ask('list_transactions', params, signal)
    return Array.isArray(transactions) ? transactions.slice(0, MAX_ROWS).filter(isFields).map(readRow) : []
  }

  async function state(hash: string, signal?: AbortSignal): Promise<BillState> {
    const row = await find(hash, 'incoming', signal)
    if (!row) return { state: 'unknown' }
    if (row.state === 'settled') {
      report(row, 'incoming')
      return asSettled(row)
    }
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

  function onNotification({ notification_type: type, notification }: WalletNotification['body']): void {
    const row = readRow(notification)
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
    const transaction = { ...row, type, msats: row.msats ?? msatsOf(row.bolt11) }
    for (const listener of [...listeners]) listener.run(transaction)
  }

  async function makeBill(order: Parameters<Wallet['bill']>[0], signal?: AbortSignal): Promise<Bill> {
    const { msats, expirySeconds, description, descriptionHash } = order
    const result = await ask(
      'make_invoice',
      {
        amount: integer(msats),
        expiry: expirySeconds,
        ...(description !== undefined && { description }),
        ...(descriptionHash !== undefined && { description_hash: descriptionHash }),
      },
      signal,
    )
    const read = readInvoice(text(result['invoice']) ?? '')
    if (!read.ok) throw new PaymentError('OTHER', `The wallet made no usable invoice: ${read.says}`)
    const { invoice } = read
    if (invoice.msats !== msats) throw new PaymentError('OTHER', 'The wallet made an invoice over another amount.')
    if (descriptionHash !== undefined && invoice.descriptionHash !== descriptionHash)
      throw new PaymentError('OTHER', 'The wallet does not put description hashes into its invoices.')
    return { bolt11: invoice.bolt11, hash: invoice.hash, msats, expiresAt: invoice.expiresAt }
  }

  return {
    async bill(order, signal) {
      const key = `${order.msats} ${order.key}`
      const made = bills.get(key)
      if (made) return made
      const making = makeBill(order, signal)
      bills.set(key, making)
      making.catch(() => bills.delete(key))
      return making
    },
    billState: state,
    watch: watches.watch,
    pay: payer.pay,
    payState: payer.payState,
    async balance(signal) {
      const balance = amount((await ask('get_balance', {}, signal))['balance'])
      if (balance === undefined) throw new PaymentError('OTHER', 'The wallet told no usable balance.')
      return balance
    },
    async info(signal) {
      const said = await ask('get_info', {}, signal)
      const methods = Array.isArray(said['methods']) ? said['methods'] : []
      const nodeKey = text(said['pubkey'])?.toLowerCase()
      return {
        alias: text(said['alias']) ?? '',
        ...(nodeKey && /^0[23][0-9a-f]{64}$/.test(nodeKey) && { nodeKey }),
        network: networkOf(said['network']),
        methods: methods.filter(method => typeof method === 'string').slice(0, 100),
      }
    },
    async transaction(hash, signal) {
      const row = await lookup(hash, signal)
      return row && { ...row, type: row.type ?? 'incoming', msats: row.msats ?? msatsOf(row.bolt11) }
    },
    async transactions({ limit = PAGE, offset = 0, unpaid = false, type } = {}) {
      const wanted = Math.min(limit, MAX_ROWS)
      const found: Transaction[] = []
      for (let seen = 0; seen < wanted; ) {
        const size = Math.min(PAGE, wanted - seen)
        const rows = await page({ limit: size, offset: offset + seen, unpaid, ...(type && { type }) })
        for (const row of rows.slice(0, size))
          if (row.type && row.hash) found.push({ ...row, type: row.type, msats: row.msats ?? msatsOf(row.bolt11) })
        seen += rows.length
        if (rows.length === 0) break
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
