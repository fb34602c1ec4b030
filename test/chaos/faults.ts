/**
 * What may go wrong with an event between a party and its relay, and when. Everything is drawn from a seed, so that a
 * failure can be played again.
 * @module
 */

export const FAULTS = ['drop', 'duplicate', 'delay', 'reorder', 'tamper', 'lie-ok', 'swallow-ok', 'die'] as const

/**
 * `drop`: gone without a word. `delay`: held back for a while. `reorder`: changes places with the next event.
 * `tamper`: one byte of content, tag or signature is another. `lie-ok`: OK true, and the event goes nowhere.
 * `swallow-ok`: the event arrives and its OK does not. `die`: every socket of this relay breaks at this frame.
 */
export type Fault = (typeof FAULTS)[number]

/** From a party to the relay, or from the relay to a party. */
export type Way = 'up' | 'down'

export interface Planted {
  readonly fault: Fault
  readonly kind: number
  readonly way: Way
  /** Which event of this kind and way: 1 is the first, 0 is each of them. */
  readonly nth: number
  /** Of `delay`: milliseconds. Absent: until `release`. Of `reorder`: when no other event comes. */
  readonly delayMs?: number
}

/** What one relay does to what passes, whichever party's proxy it passes. */
export interface Weather {
  /** Counts the event and gives what happens to it. */
  at(kind: number, way: Way): Planted | undefined
  /** Faults that happened. */
  readonly hits: number
  /** Events that passed, faulty ones included, by `kind way`. */
  readonly counts: ReadonlyMap<string, number>
  /** From 0 to below 1, of the seed. */
  random(): number
}

/** A relay with these faults planted; none: an honest one. */
export function openWeather(planted: readonly Planted[], seed: number): Weather {
  const counts = new Map<string, number>()
  let hits = 0
  return {
    at(kind, way) {
      const name = `${kind} ${way}`
      const nth = (counts.get(name) ?? 0) + 1
      counts.set(name, nth)
      const found = planted.find(one => one.kind === kind && one.way === way && (one.nth === nth || one.nth === 0))
      if (found) hits++
      return found
    },
    get hits() {
      return hits
    },
    counts,
    random: randomOf(seed),
  }
}

/** Numbers from 0 to below 1 that the seed decides (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
