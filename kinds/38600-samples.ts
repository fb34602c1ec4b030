/**
 * Samples of kind 38600.
 * @module
 */
import type { Benchmark } from './38600-benchmark.ts'
import type { Tag } from './fields.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

export const good: readonly GoodSample<Benchmark>[] = [
  {
    says: 'The least there is to say.',
    value: {
      ...{ node, kind: 5050, model: 'nano', profile: 'chat-64', firstMs: 40, tokensPerSecond: 120 },
      ...{ samples: 1, at: 1_800_000_000 },
    },
  },
  {
    says: 'A week of measurements.',
    value: {
      node,
      kind: 5050,
      model: 'qwen2.5-0.5b-q4',
      profile: 'chat-256',
      firstMs: 212.5,
      p95FirstMs: 480,
      tokensPerSecond: 31.25,
      samples: 64,
      at: 1_800_000_000,
      hardware: '8 cores, no GPU',
      expiresAt: 1_800_604_800,
    },
  },
]

const tags: readonly Tag[] = [
  ['d', `${node}:5050:nano`],
  ['p', node],
  ['k', '5050'],
  ['model', 'nano'],
  ['profile', 'chat-64'],
  ['first-ms', '40'],
  ['tokens-per-second', '120'],
  ['samples', '8'],
  ['at', '1800000000'],
]
const without = (name: string): Tag[] => tags.filter(tag => tag[0] !== name)
const instead = (...tag: string[]): Tag[] => [...without(tag[0] ?? ''), tag]

export const dialects: readonly Dialect<Benchmark>[] = [
  {
    says: 'A p95 in words is left out.',
    tags: [...tags, ['p95-first-ms', 'fast']],
    value: {
      ...{ node, kind: 5050, model: 'nano', profile: 'chat-64', firstMs: 40, tokensPerSecond: 120 },
      ...{ samples: 8, at: 1_800_000_000 },
    },
  },
]

const long = 'm'.repeat(190)

export const bad: readonly BadSample[] = [
  { breaks: 'd', says: 'No name.', tags: without('d') },
  { breaks: 'p', says: 'Nobody.', tags: without('p') },
  { breaks: 'k', says: 'A kind in words.', tags: instead('k', 'text') },
  { breaks: 'model', says: 'Two models.', tags: [...tags, ['model', 'other']] },
  { breaks: 'profile', says: 'Nobody knows what was run.', tags: without('profile') },
  { breaks: 'first-ms', says: 'An answer before the question.', tags: instead('first-ms', '-1') },
  { breaks: 'tokens-per-second', says: 'No number.', tags: instead('tokens-per-second', 'Infinity') },
  { breaks: 'samples', says: 'Measured never.', tags: instead('samples', '0') },
  { breaks: 'at', says: 'A date in words.', tags: instead('at', 'yesterday') },
  { breaks: 'expiration', says: 'A date in words.', tags: [...tags, ['expiration', 'never']] },
  { breaks: 'market', says: 'Filed under another model.', tags: instead('d', `${node}:5050:other`) },
  {
    breaks: 'market',
    says: 'More than 255 bytes in fewer characters.',
    tags: [
      ...tags.filter(tag => tag[0] !== 'd' && tag[0] !== 'model'),
      ['d', `${node}:5050:${'é'.repeat(100)}`],
      ['model', 'é'.repeat(100)],
    ],
  },
  { breaks: 'd', says: 'Too long.', tags: [...without('d'), ['d', `${node}:5050:${long}`]] },
]
