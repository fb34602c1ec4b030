/**
 * What our wallet service answers about money that is held: hold invoices made, settled, cancelled, and found in the books.
 * @module
 */
import { type Clock, seconds } from '../../clock.ts'
import { fromHex, isHash, sha256Hex } from '../hash.ts'
import { type Held, type HoldPayee, PaymentError, type Transaction, type Wallet } from '../payment.ts'
import { type Fields, rowFields, text } from './body.ts'
import type { HOLD_METHODS } from './hold.ts'
import { invoiceAsk } from './invoice-ask.ts'

export interface HoldAnswerOptions {
  readonly wallet: Wallet
  readonly clock: Clock
  /** A hold invoice was made: its money is to be told of. */
  made(hash: string): void
  /** It was settled or cancelled. */
  over(hash: string): void
}

export interface HoldAnswers {
  readonly answers: Readonly<Record<(typeof HOLD_METHODS)[number], (params: Fields) => Promise<Fields>>>
  /** How the served wallet holds; `undefined` when it cannot. Asked until it was told once. */
  payee(): Promise<HoldPayee | undefined>
  /** What waits at a row of the wallet. */
  heldOf(row: Transaction): Promise<Omit<Held, 'hash'> | undefined>
}

/** One for each connection. */
export function holdAnswers({ wallet, clock, made, over }: HoldAnswerOptions): HoldAnswers {
  let known: HoldPayee | undefined

  async function payee(): Promise<HoldPayee | undefined> {
    known ??= await wallet.hold?.()
    return known
  }

  async function holding(): Promise<HoldPayee> {
    const found = await payee()
    if (!found) throw new PaymentError('NOT_IMPLEMENTED', 'This wallet cannot hold money.')
    return found
  }

  return {
    payee,
    answers: {
      async make_hold_invoice(params) {
        const hash = text(params['payment_hash'])?.toLowerCase()
        if (!isHash(hash)) throw new PaymentError('OTHER', 'payment_hash must be 64 hex digits.')
        const delta = params['min_cltv_expiry_delta'] ?? undefined
        if (delta !== undefined && (!Number.isSafeInteger(delta) || Number(delta) < 1 || Number(delta) > 2_016))
          throw new PaymentError('OTHER', 'min_cltv_expiry_delta must be 1 to 2016 blocks.')
        const about = invoiceAsk(params)
        const { msats, key: _, expirySeconds: __, ...subject } = about
        // The hash is the key: a client that asks again after a lost answer means the same invoice.
        const asked = { ...about, key: `nwc hold ${hash}`, hash }
        const payee = await holding()
        const bill = await payee.holdBill(delta === undefined ? asked : { ...asked, minFinalCltvDelta: Number(delta) })
        made(hash)
        return rowFields({
          ...{ type: 'incoming', state: 'pending', hash: bill.hash, bolt11: bill.bolt11, msats, feeMsats: 0n },
          ...{ createdAt: seconds(clock), expiresAt: bill.expiresAt },
          ...subject,
        })
      },
      async settle_hold_invoice(params) {
        const preimage = text(params['preimage'])?.toLowerCase()
        if (!isHash(preimage)) throw new PaymentError('OTHER', 'preimage must be 64 hex digits.')
        await (await holding()).settle(preimage)
        over(sha256Hex(fromHex(preimage)))
        return {}
      },
      async cancel_hold_invoice(params) {
        const hash = text(params['payment_hash'])?.toLowerCase()
        if (!isHash(hash)) throw new PaymentError('NOT_FOUND', 'No hold invoice has this payment hash.')
        await (await holding()).cancel(hash)
        over(hash)
        return {}
      },
    },
    async heldOf({ type, state, hash }) {
      if (type !== 'incoming' || state === 'settled' || state === 'failed') return undefined
      if (!(await payee().catch(() => undefined))) return undefined
      const found = await wallet.billState(hash)
      if (found.state !== 'held') return undefined
      const { state: _, ...money } = found
      return money
    },
  }
}
