import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BillFact, creditLine } from '../src/ledger/index.ts'

const fact = (state: BillFact['state'], msats: bigint, at = 0): BillFact => ({ state, msats, at })
const history = (...facts: [BillFact['state'], bigint][]) => facts.map(([state, msats], at) => fact(state, msats, at))
const policy = { maxMsats: 1_000_000n }

describe('creditLine', () => {
  test.each<[string, BillFact[], bigint, bigint, bigint]>([
    ['a stranger pays before', [], 0n, 0n, 0n],
    ['half of what was settled', history(['paid', 1_000n]), 500n, 0n, 500n],
    ['each settled bill adds to it', history(['paid', 1_000n], ['paid', 3_001n]), 2_000n, 0n, 2_000n],
    ['what is open is taken', history(['paid', 1_000n], ['open', 200n], ['open', 100n]), 500n, 300n, 200n],
    ['more open than the line leaves nothing, not less', history(['paid', 100n], ['open', 80n]), 50n, 80n, 0n],
    ['a default halves', history(['paid', 1_000n], ['defaulted', 10n]), 250n, 0n, 250n],
    ['each default halves', history(['paid', 1_000n], ['defaulted', 10n], ['defaulted', 1n]), 125n, 0n, 125n],
    ['a default of one who has nothing', history(['defaulted', 10n]), 0n, 0n, 0n],
    ['what was void means nothing', history(['paid', 1_000n], ['void', 900n]), 500n, 0n, 500n],
    ['never over the most', history(['paid', 9_000_000n], ['open', 1n]), 1_000_000n, 1n, 999_999n],
    ['a default counts from the most', history(['paid', 9_000_000n], ['defaulted', 1n]), 500_000n, 0n, 500_000n],
    ['one msat is no growth', history(['paid', 1n], ['paid', 1n]), 0n, 0n, 0n],
    ['bills below nothing are none', history(['paid', -5n], ['open', -5n], ['defaulted', 0n]), 0n, 0n, 0n],
    [
      'time decides, not the list',
      [fact('defaulted', 1n, 2), fact('paid', 100n, 3), fact('paid', 8n, 1)],
      52n,
      0n,
      52n,
    ],
    ['within one second money counts first', [fact('defaulted', 1n, 1), fact('paid', 100n, 1)], 25n, 0n, 25n],
  ])('%s', (_what, facts, lineMsats, openMsats, freeMsats) => {
    expect(creditLine(facts, policy)).toEqual({ lineMsats, openMsats, freeMsats })
    expect(creditLine(facts.toReversed(), policy)).toEqual({ lineMsats, openMsats, freeMsats })
  })

  test('the line halves with the time in which nothing is settled, down to the start', () => {
    const past = [...history(['paid', 1_600n], ['defaulted', 1n]), fact('paid', 0n, 90)]
    const later = (now: number, startMsats = 0n) =>
      creditLine(past, { ...policy, startMsats, idleSeconds: 100, now }).lineMsats
    expect([99, 100, 199, 200, 300, 10 ** 9].map(now => later(now))).toEqual([400n, 200n, 200n, 100n, 50n, 0n])
    expect([100, 10 ** 9].map(now => later(now, 100n))).toEqual([225n, 100n])
    expect(creditLine(past, policy).lineMsats).toBe(400n)
    expect(later(-5)).toBe(400n)
  })

  test('a bill counts at its end', () => {
    const early = { ...fact('defaulted', 10n, 1), endedAt: 9 }
    expect(creditLine([early, fact('paid', 100n, 5)], policy).lineMsats).toBe(25n)
    expect(creditLine([fact('defaulted', 10n, 1), fact('paid', 100n, 5)], policy).lineMsats).toBe(50n)
  })

  test('without a policy a thousand sats are the most', () => {
    expect(creditLine([fact('paid', 10n ** 9n)]).lineMsats).toBe(1_000_000n)
  })

  test('a start is granted, and no more than the most', () => {
    expect(creditLine([], { ...policy, startMsats: 700n })).toMatchObject({ freeMsats: 700n })
    expect(creditLine([], { startMsats: 700n, maxMsats: 300n })).toMatchObject({ freeMsats: 300n })
    expect(creditLine([], { startMsats: -1n, maxMsats: 300n })).toMatchObject({ freeMsats: 0n })
  })
})

const state = fc.constantFrom<BillFact['state'][]>('open', 'paid', 'void', 'defaulted')
const facts = fc.array(fc.record({ state, msats: fc.bigInt(0n, 10_000n), at: fc.nat(50) }), { maxLength: 20 })
const anyPolicy = fc.record({
  startMsats: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2_000n)),
  maxMsats: fc.bigInt(0n, 20_000n),
  idleSeconds: fc.integer({ min: 1, max: 60 }),
  now: fc.nat(100),
})

describe('properties of the credit line', () => {
  test('one more settled bill never lowers it, one more default never raises it: 10000 histories', {
    timeout: 60_000,
  }, () => {
    fc.assert(
      fc.property(facts, anyPolicy, fc.bigInt(1n, 10_000n), fc.nat(50), (past, grants, msats, at) => {
        const now = creditLine(past, grants)
        const richer = creditLine([...past, fact('paid', msats, at)], grants)
        const poorer = creditLine([...past, fact('defaulted', msats, at)], grants)
        expect(richer.lineMsats >= now.lineMsats && richer.freeMsats >= now.freeMsats).toBe(true)
        expect(poorer.lineMsats <= now.lineMsats && poorer.freeMsats <= now.freeMsats).toBe(true)
        expect(now.lineMsats >= 0n && now.lineMsats <= grants.maxMsats).toBe(true)
        expect(now.freeMsats >= 0n && now.freeMsats <= now.lineMsats).toBe(true)
      }),
      { numRuns: 10_000 },
    )
  })

  test('the order of a list does not matter: 10000 histories', { timeout: 60_000 }, () => {
    const shuffled = facts.chain(past =>
      fc.tuple(fc.constant(past), fc.shuffledSubarray(past, { minLength: past.length })),
    )
    fc.assert(
      fc.property(shuffled, anyPolicy, ([past, other], grants) => {
        expect(creditLine(other, grants)).toEqual(creditLine(past, grants))
      }),
      { numRuns: 10_000 },
    )
  })

  // The customer decides when to pay before, when to take on credit, what to pay of it and what never.
  const share = fc.integer({ min: 1, max: 100 })
  const move = fc.oneof(
    fc.record({ does: fc.constant('pay' as const), msats: fc.bigInt(1n, 5_000n) }),
    fc.record({ does: fc.constant('take' as const), percent: fc.oneof(fc.constant(100), share) }),
    fc.record({ does: fc.constant('settle' as const), which: fc.nat(20) }),
    fc.record({ does: fc.constant('default' as const), which: fc.nat(20) }),
  )
  const moves = fc.array(move, { minLength: 5, maxLength: 40 })
  const seen = fc.constantFrom(1_000, 1_000, 3, 10)

  test('whoever defaults has paid what it took, but for twice the start: 10000 adversaries', {
    timeout: 60_000,
  }, () => {
    let worst = 0
    fc.assert(
      fc.property(moves, anyPolicy, seen, (all, grants, window) => {
        const past: BillFact[] = []
        const total = (wanted: BillFact['state']) =>
          past.reduce((sum, { state, msats }) => (state === wanted ? sum + msats : sum), 0n)
        const end = (which: number, state: 'paid' | 'defaulted', at: number) => {
          const open = past.filter(one => one.state === 'open')
          const bill = open[which % Math.max(1, open.length)]
          if (bill) past.splice(past.indexOf(bill), 1)
          if (bill) past.push({ ...bill, state, at })
        }
        for (const [at, now] of all.entries()) {
          if (now.does === 'pay') past.push(fact('paid', now.msats, at))
          else if (now.does === 'settle') end(now.which, 'paid', at)
          else if (now.does === 'default') end(now.which, 'defaulted', at)
          else {
            // A payee without a start may forget what ended long ago, never what is open.
            const from = grants.startMsats === 0n ? past.length - window : 0
            const known = past.filter((one, i) => one.state === 'open' || i >= from)
            const msats = (creditLine(known, { ...grants, now: at }).freeMsats * BigInt(now.percent)) / 100n
            if (msats > 0n) past.push(fact('open', msats, at))
          }
          const [lost, paid] = [total('defaulted') + total('open'), total('paid')]
          expect(lost <= paid + 2n * grants.startMsats, `${lost} taken, ${paid} paid`).toBe(true)
          if (grants.startMsats === 0n && paid > 0n) worst = Math.max(worst, Number((100n * lost) / paid))
        }
      }),
      { numRuns: 10_000 },
    )
    expect(worst).toBeLessThanOrEqual(100)
  })

  test('the greediest takes nearly all that the bound allows, so the bound is no looser than it need be', () => {
    const past = [fact('paid', 1_000_000n)]
    for (let at = 1; at < 40; at++) {
      const { freeMsats } = creditLine(past, { maxMsats: 10n ** 12n })
      if (freeMsats > 0n) past.push(fact('defaulted', freeMsats, at))
    }
    const taken = past.reduce((sum, one) => (one.state === 'defaulted' ? sum + one.msats : sum), 0n)
    expect(taken).toBeGreaterThan(999_900n)
    expect(taken).toBeLessThanOrEqual(1_000_000n)
  })
})
