/**
 * One lnd as a whole `Wallet` that can hold, over its REST door.
 * @module
 */
import { bounded } from '../../../src/bounded.ts'
import { type Clock, seconds } from '../../../src/clock.ts'
import { readInvoice } from '../../../src/payments/bolt11.ts'
import { fromHex, isHash, sha256Hex } from '../../../src/payments/hash.ts'
import {
  type Bill,
  type BillAsk,
  type BillState,
  type HoldAsk,
  type HoldPayee,
  type Network,
  PaymentError,
  type Wallet,
} from '../../../src/payments/payment.ts'
import { readBooks } from './books.ts'
import { openNews } from './news.ts'
import { openPayer } from './payer.ts'
import { type Fields, isFields, LndRefusal, listOf, openRest, textOf, toBase64, toUrl64, wholeOf } from './rest.ts'
import { billStateOf, heldOf, incomingRow, outgoingRow } from './rows.ts'
import { watchUntil } from './watching.ts'

export interface LndWalletOptions {
  /** `http://127.0.0.1:<port>` of an lnd without macaroons. */
  readonly url: string
  readonly clock: Clock
  /** How long `pay` waits before it says `pending`. Default ten minutes. */
  readonly payMs?: number
  /** First pause between questions about a watched bill. Default 2,000. */
  readonly pollMs?: number
}

/** A wallet whose `hold` never says no. */
export interface LndWallet extends Wallet, HoldPayee {
  hold(): Promise<HoldPayee>
}

const METHODS = [
  ...['get_info', 'get_balance', 'make_invoice', 'pay_invoice', 'lookup_invoice', 'list_transactions'],
  ...['make_hold_invoice', 'settle_hold_invoice', 'cancel_hold_invoice'],
]
const NOT_FOUND = 5
const YEAR_SECONDS = 31_536_000
const NETWORKS: readonly Network[] = ['mainnet', 'testnet', 'signet', 'regtest', 'simnet']

/** Listens at once; asks nothing before it is asked. */
export function lndWallet({ url, clock, payMs = 600_000, pollMs = 2_000 }: LndWalletOptions): LndWallet {
  const rest = openRest(url)
  const closing = new AbortController()
  const news = openNews(rest, clock, closing.signal)
  const payer = openPayer({ rest, payMs, closing: closing.signal })
  const bills = bounded<string, { hash: string | undefined; bill: Promise<Bill> }>(10_000)

  /** One question. Rejects with `PaymentError` only. */
  async function ask(method: 'GET' | 'POST', path: string, body?: Fields, signal?: AbortSignal): Promise<Fields> {
    try {
      const ends = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
      return await rest.ask(method, path, body, ends)
    } catch (error) {
      if (error instanceof LndRefusal)
        throw new PaymentError(isNotFound(error) ? 'NOT_FOUND' : 'OTHER', error.message, { cause: error })
      const says = error instanceof Error ? error.message : ''
      throw new PaymentError('INTERNAL', `lnd cannot be asked: ${says}`, { cause: error })
    }
  }

  async function invoiceOf(hash: string, signal?: AbortSignal): Promise<Fields | undefined> {
    try {
      return await ask('GET', `/v2/invoices/lookup?payment_hash=${toUrl64(hash)}`, undefined, signal)
    } catch (error) {
      if (error instanceof PaymentError && error.code === 'NOT_FOUND') return undefined
      throw error
    }
  }

  async function billState(hash: string, signal?: AbortSignal): Promise<BillState> {
    const invoice = await invoiceOf(hash, signal)
    if (!invoice) return { state: 'unknown' }
    news.report(incomingRow(invoice, seconds(clock)))
    return billStateOf(invoice, seconds(clock))
  }

  async function make(order: BillAsk & Partial<HoldAsk>): Promise<Bill> {
    const { msats, expirySeconds, description, descriptionHash, hash, minFinalCltvDelta } = order
    // lnd makes an invoice over any amount of 0, and one of an hour of 0 seconds.
    if (msats <= 0n) throw new PaymentError('OTHER', 'A bill is over more than nothing.')
    if (!Number.isInteger(expirySeconds) || expirySeconds < 1 || expirySeconds > YEAR_SECONDS)
      throw new PaymentError('OTHER', 'A bill is open for 1 second to one year.')
    if ((descriptionHash !== undefined && !isHash(descriptionHash)) || (hash !== undefined && !isHash(hash)))
      throw new PaymentError('OTHER', 'A hash is 64 hex digits.')
    const terms = {
      value_msat: String(msats),
      expiry: String(expirySeconds),
      ...(descriptionHash ? { description_hash: toBase64(descriptionHash) } : { memo: description ?? '' }),
      ...(minFinalCltvDelta !== undefined && { cltv_expiry: String(minFinalCltvDelta) }),
    }
    if (hash === undefined) return billOf(textOf(await ask('POST', '/v1/invoices', terms), 'payment_request'), msats)
    try {
      const made = await ask('POST', '/v2/invoices/hodl', { ...terms, hash: toBase64(hash) })
      return billOf(textOf(made, 'payment_request'), msats)
    } catch (error) {
      // The same bill, made by an earlier process, is found again; one over something else is not given out.
      const old = await invoiceOf(hash)
      if (!old || wholeOf(old, 'value_msat') !== msats) throw error
      return billOf(textOf(old, 'payment_request'), msats)
    }
  }

  function issue(order: BillAsk & Partial<HoldAsk>, signal?: AbortSignal): Promise<Bill> {
    if (signal?.aborted) return Promise.reject(new PaymentError('ABORTED', 'The caller stopped waiting.'))
    const key = `${order.msats} ${order.key}`
    const known = bills.get(key)
    if (known && known.hash !== order.hash)
      return Promise.reject(new PaymentError('OTHER', 'This key has another bill already: use a new one.'))
    if (known) return known.bill
    const bill = make(order)
    bills.set(key, { hash: order.hash, bill })
    bill.catch(() => bills.delete(key))
    return bill
  }

  const watching = { clock, pollMs, closing: closing.signal }
  const holds: HoldPayee = {
    holdBill: issue,
    watchHeld: (hash, onHeld) =>
      watchUntil({
        ...watching,
        listen: look => news.listen(hash, look, true),
        ask: () => invoiceOf(hash),
        judge: invoice => {
          const state = invoice ? textOf(invoice, 'state') : ''
          if (invoice && state === 'ACCEPTED') return { found: heldOf(invoice) }
          return state === 'OPEN' ? 'wait' : 'over'
        },
        on: onHeld,
      }),
    async settle(preimage, signal) {
      const hash = isHash(preimage) ? sha256Hex(fromHex(preimage)) : undefined
      if (!hash) throw new PaymentError('OTHER', 'A preimage is 64 hex digits.')
      let refusal: unknown
      await ask('POST', '/v2/invoices/settle', { preimage: toBase64(preimage) }, signal).catch((error: unknown) => {
        refusal = error
      })
      // Only what lnd's books say is worth anything, whatever it answered.
      const state = await billState(hash, signal)
      if (state.state === 'settled') return state
      throw refusal instanceof PaymentError ? refusal : new PaymentError('OTHER', `The bill is ${state.state}.`)
    },
    async cancel(hash, signal) {
      const invoice = isHash(hash) ? await invoiceOf(hash, signal) : undefined
      if (!invoice) throw new PaymentError('NOT_FOUND', 'No hold bill has this hash.')
      // lnd would cancel any invoice; it knows the preimage of its own from the start, that of a hold invoice at its end.
      if (textOf(invoice, 'r_preimage') !== '')
        throw new PaymentError('OTHER', 'This bill is settled or holds nothing.')
      await ask('POST', '/v2/invoices/cancel', { payment_hash: toBase64(hash) }, signal)
    },
  }

  return {
    ...holds,
    hold: async () => holds,
    bill: issue,
    billState,
    watch: (hash, onSettled) =>
      watchUntil({
        ...watching,
        listen: look => news.listen(hash, look),
        ask: () => billState(hash),
        judge: state =>
          state.state === 'settled'
            ? { found: state }
            : state.state === 'unknown' || state.state === 'failed'
              ? 'over'
              : 'wait',
        on: onSettled,
      }),
    async pay(order, signal) {
      return payer.pay(order, signal)
    },
    payState: payer.payState,
    async balance(signal) {
      const [sum, channels] = await Promise.all([
        ask('GET', '/v1/balance/channels', undefined, signal),
        ask('GET', '/v1/channels?active_only=true', undefined, signal),
      ])
      const local = isFields(sum['local_balance']) ? wholeOf(sum['local_balance'], 'msat') : 0n
      const kept = listOf(channels, 'channels').reduce((all, one) => all + reserveMsats(one), 0n)
      return local > kept ? local - kept : 0n
    },
    async info(signal) {
      const said = await ask('GET', '/v1/getinfo', undefined, signal)
      const name = listOf(said, 'chains').map(chain => textOf(chain, 'network'))[0]
      const network = NETWORKS.find(one => one === name)
      if (!network) throw new PaymentError('OTHER', `lnd is on a network that this wallet does not know: ${name}.`)
      return { alias: textOf(said, 'alias'), nodeKey: textOf(said, 'identity_pubkey'), network, methods: METHODS }
    },
    async transaction(hash, signal) {
      const invoice = await invoiceOf(hash, signal)
      if (invoice) return incomingRow(invoice, seconds(clock))
      const ends = AbortSignal.any([closing.signal, AbortSignal.timeout(20_000), ...(signal ? [signal] : [])])
      try {
        for await (const payment of rest.stream('GET', `/v2/router/track/${toUrl64(hash)}`, undefined, ends))
          return outgoingRow(payment)
        return undefined
      } catch (error) {
        if (error instanceof LndRefusal && error.code === NOT_FOUND) return undefined
        throw new PaymentError('INTERNAL', 'lnd cannot be asked about this payment.', { cause: error })
      }
    },
    transactions: (query = {}) => readBooks(rest, seconds(clock), query),
    onSettled: news.onSettled,
    async close() {
      closing.abort()
    },
  }
}

/** A node that has never made an invoice has other words for one that it does not know, and another code. */
const isNotFound = ({ code, message }: LndRefusal): boolean =>
  code === NOT_FOUND || message.includes('there are no existing invoices')

/** What the channel must keep on our side. */
function reserveMsats(channel: Fields): bigint {
  const limits = channel['local_constraints']
  return isFields(limits) ? wholeOf(limits, 'chan_reserve_sat') * 1000n : 0n
}

function billOf(bolt11: string, msats: bigint): Bill {
  const read = readInvoice(bolt11)
  if (!read.ok) throw new PaymentError('OTHER', `lnd made no usable invoice: ${read.says}`)
  const { hash, expiresAt } = read.invoice
  return { bolt11, hash, msats, expiresAt }
}
