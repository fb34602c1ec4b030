/**
 * One job for all who ask the same: whoever comes later hears it from its beginning, and it is withdrawn when the last of
 * them has gone.
 * @module
 */
import { bounded } from '../bounded.ts'
import type { Clock } from '../clock.ts'
import type { Running } from './asking.ts'
import { unanswered } from './failure.ts'
import type { Answered, Asking, Unanswered } from './session.ts'

export interface Sharing {
  /** Takes part in what runs or was bought under this key, or begins it. `start` is called at most once, now or later. */
  ask(key: string | undefined, start: () => Running, signal?: AbortSignal): Asking
  /** Withdraws a job whoever reads it; false where none of that id runs. Resolves when it has ended. */
  cancel(request: string): Promise<boolean>
  /** Everything that runs. */
  readonly running: readonly Running[]
}

interface Shared {
  readonly running: Running
  people: number
  /** The last one has gone: whoever comes now waits for the end, and asks anew where that is no answer. */
  leaving: boolean
}

/** Answers that are kept for whoever asks again, how long, and how many characters of them in all. */
const mostAnswers = 256
const mostChars = 32_000_000

/** Opens the register of running jobs. `keepMs` is how long a bought answer is handed out again. */
export function openSharing({ clock, keepMs }: { readonly clock: Clock; readonly keepMs: number }): Sharing {
  const byKey = new Map<string, Shared>()
  const bought = bounded<string, { readonly running: Running; readonly until: number; readonly chars: number }>(
    mostAnswers,
  )
  const order = new Set<string>()
  const live = new Set<Shared>()

  function keepAnswer(key: string, running: Running, answer: Answered) {
    const chars = answer.text.length + JSON.stringify([answer.toolCalls, answer.logprobs]).length
    bought.set(key, { running, until: clock.now() + keepMs, chars })
    order.delete(key)
    order.add(key)
    let sum = 0
    for (const one of [...order].reverse()) {
      const kept = bought.get(one)
      sum += kept?.chars ?? 0
      if (!kept || sum > mostChars) {
        bought.delete(one)
        order.delete(one)
      }
    }
  }

  function open(key: string | undefined, running: Running): Shared {
    const shared: Shared = { running, people: 0, leaving: false }
    live.add(shared)
    if (key !== undefined) byKey.set(key, shared)
    void running.outcome.then(end => {
      live.delete(shared)
      if (key === undefined) return
      if (byKey.get(key) === shared) byKey.delete(key)
      if (end.ok) keepAnswer(key, running, end)
    })
    return shared
  }

  function find(key: string | undefined): Running | Shared | undefined {
    if (key === undefined) return undefined
    const shared = byKey.get(key)
    if (shared) return shared
    const kept = bought.get(key)
    return kept && kept.until > clock.now() ? kept.running : undefined
  }

  /** One who takes part: leaves when its signal fires, and takes the job with it where nobody else is left. */
  function join(shared: Shared, signal: AbortSignal | undefined): Asking {
    const { running } = shared
    const left = Promise.withResolvers<Unanswered>()
    shared.people++
    const leave = () => {
      shared.people--
      if (shared.people > 0 || running.stays) return left.resolve(unanswered('cancelled', 'You left; the job goes on.'))
      shared.leaving = true
      running.withdraw()
    }
    if (signal?.aborted) leave()
    else signal?.addEventListener('abort', leave, { once: true })
    void running.outcome.then(() => signal?.removeEventListener('abort', leave))
    return {
      request: running.request,
      outcome: Promise.race([running.outcome, left.promise]),
      [Symbol.asyncIterator]: () => running.moments[Symbol.asyncIterator](),
    }
  }

  return {
    ask(key, start, signal) {
      const found = find(key)
      if (found && 'people' in found && found.leaving) {
        const next = found.running.outcome.then(end => (end.ok ? found.running : undefined))
        return later(next.then(running => (running ? asAsking(running) : this.ask(key, start, signal))))
      }
      if (found && !('people' in found)) return asAsking(found)
      return join(found ?? open(key, start()), signal)
    },
    async cancel(request) {
      for (const shared of live) {
        if (!shared.running.requests.has(request)) continue
        shared.leaving = true
        shared.running.withdraw()
        await shared.running.outcome
        return true
      }
      return false
    },
    get running() {
      return [...live].map(({ running }) => running)
    },
  }
}

/** What has ended, or cannot be withdrawn, as a question. */
export const asAsking = ({ request, outcome, moments }: Running): Asking => ({
  request,
  outcome,
  [Symbol.asyncIterator]: () => moments[Symbol.asyncIterator](),
})

/** An asking that is not there yet. */
function later(asking: Promise<Asking>): Asking {
  return {
    request: asking.then(one => one.request),
    outcome: asking.then((one): Promise<Answered | Unanswered> => one.outcome),
    async *[Symbol.asyncIterator]() {
      yield* await asking
    },
  }
}
