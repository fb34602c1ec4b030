/**
 * Plays a part of the fault matrix in a test and compares it with what is known.
 * @module
 */
import { expect } from 'vitest'
import { knownOf } from './known.ts'
import { type MatrixOptions, nameOf, playMatrix, type Run } from './matrix.ts'

/** Seed of the suite; `FAULT_SEED` plays another. */
export const seed = Number(process.env['FAULT_SEED'] ?? 1)

/** The runs, after every one of them kept the invariants or is listed as one that does not. */
export async function playAndCompare(options: Omit<MatrixOptions, 'seed'>): Promise<readonly Run[]> {
  const runs = await playMatrix({ ...options, seed })
  const broken = runs.filter(run => run.broken.length > 0)
  expect(broken.filter(run => !knownOf(run)).map(run => `${nameOf(run)}: ${run.broken.join(', ')}`)).toEqual([])
  // A wallet may be asked less often than in fair weather, the more so on a busy machine.
  expect(runs.filter(run => !run.hit).length).toBeLessThan(runs.length / 2)
  // Only where each cell met all its ways: the other way may hold.
  const holding = runs.filter(run => options.events !== 'one' && knownOf(run) && run.broken.length === 0)
  expect(holding.map(nameOf), 'listed in known.ts, and holds').toEqual([])
  return runs
}
