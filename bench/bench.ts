/**
 * The contract of this room: a bench measures, tells people what it found, and gives figures for machines.
 * @module
 */

export interface BenchOptions {
  /** Few rounds: proves that the bench still runs, its figures mean little. */
  readonly quick: boolean
  /** Words for people about what takes long. */
  progress(says: string): void
}

/** A part of a whole is a figure of figures. */
export type Figures = Readonly<Record<string, number | string | Readonly<Record<string, number>>>>

/** One line of the README's table. */
export interface Row {
  readonly what: string
  readonly figure: string
  readonly against: string
}

export interface Bench {
  readonly name: string
  /** What is measured, how, and against what. */
  readonly says: string
  run(options: BenchOptions): Promise<Figures>
  rows(figures: Figures): readonly Row[]
}

/** A figure that must be there and be a number; throws otherwise. */
export function numberOf(figures: Figures, key: string): number {
  const value = figures[key]
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`the figure "${key}" is missing`)
  return value
}
