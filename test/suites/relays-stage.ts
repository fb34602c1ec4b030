/**
 * What a promise of the relays room is played on: relays that can fall, one driver, signed events, and a deadline.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import type { Admit, Filter, Listening, Relays } from '../../relays/relay.ts'
import { wallClock } from '../../src/clock.ts'
import { type Keys, openKeys } from '../../src/keys.ts'
import { type Behaviour, type FakeRelay, fakeRelay } from '../fake-relay.ts'

/** What every world can do with a relay. */
export interface StageRelay {
  readonly url: string
  /** Stores and passes on; while it is down, stores only. */
  offer(event: Event): Promise<void> | void
  stop(how?: 'abrupt' | 'graceful'): Promise<void>
  start(): Promise<void>
  /** Resolves when somebody tried to connect since `stop`. */
  refused?(): Promise<void>
  end(): Promise<void>
}

export type Open = (urls: string[], admit: Admit) => Promise<Relays> | Relays

/** One driver, and how long it is given. */
export interface Cast {
  open: Open
  /** Milliseconds until an expectation counts as broken. */
  patienceMs: number
  /** A relay of another make; then only promises that need no lying relay are played. */
  relay?: (down: boolean) => Promise<StageRelay>
}

export interface Heard extends Listening {
  readonly events: Event[]
  /** Resolves when this event came. */
  got(event: Event): Promise<void>
  readonly eose: Promise<void>
  times(event: Event): number
}

export interface Stage {
  readonly patienceMs: number
  event(template?: Partial<Pick<Event, 'kind' | 'created_at' | 'tags' | 'content'>>): Event
  now(): number
  relay(options?: { down?: boolean }): Promise<StageRelay>
  fake(options?: { down?: boolean } & Partial<Behaviour>): Promise<FakeRelay>
  open(...urls: string[]): Promise<Relays>
  listen(relays: Relays, filters: Filter[], once?: boolean): Heard
  /** Rejects when it takes longer than the patience. */
  within<T>(what: string, promise: Promise<T>, ms?: number): Promise<T>
  /** Runs when the play is over. */
  after(end: () => Promise<unknown>): void
}

const clock = wallClock({ keepAlive: false })

/** Plays once and clears the stage, whatever happens. */
export async function play(cast: Cast, run: (stage: Stage) => Promise<void>): Promise<void> {
  const keys = await openKeys()
  const ends: (() => Promise<unknown>)[] = []
  try {
    await run(setStage(cast, keys, end => ends.unshift(end)))
  } finally {
    for (const end of ends) await end()
  }
}

function setStage(cast: Cast, keys: Keys, after: Stage['after']): Stage {
  const secret = keys.newSecret()
  let serial = 0
  const admit: Admit = raw => (keys.verify(raw as Event) ? (raw as Event) : undefined)
  const now = () => Math.floor(Date.now() / 1000)
  const within: Stage['within'] = (what, promise, ms = cast.patienceMs) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms)
      promise.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  const stage: Stage = {
    patienceMs: cast.patienceMs,
    event: ({ kind = 1, created_at = now(), tags = [], content = `event ${serial++}` } = {}) =>
      JSON.parse(JSON.stringify(keys.sign({ kind, created_at, tags, content }, secret))),
    now,
    async relay({ down = false } = {}) {
      if (!cast.relay) return stage.fake({ down })
      const relay = await cast.relay(down)
      after(() => relay.end())
      return relay
    },
    async fake(options) {
      const relay = await fakeRelay(options)
      after(() => relay.end())
      return relay
    },
    async open(...urls) {
      const relays = await cast.open(urls, admit)
      // A driver that does not end is a finding of one promise, not of all.
      after(() => within('close', relays.close()).catch(() => {}))
      return relays
    },
    listen(relays, filters, once = false) {
      const events: Event[] = []
      const waiting = new Set<() => void>()
      let eosed = () => {}
      const eose = new Promise<void>(resolve => {
        eosed = resolve
      })
      const onEvent = (event: Event) => {
        events.push(event)
        for (const check of [...waiting]) check()
      }
      const { live, close } = relays.listen(filters, { once, onEvent, onEose: () => eosed() })
      const times = (event: Event) => events.filter(one => one.id === event.id).length
      const got = (event: Event) =>
        within(
          `event "${event.content}"`,
          new Promise<void>(resolve => {
            const check = () => {
              if (times(event) === 0) return
              waiting.delete(check)
              resolve()
            }
            waiting.add(check)
            check()
          }),
        )
      return { events, live, eose, close, times, got }
    },
    within,
    after,
  }
  return stage
}

export { clock as stageClock }
