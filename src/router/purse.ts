/**
 * Money that may leave within a day, written down before it leaves: what a killed process had begun counts as spent.
 * @module
 */
import type { Journal } from '../journal/journal.ts'

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
  const shelf = journal.shelf(name)
  const rows = new Map<number, bigint>()
  for (const [key, msats] of shelf.entries()) if (typeof msats === 'bigint') rows.set(Number(key), msats)
  const hourOf = (at: number): number => Math.floor(at / hour)

  function spent(now: number): bigint {
    let sum = 0n
    for (const [at, msats] of rows) if (at > hourOf(now) - hours) sum += msats
    return sum
  }

  /** On the disk first. */
  function write(at: number, msats: bigint) {
    shelf.set(String(at), msats, 'money')
    rows.set(at, msats)
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
      const at = hourOf(now)
      write(at, (rows.get(at) ?? 0n) + msats)
      for (const old of [...rows.keys()].filter(one => one <= at - hours)) {
        shelf.delete(String(old), 'plain')
        rows.delete(old)
      }
      return true
    },
    settle(takenMsats, paidMsats, at) {
      const before = rows.get(hourOf(at))
      // An hour that is gone counts no more, whatever it comes to.
      if (takenMsats === paidMsats || before === undefined) return
      const sum = before - takenMsats + paidMsats
      write(hourOf(at), sum > 0n ? sum : 0n)
    },
  }
}
