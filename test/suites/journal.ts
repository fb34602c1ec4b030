/**
 * What every journal of `src/journal` keeps, whether in a file or in memory.
 * @module
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Journal, Plain } from '../../src/journal/index.ts'
import { hex, order } from '../journal-rows.ts'
import { jobTests } from './journal-jobs.ts'
import { moneyTests } from './journal-money.ts'

/** Runs the suite over journals that `open` makes, each of them empty. */
export function journalSuite(name: string, open: () => Journal): void {
  describe(`journal: ${name}`, () => {
    let journal: Journal
    beforeEach(() => {
      journal = open()
    })
    afterEach(() => journal.close())

    jobTests(() => journal)
    moneyTests(() => journal)

    test('a shelf keeps what was put first, in that order', () => {
      const shelf = journal.shelf('claims')
      const value: Plain = { bytes: new Uint8Array([1, 2]), big: 1n << 80n, $n: 'mine' }
      expect(shelf.claim('b', value)).toBe(true)
      expect(shelf.claim('b', 1, 'plain')).toBe(false)
      shelf.set('a', 1)
      shelf.set('ab', [2n], 'plain')
      shelf.set('b', 3)
      expect([...shelf.entries()]).toEqual([
        ['b', 3],
        ['a', 1],
        ['ab', [2n]],
      ])
      expect([...shelf.entries('a')]).toEqual([
        ['a', 1],
        ['ab', [2n]],
      ])
      expect(shelf.size).toBe(3)
      shelf.delete('b')
      shelf.delete('none')
      shelf.set('b', value)
      expect([...journal.shelf('claims').entries()].at(-1)).toEqual(['b', value])
      expect(journal.shelf('claims').size).toBe(3)
      expect([...journal.shelf('other').entries()]).toEqual([])
      expect(journal.shelf('other').get('a')).toBeUndefined()
    })

    test('a long shelf is read page by page, prefixes of any letters included', () => {
      const shelf = journal.shelf('long')
      const letters = ['a', '\ud7ff', '\u{10ffff}', '\u{10ffff}x', 'é']
      journal.atomically(() => {
        for (let n = 0; n < 450; n++) shelf.set(`${letters[n % 5]}${n}`, n)
      }, 'plain')
      expect([...shelf.entries()].map(([, n]) => n)).toEqual(Array.from({ length: 450 }, (_, n) => n))
      for (const [place, letter] of letters.entries())
        expect([...shelf.entries(letter)].map(([, n]) => Number(n) % 5)).toEqual(
          Array.from({ length: letter === '\u{10ffff}' ? 180 : 90 }, (_, n) =>
            letter === '\u{10ffff}' ? 2 + (n % 2) : place,
          ),
        )
      // Writing while reading is allowed.
      for (const [key] of shelf.entries('a')) shelf.delete(key, 'plain')
      expect(shelf.size).toBe(360)
    })

    test('what is written together is kept together or not at all', () => {
      const shelf = journal.shelf('s')
      shelf.set('old', 1)
      shelf.set('young', 2)
      const boom = new Error('boom')
      expect(() =>
        journal.atomically(() => {
          journal.orders.plan(order(1))
          journal.jobs.open({ side: 'node', id: 'a', at: 1, opening: 0 })
          journal.jobs.fact('node', 'a', 1, 'money')
          shelf.delete('old')
          shelf.set('new', 1)
          expect(shelf.size).toBe(2)
          throw boom
        }),
      ).toThrow(boom)
      expect(journal.orders.get(hex(1))).toBeUndefined()
      expect(journal.jobs.find('node', 'a')).toBeUndefined()
      expect([...shelf.entries()].map(([key]) => key)).toEqual(['old', 'young'])
      expect(shelf.size).toBe(2)
      expect(journal.atomically(() => journal.orders.plan(order(1)))).toBe(true)
    })

    test('an inner part that throws is undone; the outer may go on, or everything goes', () => {
      journal.jobs.open({ side: 'node', id: 'a', at: 1, opening: 0 })
      const inner = (n: number) =>
        journal.atomically(() => {
          journal.orders.plan(order(n))
          journal.jobs.fact('node', 'a', n, 'plain')
          throw new Error('inner')
        })
      journal.atomically(() => {
        journal.jobs.fact('node', 'a', 0, 'plain')
        expect(() => inner(1)).toThrow('inner')
        journal.atomically(() => journal.orders.plan(order(2)))
      }, 'plain')
      expect(journal.orders.list().map(one => one.hash)).toEqual([hex(2)])
      expect(journal.jobs.find('node', 'a')?.facts).toEqual([0])
      expect(() =>
        journal.atomically(() => {
          journal.atomically(() => journal.orders.plan(order(3)))
          inner(4)
        }),
      ).toThrow('inner')
      expect(journal.orders.list()).toHaveLength(1)
      expect(() => journal.atomically(async () => journal.orders.plan(order(5)))).toThrow(TypeError)
      expect(journal.orders.get(hex(5))).toBeUndefined()
    })

    test('what comes out is a copy, and a closed journal takes nothing', () => {
      const value = { list: [1] }
      journal.shelf('s').set('k', value)
      value.list.push(2)
      expect(journal.shelf('s').get('k')).toEqual({ list: [1] })
      journal.orders.plan(order(1))
      Object.assign(journal.orders.get(hex(1)) ?? {}, { msats: 0n })
      expect(journal.orders.get(hex(1))?.msats).toBe(1000n)
      journal.close()
      journal.close()
      expect(() => journal.orders.plan(order(2))).toThrow('closed')
      expect(() => journal.shelf('s').get('k')).toThrow('closed')
    })
  })
}
