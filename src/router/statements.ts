/**
 * The first statement of each key in each place where it can make one only, for as long as there is room.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { weigh } from './cases.ts'

export interface Statements {
  /** Keeps the first one; gives back the one that was there. */
  keep(place: string, event: Event): Event | undefined
  of(place: string): Event | undefined
}

/** Longer ones are not compared. */
const longest = 32_768

/** At most so many statements of at most so many characters together; the oldest makes room. */
export function openStatements(most = 20_000, mostChars = 2 ** 25): Statements {
  const kept = new Map<string, { readonly event: Event; readonly chars: number }>()
  let chars = 0

  return {
    keep(place, event) {
      const known = kept.get(place)
      if (known) return known.event
      const weight = weigh(event)
      if (weight > longest) return undefined
      kept.set(place, { event, chars: weight })
      chars += weight
      for (const [oldest, one] of kept) {
        if (kept.size <= most && chars <= mostChars) break
        kept.delete(oldest)
        chars -= one.chars
      }
      return undefined
    },
    of: place => kept.get(place)?.event,
  }
}
