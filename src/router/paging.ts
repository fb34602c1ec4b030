/**
 * Stored events that are more than one answer of a relay holds, read backwards page by page.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import type { Admit, Filter, Relays } from '../../relays/relay.ts'

export interface PagingOptions {
  readonly relays: Relays
  /** With `since` and `limit`; asked again with a falling `until`. */
  readonly filter: Filter
  readonly admit: Admit
  readonly pages: number
  onEvent(event: Event): void
}

/** Ends with the page that brings nothing new, after so many pages, or with `signal`. Never rejects. */
export async function readBack({ relays, filter, admit, pages, onEvent }: PagingOptions, signal: AbortSignal) {
  let until = filter.until
  for (let page = 0; page < pages && !signal.aborted; page++) {
    let oldest = Number.POSITIVE_INFINITY
    let fresh = 0
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = () => resolve()
    signal.addEventListener('abort', done, { once: true })
    const take = (event: Event) => {
      fresh++
      oldest = Math.min(oldest, event.created_at)
      onEvent(event)
    }
    const asked = until === undefined ? filter : { ...filter, until }
    const one = relays.listen([asked], { once: true, admit, onEvent: take, onEose: done }, signal)
    await promise
    one.close()
    signal.removeEventListener('abort', done)
    if (fresh === 0) return
    until = oldest
  }
}
