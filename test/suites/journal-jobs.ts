/**
 * What every journal keeps of jobs and their words.
 * @module
 */
import { expect, test } from 'vitest'
import type { Journal } from '../../src/journal/index.ts'
import { credit, event, hex, order } from '../journal-rows.ts'

/** The part of `journalSuite` about jobs. */
export function jobTests(journal: () => Journal): void {
  test('a job is opened once, and its facts come back in order', () => {
    const { jobs } = journal()
    const opening = { price: 21n, key: new Uint8Array([0, 255]), note: undefined, list: [null, true, -0.5] }
    expect(jobs.open({ side: 'node', id: 'a', at: 5, opening })).toBe(true)
    expect(jobs.open({ side: 'node', id: 'a', at: 6, opening: 'other' })).toBe(false)
    expect(jobs.open({ side: 'client', id: 'a', at: 6, opening: null })).toBe(true)
    for (let n = 0; n < 12; n++) jobs.fact('node', 'a', { n, msats: 1n }, n % 2 ? 'money' : 'plain')
    const facts = Array.from({ length: 12 }, (_, n) => ({ n, msats: 1n }))
    const { note: _, ...kept } = opening
    expect(jobs.find('node', 'a')).toEqual({ side: 'node', id: 'a', at: 5, opening: kept, facts })
    expect(jobs.find('client', 'a')).toEqual({ side: 'client', id: 'a', at: 6, opening: null, facts: [] })
    expect(jobs.find('client', 'b')).toBeUndefined()
    expect(() => jobs.fact('client', 'b', 1, 'plain')).toThrow('never opened')
  })

  test('unfinished jobs come oldest first, and an end is kept', () => {
    const { jobs } = journal()
    for (const [id, at] of [
      ['late', 9],
      ['early', 3],
      ['over', 4],
      ['twin', 3],
    ] as const)
      jobs.open({ side: 'node', id, at, opening: id })
    jobs.end('node', 'over', 10)
    jobs.end('node', 'over', 11)
    jobs.end('node', 'nobody', 11)
    expect(jobs.unfinished('node').map(job => job.id)).toEqual(['early', 'twin', 'late'])
    expect(jobs.unfinished('client')).toEqual([])
    expect(jobs.find('node', 'over')?.endedAt).toBe(10)
  })

  test('ended jobs come last ended first, with their facts, and no more than are wanted', () => {
    const { jobs } = journal()
    for (const id of ['first', 'open', 'twin', 'second', 'other'])
      jobs.open({ side: id === 'other' ? 'client' : 'node', id, at: 1, opening: id })
    jobs.fact('node', 'second', 'done', 'plain')
    for (const [id, at] of [
      ['first', 5],
      ['twin', 5],
      ['second', 7],
    ] as const)
      jobs.end('node', id, at)
    expect(jobs.ended('node', 9).map(({ id, endedAt }) => [id, endedAt])).toEqual([
      ['second', 7],
      ['twin', 5],
      ['first', 5],
    ])
    expect(jobs.ended('node', 1)).toMatchObject([{ id: 'second', opening: 'second', facts: ['done'], at: 1 }])
    expect(jobs.ended('client', 9)).toEqual([])
  })

  test('the outbox keeps one event per slot, and gives the one that is there', () => {
    const { outbox } = journal()
    const mark = Symbol('verified')
    const first = { ...event(1), [mark]: true }
    const kept = outbox.keep({ job: 'a', slot: 'answer', event: first, until: 50 }, 'money')
    expect(kept).toEqual(event(1))
    expect(Object.getOwnPropertySymbols(kept)).toEqual([])
    const odd = event(2, { content: 'half \ud800 and \0', tags: [[], ['x', '']] })
    expect(outbox.keep({ job: 'a', slot: 'answer', event: odd, until: 60 }, 'plain')).toEqual(event(1))
    expect(outbox.keep({ job: 'a', slot: 'other', event: odd, until: 60 }, 'plain')).toEqual(odd)
    expect(outbox.of('a')).toEqual([
      { job: 'a', slot: 'answer', event: event(1), until: 50 },
      { job: 'a', slot: 'other', event: odd, until: 60 },
    ])
    expect(outbox.of('b')).toEqual([])
  })

  test('pending words are those that nobody took and that are worth it still', () => {
    const { outbox } = journal()
    for (const n of [1, 2, 3])
      outbox.keep({ job: `job ${n % 2}`, slot: `${n}`, event: event(n), until: n * 10 }, 'plain')
    expect(outbox.pending(10).map(said => said.slot)).toEqual(['2', '3'])
    outbox.taken(hex(2))
    outbox.taken(hex(9))
    expect(outbox.pending(0).map(said => said.slot)).toEqual(['1', '3'])
    expect(outbox.of('job 0')).toHaveLength(1)
  })

  test('pruning lets go of ended jobs with their words; money and what is open stay', () => {
    const { jobs, outbox } = journal()
    for (const [id, side] of [
      ['old', 'node'],
      ['fresh', 'node'],
      ['open', 'node'],
      ['both', 'node'],
      ['both', 'client'],
    ] as const) {
      jobs.open({ side, id, at: 1, opening: 0 })
      jobs.fact(side, id, 1, 'plain')
      outbox.keep({ job: id, slot: side, event: event(id.length), until: 1000 }, 'plain')
    }
    journal().orders.plan(order(1, { job: 'old' }))
    journal().bills.credit(credit('x', 5n, { job: 'old' }))
    jobs.end('node', 'old', 50)
    jobs.end('node', 'both', 50)
    jobs.end('node', 'fresh', 60)
    expect(journal().prune(60)).toBe(2)
    expect(journal().prune(60)).toBe(0)
    expect(jobs.find('node', 'old')).toBeUndefined()
    expect(outbox.of('old')).toEqual([])
    expect(outbox.of('both')).toHaveLength(2)
    expect(jobs.unfinished('node').map(job => job.id)).toEqual(['open'])
    expect(jobs.find('client', 'both')?.facts).toEqual([1])
    expect(journal().orders.list()).toHaveLength(1)
    expect(journal().bills.creditMsats(hex(3))).toBe(5n)
    expect(jobs.open({ side: 'node', id: 'old', at: 70, opening: 1 })).toBe(true)
    expect(jobs.find('node', 'old')?.facts).toEqual([])
  })
}
