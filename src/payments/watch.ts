/**
 * Waits until a bill is settled: hears the wallet's notifications and polls beside them, because notifications get lost.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import type { BillState } from './payment.ts'

type Settled = Extract<BillState, { state: 'settled' }>

export interface WatchParts {
  readonly clock: Clock
  readonly pollMs: number
  /** Asks the wallet; a rejection means "ask again later". */
  readonly ask: () => Promise<BillState>
  /** Calls `look` when the wallet says that the bill may be settled; returns the way to stop. */
  readonly listen: (look: () => void) => () => void
  readonly onSettled: (settled: Settled) => void
}

/** Expiry is advisory on Lightning: a payment may arrive late, so a watch looks on for a while. */
const LOOKS_AFTER_EXPIRY_SECONDS = 3_600

/**
 * Calls `onSettled` at most once and never after it was stopped; returns the way to stop. Gives up when the wallet does
 * not know the bill, or an hour after the bill expired.
 */
export function watchBill(parts: WatchParts): () => void {
  const { clock, pollMs, ask, listen, onSettled } = parts
  let live = true
  let asking = false
  let again = false
  let expiredAt: number | undefined
  let cancel = () => {}
  const stop = () => {
    live = false
    cancel()
    unlisten()
  }
  const look = async (): Promise<void> => {
    if (!live) return
    // A notification that comes while the wallet is being asked may be newer than the answer.
    again = asking
    if (asking) return
    asking = true
    cancel()
    const found = await ask().catch(() => undefined)
    asking = false
    if (!live) return
    if (found?.state === 'settled') {
      stop()
      onSettled(found)
      return
    }
    if (again) return look()
    if (found?.state === 'expired') expiredAt ??= seconds(clock)
    const over = expiredAt !== undefined && seconds(clock) - expiredAt > LOOKS_AFTER_EXPIRY_SECONDS
    if (found?.state === 'unknown' || found?.state === 'failed' || over) stop()
    else cancel = clock.after(pollMs, () => void look())
  }
  const unlisten = listen(() => void look())
  void look()
  return stop
}
