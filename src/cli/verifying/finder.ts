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
  /** All stored events of a filter, page by page, at most `most`. */
  everything(filter: Filter, most: number): Promise<Event[]>
  /**
   * True once the time or the questions have run out, or relays sent more than is read: nothing may be concluded from what
   * is not there.
   */
  readonly cut: boolean
}

const mostIds = 200
/** Events that relays are asked for at a time. */
export const pageSize = 500
/** What is heard of events beside those that were asked for, until a question ends. */
const patience = 4

export function openFinder({ relays, verify, signal, questions = 1_000 }: FinderOptions): Finder {
  const known = new Map<string, Event>()
  let left = questions
  let cut = false

  function ask(filters: Filter[], most: number, enough = false): Promise<Event[]> {
    if (signal.aborted || left-- <= 0) {
      cut = true
      return Promise.resolve([])
    }
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
            if (found.size < most && ++heard < patience * most + 100) return
            if (!enough || found.size < most) cut = true
            done()
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
        for (const event of await ask([{ ids: part }], part.length, true)) known.set(event.id, event)
      }
      return new Map(wanted.flatMap(id => (known.has(id) ? [[id, known.get(id) as Event]] : [])))
    },
    find: (filters, most = 500) => ask(filters, most),
    async everything(filter, most) {
      const found = new Map<string, Event>()
      let until: number | undefined
      for (;;) {
        const before = found.size
        const page = await ask(
          [{ ...filter, limit: pageSize, ...(until === undefined ? {} : { until }) }],
          10 * pageSize,
        )
        for (const event of page) found.set(event.id, event)
        if (found.size >= most) cut = true
        if (found.size === before || found.size >= most || cut) return [...found.values()]
        // Several relays: all that is newer than the last of a whole page was seen.
        until = (page[pageSize - 1] ?? page.at(-1))?.created_at
      }
    },
    get cut() {
      return cut || signal.aborted
    },
  }
}
