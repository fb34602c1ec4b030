/**
 * Holding money through a NIP-47 wallet: hold invoices, made, settled and cancelled. What was lost on the way is looked up,
 * so that each call may be repeated.
 * @module
 */
import type { Clock } from '../../clock.ts'
import { fromHex, isHash, sha256Hex } from '../hash.ts'
import { type Bill, type BillState, type HoldAsk, type HoldPayee, PaymentError } from '../payment.ts'
import { type Fields, integer, type Row } from './body.ts'

/** NIP-47's methods for hold invoices: a wallet that names all three can hold. */
export const HOLD_METHODS = ['make_hold_invoice', 'settle_hold_invoice', 'cancel_hold_invoice'] as const

export interface NwcHoldOptions {
  readonly clock: Clock
  /** Pause between looks at a settlement that the wallet has not written yet. */
  readonly pollMs: number
  /** How long a settlement may take. */
  readonly askMs: number
  readonly watchHeld: HoldPayee['watchHeld']
  ask(method: string, params: Fields, signal?: AbortSignal): Promise<Fields>
  find(hash: string, signal?: AbortSignal): Promise<Row | undefined>
  state(hash: string, signal?: AbortSignal): Promise<BillState>
  /** The fields of a request for an invoice. */
  params(ask: HoldAsk): Fields
  /** Checks an invoice against what was asked. Throws `PaymentError`. */
  billOf(bolt11: unknown, ask: HoldAsk): Bill
}

/** The holding half of a NIP-47 wallet that names the methods for it. */
export function nwcHold(options: NwcHoldOptions): HoldPayee {
  const { ask, billOf, clock, find, state } = options

  /** True where `look` finds what an unclear answer left open. */
  async function done(error: unknown, look: () => Promise<boolean>): Promise<void> {
    if (!(error instanceof PaymentError) || SURE.has(error.code)) throw error
    if (!(await look().catch(() => false))) throw error
  }

  return {
    async holdBill(order, signal) {
      const { hash, minFinalCltvDelta } = order
      if (!isHash(hash)) throw new PaymentError('OTHER', 'A payment hash is 64 lower-case hex digits.')
      const params = {
        ...options.params(order),
        ...{ amount: integer(order.msats), payment_hash: hash },
        ...(minFinalCltvDelta !== undefined && { min_cltv_expiry_delta: minFinalCltvDelta }),
      }
      try {
        const made = await ask('make_hold_invoice', params, signal)
        return billOf(made['invoice'], order)
      } catch (error) {
        // A wallet makes one invoice for a hash: a second request is refused, whoever saw the first answer.
        let row: Row | undefined
        await done(error, async () => {
          row = await find(hash, signal)
          return row !== undefined && row.state !== 'failed'
        })
        return billOf(row?.bolt11, order)
      }
    },
    watchHeld: options.watchHeld,
    async settle(preimage, signal) {
      const opened = preimage.toLowerCase()
      if (!isHash(opened)) throw new PaymentError('OTHER', 'A preimage is 64 hex digits.')
      const hash = sha256Hex(fromHex(opened))
      const settled = async () => {
        const found = await state(hash, signal)
        return found.state === 'settled' ? { ...found, preimage: opened } : undefined
      }
      let failure: unknown
      try {
        await ask('settle_hold_invoice', { preimage: opened }, signal)
      } catch (error) {
        failure = error
      }
      // The wallet's yes is not money yet: what counts is that its books say settled.
      for (let waited = 0; ; waited += options.pollMs) {
        const found = await settled().catch(() => undefined)
        if (found) return found
        if (failure !== undefined) throw failure
        if (waited >= options.askMs || signal?.aborted)
          throw new PaymentError('TIMEOUT', 'The wallet took the preimage and lists no settlement: ask for its state.')
        await pause(clock, options.pollMs, signal)
      }
    },
    async cancel(hash, signal) {
      try {
        await ask('cancel_hold_invoice', { payment_hash: hash }, signal)
      } catch (error) {
        await done(error, async () => (await state(hash, signal)).state === 'failed')
      }
    },
  }
}

/** Codes by which the wallet says that it did nothing and has nothing to look up. */
const SURE = new Set(['NOT_IMPLEMENTED', 'RESTRICTED', 'UNAUTHORIZED', 'UNSUPPORTED_ENCRYPTION', 'QUOTA_EXCEEDED'])

const pause = (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise(resolve => {
    const end = () => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    signal?.addEventListener('abort', end, { once: true })
  })
