/**
 * From a filter to stored rows: picks the index that leaves least to look at and checks the rest by matching.
 * @module
 */
import type { SQLInputValue } from 'node:sqlite'
import type { Event } from '../../kinds/kind.ts'
import type { Filter } from '../relay.ts'
import { matches } from './matching.ts'
import { type Store, tagKey } from './store.ts'

export interface Row {
  readonly n: number
  readonly id: string
  readonly created_at: number
}

export interface QueryOptions {
  /** Unix seconds; what expired by then is hidden. */
  readonly now: number
  /** Newest rows wanted; `Infinity` to count. */
  readonly limit: number
  /** Rows left to look at, counted down over a whole request. */
  readonly budget: { rows: number }
  /** Hides events from this reader. */
  readonly keep?: ((event: Event) => boolean) | undefined
}

/** Thrown when the budget is used up. */
export class TooDear extends Error {}

const TOO_DEAR = 'query looks at too many events, narrow it'
const COLUMNS = 'e.n, e.id, e.created_at, e.expires'
const BOUNDS = 'created_at BETWEEN ? AND ?'
const ORDER = 'ORDER BY e.created_at DESC, e.id'

const INDEXES = {
  id: 'FROM events e WHERE e.id = ? AND e.',
  tag: 'FROM tags t CROSS JOIN events e ON e.n = t.n WHERE t.tag = ? AND t.',
  tagKind: 'FROM tags t CROSS JOIN events e ON e.n = t.n WHERE t.tag = ? AND t.kind = ? AND t.',
  author: 'FROM events e INDEXED BY by_author WHERE e.pubkey = ? AND e.',
  authorKind: 'FROM events e INDEXED BY by_author_kind WHERE e.pubkey = ? AND e.kind = ? AND e.',
  kind: 'FROM events e INDEXED BY by_kind WHERE e.kind = ? AND e.',
  time: 'FROM events e INDEXED BY by_time WHERE e.',
} as const

interface Plan {
  readonly index: keyof typeof INDEXES
  /** Bindings of one look-up each; lazy, for a stranger may ask for the product of two long lists. */
  readonly keys: Iterable<SQLInputValue[]>
  /** Filter fields that the index answers by itself. */
  readonly answers: number
}

/** Rows that match, newest first, ties by lowest id, at most `limit`. Throws `TooDear`. */
export function query(store: Store, filter: Filter, options: QueryOptions): Row[] {
  const { index, keys, answers } = plan(filter)
  const asked = Object.keys(filter).filter(key => key !== 'since' && key !== 'until' && key !== 'limit').length
  const check = asked > answers || options.keep !== undefined
  const from = INDEXES[index]
  const order = index.startsWith('tag') ? 'ORDER BY t.created_at DESC, e.id' : ORDER
  const statement = store.prepare(`SELECT ${COLUMNS}${check ? ', e.json' : ''} ${from}${BOUNDS} ${order}`)
  const until = filter.until ?? Number.MAX_SAFE_INTEGER
  let since = filter.since ?? 0
  let found = new Map<number, Row>()
  if (options.limit === 0) return []
  for (const key of keys) {
    let taken = 0
    if (options.budget.rows-- <= 0) throw new TooDear(TOO_DEAR)
    for (const row of statement.iterate(...key, since, until)) {
      if (options.budget.rows-- <= 0) throw new TooDear(TOO_DEAR)
      const expires = row['expires']
      if (typeof expires === 'number' && expires <= options.now) continue
      if (check) {
        const event = JSON.parse(String(row['json'])) as Event
        if (!matches([filter], event) || options.keep?.(event) === false) continue
      }
      const n = Number(row['n'])
      found.set(n, { n, id: String(row['id']), created_at: Number(row['created_at']) })
      if (++taken >= options.limit) break
    }
    if (found.size >= options.limit) {
      const best = newest([...found.values()], options.limit)
      found = new Map(best.map(row => [row.n, row]))
      since = best.at(-1)?.created_at ?? since
    }
  }
  return newest([...found.values()], options.limit)
}

/** NIP-01 order, cut to `limit`. */
export function newest(rows: Row[], limit: number): Row[] {
  rows.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
  return rows.length > limit ? rows.slice(0, limit) : rows
}

function plan(filter: Filter): Plan {
  const { ids, authors, kinds } = filter
  if (ids) return { index: 'id', keys: distinct(ids).map(id => [id]), answers: 1 }
  const tag = narrowestTag(filter)
  if (tag) {
    const keys = distinct(tag.values).map(value => tagKey(`${tag.name}:${value}`))
    if (!kinds) return { index: 'tag', keys: keys.map(key => [key]), answers: 1 }
    return { index: 'tagKind', keys: pairs(keys, kinds), answers: 2 }
  }
  if (authors && kinds) return { index: 'authorKind', keys: pairs(distinct(authors), kinds), answers: 2 }
  if (authors) return { index: 'author', keys: distinct(authors).map(author => [author]), answers: 1 }
  if (kinds) return { index: 'kind', keys: distinct(kinds).map(kind => [kind]), answers: 1 }
  return { index: 'time', keys: [[]], answers: 0 }
}

/** The tag condition with fewest values. */
export function narrowestTag(filter: Filter): { name: string; values: string[] } | undefined {
  let best: { name: string; values: string[] } | undefined
  for (const [key, values] of Object.entries(filter))
    if (key[0] === '#' && Array.isArray(values) && (!best || values.length < best.values.length))
      best = { name: key.slice(1), values }
  return best
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)]

function* pairs(left: readonly string[], kinds: readonly number[]): Generator<SQLInputValue[]> {
  for (const kind of new Set(kinds)) for (const value of left) yield [value, kind]
}
