/**
 * Samples of kind 1985.
 * @module
 */
import type { Attestation } from './1985-attestation.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'
import { spoiled } from './spoiled.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const node = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const hash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const digest = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
const at = 1_800_000_000

export const good: readonly GoodSample<Attestation>[] = [
  {
    says: 'The first entry: a forged receipt.',
    value: {
      topic: 'payment',
      label: 'forged',
      node,
      job,
      evidence: [hash],
      kind: 5050,
      model: '',
      checks: [],
      failed: ['preimage', 'zapper-not-announced'],
      commit: digest,
      seq: 0,
      prev: '',
      at,
      says: 'The preimage does not open the invoice.',
    },
  },
  {
    says: 'An audit that a beacon drew.',
    value: {
      topic: 'audit',
      label: 'passed',
      node,
      job,
      evidence: [digest],
      kind: 5050,
      model: 'nano',
      checks: ['answer'],
      failed: [],
      seed: hash,
      seq: 3,
      prev: digest,
      at,
      says: '',
    },
  },
  {
    says: 'Settled, with all that was measured.',
    value: {
      topic: 'payment',
      label: 'settled',
      node,
      job,
      evidence: [hash, digest],
      customer: digest,
      kind: 5050,
      model: 'nano',
      checks: ['receipt-signature', 'preimage'],
      failed: [],
      msats: 21_000n,
      hash,
      firstMs: 180,
      ms: 950,
      outputTokens: 4,
      weight: 0.031_25,
      code: 'zap',
      routing: digest,
      commit: digest,
      seq: 4,
      prev: job,
      at,
      says: '',
    },
  },
]

const tags = [
  ['L', 'gridstr.outcome'],
  ['l', 'served', 'gridstr.outcome'],
  ['p', node],
  ['e', job, '', 'job'],
  ['k', '5050'],
  ['seq', '0'],
  ['at', String(at)],
]

export const dialects: readonly Dialect<Attestation>[] = [
  {
    says: 'A label of another namespace beside it, and a long reason, which is cut.',
    tags: [...tags, ['l', 'en', 'ISO-639-1']],
    content: 'so '.repeat(400),
    value: {
      topic: 'outcome',
      label: 'served',
      node,
      job,
      evidence: [],
      kind: 5050,
      model: '',
      checks: [],
      failed: [],
      seq: 0,
      prev: '',
      at,
      says: 'so '.repeat(400).slice(0, 1_024),
    },
  },
]

const spoil = spoiled(tags)
const ids = Array.from({ length: 17 }, (_, index) => ['e', index.toString(16).padStart(64, '0')])

export const bad: readonly BadSample[] = [
  spoil('namespace', 'The label of somebody else.', { drop: 'L', add: [['L', 'com.example.moderation']] }),
  spoil('namespace', 'No namespace (`ugc` is implied).', { drop: 'L' }),
  spoil('namespace', 'Two of ours.', { add: [['L', 'gridstr.audit']] }),
  spoil('l', 'No label of ours.', { drop: 'l', add: [['l', 'served', 'ugc']] }),
  spoil('l', 'Two labels.', { add: [['l', 'failed', 'gridstr.outcome']] }),
  spoil('label', 'A word that is none.', { drop: 'l', add: [['l', 'excellent', 'gridstr.outcome']] }),
  spoil('label', 'A word of another namespace.', { drop: 'l', add: [['l', 'passed', 'gridstr.audit']] }),
  spoil('p', 'Nobody is labelled.', { drop: 'p' }),
  spoil('e', 'No job.', { drop: 'e' }),
  spoil('e', 'The job is not marked.', { drop: 'e', add: [['e', job]] }),
  spoil('evidence', 'Evidence that is no id.', { add: [['e', 'the receipt']] }),
  spoil('evidence', 'Evidence twice.', {
    add: [
      ['e', hash],
      ['e', hash],
    ],
  }),
  spoil('evidence', 'Seventeen events.', { add: ids }),
  spoil('customer', 'Not a key.', { add: [['customer', 'alice']] }),
  spoil('k', 'No kind.', { drop: 'k' }),
  spoil('model', 'Two models.', {
    add: [
      ['model', 'a'],
      ['model', 'b'],
    ],
  }),
  spoil('checks', 'A check in a sentence.', { add: [['checks', 'the preimage was right']] }),
  spoil('failed', 'A nameless check.', { add: [['failed', '']] }),
  spoil('amount', 'Negative money.', { add: [['amount', '-1']] }),
  spoil('payment_hash', 'Half a hash.', { add: [['payment_hash', '00']] }),
  spoil('ms', 'Time in words.', { add: [['ms', 'quick']] }),
  spoil('tokens', 'Half a token.', { add: [['tokens', '0.5']] }),
  spoil('weight', 'More than everything.', { add: [['weight', '1.000001']] }),
  spoil('weight', 'Seven decimals.', { add: [['weight', '0.1234567']] }),
  spoil('code', 'An empty code.', { add: [['code', '']] }),
  spoil('routing', 'Not an id.', { add: [['routing', 'r']] }),
  spoil('seed', 'Not a seed.', { add: [['seed', 'dice']] }),
  spoil('commit', 'Not a digest.', { add: [['commit', 'later']] }),
  spoil('seq', 'No place.', { drop: 'seq' }),
  spoil('prev', 'Not an id.', { add: [['prev', '']] }),
  spoil('chain', 'The second of a chain that begins with it.', { drop: 'seq', add: [['seq', '1']] }),
  spoil('chain', 'Something before the first.', { add: [['prev', hash]] }),
  spoil('at', 'No time.', { drop: 'at' }),
]
