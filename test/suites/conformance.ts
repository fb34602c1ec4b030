/**
 * What a relay must do, clause by clause, asked over a raw WebSocket. The rows run against any relay URL.
 * @module
 */
import { type Clock, wallClock } from '../../src/clock.ts'
import { filterRows } from './conformance-filters.ts'
import { liveRows } from './conformance-live.ts'
import { nipRows } from './conformance-nips.ts'
import { type Author, newAuthor, openWire, type Wire } from './conformance-wire.ts'
import { writeRows } from './conformance-writes.ts'

/** One check; `run` rejects with what was seen instead. The name starts with the clause. */
export interface Row {
  readonly name: string
  run(world: World): Promise<void>
}

/** What a row may use. Every row has new keys, so rows do not see each other's events. */
export interface World {
  readonly url: string
  connect(): Promise<Wire>
  author(): Author
  /** Unix seconds of the relay. */
  now(): number
  /** Lets time pass for the relay. */
  pass(seconds: number): Promise<void>
}

export interface ConformanceOptions {
  /** How long an answer may take before it counts as missing. Default 5,000. */
  readonly patienceMs?: number
  /** Unix seconds of the relay and the way to let them pass, where the relay's clock is in the hand. Default: real time. */
  readonly now?: () => number
  readonly pass?: (seconds: number) => Promise<void>
  readonly clock?: Clock
}

export interface Outcome {
  readonly name: string
  readonly ok: boolean
  readonly says: string
}

/** Every row, in the order of the NIPs. */
export const rows: readonly Row[] = [...writeRows, ...filterRows, ...liveRows, ...nipRows]

/** Runs one row with connections of its own; never rejects. */
export async function runRow(url: string, row: Row, options: ConformanceOptions = {}): Promise<Outcome> {
  const clock = options.clock ?? wallClock()
  const wires: Wire[] = []
  const world: World = {
    url,
    author: newAuthor,
    now: options.now ?? (() => Math.floor(clock.now() / 1000)),
    pass: options.pass ?? (seconds => new Promise(resolve => clock.after(seconds * 1000, resolve))),
    async connect() {
      const wire = await openWire(url, options.patienceMs ?? 5_000, clock)
      wires.push(wire)
      return wire
    },
  }
  try {
    await row.run(world)
    return { name: row.name, ok: true, says: '' }
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    return { name: row.name, ok: false, says: says.split('\n')[0] ?? says }
  } finally {
    for (const wire of wires) wire.close()
  }
}

/** Runs all rows, one after the other. */
export async function runConformance(url: string, options: ConformanceOptions = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const row of rows) outcomes.push(await runRow(url, row, options))
  return outcomes
}
