/** What `gridstr market` makes of what it heard: who counts, in which order, and how it fits a screen. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeScore, priceSheet, textRequest } from '../kinds/index.ts'
import { openMarketBook } from '../src/cli/market-book.ts'
import { ago, cell, cellsIn, marketLines } from '../src/cli/market-table.ts'
import { announces, beats, by, key, leases, measures, T } from './ledger-directory-world.ts'

describe('the book', () => {
  const service = key(90)
  const book = (routers: string[] = []) => openMarketBook(textRequest.number, new Set(routers))
  const sheetBy = (router: string, of: string, at = T, expiresAt = T + 600) =>
    by(
      router,
      priceSheet.write(
        {
          ...{ id: 'gridstr', feeMsats: 0n, policy: 'default', params: key(1), commit: { seq: 0, hash: key(2) } },
          ...{ rows: [], service: of, relays: [], expiresAt },
        },
        at,
      ),
    )
  const scoreBy = (of: string, node: string, rank: number, at = T) =>
    by(of, nodeScore.write({ node, rank, markets: [] }, at))

  test('the middle score of several routers counts, and those without a sheet do not', () => {
    const market = book()
    market.heard(announces(key(1), T), T)
    for (const [at, rank] of [
      [1, 10],
      [2, 90],
      [3, 50],
    ] as const) {
      market.heard(sheetBy(key(50 + at), key(90 + at)), T)
      market.heard(scoreBy(key(90 + at), key(1), rank), T)
    }
    market.heard(scoreBy(key(99), key(1), 100), T)
    expect(market.listed(T)[0]).toMatchObject({ score: 50, opinions: [{ rank: 10 }, { rank: 90 }, { rank: 50 }] })
    market.heard(scoreBy(key(93), key(1), 1, T - 1), T)
    expect(market.listed(T)[0]?.score).toBe(50)
    expect(market.listed(T + 600)[0]).not.toHaveProperty('score')
  })

  test('only the chosen routers count', () => {
    const market = book([key(51)])
    market.heard(announces(key(1), T), T)
    market.heard(sheetBy(key(52), service), T)
    market.heard(scoreBy(service, key(1), 100), T)
    expect(market.listed(T)[0]).not.toHaveProperty('score')
    market.heard(sheetBy(key(51), service), T)
    expect(market.listed(T)[0]?.score).toBe(100)
  })

  test('strangers with sheets stay within bounds', () => {
    const market = book()
    for (let at = 0; at < 1_000; at++) market.heard(sheetBy(key(1_000 + at), service), T)
    expect(market.sheets(T).length).toBe(256)
  })

  test('alive before silent, scored before unscored, cheap before dear', () => {
    const market = book()
    market.heard(sheetBy(key(51), service), T)
    market.heard(announces(key(1), T, { priceMsats: 1n }), T)
    for (const [at, priceMsats] of [
      [2, 9n],
      [3, 5n],
      [4, 7n],
    ] as const) {
      market.heard(announces(key(at), T, { priceMsats }), T)
      market.heard(beats(key(at), T), T)
    }
    market.heard(scoreBy(service, key(2), 3), T)
    expect(market.listed(T).map(({ entry }) => entry.node)).toEqual([2, 3, 4, 1].map(key))
  })
})

describe('the table', () => {
  test('a cell is as wide as it is said to be, whatever is in it', () => {
    expect(cell('Nano', 8)).toBe('Nano    ')
    expect(cellsIn('東京 e\u0301 🚀')).toBe(9)
    expect(cell('Nano', 8, true)).toBe('    Nano')
    expect(cell('a very long name', 8)).toBe('a very …')
    expect(cell('東京東京東京', 8)).toBe('東京東… ')
    expect(cell('a\n\tb\u001b[31mc', 6)).toBe('a bc  ')
  })

  test('ages are told in the largest unit', () => {
    expect([-5, 0, 59, 60, 3_599, 3_600, 86_399, 86_400 * 40].map(ago)).toEqual([
      'now',
      '0 s',
      '59 s',
      '1 min',
      '59 min',
      '1 h',
      '23 h',
      '40 d',
    ])
  })

  test('whatever strangers say, no line is wider than the screen or longer than it', () => {
    const words = fc.string({ unit: 'binary', maxLength: 60 })
    const listed = fc.array(fc.tuple(words, words, fc.bigInt({ min: 0n, max: 10n ** 18n })), { maxLength: 8 })
    fc.assert(
      fc.property(
        listed,
        words,
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 6, max: 40 }),
        (nodes, policy, columns, rows) => {
          const market = openMarketBook(textRequest.number, new Set())
          for (const [at, [name, model, priceMsats]] of nodes.entries()) {
            const models = model === '' ? [] : [{ name: model, contextTokens: 1 }]
            market.heard(announces(key(1 + at), T, { name, models, priceMsats }), T)
            if (at % 2) market.heard(leases(key(1 + at), T, T - 5), T)
            if (model !== '')
              market.heard(measures(key(1 + at), key(1 + at), T, { firstMs: 86_400_000, tokensPerSecond: 1e9 }), T)
          }
          const of = { ...(priceSheet.good[1]?.value as object), policy: policy.slice(0, 64) || 'p' } as Parameters<
            typeof priceSheet.write
          >[0]
          market.heard(by(key(99), priceSheet.write({ ...of, expiresAt: T + 1 }, T)), T)
          for (const colour of [false, true]) {
            const lines = marketLines(
              market.listed(T),
              market.sheets(T),
              { kind: 5050, now: T },
              { columns, rows, colour },
            )
            expect(lines.length).toBeLessThanOrEqual(rows)
            for (const line of lines) {
              const bare = line.replace(/\u001b\[(0|2|32)m/g, '')
              expect(bare).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
              expect(cellsIn(bare)).toBeLessThanOrEqual(columns)
            }
          }
        },
      ),
      { numRuns: 1000 },
    )
  })
})
