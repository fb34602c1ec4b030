/**
 * One market: everybody who offers one kind and model, on a ring by public key, so that a throw of the dice meets each
 * with about the same chance, whoever came first. The proven, the cohort of newcomers and all others have a ring each.
 * @module
 */
import type { Candidate } from './policy.ts'
import { type Sorted, sorted } from './sorted.ts'

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
  /** Visits the candidates of a ring once, upwards from `start` (0 to 1) and round, until told false. */
  walk(ring: Ring, start: number, visit: (candidate: Candidate) => boolean): void
}

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

const bySeat = (a: Seat, b: Seat): number => a.position - b.position || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0)

/** An empty market. */
export function openMarket(): Market {
  const seats = new Map<string, Seat>()
  const rings: Record<Ring, Sorted<Seat>> = { proven: sorted(bySeat), cohort: sorted(bySeat), others: sorted(bySeat) }
  const prices = { proven: sorted<number>((a, b) => a - b), alive: sorted<number>((a, b) => a - b) }
  let median: number | undefined

  const enter = (seat: Seat, ring: Ring, was: boolean, is: boolean) => {
    if (was === is) return
    if (is) rings[ring].add(seat)
    else rings[ring].remove(seat)
  }
  const post = (row: 'proven' | 'alive', was: number | undefined, is: number | undefined) => {
    if (was === is) return
    if (was !== undefined) prices[row].remove(was)
    if (is !== undefined) prices[row].add(is)
    median = undefined
  }
  /** Moves a seat from where its candidate stood to where the new one stands; either may be nobody. */
  const place = (seat: Seat, is: Candidate | undefined) => {
    const was = seat.candidate
    seat.candidate = is
    enter(seat, 'proven', isProven(was), isProven(is))
    enter(seat, 'others', was !== undefined && !isProven(was), is !== undefined && !isProven(is))
    enter(seat, 'cohort', isNewcomer(was), isNewcomer(is))
    post('proven', isProven(was) ? priceOf(was) : undefined, isProven(is) ? priceOf(is) : undefined)
    post('alive', priceOf(was), priceOf(is))
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
        median = row.at((row.size - 1) >>> 1) ?? 0
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
    walk(ring, start, visit) {
      const from: Seat = { node: '', position: start, candidate: undefined }
      rings[ring].walk(from, ({ candidate }) => candidate !== undefined && visit(candidate))
    },
  }
}

const isProven = (candidate: Candidate | undefined): boolean => candidate?.stage === 'proven'
const isNewcomer = (candidate: Candidate | undefined): boolean =>
  candidate?.cohort === true && candidate.stage !== 'proven'
const priceOf = (candidate: Candidate | undefined): number | undefined =>
  candidate?.status === 'alive' ? candidate.msats : undefined
