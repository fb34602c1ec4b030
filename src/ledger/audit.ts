/**
 * Which answers are computed again: a share that falls with proven work and never under a floor, drawn from a number that
 * nobody knew when the answer was signed.
 * @module
 */
import { sha256Hex } from '../hash.ts'
import type { Params } from './params.ts'
import { afterIdle, auditsAt, jobsOf, oneFailed, type Stage, type Track } from './track.ts'

/**
 * Share of a node's next jobs that is audited, 0 to 1. `bondedJobs`: how many median job prices its bond is worth. `now`
 * is unix seconds; whoever did nothing for two weeks before is audited more again.
 */
export function auditShare(track: Track, stage: Stage, bondedJobs: number, params: Params, now = track.at): number {
  if (stage !== 'proven') return 1
  const clean = auditsAt(track, params, now) < oneFailed && jobsOf(track) > params.wellBondedClean
  const least =
    bondedJobs >= params.wellBondedJobs && clean
      ? params.auditLeastWellBonded
      : bondedJobs >= params.bondedJobs
        ? params.auditLeastBonded
        : params.auditLeast
  const run = now - track.at >= params.idleSeconds ? afterIdle(track.run, params) : track.run
  return Math.min(1, Math.max(least, 1 / Math.max(1, run)))
}

/**
 * Whether an answer is audited: the first 52 bits of SHA-256 of result id and beacon (both hex) as a number below the
 * share. The beacon must be revealed after the answer was heard.
 */
export function drawn(resultId: string, beacon: string, share: number): boolean {
  return Number.parseInt(sha256Hex(resultId + beacon).slice(0, 13), 16) < share * 2 ** 52
}
