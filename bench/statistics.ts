/**
 * The few numbers that a bench makes of many.
 * @module
 */

/** The value below which `share` (0 to 1) of the samples lie; NaN of nothing. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Three significant digits: what a shared machine can tell. */
export const rounded = (value: number): number => Number(value.toPrecision(3))

/** The same things in another order, each order equally likely. */
export function shuffled<T>(things: readonly T[]): T[] {
  return things
    .map(thing => ({ thing, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ thing }) => thing)
}

/** Runs `job` `count` times with at most `width` under way; gives milliseconds for all of them. */
export async function windowed(count: number, width: number, job: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  let left = count
  const lane = async () => {
    while (left-- > 0) await job()
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
  return performance.now() - began
}
