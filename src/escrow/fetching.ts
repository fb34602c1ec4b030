/**
 * Requests and results that were too long for one word, read from the relays by their id.
 * @module
 */
import type { Event } from '../../kinds/index.ts'
import { query, type Relays } from '../../relays/relay.ts'

/** How many are looked for at a time; who asks beyond that asks again later. */
const atOnce = 16

/** One event by id, its signature unchecked; `undefined` where no relay has it, or too many are looked for. */
export type Find = (id: string) => Promise<Event | undefined>

export function openFind(relays: Relays, signal: AbortSignal): Find {
  const looking = new Set<string>()
  return async id => {
    if (looking.has(id) || looking.size >= atOnce) return undefined
    looking.add(id)
    try {
      return (await query(relays, [{ ids: [id] }], signal)).find(event => event.id === id)
    } finally {
      looking.delete(id)
    }
  }
}
