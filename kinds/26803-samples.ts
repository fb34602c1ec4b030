/**
 * Samples of kind 26803.
 * @module
 */
import type { QuoteRequest } from './26803-request-for-quotes.ts'
import type { Tag } from './fields.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const router = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const node = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const other = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'

const open: QuoteRequest = {
  ...{ kind: 5050, privacy: 0, allow: [], deny: [], auctionMs: 500, to: [], hops: 0, relays: [] },
  expiresAt: 1_800_000_030,
}

export const good: readonly GoodSample<QuoteRequest>[] = [
  { says: 'Anybody, anything.', value: open },
  {
    says: 'Every condition there is, passed on once.',
    value: {
      kind: 5050,
      model: 'nano',
      capMsats: 2_000n,
      privacy: 1,
      allow: [node],
      deny: [other],
      region: 'eu',
      determinism: 'bitwise',
      minScore: 40,
      explore: true,
      terms: { word: 'parts', parts: 4 },
      maxTokens: 64,
      deadlineMs: 20_000,
      auctionMs: 1_500,
      to: [router],
      hops: 2,
      origin: other,
      relays: ['wss://relay.example'],
      expiresAt: 1_800_000_030,
    },
  },
]

const tags: readonly Tag[] = [
  ['k', '5050'],
  ['expiration', '1800000030'],
]
const and = (...tag: string[]): Tag[] => [...tags, tag]

export const dialects: readonly Dialect<QuoteRequest>[] = [
  {
    says: 'Terms that nobody knows are no wish; what is unsaid has a default.',
    tags: and('terms', 'barter'),
    value: open,
  },
]

export const bad: readonly BadSample[] = [
  { breaks: 'explore', says: 'Perhaps.', tags: and('explore', 'perhaps') },
  { breaks: 'p', says: 'Somebody by name.', tags: and('p', 'alice') },
  { breaks: 'k', says: 'No kind.', tags: [['expiration', '1800000030']] },
  { breaks: 'model', says: 'Two models.', tags: [...tags, ['model', 'a'], ['model', 'b']] },
  { breaks: 'bid', says: 'Money in words.', tags: and('bid', 'little') },
  { breaks: 'privacy', says: 'More private than there is.', tags: and('privacy', '4') },
  { breaks: 'allow', says: 'Nobody is allowed.', tags: and('allow') },
  { breaks: 'deny', says: 'One of the denied cannot be read.', tags: and('deny', node, 'mallory') },
  { breaks: 'deny', says: 'More than 64.', tags: and('deny', ...Array.from({ length: 65 }, () => node)) },
  { breaks: 'region', says: 'A long story.', tags: and('region', 'x'.repeat(65)) },
  { breaks: 'determinism', says: 'Two classes.', tags: [...tags, ['determinism', 'a'], ['determinism', 'b']] },
  { breaks: 'min-score', says: 'Better than the best.', tags: and('min-score', '101') },
  { breaks: 'tokens', says: 'No answer at all.', tags: and('tokens', '0') },
  { breaks: 'deadline-ms', says: 'A fraction.', tags: and('deadline-ms', '1.5') },
  { breaks: 'auction-ms', says: 'Too short for any relay.', tags: and('auction-ms', '99') },
  { breaks: 'hops', says: 'Passed on for ever.', tags: and('hops', '4') },
  { breaks: 'origin', says: 'No id.', tags: and('origin', 'me') },
  { breaks: 'expiration', says: 'Asked for ever.', tags: [['k', '5050']] },
]
