/**
 * Paying with lnd. lnd's own books decide what is paid, in flight or never heard of; nothing is concluded from a
 * connection that broke.
 * @module
 */
import { readInvoice } from '../../../src/payments/bolt11.ts'
import type { Payer, PayOrder, PayState } from '../../../src/payments/payment.ts'
import { LndRefusal, type Rest, toUrl64 } from './rest.ts'
import { payEndOf } from './rows.ts'

const NOT_FOUND = 5
const EXISTS = 6
/** How long lnd looks for a route. What is on its way by then stays on its way. */
const ROUTE_SECONDS = 30
/** One in a hundred and ten sats: routing only, a payment to a neighbour costs nothing. */
const feeLimit = (msats: bigint): bigint => msats / 100n + 10_000n

export interface PayerOptions {
  readonly rest: Rest
  /** After this a payment that is still on its way is said to be `pending`. */
  readonly payMs: number
  /** Ends every wait. */
  readonly closing: AbortSignal
}

/** Makes `pay` and `payState`. Neither rejects. */
export function openPayer({ rest, payMs, closing }: PayerOptions): Pick<Payer, 'pay' | 'payState'> {
  /** What lnd's books say now. */
  async function payState(hash: string, signal?: AbortSignal): Promise<PayState> {
    const ends = AbortSignal.any([closing, AbortSignal.timeout(20_000), ...(signal ? [signal] : [])])
    try {
      for await (const payment of rest.stream('GET', `/v2/router/track/${toUrl64(hash)}`, undefined, ends))
        return payEndOf(payment) ?? { state: 'pending' }
      return unknown('lnd told nothing about this payment.')
    } catch (error) {
      if (error instanceof LndRefusal && error.code === NOT_FOUND) return { state: 'unsent' }
      return unknown(said(error))
    }
  }

  /** The end of a payment that lnd knows. */
  async function follow(hash: string, ends: AbortSignal): Promise<PayState> {
    while (!ends.aborted) {
      try {
        for await (const payment of rest.stream('GET', `/v2/router/track/${toUrl64(hash)}`, undefined, ends)) {
          const end = payEndOf(payment)
          if (end) return end
        }
      } catch (error) {
        if (ends.aborted) break
        // Silence of five minutes breaks a stream, too: lnd is asked afresh.
        const now = await payState(hash, ends)
        if (now.state !== 'pending') return now.state === 'unsent' ? unknown(said(error)) : now
      }
    }
    return { state: 'pending' }
  }

  async function attempt({ bolt11, hash, msats }: PayOrder, named: boolean, ends: AbortSignal): Promise<PayState> {
    try {
      const ask = {
        payment_request: bolt11,
        ...(!named && { amt_msat: String(msats) }),
        timeout_seconds: ROUTE_SECONDS,
        fee_limit_msat: String(feeLimit(msats)),
        no_inflight_updates: true,
      }
      for await (const payment of rest.stream('POST', '/v2/router/send', ask, ends)) {
        const end = payEndOf(payment)
        if (end) return end
      }
    } catch (error) {
      if (ends.aborted) return { state: 'pending' }
      if (isRefusedConnection(error)) return failed('INTERNAL', 'lnd cannot be reached, nothing was sent.')
      if (error instanceof LndRefusal && error.code !== EXISTS) return refused(hash, error, ends)
    }
    return follow(hash, ends)
  }

  /** lnd said no to this request; an earlier one for the same hash may be on its way all the same. */
  async function refused(hash: string, error: LndRefusal, ends: AbortSignal): Promise<PayState> {
    const books = await payState(hash, ends)
    if (books.state === 'pending') return follow(hash, ends)
    return books.state === 'unsent' ? failed('PAYMENT_FAILED', error.message) : books
  }

  return {
    payState,
    async pay(order, signal) {
      if (signal?.aborted || closing.aborted) return failed('ABORTED', 'The payment was given up before it left.')
      const read = readInvoice(order.bolt11)
      if (!read.ok) return failed('OTHER', `This is no invoice: ${read.says}`)
      const { hash, msats } = read.invoice
      if (hash !== order.hash || (msats ?? order.msats) !== order.msats || order.msats <= 0n)
        return failed('OTHER', 'The invoice has another hash or amount than the order.')
      const ends = AbortSignal.any([closing, AbortSignal.timeout(payMs), ...(signal ? [signal] : [])])
      const state = await attempt(order, msats !== undefined, ends).catch((error: unknown) => unknown(said(error)))
      const left = signal?.aborted || closing.aborted
      // lnd goes on with what it was given: only the waiting ended.
      return left && state.state === 'pending' ? unknown('Nobody waits any more; the payment may go on.') : state
    },
  }
}

const failed = (code: string, says: string): PayState => ({ state: 'failed', code, says })
const unknown = (says: string): PayState => ({ state: 'unknown', says })
const said = (error: unknown): string => (error instanceof Error ? error.message : 'lnd cannot be asked.')

/** True when the system refused the connection, so that no byte of the request left. */
function isRefusedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}
