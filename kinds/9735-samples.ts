/**
 * Samples of kind 9735.
 * @module
 */
import type { ZapReceipt } from './9735-zap-receipt.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const payer = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const bolt11 = 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs'
const zapRequest = {
  id: 'e5d361a724caaa94af693d2892d6a30237d7281039085a2c9fdec711f8dfd498',
  pubkey: payer,
  created_at: 1_800_000_000,
  kind: 9734,
  tags: [
    ['p', key],
    ['e', job],
    ['amount', '21000'],
  ],
  content: '',
  sig: 'c'.repeat(128),
}
const description = JSON.stringify(zapRequest)

export const good: readonly GoodSample<ZapReceipt>[] = [
  {
    says: 'With everything.',
    value: { recipient: key, event: job, sender: payer, bolt11, description, preimage: job, zapRequest },
  },
  { says: 'The least.', value: { recipient: key, bolt11, description, zapRequest } },
]

export const dialects: readonly Dialect<ZapReceipt>[] = [
  {
    says: 'ZBD: the comment again in the content.',
    tags: [
      ['p', key],
      ['bolt11', bolt11],
      ['description', description],
    ],
    content: 'Onward',
    value: { recipient: key, bolt11, description, zapRequest },
  },
]

export const bad: readonly BadSample[] = [
  {
    breaks: 'p',
    says: 'Nobody was paid.',
    tags: [
      ['bolt11', bolt11],
      ['description', description],
    ],
  },
  {
    breaks: 'e',
    says: 'For two events.',
    tags: [
      ['p', key],
      ['e', job],
      ['e', key],
      ['bolt11', bolt11],
      ['description', description],
    ],
  },
  {
    breaks: 'P',
    says: 'A payer that is no key.',
    tags: [
      ['p', key],
      ['P', 'me'],
      ['bolt11', bolt11],
      ['description', description],
    ],
  },
  {
    breaks: 'bolt11',
    says: 'No invoice.',
    tags: [
      ['p', key],
      ['description', description],
    ],
  },
  {
    breaks: 'bolt11',
    says: 'A lightning address.',
    tags: [
      ['p', key],
      ['bolt11', 'me@example.com'],
      ['description', description],
    ],
  },
  {
    breaks: 'description',
    says: 'No request.',
    tags: [
      ['p', key],
      ['bolt11', bolt11],
    ],
  },
  {
    breaks: 'request',
    says: 'A request that is no event.',
    tags: [
      ['p', key],
      ['bolt11', bolt11],
      ['description', '{}'],
    ],
  },
  {
    breaks: 'request',
    says: 'An event of another kind.',
    tags: [
      ['p', key],
      ['bolt11', bolt11],
      ['description', description.replace('"kind":9734', '"kind":1')],
    ],
  },
]
