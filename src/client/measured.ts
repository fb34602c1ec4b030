/**
 * What this client measured of nodes itself: round trips, first words and how jobs ended. It counts for this client alone,
 * and is kept on a shelf of its journal.
 * @module
 */
import { type Clock, seconds } from '../clock.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import type { Speed } from './patience.ts'

/** Running means in milliseconds; counts of jobs. `at` is unix seconds of the newest word. */
export interface Measured extends Speed {
  readonly served: number
  readonly failed: number
  readonly at: number
}

export interface Measurements {
  of(node: string): Measured | undefined
  speed(node: string, speed: Speed): void
  ended(node: string, served: boolean): void
}

/** Nodes that are remembered; the one that was heard of longest ago goes first. */
const most = 500
/** Share of the newest measurement in a mean. */
const newest = 0.3

export function openMeasurements({ journal, clock }: { journal: Journal; clock: Clock }): Measurements {
  const shelf = journal.shelf('nodes measured')

  function write(node: string, change: (before: Measured) => Omit<Measured, 'at'>) {
    const before = read(shelf.get(node)) ?? { served: 0, failed: 0, at: 0 }
    const after = { ...change(before), at: seconds(clock) }
    journal.atomically(() => {
      // The order of the shelf is the order of writing.
      shelf.delete(node, 'plain')
      shelf.set(node, after, 'plain')
      if (shelf.size <= most) return
      const oldest = shelf.entries().next()
      if (!oldest.done) shelf.delete(oldest.value[0], 'plain')
    }, 'plain')
  }

  return {
    of: node => read(shelf.get(node)),
    speed(node, speed) {
      write(node, ({ rttMs, firstMs, p95FirstMs, ...rest }) => ({
        ...rest,
        ...mean('rttMs', rttMs, speed.rttMs),
        ...mean('firstMs', firstMs, speed.firstMs),
        ...high(p95FirstMs, speed.firstMs),
      }))
    },
    ended(node, served) {
      write(node, before => ({
        ...before,
        served: before.served + (served ? 1 : 0),
        failed: before.failed + (served ? 0 : 1),
      }))
    },
  }
}

const mean = (name: 'rttMs' | 'firstMs', before: number | undefined, now: number | undefined) =>
  now === undefined
    ? before === undefined
      ? {}
      : { [name]: before }
    : { [name]: Math.round(before === undefined ? now : before * (1 - newest) + now * newest) }

/** A high-water mark that sinks slowly: near what nineteen of twenty stay under, without a list of all. */
const high = (before: number | undefined, now: number | undefined) => {
  if (now === undefined) return before === undefined ? {} : { p95FirstMs: before }
  return { p95FirstMs: Math.round(before === undefined ? 2 * now : Math.max(now, before * 0.95 + now * 0.05)) }
}

function read(kept: Plain | undefined): Measured | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined
  const { rttMs, firstMs, p95FirstMs, served, failed, at } = kept as Partial<Record<string, Plain>>
  return {
    ...(typeof rttMs === 'number' ? { rttMs } : {}),
    ...(typeof firstMs === 'number' ? { firstMs } : {}),
    ...(typeof p95FirstMs === 'number' ? { p95FirstMs } : {}),
    served: typeof served === 'number' ? served : 0,
    failed: typeof failed === 'number' ? failed : 0,
    at: typeof at === 'number' ? at : 0,
  }
}
