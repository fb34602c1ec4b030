/**
 * Samples of kind 4632.
 * @module
 */
import type { UsageReceipt } from './4632-usage-receipt.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const hash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const digest = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'

export const good: readonly GoodSample<UsageReceipt>[] = [
  {
    says: 'The first one: a free job that failed.',
    value: {
      job,
      customer: key,
      kind: 5050,
      msats: 0n,
      promptTokens: 6,
      outputTokens: 0,
      ms: 30_000,
      payments: [],
      seq: 0,
    },
  },
  {
    says: 'A job paid in two parts.',
    value: {
      job,
      result: digest,
      customer: key,
      kind: 5050,
      model: 'nano',
      msats: 21_000n,
      promptTokens: 6,
      outputTokens: 4,
      firstMs: 180,
      ms: 950,
      payments: [
        { hash, msats: 10_500n },
        { hash: digest, msats: 10_500n },
      ],
      routing: hash,
      seq: 7,
      prev: job,
    },
  },
]

const tags = [
  ['e', job],
  ['p', key],
  ['k', '5050'],
  ['amount', '21000'],
  ['tokens', '6', '4'],
  ['ms', '', '950'],
  ['seq', '0'],
]

export const dialects: readonly Dialect<UsageReceipt>[] = [
  {
    says: 'The job without a marker, and a sentence that nobody asked for.',
    tags,
    content: 'Thank you!',
    value: {
      job,
      customer: key,
      kind: 5050,
      msats: 21_000n,
      promptTokens: 6,
      outputTokens: 4,
      ms: 950,
      payments: [],
      seq: 0,
    },
  },
]

const spoil = spoiled(tags)

export const bad: readonly BadSample[] = [
  spoil('e', 'No job.', { drop: 'e' }),
  spoil('result', 'A result that is no id.', { add: [['e', 'that one', '', 'result']] }),
  spoil('p', 'No customer.', { drop: 'p' }),
  spoil('k', 'A kind in words.', { drop: 'k', add: [['k', 'text']] }),
  spoil('model', 'Two models.', {
    add: [
      ['model', 'a'],
      ['model', 'b'],
    ],
  }),
  spoil('amount', 'Money with a point.', { drop: 'amount', add: [['amount', '21.5']] }),
  spoil('tokens', 'One number.', { drop: 'tokens', add: [['tokens', '6']] }),
  spoil('ms', 'Nobody looked at the clock.', { drop: 'ms', add: [['ms', '180', '']] }),
  spoil('payment', 'A payment of an unknown amount.', { add: [['payment', hash]] }),
  spoil('routing', 'Not an id.', { add: [['routing', 'by router']] }),
  spoil('seq', 'No place.', { drop: 'seq' }),
  spoil('prev', 'Two before it.', {
    drop: 'seq',
    add: [
      ['seq', '2'],
      ['prev', job],
      ['prev', key],
    ],
  }),
  spoil('chain', 'The eighth of a chain that begins with it.', { drop: 'seq', add: [['seq', '7']] }),
  spoil('chain', 'Something before the first.', { add: [['prev', job]] }),
  spoil('twice', 'One payment counted twice.', {
    add: [
      ['payment', hash, '1'],
      ['payment', hash, '2'],
    ],
  }),
]
