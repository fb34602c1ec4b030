/**
 * A wallet that can hold, as a node needs it whose wallet may be away just when it starts: what is held already must be
 * settled or given back once the wallet can be reached.
 * @module
 */
import type { Clock } from '../clock.ts'
import { type HoldPayee, type Payee, PaymentError } from '../payments/payment.ts'

export interface Holder {
  /** Settles, cancels and watches whenever the wallet can be reached; rejects with `PaymentError` while it cannot. */
  readonly payee: HoldPayee
  /** The wallet said that it can hold: new bills of this kind may be offered. */
  readonly offered: boolean
}

const retryMs = 3_000

/** Asks the wallet what it can do. `undefined` when it certainly cannot hold. `trouble` hears why it does not say. */
export async function openHolder(
  payee: Payee | undefined,
  clock: Clock,
  trouble: (says: string) => void,
  signal?: AbortSignal,
): Promise<Holder | undefined> {
  if (!payee?.hold) return undefined
  try {
    const found = await payee.hold(signal)
    return found && { payee: found, offered: true }
  } catch (error) {
    trouble(`The wallet does not say whether it can hold money: ${String(error)}`)
    return { payee: late(payee, clock), offered: false }
  }
}

function late(payee: Payee, clock: Clock): HoldPayee {
  const find = async (signal?: AbortSignal): Promise<HoldPayee> => {
    const found = await payee.hold?.(signal)
    if (!found) throw new PaymentError('NOT_IMPLEMENTED', 'The wallet cannot hold money.')
    return found
  }
  return {
    holdBill: async (ask, signal) => (await find(signal)).holdBill(ask, signal),
    settle: async (preimage, signal) => (await find(signal)).settle(preimage, signal),
    cancel: async (hash, signal) => (await find(signal)).cancel(hash, signal),
    watchHeld(hash, onHeld) {
      let stopped = false
      let stop = () => {}
      const look = () => {
        const again = () => {
          if (!stopped) stop = clock.after(retryMs, look)
        }
        find().then(found => {
          if (!stopped) stop = found.watchHeld(hash, onHeld)
        }, again)
      }
      look()
      return () => {
        stopped = true
        stop()
      }
    },
  }
}
