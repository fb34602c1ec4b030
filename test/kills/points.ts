/**
 * Where a process may die: named crossings that are counted, and one of them that kills.
 * @module
 */

/** Die at the crossing number `at` from now (from 1), or at the `nth` crossing (from 1) of `point`. */
export type Death = { readonly at: number } | { readonly point: string; readonly nth: number }

export interface Points {
  /** Counts, and does not return where death was ordered. */
  cross(point: string): void
  /** Begins to count anew. */
  arm(death: Death | undefined): void
  /** What was crossed since, in order. */
  readonly crossed: readonly string[]
}

const MAX_KEPT = 20_000

export function openPoints(die: () => void = () => process.kill(process.pid, 'SIGKILL')): Points {
  let crossed: string[] = []
  let death: Death | undefined
  let nth = 0
  return {
    cross(point) {
      if (crossed.length < MAX_KEPT) crossed.push(point)
      if (!death) return
      if ('point' in death && death.point === point) nth++
      if ('at' in death ? crossed.length === death.at : nth === death.nth) die()
    },
    arm(order) {
      crossed = []
      nth = 0
      death = order
    },
    get crossed() {
      return crossed
    },
  }
}
