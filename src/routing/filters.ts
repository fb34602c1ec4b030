/**
 * Who may be chosen at all: one condition each. First what nobody can help, last what the customer could change: the last
 * one that somebody fell to is the one worth naming.
 * @module
 */
import type { Candidate, Filter, RefusalCode } from './policy.ts'
import { type Bits, mustBe } from './traits.ts'

const nodes = (count: number): string => (count === 1 ? 'the only node' : `all ${thousands(count)} nodes`)

/** A whole number as people read it: 4,000. */
export const thousands = (value: number): string => {
  const [whole = '', part] = String(value).split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part === undefined ? '' : `.${part}`)
}

/** A condition that one bit answers, whatever is wanted. */
const always = (code: RefusalCode, bits: Bits, says: (count: number) => string): Filter => ({
  code,
  bits,
  says,
})

/** A condition on one word that is wanted or not. */
const named = (
  code: 'region' | 'determinism',
  bits: (word: string) => Bits,
  says: (count: number, word: string) => string,
): Filter => ({
  code,
  screen: wants => (wants[code] === undefined ? undefined : bits(wants[code])),
  open({ [code]: word }) {
    return word === undefined ? undefined : (one: Candidate) => one[code] === word
  },
  says: (count, _, wants) => says(count, wants[code] ?? ''),
})

/** Nobody who is not proven. No customer asks for it: policies do. */
export const unproven: Filter = always(
  'unproven',
  mustBe.proven,
  count => `none of ${thousands(count)} is proven yet; other policies take newcomers`,
)

/** The conditions of every decision, in order. */
export const filters: readonly Filter[] = [
  always('banned', mustBe.unbanned, count => `a fault is proven against ${nodes(count)}`),
  always('ejected', mustBe.answering, count => `${nodes(count)} did not answer of late; try again in a minute`),
  always('stale', mustBe.alive, count => `${nodes(count)} let the lease run out; try again when one is back`),
  always('over-credit', mustBe.withinCredit, count => `${nodes(count)} went over the credit given`),
  {
    code: 'denied',
    open({ deny }) {
      if (deny.length === 0) return undefined
      const denied = new Set(deny)
      return one => !denied.has(one.node)
    },
    says: count => `you deny ${nodes(count)}`,
  },
  {
    code: 'privacy',
    screen: ({ privacy }) => (privacy > 0 ? mustBe.keeping(privacy) : undefined),
    says: (count, _, { privacy }) => `none of ${thousands(count)} keeps privacy level ${privacy}`,
  },
  named('region', mustBe.in, (count, word) => `none of ${thousands(count)} is in ${word}`),
  named('determinism', mustBe.of, (count, word) => `none of ${thousands(count)} answers in class ${word}`),
  {
    code: 'terms',
    screen: ({ terms }) => (terms === undefined ? undefined : mustBe.paid(terms)),
    says: (count, _, { terms }) => `none of ${thousands(count)} takes its money "${terms}"`,
  },
  {
    code: 'deadline',
    open({ deadlineMs }) {
      return deadlineMs === undefined ? undefined : one => one.firstMs === undefined || one.firstMs <= deadlineMs
    },
    distance: one => one.firstMs ?? 0,
    says: (count, least, { deadlineMs = 0 }) =>
      `the quickest of ${thousands(count)} takes ${thousands(Math.round(least))} ms to the first word, your deadline is ${thousands(deadlineMs)} ms`,
  },
  {
    code: 'min-score',
    leastScore: ({ minScore }) => (minScore === undefined ? undefined : minScore / 100),
    says: (count, least, { minScore = 0 }) =>
      `the best of ${thousands(count)} has score ${(-least * 100).toFixed(1)}, you want ${minScore}`,
  },
  {
    code: 'over-cap',
    mostMsats: ({ capMsats }) => capMsats,
    says: (count, least, { capMsats }) =>
      `the cheapest of ${thousands(count)} asks ${thousands(least)} msats, your cap is ${thousands(capMsats)}`,
  },
  {
    code: 'quote-expired',
    open: ({ at }) => (at === undefined ? undefined : ({ quote }) => quote === undefined || quote.expiresAt > at),
    says: count => `the quote of ${nodes(count)} has run out; ask for quotes again`,
  },
  {
    code: 'full',
    open: () => one => one.inflight < one.slots,
    says: count => `${nodes(count)} that would do ${count === 1 ? 'has' : 'have'} no free slot; try again in a moment`,
  },
]
