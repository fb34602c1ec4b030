/**
 * The money of a session: what it may spend, has spent, and has set aside for questions under way. What is spent and set
 * aside together never passes the total.
 * @module
 */
import type { Budget } from './session.ts'

/** Money that is set aside for one question. */
export interface Hold {
  readonly msats: bigint
  /**
   * The question has ended: `spent` msats left and did not come back, `doubt` more may have left. The rest is free again;
   * what is in doubt stays set aside. A second call does nothing.
   */
  settle(spent: bigint, doubt?: bigint): void
}

export interface Purse {
  /** Sets aside the most that a question may cost; `undefined` where that does not fit. Nothing fits into a negative cap. */
  hold(msats: bigint): Hold | undefined
  budget(): Budget
}

/** Opens a purse of `totalMsats`; without a total everything fits, and is counted. */
export function openPurse(totalMsats?: bigint): Purse {
  let spentMsats = 0n
  let heldMsats = 0n
  return {
    hold(msats) {
      if (msats < 0n || (totalMsats !== undefined && spentMsats + heldMsats + msats > totalMsats)) return undefined
      heldMsats += msats
      let open = true
      return {
        msats,
        settle(spent, doubt = 0n) {
          if (!open) return
          open = false
          spentMsats += spent
          heldMsats += doubt - msats
        },
      }
    },
    budget: () => ({ ...(totalMsats === undefined ? {} : { totalMsats }), spentMsats, heldMsats }),
  }
}
