import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Newcomer, openCohort } from '../src/ledger/index.ts'
import { times } from './ledger-world.ts'

const newcomer = (node: string, more: Partial<Newcomer> = {}): Newcomer => ({
  node,
  bondUnits: 0,
  powBits: 0,
  at: 0,
  ...more,
})

describe('the cohort', () => {
  test('has a few slots, and the next begins when one finishes', () => {
    const cohort = openCohort(2)
    expect(['a', 'b', 'c', 'd'].map(node => cohort.ask(newcomer(node)))).toEqual(['in', 'in', 'waiting', 'waiting'])
    expect(cohort.members()).toEqual(['a', 'b'])
    cohort.leave('a')
    expect(cohort.members()).toEqual(['b', 'c'])
    expect([cohort.has('a'), cohort.has('c'), cohort.size, cohort.waiting]).toEqual([false, true, 2, 1])
  })

  test('a bond comes before work, work before patience, patience before the name', () => {
    const cohort = openCohort(1)
    cohort.ask(newcomer('first'))
    cohort.ask(newcomer('z', { at: 5 }))
    cohort.ask(newcomer('y', { at: 5 }))
    cohort.ask(newcomer('early', { at: 4 }))
    cohort.ask(newcomer('worked', { powBits: 20, at: 9 }))
    cohort.ask(newcomer('bonded', { bondUnits: 1, at: 9 }))
    const order = times(6, () => {
      const [one = ''] = cohort.members()
      cohort.leave(one)
      return one
    })
    expect(order).toEqual(['first', 'bonded', 'worked', 'early', 'y', 'z'])
    expect(cohort.size).toBe(0)
  })

  test('nobody with a slot loses it to somebody with more at stake', () => {
    const cohort = openCohort(1)
    cohort.ask(newcomer('a'))
    expect(cohort.ask(newcomer('rich', { bondUnits: 1e9 }))).toBe('waiting')
    expect(cohort.members()).toEqual(['a'])
  })

  test('who asks again keeps the time of the first question, and moves up with more', () => {
    const cohort = openCohort(1)
    for (const [at, node] of ['in', 'a', 'b'].entries()) cohort.ask(newcomer(node, { at }))
    cohort.ask(newcomer('a', { at: 99 }))
    cohort.leave('in')
    expect(cohort.members()).toEqual(['a'])
    cohort.ask(newcomer('c', { at: 3 }))
    cohort.ask(newcomer('c', { at: 100, powBits: 1 }))
    expect(cohort.waiting).toBe(2)
    cohort.leave('a')
    expect(cohort.members()).toEqual(['c'])
  })

  test('a full queue keeps the better ones', () => {
    const cohort = openCohort(1, 2)
    for (const node of ['in', 'b', 'c']) cohort.ask(newcomer(node))
    expect(cohort.ask(newcomer('d'))).toBe('full')
    expect(cohort.ask(newcomer('e', { powBits: 8 }))).toBe('waiting')
    expect(cohort.waiting).toBe(2)
    expect(times(3, () => cohort.members().forEach(cohort.leave) ?? cohort.members()[0])).toEqual(['e', 'b', undefined])
  })

  test('a crowd of Sybils neither starves the honest nor costs more than a moment', () => {
    const cohort = openCohort(64, 100_000)
    for (let i = 0; i < 99_000; i++) cohort.ask(newcomer(`sybil${i}`, { at: i }))
    for (let i = 0; i < 200; i++) cohort.ask(newcomer(`honest${i}`, { at: 1e6 + i, powBits: 16 }))
    let rounds = 0
    const left = new Set(times(200, i => `honest${i}`))
    for (; left.size > 0; rounds++) {
      const [one = ''] = cohort.members()
      cohort.leave(one)
      left.delete(one)
    }
    expect(rounds).toBe(64 + 200)
  })

  test('does what a list does that is sorted each time', () => {
    const node = fc.integer({ min: 0, max: 20 }).map(n => `n${n}`)
    const move = fc.oneof(
      { weight: 3, arbitrary: fc.record({ node, bondUnits: fc.nat(2), powBits: fc.nat(2), at: fc.nat(5) }) },
      { weight: 2, arbitrary: node },
    )
    fc.assert(
      fc.property(
        fc.array(move, { maxLength: 120 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        (moves, slots, most) => {
          const cohort = openCohort(slots, most)
          const inside: string[] = []
          let queue: Newcomer[] = []
          const sort = () => {
            queue.sort(
              (a, b) => b.bondUnits - a.bondUnits || b.powBits - a.powBits || a.at - b.at || (a.node < b.node ? -1 : 1),
            )
          }
          for (const one of moves) {
            if (typeof one === 'string') {
              cohort.leave(one)
              queue = queue.filter(other => other.node !== one)
              const slot = inside.indexOf(one)
              if (slot >= 0) inside.splice(slot, 1)
              const next = inside.length < slots ? queue.shift() : undefined
              if (next) inside.push(next.node)
            } else if (!inside.includes(one.node)) {
              const said = cohort.ask(one)
              const before = queue.find(other => other.node === one.node)
              queue = queue.filter(other => other.node !== one.node)
              if (inside.length < slots) inside.push(one.node)
              else {
                queue.push({ ...one, at: Math.min(one.at, before?.at ?? one.at) })
                sort()
                const dropped = queue.length > most ? queue.pop() : undefined
                expect(said).toBe(dropped?.node === one.node ? 'full' : 'waiting')
              }
            } else expect(cohort.ask(one)).toBe('in')
            expect(cohort.members()).toEqual(inside)
            expect(cohort.waiting).toBe(queue.length)
            for (const member of inside) expect(cohort.has(member)).toBe(true)
          }
          while (inside.length > 0) {
            const [first = ''] = inside
            cohort.leave(first)
            inside.shift()
            const next = queue.shift()
            if (next) inside.push(next.node)
            expect(cohort.members()).toEqual(inside)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
