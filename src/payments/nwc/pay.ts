/**
 * Paying over NIP-47: one request per hash, and after anything but a clear answer the wallet is asked what became of
 * it before a word is said about money.
 * @module
 */

import { bounded } from '../../bounded.ts'
import type { Clock } from '../../clock.ts'
import type { InvoiceRead } from '../bolt11.ts'
import { proves } from '../hash.ts'
import type { Payer, PayOrder, PayState } from '../payment.ts'
import { amount, integer, type Row } from './body.ts'
import type { Outcome } from './connection.ts'
import type { NwcShelf } from './store.ts'

/** What the wallet's books say about a hash in one direction. `lost`: they could not be read. */
export type Found = { readonly row: Row } | 'none' | { readonly lost: string }

export interface PayOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  /** The reader of invoices. */
  read(bolt11: string): InvoiceRead
  ask(
    method: string,
    params: Readonly<Record<string, unknown>>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Outcome>
  find(hash: string, signal?: AbortSignal): Promise<Found>
  /** Remembers over restarts until when a request may still be run. */
  readonly sent?: NwcShelf
}

/** Codes by which a wallet says that it did not even try (NIP-47 "Error codes"). Any other may follow a payment that left. */
const DEFINITE = new Set([
  'INSUFFICIENT_BALANCE',
  'QUOTA_EXCEEDED',
  'RESTRICTED',
  'UNAUTHORIZED',
  'NOT_IMPLEMENTED',
  'UNSUPPORTED_ENCRYPTION',
  'RATE_LIMITED',
])
/** Codes that a second attempt at a paid invoice can get, too: the first one used the money up. */
const MAYBE_REPEATED = new Set(['INSUFFICIENT_BALANCE', 'QUOTA_EXCEEDED'])
/** First pause before the books are looked at while no answer comes, and the longest; each is double the one before. */
const LOOK_MS = [5_000, 20_000] as const
/** How far the wallet's clock may be behind ours when it judges a request's expiration. */
const SKEW_MS = 60_000
const PREFIX = 'sent '
/** Payments whose books are looked at, at one time. */
const MAX_LOOKING = 4

/** Makes `pay` and `payState`. Neither rejects. */
export function nwcPayer(options: PayOptions): Pick<Payer, 'pay' | 'payState'> {
  const { clock, timeoutMs, sent } = options
  const openedAt = clock.now()
  let looking = 0
  const running = new Map<string, Promise<PayState>>()
  const paid = bounded<string, PayState>(1_000)
  /** Until when (clock ms) a request of ours for this hash may still be run by the wallet. */
  const mayRun = bounded<string, number>(10_000)
  for (const [key, until] of [...(sent?.entries(PREFIX) ?? [])])
    if (typeof until === 'number' && until >= clock.now()) mayRun.set(key.slice(PREFIX.length), until)
    else sent?.delete(key)

  /** Kept before anything leaves: a process after this one must not take silence for "never sent". */
  function leaves(hash: string): void {
    const until = clock.now() + timeoutMs + SKEW_MS
    sent?.set(PREFIX + hash, until, 'money')
    mayRun.set(hash, until)
  }

  /** The request was answered, or never left: it will not be run any more. */
  function over(hash: string, until: number | undefined): void {
    if (until === undefined) mayRun.delete(hash)
    else mayRun.set(hash, until)
    sent?.delete(PREFIX + hash)
  }

  async function payState(hash: string, signal?: AbortSignal): Promise<PayState> {
    const known = paid.get(hash)
    if (known) return known
    const found = await options.find(hash, signal)
    if (found !== 'none' && 'lost' in found) return unknown(found.lost)
    const state: PayState = found === 'none' ? { state: 'unsent' } : judge(found.row, hash)
    // "Never heard of" and "failed" may both be older than a request of ours that still waits for the wallet.
    const over = state.state === 'unsent' || state.state === 'failed'
    if (over && clock.now() <= (mayRun.get(hash) ?? Number.NEGATIVE_INFINITY))
      return unknown('The wallet may still run a request that it has not answered.')
    return remember(hash, state)
  }

  function remember(hash: string, state: PayState): PayState {
    if (state.state === 'paid') paid.set(hash, state)
    return state
  }

  async function attempt(order: PayOrder): Promise<PayState> {
    const read = options.read(order.bolt11)
    if (!read.ok) return failed('OTHER', `This is no invoice: ${read.says}`)
    const { hash, msats } = read.invoice
    if (hash !== order.hash || (msats ?? order.msats) !== order.msats)
      return failed('OTHER', 'The invoice has another hash or amount than the order.')
    // Without a record of what left, a process before this one may have sent it until the moment this one began.
    if (order.again && !sent && !mayRun.has(hash)) mayRun.set(hash, openedAt + timeoutMs + SKEW_MS)
    if (order.again || mayRun.has(hash)) {
      const before = await payState(hash)
      if (before.state !== 'unsent' && before.state !== 'failed') return before
    }
    try {
      leaves(hash)
    } catch (error) {
      return failed('OTHER', `The payment was not sent, because that could not be kept: ${(error as Error).message}`)
    }
    const params = { invoice: order.bolt11, ...(msats === undefined && { amount: integer(order.msats) }) }
    const answered = new AbortController()
    const outcome = await Promise.race([
      options.ask('pay_invoice', params, timeoutMs, answered.signal),
      paidMeanwhile(hash, answered.signal),
    ])
    answered.abort()
    if (outcome.state === 'paid') {
      over(hash, Number.NEGATIVE_INFINITY)
      return outcome
    }
    if (outcome.state === 'silent') return unknown(outcome.says)
    if (outcome.state === 'unsent') {
      over(hash, undefined)
      return failed(outcome.code, outcome.says)
    }
    // Answered: the request is used up, only the payment itself may still be on its way.
    over(hash, Number.NEGATIVE_INFINITY)
    if (outcome.state === 'answered') {
      const { preimage, fees_paid } = outcome.result
      return remember(hash, settled(preimage, hash, amount(fees_paid) ?? 0n))
    }
    return refused(hash, outcome.code, outcome.says)
  }

  /** An answer can be lost with the relay that carried it: the books tell of the payment too. Only "paid" ends the wait. */
  function paidMeanwhile(hash: string, answered: AbortSignal): Promise<Extract<PayState, { state: 'paid' }>> {
    return new Promise(resolve => {
      const look = (ms: number) => {
        const again = (next: number) => answered.aborted || look(Math.min(next, LOOK_MS[1]))
        const cancel = clock.after(ms, () => {
          answered.removeEventListener('abort', cancel)
          // Where many payments are open at once the answers are slow, not lost: questions would only add to the queue.
          if (looking >= MAX_LOOKING) return void again(ms)
          looking++
          payState(hash, answered)
            .finally(() => looking--)
            .then(
              state => (state.state === 'paid' ? resolve(state) : again(ms * 2)),
              () => again(ms * 2),
            )
        })
        answered.addEventListener('abort', cancel, { once: true })
      }
      look(LOOK_MS[0])
    })
  }

  async function refused(hash: string, code: string, says: string): Promise<PayState> {
    const no = failed(code, says)
    if (DEFINITE.has(code) && !MAYBE_REPEATED.has(code)) return no
    const books = await payState(hash)
    if (books.state === 'paid' || books.state === 'unproven' || books.state === 'pending') return books
    if (books.state === 'failed' || DEFINITE.has(code)) return no
    if (code === 'PAYMENT_FAILED' && books.state === 'unsent') return no
    return unknown(`The wallet said ${code}${says ? ` (${says})` : ''} and its books do not settle it.`)
  }

  return {
    pay(order, signal) {
      const known = paid.get(order.hash)
      if (known) return Promise.resolve(known)
      let result = running.get(order.hash)
      if (!result) {
        if (signal?.aborted) return Promise.resolve(failed('ABORTED', 'The payment was given up before it left.'))
        result = attempt(order)
          .catch((error: unknown) => unknown(error instanceof Error ? error.message : 'The payment broke off.'))
          .finally(() => running.delete(order.hash))
        running.set(order.hash, result)
      }
      return signal ? unlessAborted(result, signal) : result
    },
    payState: (hash, signal) =>
      payState(hash, signal).catch((error: unknown) => unknown(error instanceof Error ? error.message : 'unknown')),
  }
}

function judge(row: Row, hash: string): PayState {
  if (row.state === 'settled') return settled(row.preimage, hash, row.feeMsats)
  if (row.state === 'pending') return { state: 'pending' }
  if (row.state === 'failed') return failed('PAYMENT_FAILED', 'The wallet lists the payment as failed.')
  return unknown('The wallet lists the payment as expired, which says nothing about money in flight.')
}

const settled = (preimage: unknown, hash: string, feeMsats: bigint): PayState => {
  const opened = typeof preimage === 'string' ? preimage.toLowerCase() : ''
  if (proves(opened, hash)) return { state: 'paid', preimage: opened, feeMsats }
  return { state: 'unproven', says: 'The wallet says paid and shows no preimage that opens the hash.' }
}

const failed = (code: string, says: string): PayState => ({ state: 'failed', code, says })

const unknown = (says: string): PayState => ({ state: 'unknown', says })

/** The payment goes on when its caller stops waiting; only the waiting ends. */
function unlessAborted(result: Promise<PayState>, signal: AbortSignal): Promise<PayState> {
  return new Promise(resolve => {
    const stop = () => resolve(unknown('The caller stopped waiting; the payment may go on.'))
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    void result.then(state => {
      signal.removeEventListener('abort', stop)
      resolve(state)
    })
  })
}
