/**
 * Samples of kind 30382.
 * @module
 */
import type { NodeScore } from './30382-node-score.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const hash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'

export const good: readonly GoodSample<NodeScore>[] = [
  { says: 'Nothing is known yet.', value: { node, rank: 0, markets: [] } },
  {
    says: 'Two markets.',
    value: {
      node,
      rank: 53,
      markets: [
        {
          kind: 5050,
          model: 'nano',
          rank: 52.734_1,
          factors: { R: 0.9, V: 1, Q: 0.812_345, T: 0.7, K: 1.1, L: 0.95 },
          stage: 'proven',
          jobs: 41.25,
        },
        {
          kind: 5050,
          model: '',
          rank: 0,
          factors: { R: 0.097_631, V: 0, Q: 0.8, T: 0.2, K: 1, L: 1 },
          stage: 'banned',
          jobs: 0,
        },
      ],
      params: hash,
      log: { router: node, seq: 12, id: hash },
    },
  },
]

export const dialects: readonly Dialect<NodeScore>[] = [
  {
    says: 'Another service of NIP-85: a rank and counters of its own.',
    tags: [
      ['d', node],
      ['rank', '89'],
      ['followers', '1024'],
      ['zap_amt_recd', '21'],
    ],
    value: { node, rank: 89, markets: [] },
  },
  {
    says: 'A rank with decimals, and a score in words.',
    tags: [
      ['d', node],
      ['rank', '89.6'],
      ['score', 'excellent'],
      ['score', '5050', 'nano', '50', '1', '1', '1', '1', '1', '1.0000001', 'proven', '3'],
      ['log', node],
      ['params', 'v3'],
    ],
    value: { node, rank: 90, markets: [] },
  },
]

const spoil = spoiled([
  ['d', node],
  ['rank', '89'],
])

export const bad: readonly BadSample[] = [
  spoil('d', 'Nobody is ranked.', { drop: 'd' }),
  spoil('d', 'A name.', { drop: 'd', add: [['d', 'alice']] }),
  spoil('rank', 'No rank.', { drop: 'rank' }),
  spoil('rank', 'More than the best.', { drop: 'rank', add: [['rank', '101']] }),
  spoil('rank', 'Two ranks.', { add: [['rank', '12']] }),
]
