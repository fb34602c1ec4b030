/** One case of escrow under every order of facts: total, decided once, and nothing but a decision gives a preimage away. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EscrowAct, type EscrowCase, type EscrowFact, openCase, step, wakeAt } from '../src/escrow/escrow.ts'

const deadline = 1_000
const opening = { job: 'j', node: 'n', customer: 'c', hash: 'h', msats: 5n, deadline }
const now = fc.integer({ min: 0, max: 1_400 })
const result = fc.constantFrom('r1', 'r2')
const judgement = fc.record({ word: fc.constantFrom('release' as const, 'refund' as const), says: fc.constant('why') })

const facts: fc.Arbitrary<EscrowFact> = fc.oneof(
  fc.record({
    fact: fc.constant('open' as const),
    msats: fc.constantFrom(5n, 6n),
    deadline: fc.constantFrom(deadline, deadline + 1),
    now,
  }),
  fc.record({ fact: fc.constant('asked' as const), msats: fc.constantFrom(5n, 6n), now }),
  fc.record({ fact: fc.constant('claim' as const), result, now }),
  fc.record({ fact: fc.constant('customer' as const), word: fc.constantFrom('accept' as const, 'complain' as const) }),
  fc.record({ fact: fc.constant('verdict' as const), result, judgement, now }),
  fc.record({ fact: fc.constantFrom('time' as const, 'restart' as const), now }),
)

const isDecided = (one: EscrowCase) => one.state === 'released' || one.state === 'refunded'
const said = (acts: readonly EscrowAct[]) => acts.flatMap(act => (act.act === 'say' ? [`${act.to}:${act.word}`] : []))
const frozen = <T extends object>(value: T): T => Object.freeze(value)

/** Plays facts in order and gives every state with its acts. */
function play(list: readonly EscrowFact[]) {
  let [one, acts] = openCase(opening)
  const told = [{ one, acts, fact: undefined as EscrowFact | undefined }]
  for (const fact of list) {
    ;[one, acts] = step(frozen(one), frozen(fact))
    told.push({ one, acts, fact })
  }
  return told
}

describe('any facts in any order', () => {
  const runs = { numRuns: 5_000 }

  test('decide once, and never say both words', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 30 }), list => {
        const told = play(list)
        const words = told.flatMap(({ acts }) => said(acts))
        expect(words.includes('node:release') && words.includes('node:refund')).toBe(false)
        expect(words.some(word => word === 'customer:release' || word === 'customer:refund')).toBe(false)
        const first = told.findIndex(({ one }) => isDecided(one))
        for (const { one } of first < 0 ? [] : told.slice(first)) expect(one).toEqual(told[first]?.one)
      }),
      runs,
    )
  })

  test('release only by a verdict on the first result, before the deadline', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 30 }), list => {
        const told = play(list)
        const at = told.findIndex(({ one }) => one.state === 'released')
        if (at < 0) return
        const { fact } = told[at] ?? {}
        const claimed = list.find(one => one.fact === 'claim')
        expect(fact?.fact === 'verdict' && fact.judgement.word === 'release' && fact.now < deadline).toBe(true)
        expect(fact?.fact === 'verdict' && claimed?.fact === 'claim' && fact.result === claimed.result).toBe(true)
        for (const { acts } of told.slice(0, at)) expect(said(acts)).not.toContain('node:release')
      }),
      runs,
    )
  })

  test('are refunded by the deadline at the latest, and judge nothing from then on', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 30 }), list => {
        const [one] = step(play(list).at(-1)?.one ?? openCase(opening)[0], { fact: 'time', now: deadline })
        expect(isDecided(one)).toBe(true)
        expect(wakeAt(one)).toBeUndefined()
        for (const fact of list) expect(step(one, fact)[1].some(act => act.act === 'judge')).toBe(false)
      }),
      runs,
    )
  })

  test('said twice change nothing more, and hash, terms and parties never change', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 20 }), facts, (list, fact) => {
        const before = play(list).at(-1)?.one ?? openCase(opening)[0]
        const [once] = step(before, fact)
        const [twice] = step(once, fact)
        expect(twice).toEqual(once)
        expect(twice).toMatchObject(opening)
      }),
      runs,
    )
  })

  test('the first result and the first word of the customer count', () => {
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 20 }), list => {
        const states = play(list).map(({ one }) => one)
        for (const key of ['result', 'said', 'claimedAt'] as const) {
          const values = new Set(states.map(one => one[key]).filter(value => value !== undefined))
          expect(values.size).toBeLessThanOrEqual(1)
        }
        for (const { one, acts } of play(list))
          for (const act of acts) if (act.act === 'judge') expect(act.result).toBe(one.result)
      }),
      runs,
    )
  })
})

test('a customer is told to pay nothing for a decided case', () => {
  const [one] = step(openCase(opening)[0], { fact: 'time', now: deadline })
  expect(said(step(one, { fact: 'asked', msats: 5n, now: 1 })[1])).toEqual(['customer:refused'])
  expect(said(step(openCase(opening)[0], { fact: 'asked', msats: 5n, now: deadline })[1])).toEqual([
    'node:refund',
    'customer:refused',
  ])
})
