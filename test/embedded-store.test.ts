import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event } from '../kinds/kind.ts'
import { query, TooDear } from '../relays/embedded/query.ts'
import { openStore, type Stored } from '../relays/embedded/store.ts'
import { openSubscriptions, type Subscription } from '../relays/embedded/subscriptions.ts'
import type { Filter } from '../relays/relay.ts'

const NOW = 1_000
const hex = (n: number) => n.toString(16).padStart(64, '0')
const people = [hex(0xa), hex(0xb), hex(0xc)]
const kinds = [0, 1, 5, 7, 10_002, 30_078, 45_000]
const long = 'q'.repeat(300)

const person = fc.constantFrom(...people)
const id = fc.integer({ min: 1, max: 40 }).map(hex)
const text = fc.constantFrom('', 'x', 'y', 'X', "'; --", '%', 'é', 'nul\u0000nul', `${long}1`, `${long}2`)
const time = fc.integer({ min: NOW - 4, max: NOW + 1 })
const tag = fc.oneof(
  fc.tuple(fc.constant('p'), person),
  fc.tuple(fc.constant('e'), id),
  fc.tuple(fc.constant('t'), text, fc.constantFrom('second', 'x')),
  fc.tuple(fc.constant('d'), fc.constantFrom('', 'x')),
  fc.tuple(
    fc.constant('a'),
    fc.tuple(fc.constantFrom(0, 10_002, 30_078), person, fc.constantFrom('', 'x')).map(a => a.join(':')),
  ),
  fc.tuple(fc.constant('T'), text),
  fc.tuple(fc.constant('name'), text),
  fc.tuple(fc.constant('expiration'), fc.constantFrom(`${NOW - 1}`, `${NOW}`, `${NOW + 1}`, 'never')),
  fc.constant(['t']),
  fc.constant([]),
)
const event: fc.Arbitrary<Event> = fc.record({
  id,
  pubkey: person,
  created_at: time,
  kind: fc.constantFrom(...kinds),
  tags: fc.array(tag, { maxLength: 4, size: 'max' }),
  content: fc.constant(''),
  sig: fc.constant('0'.repeat(128)),
})
const some = <T>(of: fc.Arbitrary<T>) => fc.array(of, { maxLength: 3, size: 'max' })
const fields = {
  ids: fc.array(id, { maxLength: 12, size: 'max' }),
  authors: some(person),
  kinds: some(fc.constantFrom(...kinds)),
  since: fc.oneof(time, fc.constant(0)),
  until: fc.oneof(time, fc.constant(0)),
  limit: fc.integer({ min: 0, max: 4 }),
  '#p': some(person),
  '#e': fc.array(id, { maxLength: 12, size: 'max' }),
  '#t': some(text),
  '#d': some(fc.constantFrom('', 'x')),
  '#T': some(text),
} as const satisfies Record<string, fc.Arbitrary<unknown>>
/** Few conditions each, or next to nothing would ever match. */
const filter = fc
  .subarray(Object.keys(fields) as (keyof typeof fields)[], { maxLength: 3 })
  .chain(names => fc.record(Object.fromEntries(names.map(name => [name, fields[name]])))) as fc.Arbitrary<Filter>

/** NIP-01, 09 and 40 read again, without an index and without a thought for speed. */
class Oracle {
  events: Event[] = []
  address(one: Event): string | undefined {
    if (one.kind === 0 || one.kind === 3 || (one.kind >= 10_000 && one.kind < 20_000))
      return `${one.kind}:${one.pubkey}:`
    if (one.kind < 30_000 || one.kind >= 40_000) return undefined
    for (const [name, value] of one.tags) if (name === 'd') return `${one.kind}:${one.pubkey}:${value ?? ''}`
    return `${one.kind}:${one.pubkey}:`
  }
  deletes(request: Event, one: Event): boolean {
    if (request.kind !== 5 || one.kind === 5 || request.pubkey !== one.pubkey) return false
    return request.tags.some(
      ([name, value]) =>
        (name === 'e' && value === one.id) ||
        (name === 'a' && value === this.address(one) && one.created_at <= request.created_at),
    )
  }
  insert(one: Event): Stored {
    if (this.events.some(held => held.id === one.id)) return 'duplicate'
    if (this.events.some(held => this.deletes(held, one))) return 'deleted'
    const at = this.address(one)
    const rival = this.events.find(held => at !== undefined && this.address(held) === at)
    if (rival) {
      if (rival.created_at > one.created_at || (rival.created_at === one.created_at && rival.id < one.id))
        return 'superseded'
      this.events = this.events.filter(held => held !== rival)
    }
    this.events = this.events.filter(held => !this.deletes(one, held))
    this.events.push(one)
    return 'stored'
  }
  matches(f: Filter, one: Event): boolean {
    if (f.ids && !f.ids.includes(one.id)) return false
    if (f.authors && !f.authors.includes(one.pubkey)) return false
    if (f.kinds && !f.kinds.includes(one.kind)) return false
    if (f.since !== undefined && one.created_at < f.since) return false
    if (f.until !== undefined && one.created_at > f.until) return false
    for (const name of ['p', 'e', 't', 'd', 'T'] as const) {
      const wanted = f[`#${name}`]
      if (wanted && !one.tags.some(([n, v]) => n === name && v !== undefined && wanted.includes(v))) return false
    }
    return true
  }
  query(f: Filter): string[] {
    return this.events
      .filter(one => this.matches(f, one))
      .filter(one => {
        const gone = one.tags.find(([name]) => name === 'expiration')?.[1]
        return gone === undefined || gone === 'never' || Number(gone) > NOW
      })
      .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
      .slice(0, f.limit ?? 1_000)
      .map(one => one.id)
  }
}

const roomy = { file: undefined, maxEvents: 10_000, maxBytes: 1e9 }
const ask = (store: ReturnType<typeof openStore>, f: Filter, rows = 100_000) =>
  query(store, f, { now: NOW, limit: f.limit ?? 1_000, budget: { rows } }).map(row => row.id)

describe('the store against an oracle', { timeout: 60_000 }, () => {
  test('keeps, replaces, deletes and finds the same, in the same order', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 40, size: 'max' }),
        fc.array(filter, { minLength: 1, maxLength: 8, size: 'max' }),
        (events, filters) => {
          const store = openStore(roomy)
          const oracle = new Oracle()
          try {
            for (const one of events) expect(store.insert(one, JSON.stringify(one))).toBe(oracle.insert(one))
            for (const f of filters) expect(ask(store, f)).toEqual(oracle.query(f))
            expect(store.count).toBe(oracle.events.length)
            store.reap(NOW)
            for (const f of filters) expect(ask(store, f)).toEqual(oracle.query(f))
          } finally {
            store.close()
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })
  test('live subscriptions match what the oracle matches, each once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(filter, { minLength: 1, maxLength: 3 }), { maxLength: 8, size: 'max' }),
        fc.array(event, { maxLength: 5, size: 'max' }),
        fc.nat(7),
        (lists, events, out) => {
          const oracle = new Oracle()
          const index = openSubscriptions<string>()
          const all = lists.map((filters, i): Subscription<string> => ({ id: `${i}`, filters, reader: 'me' }))
          for (const one of all) index.add(one)
          const removed = all[out]
          if (removed) index.remove(removed)
          for (const one of events) {
            const found: string[] = []
            index.match(one, sub => found.push(sub.id))
            const expected = all.filter(sub => sub !== removed && sub.filters.some(f => oracle.matches(f, one)))
            expect(found.sort()).toEqual(expected.map(sub => sub.id))
          }
          for (const one of all) index.remove(one)
          expect([index.size, index.keys]).toEqual([0, 0])
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

describe('the bounds of the store', () => {
  const make = (n: number, more: Partial<Event> = {}): Event => ({
    id: hex(n),
    pubkey: hex(0xa),
    created_at: NOW,
    kind: 1,
    tags: [['t', 'x']],
    content: '',
    sig: '0'.repeat(128),
    ...more,
  })
  const fill = (store: ReturnType<typeof openStore>, events: Event[]) => {
    for (const one of events) expect(store.insert(one, JSON.stringify(one))).toBe('stored')
  }
  test('by count: the first that came goes first, and leaves no tag behind', () => {
    const store = openStore({ ...roomy, maxEvents: 3 })
    fill(
      store,
      [5, 4, 3, 2].map(n => make(n)),
    )
    expect(ask(store, { '#t': ['x'] })).toEqual([2, 3, 4].map(hex))
    expect(store.count).toBe(3)
    expect(store.prepare('SELECT count(*) c FROM tags').get()?.['c']).toBe(3)
    store.close()
  })
  test('by bytes: large events push out many small ones', () => {
    const store = openStore({ ...roomy, maxBytes: 5_000 })
    fill(
      store,
      [1, 2, 3, 4].map(n => make(n)),
    )
    fill(store, [make(9, { content: 'x'.repeat(4_000) })])
    expect(store.count).toBeLessThan(4)
    expect(ask(store, {})[0]).toBeDefined()
    expect(ask(store, { ids: [hex(9)] })).toEqual([hex(9)])
    store.close()
  })
  test('a long value is indexed by its hash, not twice in full', () => {
    const store = openStore(roomy)
    fill(store, [make(1, { tags: [['i', 'q'.repeat(50_000)]] })])
    expect(ask(store, { '#i': ['q'.repeat(50_000)] })).toEqual([hex(1)])
    expect(store.prepare('SELECT max(length(tag)) c FROM tags').get()?.['c']).toBeLessThan(200)
    store.close()
  })
  test('a query stops where its budget ends, also when its product of lists is empty', () => {
    const store = openStore(roomy)
    fill(
      store,
      Array.from({ length: 50 }, (_, n) => make(n)),
    )
    expect(() => ask(store, { kinds: [1], '#d': ['none'] }, 20)).not.toThrow()
    expect(() => ask(store, { kinds: [1] }, 20)).toThrow(TooDear)
    const many = Array.from({ length: 4_000 }, (_, n) => n)
    expect(() => ask(store, { kinds: many, authors: many.map(hex) }, 1_000)).toThrow(TooDear)
    store.close()
  })
  test('a hand-over of rows is not confused by one that was removed meanwhile', () => {
    const store = openStore(roomy)
    const versions = [1, 2].map(n => make(n, { kind: 10_002, created_at: NOW + n }))
    fill(store, versions.slice(0, 1))
    const [row] = query(store, {}, { now: NOW, limit: 10, budget: { rows: 100 } })
    fill(store, versions.slice(1))
    expect(store.json(row?.n ?? -1)).toBeUndefined()
    store.close()
  })
})
