/**
 * Who of the ejected stays in all the same: when much of a pool stops answering at once, the fault is more likely the
 * network's than theirs, and whoever can switch off one node must not be able to switch off a market.
 * @module
 */
import type { Params } from './params.ts'
import { isEjected, type Track } from './track.ts'

/** Nodes with their tracks, in the order in which they were ejected last; others may be among them. */
export type Ejected = Iterable<readonly [node: string, track: Track]>

/**
 * Names of those that are let off at `now`, unix seconds. At most `params.ejectShare` of the `size` nodes of a pool are out
 * for not answering: those that were ejected first. Proven faults are no matter of this: they take no room and stay out.
 */
export function letOff(ejected: Ejected, size: number, params: Params, now: number): ReadonlySet<string> {
  const lucky = new Set<string>()
  let room = Math.floor(size * params.ejectShare)
  for (const [node, track] of ejected) if (isOut(track, params, now) && --room < 0) lucky.add(node)
  return lucky
}

/** The same for one node, without a look at those who were ejected after it. */
export function isLetOff(
  node: string,
  ejected: ReadonlyMap<string, Track>,
  size: number,
  params: Params,
  now: number,
): boolean {
  const own = ejected.get(node)
  if (!own || !isOut(own, params, now)) return false
  let room = Math.floor(size * params.ejectShare)
  for (const [other, track] of ejected) {
    if (!isOut(track, params, now)) continue
    if (--room < 0) return true
    if (other === node) return false
  }
  return false
}

const isOut = (track: Track, params: Params, now: number): boolean => track.faultAt < 0 && isEjected(track, params, now)
