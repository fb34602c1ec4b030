/**
 * Moves of the model test: each does the same to a journal and to the oracle, and both must answer alike.
 * @module
 */
import fc from 'fast-check'
import { expect } from 'vitest'
import type { BillEnd, Journal, OrderState, Side } from '../src/journal/index.ts'
import { kept, type Oracle } from './journal-oracle.ts'
import { bill, credit, event, hex, order } from './journal-rows.ts'

export interface Real {
  journal: Journal
  /** Closes or kills what holds the file, and opens it again. */
  reopen(kill: boolean): void
}

export interface Move {
  readonly says: string
  /** Changes both. */
  readonly run: (oracle: Oracle, real: Real) => void
}

export const jobNames = ['a', 'b', 'c']
const job = fc.constantFrom(...jobNames)
const side = fc.constantFrom<Side>('client', 'node')
const small = fc.integer({ min: 0, max: 5 })
const at = fc.integer({ min: 0, max: 20 })
const weight = fc.constantFrom('money' as const, 'soon' as const, 'plain' as const)
const msats = fc.bigInt({ min: 0n, max: 2_100_000_000_000_000_000n })
const orderState = fc.constantFrom<OrderState>('planned', 'paid', 'unproven', 'failed')
const billEnd = fc.constantFrom<Exclude<BillEnd, 'open'>>('paid', 'void', 'defaulted')
const key = fc.constantFrom('k', 'ka', 'kb', 'x', 'é', '')

const move = <T extends unknown[]>(
  name: string,
  args: { [K in keyof T]: fc.Arbitrary<T[K]> },
  run: (oracle: Oracle, real: Real, ...args: T) => void,
): fc.Arbitrary<Move> =>
  fc.tuple<T>(...args).map(values => ({
    says: `${name}(${fc.stringify(values)})`,
    run: (oracle, real) => run(oracle, real, ...values),
  }))

const single: fc.Arbitrary<Move>[] = [
  move('open', [side, job, at], (oracle, { journal }, side, id, at) => {
    const there = oracle.jobs.some(one => one.side === side && one.id === id)
    expect(journal.jobs.open({ side, id, at, opening: { at } })).toBe(!there)
    if (!there) oracle.jobs.push({ side, id, at, opening: { at }, facts: [] })
  }),
  move('fact', [side, job, msats, weight], (oracle, { journal }, side, id, fact, weight) => {
    const there = oracle.jobs.find(one => one.side === side && one.id === id)
    if (there) journal.jobs.fact(side, id, { fact }, weight)
    else expect(() => journal.jobs.fact(side, id, fact, weight)).toThrow('never opened')
    there?.facts.push({ fact })
  }),
  move('end', [side, job, at], (oracle, { journal }, side, id, at) => {
    journal.jobs.end(side, id, at)
    const there = oracle.jobs.find(one => one.side === side && one.id === id)
    if (there) there.endedAt ??= at
  }),
  move('keep', [job, small, small, at, weight], (oracle, { journal }, job, slot, n, until, weight) => {
    const there = oracle.words.find(word => word.job === job && word.slot === `${slot}`)
    const word = { job, slot: `${slot}`, event: event(n), until }
    expect(journal.outbox.keep(word, weight)).toEqual(there?.event ?? event(n))
    if (!there) oracle.words.push({ ...word, taken: false })
  }),
  move('taken', [small], (oracle, { journal }, n) => {
    journal.outbox.taken(hex(n))
    for (const word of oracle.words) if (word.event.id === hex(n)) word.taken = true
  }),
  move('plan', [small, msats, at], (oracle, { journal }, n, msats, at) => {
    const there = oracle.orders.some(one => one.hash === hex(n))
    const row = order(n, { msats, at, peer: hex(n % 2) })
    expect(journal.orders.plan(row)).toBe(!there)
    if (!there) oracle.orders.push({ ...row, state: 'planned' })
  }),
  move('order ends', [small, orderState, fc.option(msats), at], (oracle, { journal }, n, state, feeMsats, at) => {
    const end = { state, at, ...(feeMsats === null ? {} : { feeMsats }) }
    const place = oracle.orders.findIndex(one => one.hash === hex(n))
    const old = oracle.orders[place]
    if (!old) return void expect(() => journal.orders.end(hex(n), end)).toThrow('never ordered')
    journal.orders.end(hex(n), end)
    const fee = feeMsats === null ? {} : { feeMsats }
    if (old.state !== 'paid') oracle.orders[place] = { ...old, ...fee, state, endedAt: at }
    else if (state === 'paid' && old.feeMsats === undefined) oracle.orders[place] = { ...old, ...fee }
  }),
  move('bill', [small, msats, at], (oracle, { journal }, n, msats, at) => {
    const there = oracle.bills.some(one => one.hash === hex(n))
    const row = bill(n, { msats, at, customer: hex(n % 2) })
    expect(journal.bills.add(row)).toBe(!there)
    if (!there) oracle.bills.push({ ...row, state: 'open' })
  }),
  move('bill ends', [small, billEnd, at], (oracle, { journal }, n, state, at) => {
    const end = { state, at, msats: 5n, preimage: `${at}` }
    const place = oracle.bills.findIndex(one => one.hash === hex(n))
    const old = oracle.bills[place]
    if (!old) return void expect(() => journal.bills.end(hex(n), end)).toThrow('never written')
    journal.bills.end(hex(n), end)
    if (old.state === 'open' || (state === 'paid' && old.state !== 'paid'))
      oracle.bills[place] = { ...old, state, endedAt: at, paidMsats: 5n, preimage: `${at}` }
  }),
  move('credit', [small, fc.bigInt({ min: -9n, max: 9n }), small, at], (oracle, { journal }, id, msats, who, at) => {
    const row = credit(`${id}`, msats, { customer: hex(who % 2), at })
    const taken = oracle.credits.some(one => one.id === row.id)
    const enough = msats >= 0n || kept(oracle, row.customer) + msats >= 0n
    expect(journal.bills.credit(row)).toBe(!taken && enough)
    if (!taken && enough) oracle.credits.push(row)
  }),
  move('set', [key, msats, weight], (oracle, { journal }, key, value, weight) => {
    journal.shelf('s').set(key, value, weight)
    const there = oracle.shelf.find(([one]) => one === key)
    if (there) there[1] = value
    else oracle.shelf.push([key, value])
  }),
  move('claim', [key, msats, weight], (oracle, { journal }, key, value, weight) => {
    const there = oracle.shelf.some(([one]) => one === key)
    expect(journal.shelf('s').claim(key, value, weight)).toBe(!there)
    if (!there) oracle.shelf.push([key, value])
  }),
  move('delete', [key], (oracle, { journal }, key) => {
    journal.shelf('s').delete(key)
    oracle.shelf = oracle.shelf.filter(([one]) => one !== key)
  }),
  move('spent', [at, small], (oracle, { journal }, since, n) => {
    const counts = oracle.orders.filter(one => one.at >= since && one.peer === hex(n % 2) && one.state !== 'failed')
    const spent = counts.reduce((sum, one) => sum + one.msats + (one.feeMsats ?? 0n), 0n)
    expect(journal.orders.spentMsats({ since, peer: hex(n % 2) })).toBe(spent)
  }),
  move('prefix', [key], (oracle, { journal }, prefix) => {
    expect([...journal.shelf('s').entries(prefix)]).toEqual(oracle.shelf.filter(([one]) => one.startsWith(prefix)))
  }),
]

const prune = move('prune', [at], (oracle, { journal }, before) => {
  const gone = oracle.jobs.filter(one => one.endedAt !== undefined && one.endedAt < before)
  expect(journal.prune(before)).toBe(gone.length)
  oracle.jobs = oracle.jobs.filter(one => !gone.includes(one))
  const dead = (id: string) => gone.some(one => one.id === id) && !oracle.jobs.some(one => one.id === id)
  oracle.words = oracle.words.filter(word => !dead(word.job))
})

const reopen = move('reopen', [fc.boolean()], (_, real, kill) => real.reopen(kill))

class Undo extends Error {}

/** Several moves together, nested, some of which throw at the end and must leave no trace. */
const together: fc.Arbitrary<Move> = fc.letrec<{ move: Move; together: Move }>(tie => ({
  move: fc.oneof({ maxDepth: 2 }, ...single, tie('together')),
  together: move(
    'together',
    [fc.array(tie('move'), { maxLength: 5 }), fc.boolean(), weight],
    (oracle, real, moves, throws, weight) => {
      const before = structuredClone(oracle)
      const act = () =>
        real.journal.atomically(() => {
          for (const one of moves) one.run(oracle, real)
          if (throws) throw new Undo('undone')
        }, weight)
      if (!throws) return act()
      expect(act).toThrow(Undo)
      Object.assign(oracle, before)
    },
  ),
})).together

export const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof({ arbitrary: fc.oneof(...single), weight: 12 }, { arbitrary: together, weight: 3 }, prune, reopen),
  { maxLength: 30 },
)
