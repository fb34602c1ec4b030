import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openSeats } from '../src/runners/llama/seats.ts'

const never = new AbortController().signal

describe('seats', () => {
  test('gives each seat to one at a time, and waiters in the order they came', async () => {
    const seats = openSeats([0, 1], 8)
    const order: string[] = []
    const come = async (name: string) => {
      const seat = await seats.take(never)
      order.push(`${name}${seat}`)
      return seat
    }
    const all = ['a', 'b', 'c', 'd'].map(come)
    expect(await Promise.all(all.slice(0, 2))).toEqual([0, 1])
    expect(seats.waiting).toBe(2)
    seats.give(1)
    await all[2]
    seats.give(0)
    await all[3]
    expect(order).toEqual(['a0', 'b1', 'c1', 'd0'])
  })

  test('turns away what does not fit into the queue', async () => {
    const seats = openSeats(['only'], 1)
    await seats.take(never)
    const waits = seats.take(never)
    await expect(seats.take(never)).rejects.toThrow(/busy and 1 pieces of work wait/)
    seats.give('only')
    expect(await waits).toBe('only')
  })

  test('for any order of coming, leaving and giving back: no seat is lost, doubled or given to one who left', async () => {
    const step = fc.constantFrom('come', 'leave', 'give')
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), async (count, steps) => {
        const seats = openSeats([...Array(count).keys()], 5)
        const held: number[] = []
        const leavers: AbortController[] = []
        for (const what of steps) {
          if (what === 'come') {
            const abort = new AbortController()
            leavers.push(abort)
            seats.take(abort.signal).then(
              seat => {
                held.push(seat)
                leavers.splice(leavers.indexOf(abort), 1)
              },
              () => undefined,
            )
          } else if (what === 'leave') leavers.pop()?.abort()
          else {
            const seat = held.shift()
            if (seat !== undefined) seats.give(seat)
          }
          for (let i = 0; i < 4; i++) await Promise.resolve()
          expect(new Set(held).size).toBe(held.length)
          expect(seats.waiting === 0 || held.length === count).toBe(true)
          expect(seats.waiting).toBeLessThanOrEqual(5)
        }
        while (held.length > 0) {
          seats.give(Number(held.shift()))
          for (let i = 0; i < 4; i++) await Promise.resolve()
        }
        const taken = await Promise.all([...Array(count).keys()].map(() => seats.take(never)))
        expect(taken.sort()).toEqual([...Array(count).keys()])
      }),
      { numRuns: 1000 },
    )
  })
})
