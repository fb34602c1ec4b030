/** A verifier that dies at every write of its journal, and escrow over a real channel: the money ends where one verdict says. */
import { describe, expect, test } from 'vitest'
import { handClock } from '../src/clock.ts'
import type { Shelves } from '../src/escrow/shelves.ts'
import type { Plain, Shelf, Weight } from '../src/journal/journal.ts'
import { memoryJournal } from '../src/journal/memory.ts'
import { ldkPair } from '../src/payments/ldk.ts'
import type { Bill } from '../src/payments/payment.ts'
import { type Book, escrowWorld, paid, price, unpaid } from './escrow-world.ts'

type World = Awaited<ReturnType<typeof escrowWorld>>

/** The same journal, whose owner dies at write number `at`, before or after it. */
function mortal(journal: Shelves, at: number, kept: boolean, die: () => void) {
  let writes = 0
  let dead = false
  const guarded = <T>(write: () => T): T => {
    if (dead) throw new Error('killed')
    const last = ++writes === at
    if (last) {
      dead = true
      if (kept) write()
      die()
      throw new Error('killed')
    }
    return write()
  }
  const shelf = (name: string): Shelf => {
    const inner = journal.shelf(name)
    return {
      ...inner,
      get size() {
        return inner.size
      },
      set: (key: string, value: Plain, weight?: Weight) => guarded(() => inner.set(key, value, weight)),
      claim: (key: string, value: Plain, weight?: Weight) => guarded(() => inner.claim(key, value, weight)),
      delete: (key: string) => guarded(() => inner.delete(key)),
    }
  }
  return { shelf, writes: () => writes }
}

async function trade(world: World, text: string) {
  let buying: Promise<string> = Promise.resolve('unbilled')
  const book: Book = {}
  const billed = (bill: Bill) => {
    buying = world.buy(bill)
  }
  const sold = await world.until(world.sell(book, { text, billed }))
  return { sold, bought: await world.until(buying) }
}

describe('a verifier killed at each of its writes, and started again', () => {
  const good = 'WHY IS THE SKY BLUE'
  const cases = [good, 'garbage'].flatMap(text =>
    Array.from({ length: 8 }, (_, n) => [true, false].map(kept => ({ text, at: n + 1, kept }))).flat(),
  )

  test.each(cases)('write $at of "$text" (kept: $kept)', async ({ text, at, kept }) => {
    const world = await escrowWorld({ sealed: at % 2 === 0 })
    const journal = memoryJournal()
    let restarts = 0
    const dying = mortal(journal, at, kept, () => {
      restarts++
      world.clock.after(2_000, () => {
        first.close()
        world.verify(undefined, journal)
      })
    })
    const first = world.verify(undefined, dying)
    const end = await trade(world, text)
    expect(end).toEqual(
      text === good ? { sold: 'settled', bought: 'paid' } : { sold: 'cancelled: refund', bought: 'failed' },
    )
    expect(await world.money()).toEqual(text === good ? paid : unpaid)
    const told = world.heardBy(world.nodeSecret)
    const words = new Set(told.map(word => word.status))
    expect(words.has('release') && words.has('refund')).toBe(false)
    expect(new Set(told.flatMap(word => word.paymentHash ?? [])).size).toBe(1)
    expect(restarts).toBe(at <= dying.writes() ? 1 : 0)
  })

  test('has been killed at all of them: a case has fewer writes than that', async () => {
    const world = await escrowWorld()
    const journal = memoryJournal()
    const counted = mortal(journal, 10_000, true, () => {})
    world.verify(undefined, counted)
    await trade(world, good)
    expect(counted.writes()).toBeGreaterThan(4)
    expect(counted.writes()).toBeLessThanOrEqual(8)
  })
})

test('over Lightning: released money is the payee’s, refunded money the payer’s', async () => {
  for (const text of ['WHY IS THE SKY BLUE', 'garbage']) {
    const clock = handClock()
    const pair = await ldkPair({ clock })
    try {
      const breathe = () => new Promise<void>(resolve => setImmediate(resolve))
      const rail = { payer: pair.payer, payee: pair.payee, conserved: pair.conserved, breathe }
      const world = await escrowWorld({ sealed: true, clock, rail })
      const before = await world.money()
      world.verify()
      const end = await trade(world, text)
      const good = text !== 'garbage'
      expect(end).toEqual(good ? { sold: 'settled', bought: 'paid' } : { sold: 'cancelled: refund', bought: 'failed' })
      const moved = good ? price : 0n
      expect(await world.money()).toEqual({
        ...{ payer: before.payer - moved, payee: before.payee + moved, conserved: true },
      })
    } finally {
      await pair.close()
    }
  }
})
