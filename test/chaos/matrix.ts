/**
 * The fault matrix: every event kind of a paid job, every fault, both ways, with one relay and with an honest second one.
 * @module
 */
import { FAULTS, type Fault, type Planted, randomOf, type Way } from './faults.ts'
import { type Played, playPaidJob, type Story } from './paid-job.ts'
import type { RailName } from './rails.ts'
import { type Broken, judge } from './verdict.ts'

/** Kinds of a paid job in the order in which they are first said. */
export const KINDS = [13194, 31990, 11998, 21059, 5050, 23194, 23195, 23197, 7000, 26800, 6050, 9735, 5] as const

/** Kinds that carry the money of the other stories. */
export const MONEY_KINDS = [21059, 23194, 23195, 23197, 7000, 6050] as const

export interface Cell {
  readonly story: Story
  readonly kind: number
  readonly fault: Fault
  /** Relays that each party uses; the first is the faulty one. */
  readonly relays: 1 | 2
}

/** One run of a cell: what was planted, and how it ended. */
export interface Run extends Cell {
  readonly planted: Planted
  readonly seed: number
  readonly word: string
  readonly broken: readonly Broken[]
  /** The fault met an event. */
  readonly hit: boolean
}

export interface MatrixOptions {
  readonly seed: number
  readonly rail?: RailName
  readonly relays?: readonly (1 | 2)[]
  /** Default `buy`, where a withdrawal is played for the kind that only it has. */
  readonly story?: Story
  readonly kinds?: readonly number[]
  /** `all`: every event of a kind in turn. `some`: one of each way, drawn from the seed. `one`: one of one way. */
  readonly events: 'all' | 'some' | 'one'
  onRun?(run: Run): void
}

/** OK is said to who publishes, so faults of OK happen on the way up only. */
const waysOf = (fault: Fault): readonly Way[] =>
  fault === 'lie-ok' || fault === 'swallow-ok' ? ['up'] : ['up', 'down']
const DELAY_MS = 25_000

/** Plays every cell. Rejects for a hang or a bug of the harness; broken invariants are in the runs. */
export async function playMatrix(options: MatrixOptions): Promise<readonly Run[]> {
  const { seed, relays = [1, 2], kinds = KINDS, rail = 'sim', onRun } = options
  const random = randomOf(seed)
  const counts = new Map<Story, ReadonlyMap<string, number>>()
  /** Events of a kind and way when nothing goes wrong. */
  async function countOf(story: Story, kind: number, way: Way): Promise<number> {
    if (!counts.has(story)) counts.set(story, (await playPaidJob({ relays: [[]], seed, story, rail })).counts)
    return counts.get(story)?.get(`${kind} ${way}`) ?? 0
  }
  /** Events that a fault is played on, one after the other. */
  async function placesOf(story: Story, kind: number, fault: Fault): Promise<readonly Pick<Planted, 'way' | 'nth'>[]> {
    const places: Pick<Planted, 'way' | 'nth'>[] = []
    for (const way of waysOf(fault)) {
      const most = await countOf(story, kind, way)
      const drawn = 1 + Math.floor(random() * most)
      if (options.events !== 'all' && most > 0) places.push({ way, nth: drawn })
      else for (let nth = 1; nth <= most; nth++) places.push({ way, nth })
    }
    return options.events === 'one' ? places.slice(Math.floor(random() * places.length)).slice(0, 1) : places
  }
  const runs: Run[] = []
  for (const count of relays)
    for (const kind of kinds)
      for (const fault of FAULTS) {
        const story = options.story ?? (kind === 5 ? 'cancel' : 'buy')
        for (const place of await placesOf(story, kind, fault)) {
          const planted = { fault, kind, ...place, ...(fault === 'delay' ? { delayMs: DELAY_MS } : {}) }
          const run = await playCell({ story, kind, fault, relays: count }, planted, seed, rail)
          onRun?.(run)
          runs.push(run)
        }
      }
  return runs
}

/** One run. */
export async function playCell(cell: Cell, planted: Planted, seed: number, rail: RailName = 'sim'): Promise<Run> {
  const { story } = cell
  const played = await playPaidJob({ relays: cell.relays === 1 ? [[planted]] : [[planted], []], seed, story, rail })
  return { ...cell, planted, seed, ...judge(played), hit: wasHit(played) }
}

const wasHit = ({ weathers }: Played): boolean => weathers.some(({ hits }) => hits > 0)

/** How a run is written down, to be played again. */
export const nameOf = ({ story, kind, fault, relays, planted, seed }: Run): string =>
  `${story}, kind ${kind}, ${fault} ${planted.way} #${planted.nth}, ${relays} ${relays === 1 ? 'relay' : 'relays'}, seed ${seed}`
