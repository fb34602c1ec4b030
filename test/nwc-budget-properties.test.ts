/** The budget of a NIP-47 connection as a fold: whatever happens in whatever order, with crashes between any two writes. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Budget, nwcBudget } from '../src/payments/nwc/budget.ts'
import { periodOf, type Renewal } from '../src/payments/nwc/period.ts'
import { memoryStore, type NwcStore } from '../src/payments/nwc/store.ts'

const TOTAL = 100n
const DAY = 86_400
const renewals: readonly Renewal[] = ['never', 'daily', 'weekly', 'monthly', 'yearly']

/** A store whose process dies at the n-th write from now: that write and all after it throw. */
function mortal(store: NwcStore) {
  let left = Number.POSITIVE_INFINITY
  const dying = (write: () => void) => {
    if (--left < 0) throw new Error('killed')
    write()
  }
  const { shelf } = store
  const mine: NwcStore = {
    shelf: {
      get: key => shelf.get(key),
      set: (key, value) => dying(() => shelf.set(key, value)),
      claim: (key, value) => shelf.claim(key, value),
      delete: key => dying(() => shelf.delete(key)),
      entries: prefix => shelf.entries(prefix),
    },
    atomically: write => store.atomically(write),
  }
  return {
    store: mine,
    killAfter: (writes: number) => (left = writes),
    revive: () => (left = Number.POSITIVE_INFINITY),
  }
}

const act = fc.record({
  what: fc.constantFrom('reserve', 'reserve', 'reserve', 'release', 'settle', 'crash', 'undone', 'pass'),
  hash: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  msats: fc.bigInt({ min: -1n, max: 60n }),
  fee: fc.bigInt({ min: 0n, max: 3n }),
  writes: fc.nat(2),
  days: fc.nat(40),
})

describe('budget', () => {
  test('no order of reserving, settling, releasing and dying goes over the total or below nothing', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.constantFrom(...renewals), (acts, renewal) => {
        const memory = mortal(memoryStore())
        // Fees up to what is set aside for them.
        const options = { totalMsats: TOTAL, renewal, store: memory.store, feeReserveMsats: () => 3n }
        let budget: Budget = nwcBudget(options)
        let now = 1_800_000_000
        /** What the wallet did: the money that is gone or may go, by hash. */
        const model = new Map<string, { msats: bigint; at: number; settled: boolean }>()
        const inPeriod = (at: number) => at >= periodOf(renewal, now).from
        const sum = () => [...model.values()].reduce((all, { msats, at }) => all + (inPeriod(at) ? msats : 0n), 0n)
        for (const { what, hash, msats, fee, writes, days } of acts) {
          const known = model.get(hash)
          if (what === 'pass') now += days * DAY
          else if (what === 'crash') budget = nwcBudget(options)
          else if (what === 'undone') {
            // The claim beside the reservation could not be written: neither is there.
            memory.killAfter(writes)
            const attempt = () =>
              memory.store.atomically(() => {
                budget.reserve(hash, msats, now)
                throw new Error('no claim')
              })
            expect(attempt).toThrow()
            memory.revive()
            budget.reload()
          } else if (what === 'release') {
            budget.release(hash)
            if (known && !known.settled) model.delete(hash)
          } else if (what === 'settle') {
            budget.settle(hash, fee)
            if (known && !known.settled) model.set(hash, { ...known, msats: known.msats - 3n + fee, settled: true })
          } else if (budget.reserve(hash, msats, now) && !known?.settled && msats + 3n > (known?.msats ?? 0n))
            model.set(hash, { msats: msats + 3n, at: known && inPeriod(known.at) ? known.at : now, settled: false })
          const used = budget.used(now)
          expect(used).toBe(sum())
          expect(used >= 0n && used <= TOTAL).toBe(true)
          expect(new Set(budget.reserved())).toEqual(
            new Set([...model].filter(([, row]) => !row.settled).map(([name]) => name)),
          )
        }
      }),
      { numRuns: 5_000 },
    )
  })

  test('fees beyond what was set aside are the only way over, and then nothing more is reserved', () => {
    const budget = nwcBudget({ totalMsats: TOTAL, store: memoryStore() })
    expect(budget.reserve('a', 100n, 1)).toBe(true)
    budget.settle('a', 7n)
    expect(budget.used(1)).toBe(107n)
    expect(budget.reserve('b', 1n, 1)).toBe(false)
  })

  test('a settled payment is never given back, and a greater amount for a hash is reserved like a new one', () => {
    const budget = nwcBudget({ totalMsats: TOTAL, store: memoryStore() })
    expect([budget.reserve('a', 60n, 1), budget.reserve('a', 90n, 1), budget.reserve('a', 101n, 1)]).toEqual([
      true,
      true,
      false,
    ])
    expect(budget.used(1)).toBe(90n)
    budget.settle('a', 0n)
    budget.release('a')
    expect(budget.used(1)).toBe(90n)
  })

  test('a clock that goes back begins no period twice', () => {
    const budget = nwcBudget({ totalMsats: TOTAL, renewal: 'daily', store: memoryStore() })
    expect(budget.reserve('a', 100n, 10 * DAY + 5)).toBe(true)
    expect(budget.reserve('b', 100n, 11 * DAY + 5)).toBe(true)
    expect(budget.reserve('c', 1n, 10 * DAY + 5)).toBe(false)
  })

  test('rows that are none are left out', () => {
    const store = memoryStore()
    store.shelf.set('spent x', 'no row')
    store.shelf.set('spent y', { msats: 5, fee: 0n, at: 1, settled: true })
    store.shelf.set('spent z', { msats: 5n, fee: 0n, at: 1, settled: true })
    expect(nwcBudget({ totalMsats: TOTAL, store }).used(1)).toBe(5n)
  })
})

describe('periods', () => {
  const at = (text: string) => Date.parse(text) / 1_000

  test.each([
    ['daily', '2026-03-01T23:59:59Z', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'],
    ['weekly', '2026-03-01T12:00:00Z', '2026-02-23T00:00:00Z', '2026-03-02T00:00:00Z'],
    ['weekly', '2026-03-02T00:00:00Z', '2026-03-02T00:00:00Z', '2026-03-09T00:00:00Z'],
    ['monthly', '2028-02-29T12:00:00Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
    ['monthly', '2026-12-31T12:00:00Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
    ['yearly', '2026-12-31T23:59:59Z', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ] as const)('%s of %s', (renewal, time, from, until) => {
    expect(periodOf(renewal, at(time))).toEqual({ from: at(from), until: at(until) })
  })

  test('every time lies in its period, and the next period begins where it ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.constantFrom(...renewals.slice(1)),
        (time, renewal) => {
          const { from, until = 0 } = periodOf(renewal, time)
          expect(from <= time && time < until).toBe(true)
          expect(periodOf(renewal, until).from).toBe(until)
          expect(periodOf(renewal, from)).toEqual({ from, until })
        },
      ),
      { numRuns: 2_000 },
    )
  })
})
