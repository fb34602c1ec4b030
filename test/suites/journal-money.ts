/**
 * What every journal keeps of orders, bills and credit.
 * @module
 */
import { expect, test } from 'vitest'
import type { Journal } from '../../src/journal/index.ts'
import { bill, credit, hex, order } from '../journal-rows.ts'

/** The part of `journalSuite` about money. */
export function moneyTests(journal: () => Journal): void {
  test('a hash is ordered once for ever, and a paid order stays paid', () => {
    const { orders } = journal()
    expect(orders.plan(order(1, { job: 'j', peer: 'p' }))).toBe(true)
    expect(orders.plan(order(1, { msats: 1n }))).toBe(false)
    expect(orders.get(hex(1))).toEqual({ ...order(1, { job: 'j', peer: 'p' }), state: 'planned' })
    orders.end(hex(1), { state: 'failed', at: 200 })
    expect(orders.plan(order(1))).toBe(false)
    orders.end(hex(1), { state: 'paid', at: 201 })
    orders.end(hex(1), { state: 'failed', at: 202 })
    expect(orders.get(hex(1))).toMatchObject({ state: 'paid', endedAt: 201, msats: 1000n })
    // What was not known may still be learnt.
    orders.end(hex(1), { state: 'paid', preimage: hex(5), feeMsats: 3n, at: 203 })
    orders.end(hex(1), { state: 'paid', preimage: hex(6), feeMsats: 9n, at: 204 })
    expect(orders.get(hex(1))).toMatchObject({ state: 'paid', endedAt: 201, preimage: hex(5), feeMsats: 3n })
    expect(orders.get(hex(2))).toBeUndefined()
    expect(() => orders.end(hex(2), { state: 'paid', at: 1 })).toThrow('never ordered')
  })

  test('what is spent counts everything that has not failed', () => {
    const { orders } = journal()
    for (const n of [1, 2, 3, 4]) orders.plan(order(n, { job: `j${n % 2}`, peer: `p${n % 2}` }))
    orders.end(hex(2), { state: 'failed', at: 1 })
    orders.end(hex(3), { state: 'paid', feeMsats: 7n, at: 1 })
    orders.end(hex(4), { state: 'unproven', at: 1 })
    expect(orders.spentMsats({ since: 0 })).toBe(3007n)
    expect(orders.spentMsats({ since: 103 })).toBe(2007n)
    expect(orders.spentMsats({ since: 0, peer: 'p1' })).toBe(2007n)
    expect(orders.spentMsats({ since: 102, job: 'j1', peer: 'p1' })).toBe(1007n)
    expect(orders.spentMsats({ since: 0, job: 'j0', peer: 'p1' })).toBe(0n)
    const all = 2_100_000_000_000_000_000n
    for (const n of [11, 12, 13, 14, 15]) orders.plan(order(n, { msats: all }))
    expect(orders.spentMsats({ since: 110 })).toBe(5n * all)
  })

  test('lists are newest first, bounded and paged', () => {
    const { orders } = journal()
    journal().atomically(() => {
      for (let n = 0; n < 130; n++) orders.plan(order(n, { at: 100 + Math.floor(n / 2), job: `j${n % 3}` }))
    })
    orders.end(hex(129), { state: 'paid', at: 1 })
    const numbers = (query?: Parameters<typeof orders.list>[0]) =>
      orders.list(query).map(one => Number(`0x${one.hash}`))
    expect(numbers()).toEqual(Array.from({ length: 100 }, (_, n) => 129 - n))
    expect(numbers({ limit: 3, offset: 128 })).toEqual([1, 0])
    expect(numbers({ since: 101, until: 102 })).toEqual([5, 4, 3, 2])
    expect(numbers({ state: 'paid' })).toEqual([129])
    expect(numbers({ job: 'j0', limit: 2 })).toEqual([129, 126])
    expect(numbers({ limit: 0 })).toEqual([])
    expect(() => orders.list({ limit: -1 })).toThrow(RangeError)
  })

  test('a bill ends once, and may become paid after any end', () => {
    const { bills } = journal()
    for (const n of [1, 2, 3]) expect(bills.add(bill(n, { job: 'j', customer: 'c', credit: n === 3 }))).toBe(true)
    expect(bills.add(bill(1))).toBe(false)
    bills.end(hex(1), { state: 'void', at: 5 })
    bills.end(hex(1), { state: 'defaulted', at: 6 })
    expect(bills.get(hex(1))).toMatchObject({ state: 'void', endedAt: 5 })
    bills.end(hex(1), { state: 'paid', msats: 1100n, preimage: hex(9), at: 7 })
    bills.end(hex(1), { state: 'void', at: 8 })
    expect(bills.get(hex(1))).toMatchObject({ state: 'paid', paidMsats: 1100n, preimage: hex(9), endedAt: 7 })
    expect(bills.get(hex(3))).toEqual({ ...bill(3, { job: 'j', customer: 'c', credit: true }), state: 'open' })
    expect(bills.list({ state: 'open' }).map(one => one.hash)).toEqual([hex(3), hex(2)])
    expect(bills.list({ customer: 'c', job: 'j' })).toHaveLength(3)
    expect(bills.list({ customer: 'd' })).toEqual([])
    expect(() => bills.end(hex(4), { state: 'paid', at: 1 })).toThrow('never written')
  })

  test('credit is written once, and never goes below nothing', () => {
    const { bills } = journal()
    expect(bills.credit(credit('a', 500n))).toBe(true)
    expect(bills.credit(credit('a', 500n))).toBe(false)
    expect(bills.credit(credit('b', -501n))).toBe(false)
    expect(bills.credit(credit('b', -300n, { at: 101 }))).toBe(true)
    expect(bills.credit(credit('c', -201n))).toBe(false)
    expect(bills.credit(credit('d', -1n, { customer: hex(8) }))).toBe(false)
    expect(bills.creditMsats(hex(3))).toBe(200n)
    expect(bills.creditMsats(hex(8))).toBe(0n)
    expect(bills.credits()).toEqual([credit('b', -300n, { at: 101 }), credit('a', 500n)])
    expect(bills.credits({ job: hex(5) })).toEqual([])
  })

  test('money that cannot be and time that is none are bugs', () => {
    expect(() => journal().orders.plan(order(1, { msats: -1n }))).toThrow(RangeError)
    expect(() => journal().orders.plan(order(1, { at: 1.5 }))).toThrow(RangeError)
    expect(() => journal().bills.add(bill(1, { msats: 1n << 63n }))).toThrow(RangeError)
    expect(() => journal().bills.credit(credit('half \ud800', 1n))).toThrow(RangeError)
    expect(() => journal().jobs.open({ side: 'node', id: 'a', at: 1, opening: new Map() as never })).toThrow(TypeError)
    expect(journal().orders.list()).toEqual([])
  })
}
