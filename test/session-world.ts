/**
 * A session over a grid of nodes in one world: what stories of applications need.
 * @module
 */
import type { HandClock } from '../src/clock.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import {
  type Answered,
  type Asking,
  type Moment,
  openSession,
  type Session,
  type SessionOptions,
  type Unanswered,
} from '../src/session/index.ts'
import { type Grid, type GridNodeOptions, openGrid } from './client-grid.ts'
import type { World } from './worlds.ts'

export interface Hall {
  readonly world: World
  readonly grid: Grid
  readonly session: Session
  /** One more session with the same wallet, as another process of the same customer. */
  another(options?: Partial<SessionOptions>): Promise<Session>
  /** Requests of jobs that relays saw so far. */
  requests(): number
}

/** Opens nodes and a session with 5 sats a question, runs the body, and holds that no money came or went. */
export async function withSession(
  open: () => Promise<World>,
  nodes: readonly GridNodeOptions[],
  options: Partial<SessionOptions>,
  body: (hall: Hall) => Promise<void>,
): Promise<void> {
  const world = await open()
  const grid = await openGrid(world, { nodes })
  const sessions: Session[] = []
  const another = async (more: Partial<SessionOptions> = {}) => {
    const { clock, keys } = world
    const base = { relays: world.connect(), wallet: grid.payer, maxSats: 5, journal: memoryJournal(), clock, keys }
    const session = await openSession({ ...base, ...more })
    sessions.push(session)
    return session
  }
  try {
    const session = await another(options)
    const requests = () => new Set(world.seen.flatMap(({ kind, id }) => (kind === 5050 ? [id] : []))).size
    await body({ world, grid, session, another, requests })
    if (!grid.net.conserved()) throw new Error('money came or went')
  } finally {
    const closed = Promise.all(sessions.map(session => session.close()))
    await ('advance' in world.clock ? passTime(world.clock as HandClock, closed) : closed)
    await grid.close()
  }
}

/** Every moment of an answer. */
export async function momentsOf(asking: AsyncIterable<Moment>): Promise<Moment[]> {
  const seen: Moment[] = []
  for await (const moment of asking) seen.push(moment)
  return seen
}

/** The text that somebody who reads these moments has in front of him. */
export const textOf = (moments: readonly Moment[]): string =>
  moments.reduce((text, one) => {
    if (one.moment === 'delta') return text + (one.delta.text ?? '')
    return one.moment === 'replaced' ? (one.delta.text ?? '') : text
  }, '')

/** The answer, or a failure of the test that says why there is none. */
export async function answerOf(asking: Asking): Promise<Answered> {
  const end = await asking.outcome
  if (!end.ok) throw new Error(`${end.code}: ${end.says}`)
  return end
}

/** Why there is no answer. */
export async function failureOf(asking: Asking): Promise<Unanswered> {
  const end = await asking.outcome
  if (end.ok) throw new Error(`answered: ${end.text}`)
  return end
}

export const say = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

/** Lets time pass until the promise is settled. */
export async function passTime<T>(clock: HandClock, promise: Promise<T>, stepMs = 1_000): Promise<T> {
  let settled = false
  const mark = () => {
    settled = true
  }
  promise.then(mark, mark)
  for (let step = 0; step < 600 && !settled; step++) {
    await clock.advance(stepMs)
    await new Promise<void>(resolve => setImmediate(resolve))
  }
  return promise
}
