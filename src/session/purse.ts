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
   * The question has ended: `spent` msats left, what came back of it not deducted; `doubt` more may have left. The rest is
   * free again; what is in doubt stays set aside. A second call does nothing.
   */
  settle(spent: bigint, doubt?: bigint): void
  /** So much of what left came back, before the end of the question or later: it may be spent again. Never more than left counts. */
  giveBack(msats: bigint): void
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
      /** What of the budget it has: set aside, and spent. */
      let held = msats
      let used = 0n
      let back = 0n
      let open = true
      const change = (spent: bigint, doubt: bigint) => {
        spentMsats += spent - used
        heldMsats += doubt - held
        used = spent
        held = doubt
      }
      const returned = (came: bigint, spent: bigint, doubt: bigint) => {
        const ofSpent = least(came, spent)
        change(spent - ofSpent, doubt - least(came - ofSpent, doubt))
      }
      return {
        msats,
        settle(spent, doubt = 0n) {
          if (!open) return
          open = false
          returned(back, spent, doubt)
        },
        giveBack(came) {
          if (open) back += came
          else returned(came, used, held)
        },
      }
    },
    budget: () => ({ ...(totalMsats === undefined ? {} : { totalMsats }), spentMsats, heldMsats }),
  }
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b)
