/**
 * One market: everybody who offers one kind and model, on a ring by public key, so that a throw of the dice meets each
 * with about the same chance, whoever came first. The proven, the cohort of newcomers and all others have a ring each.
 * @module
 */
import type { Candidate } from './policy.ts'
import { openRow, type Row } from './row.ts'
import { traitsOf } from './traits.ts'

/** `others` are all who are not proven, the cohort among them. */
export type Ring = 'proven' | 'cohort' | 'others'

export interface Market {
  readonly size: number
  /** Proven nodes that are alive. */
  readonly proven: number
  /**
   * Lower median of the posted prices, in msats: of the proven who are alive, without such of all who are alive, 0 without
   * anybody.
   */
  readonly median: number
  /** Adds a candidate or replaces what was known of its node. */
  set(candidate: Candidate): void
  remove(node: string): void
  get(node: string): Candidate | undefined
  /** How many stand on a ring. */
  count(ring: Ring): number
  /**
   * Looks at `most` of a ring, each once, upwards from `start` (0 to 1) and round; visits who is not screened out, until
   * told false. Gives how many it looked at.
   */
  walk(ring: Ring, start: number, most: number, screen: Screen, visit: (candidate: Candidate) => boolean): number
}

/** The first place from `from` on whose packed traits, price and score may do (see `traits.ts`); `end` where there is none. */
export type Screen = (
  traits: Float64Array,
  msats: Float64Array,
  scores: Float64Array,
  from: number,
  end: number,
) => number

/** Where a node stands on the ring, 0 to 1: the first 52 bits of its public key. */
export const positionOf = (node: string): number => Number.parseInt(node.slice(0, 13), 16) / 2 ** 52

/** Order of two nodes when walking up from `start`; below 0 when `a` comes first. */
export function inRingOrder(a: string, b: string, start: number): number {
  const [p, q] = [positionOf(a), positionOf(b)]
  const round = Number(p < start) - Number(q < start)
  return round || p - q || (a < b ? -1 : a > b ? 1 : 0)
}

interface Seat {
  readonly node: string
  readonly position: number
  candidate: Candidate | undefined
}

/** Order of those whose keys begin alike. */
const byName = (a: Seat, b: Seat): number => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)

const columnsOf = (one: Candidate): number[] => [traitsOf(one), one.msats, one.score]

/** An empty market. */
export function openMarket(): Market {
  const seats = new Map<string, Seat>()
  const ring = () => openRow<Seat>(3, byName)
  const rings: Record<Ring, Row<Seat>> = { proven: ring(), cohort: ring(), others: ring() }
  const prices = { proven: openRow<0>(0, () => 0), alive: openRow<0>(0, () => 0) }
  let median: number | undefined

  const stand = (seat: Seat, on: Ring, was: boolean, is: Candidate | undefined) => {
    const row = rings[on]
    if (is === undefined) {
      if (was) row.remove(seat.position, seat)
    } else if (was) row.update(seat.position, seat, columnsOf(is))
    else row.add(seat.position, seat, columnsOf(is))
  }
  const post = (row: Row<0>, was: number | undefined, is: number | undefined) => {
    if (was === is) return
    if (was !== undefined) row.remove(was, 0)
    if (is !== undefined) row.add(is, 0, [])
    median = undefined
  }
  /** Moves a seat from where its candidate stood to where the new one stands; either may be nobody. */
  const place = (seat: Seat, is: Candidate | undefined) => {
    const was = seat.candidate
    seat.candidate = is
    if (was && is && looksLike(was, is)) return
    stand(seat, 'proven', isProven(was), isProven(is) ? is : undefined)
    stand(seat, 'others', was !== undefined && !isProven(was), isProven(is) ? undefined : is)
    stand(seat, 'cohort', isNewcomer(was), isNewcomer(is) ? is : undefined)
    post(prices.proven, isProven(was) ? priceOf(was) : undefined, isProven(is) ? priceOf(is) : undefined)
    post(prices.alive, priceOf(was), priceOf(is))
  }

  return {
    get size() {
      return seats.size
    },
    get proven() {
      return prices.proven.size
    },
    get median() {
      if (median === undefined) {
        const row = prices.proven.size > 0 ? prices.proven : prices.alive
        median = row.keyAt((row.size - 1) >>> 1) ?? 0
      }
      return median
    },
    set(candidate) {
      let seat = seats.get(candidate.node)
      if (!seat) {
        seat = { node: candidate.node, position: positionOf(candidate.node), candidate: undefined }
        seats.set(candidate.node, seat)
      }
      place(seat, candidate)
    },
    remove(node) {
      const seat = seats.get(node)
      if (!seat) return
      place(seat, undefined)
      seats.delete(node)
    },
    get: node => seats.get(node)?.candidate,
    count: ring => rings[ring].size,
    walk(ring, start, most, screen, visit) {
      let left = most
      rings[ring].walk(start, ({ columns: [traits, msats, scores], items }, from, end) => {
        if (!traits || !msats || !scores) return false
        const last = Math.min(end, from + left)
        for (let i = from; i < last; ) {
          const fit = screen(traits, msats, scores, i, last)
          left -= Math.min(fit + 1, last) - i
          i = fit + 1
          const candidate = fit < last ? items[fit]?.candidate : undefined
          if (candidate && !visit(candidate)) return false
        }
        return left > 0
      })
      return most - left
    },
  }
}

const isProven = (candidate: Candidate | undefined): boolean => candidate?.stage === 'proven'
const isNewcomer = (candidate: Candidate | undefined): boolean =>
  candidate?.cohort === true && candidate.stage !== 'proven'
const priceOf = (candidate: Candidate | undefined): number | undefined =>
  candidate?.status === 'alive' ? candidate.msats : undefined

/** Whether a walk and the median cannot tell them apart. */
const looksLike = (a: Candidate, b: Candidate): boolean =>
  a.msats === b.msats && a.score === b.score && isNewcomer(a) === isNewcomer(b) && traitsOf(a) === traitsOf(b)
