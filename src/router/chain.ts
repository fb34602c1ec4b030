/**
 * The one chain of what a router said: each entry is numbered, names the one before, and is in the journal before any
 * relay sees it. No number is ever given twice, and what is published again is the same bytes.
 * @module
 */
import { type Event, parseEvent, type Template } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Place, Position } from './book-contract.ts'
import { commitTo, seedOf } from './seeds.ts'

export interface ChainOptions {
  readonly journal: Journal
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly relays: Relays
  readonly clock: Clock
  /** Called once for each new entry, in order, when it is kept. */
  onEntry(event: Event, place: Place): void
  onTrouble(says: string): void
}

export interface Chain {
  position(): Position
  /**
   * One entry, as `Book.append` says. Those that are `grouped` and wait together reach the disk together: their `write`
   * must not write to the journal before it throws.
   */
  append(write: (at: Place) => Template, grouped?: boolean): Promise<Event>
  /** Entries from `seq` on, in order. Throws where the journal has a hole or something else than an entry. */
  entries(from: number): IterableIterator<{ readonly seq: number; readonly event: Event }>
  /** Waits for entries under way. What no relay took yet is offered again in the next life. */
  close(): Promise<void>
}

interface Waiting {
  readonly grouped: boolean
  readonly write: (at: Place) => Template
  readonly resolve: (event: Event) => void
  readonly reject: (error: unknown) => void
}

/** Where entry `seq` stands in the journal. */
export const keyOf = (seq: number): string => String(seq).padStart(12, '0')
/** For how long a relay that is down is waited for before an entry is offered anew. */
const keepMs = 600_000
const againMs = 30_000
const mostTogether = 64

/** Opens the chain where the journal left it, and offers again what no relay took. */
export function openChain(options: ChainOptions): Chain {
  const { journal, keys, secret, relays, clock, onEntry, onTrouble } = options
  const log = journal.shelf('router-log')
  const unsent = journal.shelf('router-unsent')
  const queue: Waiting[] = []
  const closing = new AbortController()
  let seq = log.size
  let prev = ''
  let seed = seedOf(secret, seq)
  let idle = Promise.resolve()
  let draining = false

  if (seq > 0) prev = entryAt(seq - 1).id
  for (const [key] of [...unsent.entries()]) offer(key, entryAt(Number(key)))

  function entryAt(at: number): Event {
    const said = log.get(keyOf(at))
    const event = typeof said === 'string' ? parseEvent(said) : undefined
    if (!event)
      throw new Error(
        `Entry ${at} of the router's log is missing in the journal: use the journal as it was, or a new key.`,
      )
    return event
  }

  function drain() {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const group = [next]
      while (next.grouped && queue[0]?.grouped && group.length < mostTogether) group.push(...queue.splice(0, 1))
      keepTogether(group)
    }
    draining = false
  }

  function keepTogether(group: readonly Waiting[]) {
    const before = { seq, prev, seed }
    const kept: { readonly waiting: Waiting; readonly event: Event; readonly place: Place }[] = []
    try {
      journal.atomically(() => {
        for (const waiting of group) {
          const following = seedOf(secret, seq + 1)
          const place: Place = { seq, prev, seed, commit: commitTo(following) }
          let event: Event
          try {
            event = keys.sign(waiting.write(place), secret)
          } catch (error) {
            if (!waiting.grouped) throw error
            waiting.reject(error)
            continue
          }
          if (!log.claim(keyOf(seq), JSON.stringify(event), 'money'))
            throw new Error(`Entry ${seq} of the router's log is taken: two routers use one journal.`)
          unsent.set(keyOf(seq), true, 'money')
          kept.push({ waiting, event, place })
          ;[seq, prev, seed] = [seq + 1, event.id, following]
        }
      }, 'money')
    } catch (error) {
      ;({ seq, prev, seed } = before)
      for (const { reject } of group) reject(error)
      return
    }
    for (const { waiting, event, place } of kept) {
      try {
        onEntry(event, place)
      } catch (error) {
        onTrouble(String(error))
      }
      offer(keyOf(place.seq), event)
      waiting.resolve(event)
    }
  }

  function offer(key: string, event: Event) {
    if (closing.signal.aborted) return
    const again = () => {
      const stop = clock.after(againMs, () => {
        closing.signal.removeEventListener('abort', stop)
        offer(key, event)
      })
      closing.signal.addEventListener('abort', stop, { once: true })
    }
    relays
      .publish(event, { want: 1, keepMs, signal: closing.signal })
      .then(({ accepted }) => {
        if (closing.signal.aborted) return
        if (accepted > 0) unsent.delete(key, 'plain')
        else again()
      })
      // A journal that cannot write: the next life offers the entry once more.
      .catch(error => onTrouble(String(error)))
  }

  return {
    position: () => ({ seq, prev, commit: commitTo(seed) }),
    append(write, grouped = false) {
      if (closing.signal.aborted) return Promise.reject(new Error('The book is closed.'))
      const { promise, resolve, reject } = Promise.withResolvers<Event>()
      queue.push({ grouped, write, resolve, reject })
      if (!draining) {
        draining = true
        idle = Promise.resolve().then(drain)
      }
      return promise
    },
    *entries(from) {
      for (let at = from; at < seq; at++) yield { seq: at, event: entryAt(at) }
    },
    async close() {
      await idle
      closing.abort()
    },
  }
}
