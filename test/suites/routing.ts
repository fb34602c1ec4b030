/**
 * What every policy promises, whoever it prefers. A policy is proven by one call of this suite.
 * @module
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultParams } from '../../src/ledger/params.ts'
import { decide, mostNamed, openDice, type Policy, redecide } from '../../src/routing/index.ts'
import { anyMarket, anyWants, marketOf, mayBeChosen, publishedOf, requestOf, seed } from '../routing-world.ts'

const anyRequest = fc.integer({ min: 0, max: 1_000 })

/** Proves that `policy` keeps the contract of `src/routing/policy.ts`. */
export function policySuite(policy: Policy, runs = 1_000): void {
  describe(`policy ${policy.name}`, () => {
    const run = (candidates: Parameters<typeof marketOf>[0], asked: Parameters<typeof decide>[1], n: number) => {
      const market = marketOf(candidates)
      const decision = decide(market, asked, policy, openDice(seed, requestOf(n)), defaultParams)
      return { market, decision }
    }

    test('lets nobody through whom a condition keeps out, and names each once, at most six', () => {
      fc.assert(
        fc.property(anyMarket, anyWants, anyRequest, (candidates, asked, n) => {
          const { market, decision } = run(candidates, asked, n)
          const { order, sample } = decision
          expect(new Set(order).size).toBe(order.length)
          expect(order.length).toBeLessThanOrEqual(mostNamed)
          expect(sample.length).toBeLessThanOrEqual(defaultParams.ring)
          for (const { node } of sample) {
            const one = market.get(node)
            expect(one && mayBeChosen(one, asked), node).toBe(true)
          }
          for (const node of order) expect(sample.some(one => one.node === node)).toBe(true)
        }),
        { numRuns: runs },
      )
    })

    test('names somebody or says why not, never both', () => {
      fc.assert(
        fc.property(anyMarket, anyWants, anyRequest, (candidates, asked, n) => {
          const { order, sample, refusal } = run(candidates, asked, n).decision
          expect(refusal === undefined).toBe(order.length > 0)
          if (sample.length > 0) expect(order.length).toBeGreaterThan(0)
          if (refusal) expect(refusal.says).toMatch(/^\S.{10,250}[^.]$/)
        }),
        { numRuns: runs },
      )
    })

    test('decides the same whoever came first, and again from what was published', () => {
      fc.assert(
        fc.property(anyMarket, anyWants, anyRequest, fc.infiniteStream(fc.double()), (candidates, asked, n, keys) => {
          const { market, decision } = run(candidates, asked, n)
          const mixed = candidates.map(one => ({ one, key: keys.next().value })).sort((a, b) => a.key - b.key)
          expect(
            run(
              mixed.map(({ one }) => one),
              asked,
              n,
            ).decision,
          ).toEqual(decision)
          const said = JSON.parse(JSON.stringify({ ...publishedOf(decision, market), candidates: [] }))
          const published = { ...said, candidates: publishedOf(decision, market).candidates }
          const again = redecide(published, asked, policy, openDice(seed, requestOf(n)), defaultParams)
          expect(again).toEqual({ start: decision.start, order: decision.order, laneAllowed: true, faults: [] })
        }),
        { numRuns: runs },
      )
    })
  })
}
