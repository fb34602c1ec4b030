/**
 * Cells of the fault matrix that break an invariant today, and why. The tests fail for any other, and for one of these
 * that holds.
 * @module
 */
import type { Fault } from './faults.ts'
import type { Run } from './matrix.ts'
import type { Story } from './paid-job.ts'

export interface Known {
  readonly stories: readonly Story[]
  readonly kind: number
  readonly faults: readonly Fault[]
  readonly relays: 1 | 2
  readonly says: string
}

export const KNOWN: readonly Known[] = []

/** The entry that a broken run falls under. */
export const knownOf = ({ story, kind, fault, relays }: Run): Known | undefined =>
  KNOWN.filter(known => known.stories.includes(story) && known.faults.includes(fault)).find(
    known => known.kind === kind && known.relays === relays,
  )
