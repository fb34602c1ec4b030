/**
 * Live subscriptions, found by what an event carries rather than by asking each of them.
 * @module
 */
import type { Event } from '../../kinds/kind.ts'
import type { Filter } from '../relay.ts'
import { indexedTags, matches } from './matching.ts'
import { narrowestTag } from './query.ts'

/** One REQ of one connection, owned by `reader`. */
export interface Subscription<R> {
  readonly id: string
  readonly filters: readonly Filter[]
  readonly reader: R
}

export interface Subscriptions<R> {
  readonly size: number
  /** Entries of the index; none without subscriptions. */
  readonly keys: number
  add(subscription: Subscription<R>): void
  remove(subscription: Subscription<R>): void
  /** Calls back once for each subscription of which any filter matches. */
  match(event: Event, found: (subscription: Subscription<R>) => void): void
}

/** An empty index. */
export function openSubscriptions<R>(): Subscriptions<R> {
  const byKey = new Map<string, Set<Subscription<R>>>()
  const all = new Set<Subscription<R>>()
  return {
    get size() {
      return all.size
    },
    get keys() {
      return byKey.size
    },
    add(subscription) {
      all.add(subscription)
      for (const key of keysOf(subscription.filters)) {
        const set = byKey.get(key)
        if (set) set.add(subscription)
        else byKey.set(key, new Set([subscription]))
      }
    },
    remove(subscription) {
      all.delete(subscription)
      for (const key of keysOf(subscription.filters)) {
        const set = byKey.get(key)
        set?.delete(subscription)
        if (set?.size === 0) byKey.delete(key)
      }
    },
    match(event, found) {
      const asked = new Set<Subscription<R>>()
      const ask = (key: string) => {
        const set = byKey.get(key)
        if (!set) return
        for (const subscription of set) {
          if (asked.has(subscription)) continue
          asked.add(subscription)
          if (matches(subscription.filters, event)) found(subscription)
        }
      }
      ask('*')
      ask(`kind ${event.kind}`)
      ask(`author ${event.pubkey}`)
      ask(`id ${event.id}`)
      for (const tag of indexedTags(event)) ask(tag)
    },
  }
}

/** Per filter the keys of its most selective condition: every event that matches carries one of them. */
function keysOf(filters: readonly Filter[]): Set<string> {
  const keys = new Set<string>()
  for (const filter of filters) {
    const tag = narrowestTag(filter)
    if (filter.ids) for (const id of filter.ids) keys.add(`id ${id}`)
    else if (tag) for (const value of tag.values) keys.add(`${tag.name}:${value}`)
    else if (filter.authors) for (const author of filter.authors) keys.add(`author ${author}`)
    else if (filter.kinds) for (const kind of filter.kinds) keys.add(`kind ${kind}`)
    else keys.add('*')
  }
  return keys
}
