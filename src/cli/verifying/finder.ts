/**
 * Fetching with bounds: whatever relays send, an event is what was asked for and signed, and every question ends.
 * @module
 */
import type { Event } from '../../../kinds/index.ts'
import { matches } from '../../../relays/embedded/matching.ts'
import type { Filter, Relays } from '../../../relays/relay.ts'

export interface FinderOptions {
  readonly relays: Relays
  /** Id and signature, from the bytes. */
  verify(event: Event): boolean
  /** Ends everything that is under way: what was not found by then is missing. */
  readonly signal: AbortSignal
  /** Questions in all. Default 1,000. */
  readonly questions?: number
}

export interface Finder {
  /** The events of these ids that are there, by id. */
  all(ids: readonly string[]): Promise<ReadonlyMap<string, Event>>
  /** Stored events, newest first, at most `most` (default 500). */
  find(filters: Filter[], most?: number): Promise<Event[]>
  /** True once the time or the questions have run out: nothing may be concluded from what is not there. */
  readonly cut: boolean
}

const mostIds = 200
/** What is heard of events beside those that were asked for, until a question ends. */
const patience = 4

export function openFinder({ relays, verify, signal, questions = 1_000 }: FinderOptions): Finder {
  const known = new Map<string, Event>()
  let left = questions

  function ask(filters: Filter[], most: number): Promise<Event[]> {
    if (signal.aborted || left-- <= 0) return Promise.resolve([])
    return new Promise(resolve => {
      const found = new Map<string, Event>()
      let heard = 0
      let over = false
      const done = () => {
        if (over) return
        over = true
        signal.removeEventListener('abort', done)
        listening?.close()
        resolve([...found.values()].sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1)))
      }
      const listening = relays.listen(
        filters,
        {
          once: true,
          onEvent(event) {
            if (over) return
            const wanted = !found.has(event.id) && matches(filters, event) && verify(event)
            if (wanted) found.set(event.id, event)
            if (found.size >= most || ++heard >= patience * most + 100) done()
          },
          onEose: done,
        },
        signal,
      )
      signal.addEventListener('abort', done, { once: true })
      if (signal.aborted || over) {
        done()
        listening.close()
      }
    })
  }

  return {
    async all(ids) {
      const wanted = [...new Set(ids)]
      const missing = wanted.filter(id => /^[0-9a-f]{64}$/.test(id) && !known.has(id))
      for (let at = 0; at < missing.length; at += mostIds) {
        const part = missing.slice(at, at + mostIds)
        for (const event of await ask([{ ids: part }], part.length)) known.set(event.id, event)
      }
      return new Map(wanted.flatMap(id => (known.has(id) ? [[id, known.get(id) as Event]] : [])))
    },
    find: (filters, most = 500) => ask(filters, most),
    get cut() {
      return signal.aborted || left <= 0
    },
  }
}
