/**
 * The fault matrix as people read it: kinds down, faults across, and in each cell how the jobs ended.
 * @module
 */
import { FAULTS } from './faults.ts'
import type { Run } from './matrix.ts'

/** Different ends of one cell, the worst first; `!` marks a broken invariant. */
function cellOf(runs: readonly Run[]): string {
  if (runs.length === 0) return '–'
  const words = new Set(runs.map(({ word, broken }) => (broken.length > 0 ? `!${broken.join('+')}` : word)))
  const rank = (word: string) => (word.startsWith('!') ? 0 : word === 'ok' ? 2 : 1)
  return [...words].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).join(' ')
}

/** Lines of the table of these runs. */
export function tableOf(mine: readonly Run[]): string[] {
  const kinds = [...new Set(mine.map(({ kind }) => kind))]
  const rows = [['kind', ...FAULTS] as string[]]
  for (const kind of kinds)
    rows.push([
      String(kind),
      ...FAULTS.map(fault => cellOf(mine.filter(run => run.kind === kind && run.fault === fault))),
    ])
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  return rows.map(row =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
