/**
 * What lnd tells by itself, and asking beside it, because a stream that broke is silent.
 * @module
 */
import { bounded } from '../../../src/bounded.ts'
import { type Clock, seconds } from '../../../src/clock.ts'
import type { Transaction } from '../../../src/payments/payment.ts'
import { type Fields, listOf, type Rest, textOf, toHex, toUrl64, wholeOf } from './rest.ts'
import { incomingRow, outgoingRow } from './rows.ts'

export interface News {
  /** Calls on every settled row, at most once for each. */
  onSettled(listener: (row: Transaction) => void): () => void
  /** Calls when something was heard about an invoice; returns the way to stop. `held` also hears of held money. */
  listen(hash: string, look: () => void, held?: boolean): () => void
  /** Tells of a row that was seen elsewhere. */
  report(row: Transaction): void
}

const RETRY_MS = 1_000
const SEEN = 10_000
/** Streams about one invoice each, because lnd's stream of all invoices does not tell of held ones. */
const MAX_SINGLE = 256
/** Rows looked through for the newest settlement: lnd has no question for it. */
const NEWEST = 200

/** Listens from now on until `closing`. */
export function openNews(rest: Rest, clock: Clock, closing: AbortSignal): News {
  const listeners = new Set<{ run: (row: Transaction) => void }>()
  const looks = new Map<string, Set<() => void>>()
  const told = bounded<string, true>(SEEN)
  let settleIndex = 0n
  let singles = 0

  function report(row: Transaction): void {
    const key = `${row.type} ${row.hash}`
    if (row.state !== 'settled' || told.has(key)) return
    told.set(key, true)
    for (const listener of listeners)
      queueMicrotask(() => {
        if (listeners.has(listener)) listener.run(row)
      })
  }

  function heard(invoice: Fields): void {
    const index = wholeOf(invoice, 'settle_index')
    if (index > settleIndex) settleIndex = index
    report(incomingRow(invoice, seconds(clock)))
    for (const look of [...(looks.get(toHex(textOf(invoice, 'r_hash'))) ?? [])]) look()
  }

  /** Hears a stream again and again, until `ends`. */
  async function hear(path: () => string, each: (said: Fields) => void, ends: AbortSignal): Promise<void> {
    while (!ends.aborted) {
      try {
        for await (const said of rest.stream('GET', path(), undefined, ends)) each(said)
      } catch {
        // Broken or silent for long: listened to anew below.
      }
      if (!ends.aborted) await pause(ends)
    }
  }

  const pause = (ends: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      const cancel = clock.after(RETRY_MS, () => {
        ends.removeEventListener('abort', stop)
        resolve()
      })
      const stop = () => {
        cancel()
        resolve()
      }
      ends.addEventListener('abort', stop, { once: true })
    })

  async function invoices(): Promise<void> {
    const newest = await rest
      .ask('GET', `/v1/invoices?reversed=true&num_max_invoices=${NEWEST}`, undefined, closing)
      .catch((): Fields => ({}))
    for (const invoice of listOf(newest, 'invoices')) {
      const index = wholeOf(invoice, 'settle_index')
      if (index > settleIndex) settleIndex = index
    }
    // Whatever was settled while nobody listened comes first: lnd counts settlements.
    await hear(() => `/v1/invoices/subscribe?settle_index=${settleIndex}`, heard, closing)
  }

  void invoices()
  void hear(
    () => '/v2/router/payments?no_inflight_updates=true',
    payment => report(outgoingRow(payment)),
    closing,
  )

  return {
    report,
    onSettled(run) {
      const listener = { run }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    listen(hash, look, held = false) {
      looks.set(hash, (looks.get(hash) ?? new Set()).add(look))
      const over = new AbortController()
      if (held && singles < MAX_SINGLE) {
        singles++
        const ends = AbortSignal.any([over.signal, closing])
        void hear(() => `/v2/invoices/subscribe/${toUrl64(hash)}`, look, ends).finally(() => singles--)
      }
      return () => {
        over.abort()
        looks.get(hash)?.delete(look)
        if (looks.get(hash)?.size === 0) looks.delete(hash)
      }
    },
  }
}
