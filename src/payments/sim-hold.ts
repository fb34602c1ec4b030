/**
 * Money that a simulated wallet holds: it arrives, waits for its payee's word, and goes back by itself at its deadline.
 * @module
 */
import type { Clock } from '../clock.ts'
import { fromHex, isHash, sha256Hex } from './hash.ts'
import { type Bill, type BillState, type Held, type HoldAsk, type HoldPayee, PaymentError } from './payment.ts'
import type { SimAccount, SimPayment } from './sim-ledger.ts'
import { billStateOf, heldOf } from './sim-rows.ts'

/** A simulated block: the height is the time in units of this. */
const BLOCK_MS = 600_000

/** The height of the simulated chain, which follows the clock. */
export const simHeight = (clock: Clock): number => Math.floor(clock.now() / BLOCK_MS)

/**
 * Money for a hold bill has arrived: it waits until `giveBack` runs at the deadline. False where the bill was cancelled,
 * so that nobody may take it.
 */
export function arrive(payment: SimPayment, clock: Clock, giveBack: () => void): boolean {
  const hold = payment.bill?.hold
  if (!hold || hold.cancelled) return false
  const deadline = simHeight(clock) + hold.deltaBlocks
  const stop = clock.after(deadline * BLOCK_MS - clock.now(), giveBack)
  hold.money = { payment, deadline, stop }
  return true
}

export interface SimHoldParts {
  readonly account: SimAccount
  readonly pollMs: number
  readonly clock: Clock
  /** Throws `PaymentError` when the wallet cannot be asked. */
  reach(signal?: AbortSignal): void
  bill(ask: HoldAsk): Bill
  finish(payment: SimPayment, end: 'paid' | 'failed'): void
  /** Calls when money for a hold bill arrives; returns the way to stop. */
  onHeld(listener: (held: Held) => void): () => void
  now(): number
}

export interface SimHoldPayee extends HoldPayee {
  /** Ends every watch. */
  stop(): void
}

/** The holding half of a simulated wallet. */
export function simHold({ account, clock, pollMs, reach, bill, finish, onHeld, now }: SimHoldParts): SimHoldPayee {
  const watches = new Set<() => void>()
  const stateOf = (hash: string): BillState => {
    const known = account.bills.get(hash)
    return known ? billStateOf(known, now()) : { state: 'unknown' }
  }

  return {
    async holdBill(ask, signal) {
      reach(signal)
      return bill(ask)
    },
    watchHeld(hash, listener) {
      let cancel = () => {}
      const tell = (held: Held) => {
        stop()
        listener(held)
      }
      const unlisten = onHeld(held => {
        if (held.hash === hash) tell(held)
      })
      const stop = () => {
        watches.delete(stop)
        cancel()
        unlisten()
      }
      const look = () => {
        const known = account.bills.get(hash)
        const held = known && reachable() ? heldOf(known) : undefined
        const { state } = stateOf(hash)
        if (held) tell(held)
        else if (state === 'pending' || state === 'expired' || state === 'held') cancel = clock.after(pollMs, look)
        else stop()
      }
      watches.add(stop)
      cancel = clock.after(0, look)
      return stop
    },
    async settle(preimage, signal) {
      reach(signal)
      const known = isHash(preimage) ? account.bills.get(sha256Hex(fromHex(preimage))) : undefined
      const money = known?.hold?.money
      if (known && money) {
        known.preimage = preimage
        finish(money.payment, 'paid')
      }
      const state = known?.hold ? billStateOf(known, now()) : undefined
      if (state?.state === 'settled') return state
      throw new PaymentError('OTHER', 'No money is held for this preimage: it has not come, or it went back.')
    },
    async cancel(hash, signal) {
      reach(signal)
      const known = account.bills.get(hash)
      if (!known?.hold) throw new PaymentError('NOT_FOUND', 'No hold bill has this hash.')
      if (known.settledAt !== undefined)
        throw new PaymentError('OTHER', 'This bill is settled: send the money back instead.')
      known.hold.cancelled = true
      if (known.hold.money) finish(known.hold.money.payment, 'failed')
    },
    stop() {
      for (const stop of [...watches]) stop()
    },
  }

  function reachable(): boolean {
    try {
      reach()
      return true
    } catch {
      return false
    }
  }
}
