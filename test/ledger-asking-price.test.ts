/** What a service asks: one reading for customers, routers and the table, and the prices per job as they always were read. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PostedPrice, PriceUnit } from '../kinds/index.ts'
import { type Asking, askedMsats, askedPrice } from '../src/ledger/index.ts'

const row = (model: string, msats: bigint, unit: PriceUnit = 'job', kind = 5050): PostedPrice => ({
  ...{ kind, model, msats, unit },
})
const job = (model?: string) => ({ kind: 5050, ...(model === undefined ? {} : { model }) })

describe('prices per job', () => {
  test('a row of the model goes before a row of any model, and both before the price of all jobs', () => {
    const prices = [row('', 3n), row('b', 2n), row('a', 1n), row('a', 9n, 'job', 5051)]
    expect(askedMsats({ prices, priceMsats: 7n }, job('a'))).toBe(1n)
    expect(askedMsats({ prices, priceMsats: 7n }, job('c'))).toBe(3n)
    expect(askedMsats({ prices: [row('b', 2n)], priceMsats: 7n }, job('c'))).toBe(7n)
    expect(askedMsats({ prices: [row('b', 2n)] }, job('c'))).toBeUndefined()
    expect(askedMsats({ priceMsats: 0n }, job())).toBe(0n)
  })

  test('without a model: any model, all jobs, the first that is named', () => {
    expect(askedMsats({ prices: [row('a', 1n), row('', 3n)], priceMsats: 7n }, job())).toBe(3n)
    expect(askedMsats({ prices: [row('a', 1n)], priceMsats: 7n }, job())).toBe(7n)
    expect(askedMsats({ prices: [row('a', 1n), row('b', 2n)] }, job())).toBe(1n)
    expect(askedMsats({ prices: [row('a', 1n)] }, job(''))).toBe(1n)
  })

  test('a lease goes before an announcement', () => {
    const asking = { lease: [row('a', 4n)], prices: [row('a', 2n), row('b', 5n)], priceMsats: 2n }
    expect(askedMsats(asking, job('a'))).toBe(4n)
    expect(askedMsats(asking, job('b'))).toBe(5n)
    expect(askedMsats({ lease: [row('', 4n)], prices: [row('a', 2n)] }, job('a'))).toBe(2n)
  })

  /** The three readings that there were, of rows per job. */
  const before = {
    client({ prices = [], priceMsats }: Asking, model: string): bigint | undefined {
      const rows = prices.filter(one => one.kind === 5050 && one.unit === 'job')
      return (rows.find(one => one.model === model) ?? rows.find(one => one.model === ''))?.msats ?? priceMsats
    },
    router({ lease = [], prices = [], priceMsats }: Asking, model: string): bigint | undefined {
      const posted = [...lease, ...prices].filter(one => one.kind === 5050)
      const fits = (one: PostedPrice) => one.model === model || one.model === ''
      return (posted.find(one => one.model === model) ?? posted.find(fits))?.msats ?? priceMsats
    },
  }

  test('whatever is posted per job, customers and routers read what they read before', () => {
    const name = fc.constantFrom('a', 'b', '')
    const rows = fc.array(
      fc.record({
        kind: fc.constantFrom(5050, 5051),
        model: name,
        msats: fc.bigInt(0n, 99n),
        unit: fc.constant('job' as const),
      }),
      { maxLength: 6 },
    )
    const asking = fc.record({
      prices: rows,
      lease: rows,
      priceMsats: fc.option(fc.bigInt(0n, 99n), { nil: undefined }),
    })
    fc.assert(
      fc.property(asking, fc.constantFrom('a', 'b', 'c'), ({ lease, ...announced }, model) => {
        expect(askedMsats(announced, job(model))).toBe(before.client(announced, model))
        const all = { ...announced, lease }
        expect(askedMsats(all, job(model))).toBe(before.router(all, model))
        expect(askedPrice(all, job(model))?.metered).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('prices by the token', () => {
  const prices = [row('a', 2_000n, '1k-in'), row('a', 10_000n, '1k-out')]

  test('a standard job has a thousand tokens of prompt, and five hundred of answer or what is said', () => {
    expect(askedMsats({ prices }, job('a'))).toBe(2_000n + 5_000n)
    expect(askedMsats({ prices }, { ...job('a'), maxTokens: 7 })).toBe(2_000n + 70n)
    expect(askedPrice({ prices }, job())).toMatchObject({
      unit: 'job',
      metered: { flatMsats: 0n, promptMsatsPer1k: 2_000n, answerMsatsPer1k: 10_000n },
    })
  })

  test('they are paid beside a price per job; one price of all tokens is in its place', () => {
    expect(askedMsats({ prices: [...prices, row('a', 3n)] }, job('a'))).toBe(7_003n)
    expect(askedMsats({ prices: [row('', 4_000n, '1k-tokens')] }, job('a'))).toBe(6_000n)
    expect(askedMsats({ prices: [row('', 4_000n, '1k-tokens'), row('', 9n)] }, job('a'))).toBe(9n)
    expect(askedMsats({ prices: [row('', 4_000n, '1k-in')], priceMsats: 5n }, job('a'))).toBe(4_000n)
  })

  test('rows of the lease and of the announcement are never mixed', () => {
    const lease = [row('a', 1n, '1k-in'), row('a', 1n, '1k-out')]
    expect(askedMsats({ prices: [...prices, row('a', 100n)], lease }, job('a'))).toBe(2n)
  })

  test('a second or a megabyte is told and never compared with a job', () => {
    const asking = { prices: [row('a', 5n, 'second')] }
    expect(askedPrice(asking, job('a'))).toEqual({ msats: 5n, unit: 'second' })
    expect(askedMsats(asking, job('a'))).toBeUndefined()
    expect(askedMsats({ ...asking, priceMsats: 9n }, job('a'))).toBe(9n)
  })
})
