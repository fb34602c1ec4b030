/**
 * The facts of one job, one at a time. A fact is stepped, the new state is kept, and only then are its acts started;
 * what they bring comes back as facts, so order is a queue and never a call stack.
 * @module
 */
import type { Clock } from './clock.ts'
import { seconds } from './clock.ts'

export interface MailboxOptions<J, F, A> {
  readonly job: J
  /** Acts of the opening, started after the job was kept. */
  readonly acts: readonly A[]
  /** The job was kept by an earlier process: its opening is not kept again. */
  readonly reopened?: boolean
  step(job: J, fact: F): readonly [J, readonly A[]]
  /** Starts an act. Outcomes are sent as facts. A throw or rejection is turned into a fact by `onThrow`. */
  perform(act: A, job: J, send: (fact: F) => void): void | Promise<void>
  /** The only place where a throwing part becomes a fact; `undefined` when there is nothing to tell the job. */
  onThrow(act: A, error: unknown): F | undefined
  /**
   * Writes down the fact that changed the job, and what its acts owe, before they start; `undefined` is the opening. A
   * throw or rejection stops the job where it is and ends in `onBroken`.
   */
  keep?(job: J, fact: F | undefined, acts: readonly A[]): void | Promise<void>
  /** Unix seconds of the next `time` fact that the job wants. */
  wakeAt(job: J): number | undefined
  timeFact(now: number): F
  onChange?(job: J, fact: F | undefined): void
  onBroken?(error: unknown): void
  readonly clock: Clock
  /** Facts that may wait; beyond it the newest are dropped and counted. Default 10,000. */
  readonly room?: number
}

export interface Mailbox<J, F> {
  send(fact: F): void
  job(): J
  /** Facts dropped because the box was full. */
  readonly dropped: number
  /** Stops the timer; facts sent later are ignored. */
  close(): void
}

/** Opens the box and starts the opening acts. */
export function openMailbox<J, F, A>(options: MailboxOptions<J, F, A>): Mailbox<J, F> {
  const { clock, room = 10_000 } = options
  let job = options.job
  let queue: F[] = []
  let busy = false
  let closed = false
  let dropped = 0
  let cancelTimer = () => {}
  /** Unix second for which the timer is set. */
  let armedFor: number | undefined

  const send = (fact: F) => {
    if (closed) return
    if (queue.length >= room) {
      dropped++
      return
    }
    queue.push(fact)
    if (!busy) void drain()
  }

  const start = (act: A) => {
    const threw = (error: unknown) => {
      const fact = options.onThrow(act, error)
      if (fact !== undefined) send(fact)
    }
    try {
      const pending = options.perform(act, job, send)
      if (pending) pending.catch(threw)
    } catch (error) {
      threw(error)
    }
  }

  const arm = () => {
    const at = closed ? undefined : options.wakeAt(job)
    if (at !== undefined && at === armedFor) return
    cancelTimer()
    armedFor = at
    if (at === undefined) return
    // At least a second between two wake-ups, so that a job that wants the past cannot spin.
    cancelTimer = clock.after(Math.max(1000, at * 1000 - clock.now()), () => {
      armedFor = undefined
      send(options.timeFact(seconds(clock)))
    })
  }

  const settle = async (acts: readonly A[], fact: F | undefined, changed: boolean) => {
    const kept = changed ? options.keep?.(job, fact, acts) : undefined
    if (kept) await kept
    options.onChange?.(job, fact)
    for (const act of acts) start(act)
    arm()
  }

  const drain = async (opening?: readonly A[]) => {
    busy = true
    try {
      if (opening) await settle(opening, undefined, options.reopened !== true)
      while (queue.length > 0 && !closed) {
        const fact = queue.shift()
        if (fact === undefined) break
        const [next, acts] = options.step(job, fact)
        const changed = next !== job
        job = next
        if (changed || acts.length > 0) await settle(acts, fact, changed)
        else arm()
      }
    } catch (error) {
      closed = true
      cancelTimer()
      options.onBroken?.(error)
    } finally {
      busy = false
    }
  }

  void drain(options.acts)
  return {
    send,
    job: () => job,
    get dropped() {
      return dropped
    },
    close() {
      closed = true
      queue = []
      cancelTimer()
    },
  }
}
