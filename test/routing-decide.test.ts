import { describe, expect, test } from 'vitest'
import { defaultParams } from '../src/ledger/params.ts'
import { type Candidate, decide, mostWalked, openDice, openMarket, type Wants } from '../src/routing/index.ts'
import { candidate, decideFor, known, marketOf, nodeOf, requestOf, seed, wants } from './routing-world.ts'

const many = (count: number, rest: Partial<Candidate> = {}, from = 0) =>
  Array.from({ length: count }, (_, n) => candidate(from + n, rest))

/** A request number whose dice explore, and one whose dice do not. */
const lots = Array.from({ length: 400 }, (_, n) => openDice(seed, requestOf(n)).next())
const exploring = lots.findIndex(lot => lot < defaultParams.explore)
const plain = lots.findIndex(lot => lot >= defaultParams.explore)

describe('a refusal says which condition failed, and for how many', () => {
  const three = (rest: Partial<Candidate>) => many(3, rest)
  const cases: [string, Candidate[], Partial<Wants>, string][] = [
    ['no-node', [], {}, 'nobody is known who takes jobs of kind 5050'],
    ['no-model', [], { model: 'nano' }, 'nobody is known who takes jobs of kind 5050 with model nano'],
    ['banned', three({ stage: 'banned' }), {}, 'a fault is proven against all 3 nodes'],
    ['ejected', three({ stage: 'ejected' }), {}, 'all 3 nodes did not answer of late; try again in a minute'],
    ['stale', three({ status: 'unknown' }), {}, 'all 3 nodes let the lease run out; try again when one is back'],
    ['over-credit', three({ overCredit: true }), {}, 'all 3 nodes went over the credit given'],
    ['denied', many(1), { deny: [nodeOf(0)] }, 'you deny the only node'],
    ['not-allowed', many(3), { allow: [nodeOf(7), nodeOf(8)] }, 'none of the 2 nodes that you allow offers this'],
    ['privacy', three({ privacy: [0, 1] }), { privacy: 2 }, 'none of 3 keeps privacy level 2'],
    ['region', three({ region: 'us' }), { region: 'eu' }, 'none of 3 is in eu'],
    ['determinism', three({}), { determinism: 'bitwise' }, 'none of 3 answers in class bitwise'],
    ['terms', three({ terms: ['before', 'hold'] }), { terms: 'after' }, 'none of 3 takes its money "after"'],
    [
      'deadline',
      [candidate(0, { firstMs: 4_000 }), candidate(1, { firstMs: 2_500.4 })],
      { deadlineMs: 2_000 },
      'the quickest of 2 takes 2,500 ms to the first word, your deadline is 2,000 ms',
    ],
    [
      'min-score',
      [candidate(0, { score: 0.3 }), candidate(1, { score: 0.412 })],
      { minScore: 50 },
      'the best of 2 has score 41.2, you want 50',
    ],
    [
      'over-cap',
      [candidate(0, { msats: 9_000 }), candidate(1, { msats: 4_000 }), candidate(2, { msats: 5_000 })],
      { capMsats: 2_000 },
      'the cheapest of 3 asks 4,000 msats, your cap is 2,000',
    ],
    [
      'quote-expired',
      three({ quote: { id: 'q', firm: true, expiresAt: 100 } }),
      { at: 100 },
      'the quote of all 3 nodes has run out; ask for quotes again',
    ],
    ['full', three({ inflight: 4 }), {}, 'all 3 nodes that would do have no free slot; try again in a moment'],
  ]
  for (const [code, candidates, asked, says] of cases)
    test(code, () => {
      // A newcomer may always come in, so each case holds for proven nodes and for newcomers.
      for (const cohort of [undefined, true]) {
        const here = candidates.map(one =>
          cohort && one.stage === 'proven' ? { ...one, stage: 'new' as const, cohort } : one,
        )
        const decision = decideFor(marketOf(here), wants(asked), plain)
        expect(decision.refusal).toEqual({ code, says })
        expect(decision.order).toEqual([])
        expect(decision.refused).toEqual(
          ['no-node', 'no-model', 'not-allowed'].includes(code) ? {} : { [code]: here.length },
        )
      }
    })

  test('of several conditions it names the one that somebody came nearest to, and counts all', () => {
    const market = marketOf([
      ...many(5, { status: 'unknown' }),
      ...many(4, { stage: 'banned' }, 10),
      ...many(2, { privacy: [0] }, 20),
      candidate(30, { msats: 3_000 }),
    ])
    const { refusal, refused } = decideFor(market, wants({ privacy: 1, capMsats: 2_000 }), plain)
    expect(refusal).toEqual({ code: 'over-cap', says: 'the cheapest of 1 asks 3,000 msats, your cap is 2,000' })
    // The banned stand on another ring, where nobody looked.
    expect(refused).toEqual({ stale: 5, privacy: 2, 'over-cap': 1 })
  })

  test('a word that only looks alike in the hash is another word', () => {
    const market = marketOf(
      Array.from({ length: 3_000 }, (_, n) => candidate(n, { region: `r${n}`, determinism: `d${n}` })),
    )
    for (const n of [3, 77, 900]) {
      expect(decideFor(market, wants({ region: `r${n}` }), plain).order).toEqual([nodeOf(n)])
      expect(decideFor(market, wants({ determinism: `d${n}` }), plain).order).toEqual([nodeOf(n)])
    }
  })

  test('what only a policy asks is named before what the customer asked and nobody came to', () => {
    const market = marketOf([candidate(0, { stage: 'new' }), candidate(1, { stage: 'banned' })])
    expect(decideFor(market, wants(), plain, known('trusted')).refusal?.code).toBe('unproven')
    market.set(candidate(2, { stage: 'new', msats: 9 }))
    market.set(candidate(3, { stage: 'proven', msats: 9 }))
    expect(decideFor(market, wants({ capMsats: 5 }), plain, known('trusted')).refusal?.code).toBe('over-cap')
  })

  test('the limits themselves are kept', () => {
    const market = marketOf([candidate(0, { score: 0.57, msats: 2_000, firstMs: 500, inflight: 3 })])
    const edge = { minScore: 57, capMsats: 2_000, deadlineMs: 500 }
    expect(decideFor(market, wants(edge), plain).order).toEqual([nodeOf(0)])
    market.set(candidate(1, { score: 0.569 }))
    expect(decideFor(market, wants(edge), plain).order).toEqual([nodeOf(0)])
    market.remove(nodeOf(1))
    for (const over of [{ minScore: 58 }, { capMsats: 1_999 }, { deadlineMs: 499 }])
      expect(decideFor(market, wants({ ...edge, ...over }), plain).order).toEqual([])
  })
})

describe('lanes', () => {
  const newcomers = many(5, { stage: 'probation', cohort: true, score: 0.01 }, 100)

  test('proven nodes alone, when there are some and the dice do not explore', () => {
    const { lane, sample } = decideFor(marketOf([...many(3), ...newcomers]), wants(), plain)
    expect(lane).toBe('proven')
    expect(sample.map(one => one.node).sort()).toEqual([0, 1, 2].map(nodeOf).sort())
  })

  test('a newcomer first where the dice explore, proven nodes as fail-over', () => {
    const { lane, order, sample } = decideFor(marketOf([...many(100), ...newcomers]), wants(), exploring)
    expect(lane).toBe('exploration')
    expect(newcomers.map(one => one.node)).toContain(order[0])
    expect(order).toHaveLength(6)
    for (const node of order.slice(1)) expect(many(100).map(one => one.node)).toContain(node)
    expect(sample[0]?.node).toBe(order[0])
    expect(sample).toHaveLength(defaultParams.ring)
  })

  test('as often as the parameters say, and never on a request that wants none', () => {
    const market = marketOf([...many(3), ...newcomers])
    let explored = 0
    for (let n = 0; n < 5_000; n++) {
      if (decideFor(market, wants(), n).lane === 'exploration') explored++
      if (n < 400) expect(decideFor(market, wants({ explore: false }), n).lane).toBe('proven')
    }
    expect(Math.abs(explored - 100)).toBeLessThan(35)
  })

  test('no newcomer that keeps a condition from being kept, is dear, or was not admitted', () => {
    for (const rest of [{ inflight: 4 }, { msats: 2_001 }, { cohort: false }, { status: 'unknown' }] as const)
      expect(
        decideFor(marketOf([...many(3), ...newcomers.map(one => ({ ...one, ...rest }))]), wants(), exploring).lane,
      ).toBe('proven')
    expect(decideFor(marketOf([...many(3), ...newcomers]), wants({ allow: [0, 1].map(nodeOf) }), exploring).lane).toBe(
      'proven',
    )
    expect(
      decideFor(marketOf([...many(3), ...newcomers.map(one => ({ ...one, msats: 2_000 }))]), wants(), exploring).lane,
    ).toBe('exploration')
  })

  test('from the first minute: nobody is proven, so everybody who passes', () => {
    const { lane, order } = decideFor(marketOf([candidate(0, { stage: 'new' })]), wants({ explore: false }), plain)
    expect([lane, order]).toEqual(['bootstrap', [nodeOf(0)]])
  })

  test('a cohort that can fill a draw keeps the jobs to itself, a smaller one shares them', () => {
    const crowd = many(200, { stage: 'new' }, 1_000)
    const nodes = (cohort: number) =>
      decideFor(marketOf([...crowd, ...newcomers.slice(0, cohort)]), wants(), plain).sample.map(one => one.node)
    expect(nodes(4).sort()).toEqual(
      newcomers
        .slice(0, 4)
        .map(one => one.node)
        .sort(),
    )
    expect(nodes(3)).toHaveLength(defaultParams.ring)
    for (const one of newcomers.slice(0, 3)) expect(nodes(3)).toContain(one.node)
  })

  test('newcomers step in when no proven node is there for anybody, not when the customer asks too much', () => {
    const lane = (proven: Partial<Candidate>, asked: Partial<Wants> = {}) => {
      const decision = decideFor(marketOf([...many(3, proven), ...newcomers]), wants(asked), plain)
      return decision.refusal?.code ?? decision.lane
    }
    expect(lane({ inflight: 4 })).toBe('bootstrap')
    expect(lane({ status: 'unknown' })).toBe('bootstrap')
    expect(lane({ inflight: 4 }, { explore: false })).toBe('full')
    expect(lane({ msats: 5_000 }, { capMsats: 2_000 })).toBe('over-cap')
    expect(lane({ score: 0.2 }, { minScore: 30 })).toBe('min-score')
  })

  test('named nodes are looked up, whoever they are and wherever they stand', () => {
    const market = marketOf([...many(2_000), candidate(5_000, { stage: 'new' }), candidate(5_001, { stage: 'banned' })])
    const allow = [5_000, 5_001, 9_999].map(nodeOf)
    const decision = decideFor(market, wants({ allow: [...allow, ...allow] }), plain)
    expect(decision).toMatchObject({
      lane: 'bootstrap',
      order: [nodeOf(5_000)],
      walked: 2,
      cut: false,
      refused: { banned: 1 },
    })
    expect(decideFor(market, wants({ allow: [1, 5_000].map(nodeOf) }), plain).lane).toBe('proven')
  })
})

describe('the walk', () => {
  test('takes the first of the ring who pass, from the point of the dice', () => {
    const market = marketOf(many(1_000))
    for (let n = 0; n < 50; n++) {
      const { start, sample, walked, cut } = decideFor(market, wants({ explore: false }), n)
      const nodes = many(1_000)
        .map(one => one.node)
        .sort()
      const first = nodes.findIndex(node => Number.parseInt(node.slice(0, 13), 16) / 2 ** 52 >= start)
      const ring = [...nodes.slice(first), ...nodes.slice(0, first)].slice(0, defaultParams.ring)
      expect(sample.map(one => one.node)).toEqual(ring)
      expect([walked, cut]).toEqual([defaultParams.ring, false])
    }
  })

  test('ends early where nobody passes, and says so', () => {
    const crowd = mostWalked + 500
    const market = openMarket()
    for (let n = 0; n < crowd; n++)
      market.set({ ...candidate(0), node: n.toString(16).padStart(13, '0').padEnd(64, '0') })
    const asked = wants({ capMsats: 999 })
    expect(decideFor(market, asked, plain)).toMatchObject({
      refusal: {
        code: 'over-cap',
        says: 'the cheapest of 32,768 asks 1,000 msats, your cap is 999 (among 32,768 that were looked at)',
      },
      refused: { 'over-cap': mostWalked, unseen: 500 },
      walked: mostWalked,
      cut: true,
    })
    // Looking closely costs more, so fewer are looked at.
    const denied = Array.from({ length: crowd }, (_, n) => n.toString(16).padStart(13, '0').padEnd(64, '0'))
    const close = decideFor(market, wants({ deny: denied }), plain)
    expect(close.cut).toBe(true)
    expect(close.walked).toBeLessThan(mostWalked / 8)
    expect(close.refusal?.code).toBe('denied')
  })

  test('finds the one in thousands who passes', () => {
    const market = marketOf([...many(20_000), candidate(30_000, { region: 'eu' })])
    for (let n = 0; n < 20; n++)
      expect(decideFor(market, wants({ region: 'eu', explore: false }), n)).toMatchObject({
        order: [nodeOf(30_000)],
        cut: false,
      })
  })

  test('the numbers of one decision, for good', () => {
    const market = marketOf(
      many(300).map((one, n) => ({ ...one, msats: 500 + n, score: ((n * 7) % 100) / 100, inflight: n % 4 })),
    )
    const { order, ...rest } = decide(market, wants(), known('default'), openDice(seed, requestOf(7)), defaultParams)
    expect([rest.lane, rest.start, rest.median, rest.sample.length]).toMatchInlineSnapshot(`
      [
        "proven",
        0.1439157273388536,
        649,
        64,
      ]
    `)
    expect(order.map(node => node.slice(0, 8))).toMatchInlineSnapshot(`
      [
        "47a36f87",
        "54b9f788",
        "4c44c67b",
        "3a693eea",
        "42087503",
        "5e1af429",
      ]
    `)
  })
})
