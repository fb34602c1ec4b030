/**
 * Samples of kind 4630.
 * @module
 */
import type { Offered } from './4630-quote.ts'
import type { Tag } from './fields.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const request = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const to = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const expiresAt = 1_800_000_030

export const good: readonly GoodSample<Offered>[] = [
  {
    says: 'An indication.',
    value: { request, to, kind: 5050, msats: 0n, firm: false, reserve: 'none', terms: [], free: 0, expiresAt },
  },
  {
    says: 'Firm, and the seat is kept.',
    value: {
      ...{ request, to, kind: 5050, model: 'nano', msats: 1_500n, firm: true, reserve: 'hard' },
      ...{ terms: ['before', 'parts'], free: 3, queueMs: 250, expiresAt },
    },
  },
]

const tags: readonly Tag[] = [
  ['e', request],
  ['p', to],
  ['k', '5050'],
  ['amount', '1500'],
  ['firm', '1'],
  ['slots', '1'],
  ['expiration', String(expiresAt)],
]
const without = (name: string): Tag[] => tags.filter(tag => tag[0] !== name)

export const dialects: readonly Dialect<Offered>[] = [
  {
    says: 'Unknown terms are left out; nothing is said of a seat or a queue that can be read.',
    tags: [...tags, ['terms', 'barter', 'after'], ['queue-ms', 'long']],
    value: {
      ...{ request, to, kind: 5050, msats: 1_500n, firm: true, reserve: 'none' },
      ...{ terms: ['after'], free: 1, expiresAt },
    },
  },
]

export const bad: readonly BadSample[] = [
  { breaks: 'e', says: 'An answer to nothing.', tags: without('e') },
  { breaks: 'p', says: 'Two askers.', tags: [...tags, ['p', request]] },
  { breaks: 'k', says: 'No kind.', tags: without('k') },
  { breaks: 'model', says: 'A model without a name.', tags: [...tags, ['model', '']] },
  { breaks: 'amount', says: 'Money with a fraction.', tags: [...without('amount'), ['amount', '1.5']] },
  { breaks: 'firm', says: 'Perhaps firm.', tags: [...without('firm'), ['firm', 'perhaps']] },
  { breaks: 'reserve', says: 'An unknown word.', tags: [...tags, ['reserve', 'maybe']] },
  { breaks: 'slots', says: 'Fewer than none.', tags: [...without('slots'), ['slots', '-1']] },
  { breaks: 'expiration', says: 'For ever.', tags: without('expiration') },
]
