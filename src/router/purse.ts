/**
 * Money that may leave within a day, written down before it leaves: what a killed process had begun counts as spent.
 * @module
 */
import type { Journal, Shelf } from '../journal/journal.ts'

export interface Purse {
  /** What may still leave at `now`, unix seconds. */
  leftMsats(now: number): bigint
  /** Sets an amount aside, in the journal when this returns. False, and nothing written, where there is not so much left. */
  take(msats: bigint, now: number): boolean
  /** What was set aside at `at` has come to this. */
  settle(takenMsats: bigint, paidMsats: bigint, at: number): void
}

const hour = 3_600
/** The hour under way and the 24 before: every 24 hours are in them whole. */
const hours = 25

/** A purse of `perDayMsats` for any 24 hours, kept on the shelf `name`. */
export function openPurse(journal: Journal, name: string, perDayMsats: bigint): Purse {
  const shelf: Shelf = journal.shelf(name)
  const keyOf = (at: number): string => String(Math.floor(at / hour))
  const inHour = (key: string): bigint => {
    const kept = shelf.get(key)
    return typeof kept === 'bigint' ? kept : 0n
  }

  function spent(now: number): bigint {
    let sum = 0n
    for (const [key] of shelf.entries()) if (Number(key) > Math.floor(now / hour) - hours) sum += inHour(key)
    return sum
  }

  const leftMsats = (now: number): bigint => {
    const left = perDayMsats - spent(now)
    return left > 0n ? left : 0n
  }

  return {
    leftMsats,
    take(msats, now) {
      if (msats <= 0n) return msats === 0n
      if (msats > leftMsats(now)) return false
      journal.atomically(() => {
        for (const [key] of [...shelf.entries()])
          if (Number(key) <= Math.floor(now / hour) - hours) shelf.delete(key, 'money')
        shelf.set(keyOf(now), inHour(keyOf(now)) + msats, 'money')
      }, 'money')
      return true
    },
    settle(takenMsats, paidMsats, at) {
      const key = keyOf(at)
      // An hour that is gone counts no more, whatever it comes to.
      if (takenMsats === paidMsats || shelf.get(key) === undefined) return
      const sum = inHour(key) - takenMsats + paidMsats
      shelf.set(key, sum > 0n ? sum : 0n, 'money')
    },
  }
}
