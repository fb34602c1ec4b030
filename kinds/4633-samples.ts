/**
 * Samples of kind 4633.
 * @module
 */
import type { Acknowledgement } from './4633-acknowledgement.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const hash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const preimage = '0'.repeat(64)

export const good: readonly GoodSample<Acknowledgement>[] = [
  { says: 'It was free and came.', value: { job, node, verdict: 'ok', msats: 0n, payments: [] } },
  {
    says: 'It was paid and never came.',
    value: { job, node, verdict: 'failed', code: 'timeout', msats: 21_000n, payments: [{ hash, preimage }] },
  },
  {
    says: 'It came, and was measured.',
    value: {
      job,
      node,
      receipt: hash,
      verdict: 'ok',
      firstMs: 210,
      ms: 1_020,
      outputTokens: 4,
      msats: 21_000n,
      payments: [{ hash }],
      routing: job,
    },
  },
]

const tags = [
  ['e', job],
  ['p', node],
  ['verdict', 'ok'],
  ['amount', '0'],
]

export const dialects: readonly Dialect<Acknowledgement>[] = [
  {
    says: 'Only the first token was measured; an empty code and an empty preimage say nothing.',
    tags: [
      ['e', job, 'wss://a.example', 'job'],
      ['p', node],
      ['verdict', 'dispute', ''],
      ['ms', '210'],
      ['amount', '5'],
      ['payment', hash, ''],
    ],
    content: 'It was rubbish.',
    value: { job, node, verdict: 'dispute', firstMs: 210, msats: 5n, payments: [{ hash }] },
  },
]

const spoil = spoiled(tags)

export const bad: readonly BadSample[] = [
  spoil('e', 'No job.', { drop: 'e' }),
  spoil('p', 'Nobody is acknowledged.', { drop: 'p' }),
  spoil('receipt', 'Two receipts.', {
    add: [
      ['e', hash, '', 'receipt'],
      ['e', node, '', 'receipt'],
    ],
  }),
  spoil('verdict', 'Stars.', { drop: 'verdict', add: [['verdict', '5/5']] }),
  spoil('verdict', 'Both.', { add: [['verdict', 'failed']] }),
  spoil('ms', 'Nothing was measured, and it is said.', { add: [['ms', '', '']] }),
  spoil('tokens', 'Minus one token.', { add: [['tokens', '-1']] }),
  spoil('amount', 'Nothing about money.', { drop: 'amount' }),
  spoil('payment', 'Half a preimage.', { add: [['payment', hash, '00']] }),
  spoil('routing', 'Not an id.', { add: [['routing', '']] }),
  spoil('twice', 'One payment counted twice.', {
    add: [
      ['payment', hash],
      ['payment', hash, preimage],
    ],
  }),
]
