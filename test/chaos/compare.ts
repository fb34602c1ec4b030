/**
 * Plays a part of the fault matrix in a test and compares it with what is known.
 * @module
 */
import { expect } from 'vitest'
import { KNOWN, knownOf } from './known.ts'
import { type MatrixOptions, nameOf, playMatrix, type Run } from './matrix.ts'

/** Seed of the suite; `FAULT_SEED` plays another. */
export const seed = Number(process.env['FAULT_SEED'] ?? 1)

/** The runs, after every one of them kept the invariants or is listed as one that does not. */
export async function playAndCompare(options: Omit<MatrixOptions, 'seed' | 'events'>): Promise<readonly Run[]> {
  const runs = await playMatrix({ ...options, seed, events: 'some' })
  const broken = runs.filter(run => run.broken.length > 0)
  expect(broken.filter(run => !knownOf(run)).map(run => `${nameOf(run)}: ${run.broken.join(', ')}`)).toEqual([])
  expect(runs.filter(run => !run.hit).map(nameOf)).toEqual([])
  const mine = KNOWN.filter(({ kind, relays }) => runs.some(run => run.kind === kind && run.relays === relays))
  const holding = mine.flatMap(known =>
    known.faults.filter(fault => !broken.some(run => run.fault === fault && knownOf(run) === known)),
  )
  expect(holding, 'listed in known.ts, and holds').toEqual([])
  return runs
}
