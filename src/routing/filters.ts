/**
 * Who may be chosen at all: one condition each, first what nobody can help, last what the customer could change, so that
 * the last one that somebody fell to is the one worth naming.
 * @module
 */
import type { Candidate, Filter, RefusalCode } from './policy.ts'

const nodes = (count: number): string => (count === 1 ? 'the only node' : `all ${thousands(count)} nodes`)

/** A whole number as people read it: 4,000. */
export const thousands = (value: number): string => {
  const [whole = '', part] = String(value).split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part === undefined ? '' : `.${part}`)
}

/** A condition that holds or not, whatever is wanted. */
const always = (code: RefusalCode, passes: (one: Candidate) => boolean, says: (count: number) => string): Filter => ({
  code,
  open: () => passes,
  says,
})

/** Nobody who is not proven. No customer asks for it: policies do. */
export const unproven: Filter = always(
  'unproven',
  one => one.stage === 'proven',
  count => `none of ${thousands(count)} is proven yet; other policies take newcomers`,
)

/** The conditions of every decision, in order. */
export const filters: readonly Filter[] = [
  always(
    'banned',
    one => one.stage !== 'banned',
    count => `a fault is proven against ${nodes(count)}`,
  ),
  always(
    'ejected',
    one => one.stage !== 'ejected',
    count => `${nodes(count)} did not answer of late; try again in a minute`,
  ),
  always(
    'stale',
    one => one.status === 'alive',
    count => `${nodes(count)} let the lease run out; try again when one is back`,
  ),
  always(
    'over-credit',
    one => one.overCredit !== true,
    count => `${nodes(count)} went over the credit given`,
  ),
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
    open: ({ privacy }) => (privacy > 0 ? one => one.privacy.includes(privacy) : undefined),
    says: (count, _, { privacy }) => `none of ${thousands(count)} keeps privacy level ${privacy}`,
  },
  {
    code: 'region',
    open: ({ region }) => (region === undefined ? undefined : one => one.region === region),
    says: (count, _, { region }) => `none of ${thousands(count)} is in ${region}`,
  },
  {
    code: 'determinism',
    open: ({ determinism }) => (determinism === undefined ? undefined : one => one.determinism === determinism),
    says: (count, _, { determinism }) => `none of ${thousands(count)} answers in class ${determinism}`,
  },
  {
    code: 'terms',
    open({ terms }) {
      if (terms === undefined) return undefined
      return one => (one.terms.length === 0 ? terms === 'before' : one.terms.includes(terms))
    },
    says: (count, _, { terms }) => `none of ${thousands(count)} takes its money "${terms}"`,
  },
  {
    code: 'deadline',
    open({ deadlineMs }) {
      return deadlineMs === undefined ? undefined : one => one.firstMs === undefined || one.firstMs <= deadlineMs
    },
    distance: one => one.firstMs ?? 0,
    says: (count, least, { deadlineMs = 0 }) =>
      `the quickest of ${thousands(count)} takes ${thousands(least)} ms to the first word, your deadline is ${thousands(deadlineMs)} ms`,
  },
  {
    code: 'min-score',
    open: ({ minScore = 0 }) => (minScore > 0 ? one => one.score * 100 >= minScore : undefined),
    distance: one => 100 - one.score * 100,
    says: (count, least, { minScore = 0 }) =>
      `the best of ${thousands(count)} has score ${(100 - least).toFixed(1)}, you want ${minScore}`,
  },
  {
    code: 'over-cap',
    open: ({ capMsats }) => (capMsats === Number.POSITIVE_INFINITY ? undefined : one => one.msats <= capMsats),
    distance: one => one.msats,
    says: (count, least, { capMsats }) =>
      `the cheapest of ${thousands(count)} asks ${thousands(least)} msats, your cap is ${thousands(capMsats)}`,
  },
  {
    code: 'quote-expired',
    open: ({ at }) => (at === undefined ? undefined : ({ quote }) => quote === undefined || quote.expiresAt > at),
    says: count => `the quote of ${nodes(count)} has run out; ask for quotes again`,
  },
  always(
    'full',
    one => one.inflight < one.slots,
    count => `${nodes(count)} that would do ${count === 1 ? 'has' : 'have'} no free slot; try again in a moment`,
  ),
]
