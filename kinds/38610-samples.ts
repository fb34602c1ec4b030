/**
 * Samples of kind 38610.
 * @module
 */
import type { PriceSheet } from './38610-price-sheet.ts'
import type { Tag } from './fields.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const service = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const params = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const hash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'

const empty: PriceSheet = {
  id: 'gridstr',
  rows: [],
  feeMsats: 0n,
  policy: 'default',
  params,
  commit: { seq: 0, hash },
  service,
  relays: [],
  expiresAt: 1_800_000_600,
}

export const good: readonly GoodSample<PriceSheet>[] = [
  { says: 'A router in its first minute.', value: empty },
  {
    says: 'Three markets, one of them in demand.',
    value: {
      ...empty,
      rows: [
        {
          ...{ kind: 5050, model: 'nano', unit: 'job', nodes: 3, surge: 1_000 },
          ...{ lowMsats: 900n, medianMsats: 1_000n, highMsats: 1_500n, settledMsats: 950n },
        },
        {
          ...{ kind: 5001, model: '', unit: '1k-tokens', nodes: 12, surge: 1_250 },
          ...{ lowMsats: 0n, medianMsats: 20n, highMsats: 20n },
        },
        {
          ...{ kind: 5050, model: 'nano', unit: '1k-out', nodes: 2, surge: 1_000 },
          ...{ lowMsats: 80n, medianMsats: 90n, highMsats: 90n },
        },
      ],
      feeMsats: 10n,
      commit: { seq: 4_711, hash },
      relays: ['wss://relay.example'],
    },
  },
]

const tags: readonly Tag[] = [
  ['d', 'gridstr'],
  ['fee', '0'],
  ['policy', 'default'],
  ['params', params],
  ['commit', '0', hash],
  ['service', service],
  ['expiration', '1800000600'],
]
const without = (name: string): Tag[] => tags.filter(tag => tag[0] !== name)

export const dialects: readonly Dialect<PriceSheet>[] = [
  {
    says: 'Lines in unknown units, with prices out of order or without numbers are left out.',
    tags: [
      ...tags,
      ['k', '7'],
      ['price', '5050', '', 'hour', '1', '2', '3', '', '1', '1000'],
      ['price', '5050', '', 'job', '3', '2', '1', '', '1', '1000'],
      ['price', '5050', '', 'job', '1', '2', '3', 'x', '1', '1000'],
      ['price', '5050', '', 'job', '1', '2', '3', '', '1', '1000', 'later'],
    ],
    value: {
      ...empty,
      rows: [
        {
          ...{ kind: 5050, model: '', unit: 'job', nodes: 1, surge: 1_000 },
          ...{ lowMsats: 1n, medianMsats: 2n, highMsats: 3n },
        },
      ],
    },
  },
]

export const bad: readonly BadSample[] = [
  { breaks: 'd', says: 'No name.', tags: without('d') },
  { breaks: 'fee', says: 'Two fees.', tags: [...tags, ['fee', '5']] },
  { breaks: 'policy', says: 'No policy.', tags: without('policy') },
  { breaks: 'params', says: 'No digest.', tags: [...without('params'), ['params', 'default']] },
  { breaks: 'commit', says: 'A digest without a number.', tags: [...without('commit'), ['commit', hash]] },
  { breaks: 'service', says: 'No service key.', tags: without('service') },
  { breaks: 'expiration', says: 'Fresh for ever.', tags: without('expiration') },
]
