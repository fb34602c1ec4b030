/**
 * Samples of kind 7000: our spelling, other people's, and one breach of each rule.
 * @module
 */
import type { Feedback } from './7000-feedback.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const provider = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const bolt11 = 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs'

export const good: readonly GoodSample<Feedback>[] = [
  { says: 'Work has begun.', value: { job, customer: key, status: 'processing', says: '', content: '' } },
  {
    says: 'A bill.',
    value: {
      job,
      customer: key,
      status: 'payment-required',
      says: '21 sats for one answer',
      content: '',
      msats: 21_000n,
      bolt11,
      paymentHash: '463a82b1d85b1509e1e761bb531b280b24495d337ee65723d094a7d69888390e',
      expiresAt: 1_800_000_120,
    },
  },
  {
    says: 'Refused for now.',
    value: {
      job,
      customer: key,
      status: 'error',
      says: 'All slots are taken.',
      content: '',
      code: 'busy',
      retryAfterSeconds: 30,
    },
  },
  {
    says: 'The second part of three.',
    value: {
      job,
      customer: key,
      status: 'payment-required',
      says: '',
      content: '',
      msats: 7_000n,
      bolt11,
      terms: { word: 'parts', part: 2, parts: 3 },
    },
  },
  {
    says: 'Money to be held until a verifier decides.',
    value: {
      job,
      customer: key,
      status: 'payment-required',
      says: '',
      content: '',
      msats: 21_000n,
      bolt11,
      terms: { word: 'escrow', verifier: key },
    },
  },
  {
    says: 'The work failed after it was paid: the money is kept for the customer.',
    value: { job, customer: key, status: 'error', says: 'The model broke.', content: '', creditMsats: 21_000n },
  },
  {
    says: 'The text so far.',
    value: { job, customer: key, status: 'partial', says: 'Rayleigh', content: 'Rayleigh' },
  },
  { says: 'Without a customer.', value: { job, status: 'success', says: '', content: '' } },
]

export const dialects: readonly Dialect<Feedback>[] = [
  {
    says: 'NDK: `payment_required`, `e` of five fields, the provider named first.',
    tags: [
      ['e', job, 'wss://a.example', 'job', key],
      ['p', provider],
      ['p', key],
      ['status', 'payment_required'],
      ['amount', '1000', `lightning:${bolt11}`],
    ],
    value: { job, customer: key, status: 'payment-required', says: '', content: '', msats: 1_000n, bolt11 },
  },
  {
    says: 'nostr-dvm: words of its own, text in the content, the amount that was received.',
    tags: [
      ['e', job],
      ['alt', 'x'],
      ['status', 'payment-rejected'],
      ['p', key],
      ['amount', '10000'],
      ['expiration', '1800000600'],
    ],
    content: 'Not enough',
    value: {
      job,
      customer: key,
      status: 'unknown',
      says: 'Not enough',
      content: 'Not enough',
      msats: 10_000n,
      expiresAt: 1_800_000_600,
    },
  },
  {
    says: 'nostr-dvm sealed: status, amount and text are in the ciphertext.',
    tags: [['encrypted'], ['p', key], ['e', job]],
    content: 'ciphertext',
    opened: `[["e","${job}"],["status","payment-required"],["amount","5000","${bolt11}"],["content","Pay me"]]`,
    value: {
      job,
      customer: key,
      status: 'payment-required',
      says: 'Pay me',
      content: 'Pay me',
      msats: 5_000n,
      bolt11,
    },
  },
  {
    says: 'Money with an underscore and a lightning address: unknown money, no invoice.',
    tags: [
      ['status', 'success'],
      ['amount', '100_000', 'botlab@zeuspay.com'],
      ['e', job],
      ['p', key],
    ],
    content: 'Job completed successfully',
    value: {
      job,
      customer: key,
      status: 'success',
      says: 'Job completed successfully',
      content: 'Job completed successfully',
    },
  },
  {
    says: 'Only the invoice can be read.',
    tags: [
      ['status', 'payment-required', 'Pay'],
      ['amount', 'some', bolt11],
      ['e', job, '', 'job'],
    ],
    value: { job, status: 'payment-required', says: 'Pay', content: '', bolt11 },
  },
  {
    says: 'Terms and credit that cannot be read are not said.',
    tags: [
      ['e', job],
      ['status', 'processing'],
      ['terms', 'parts', '3', '2'],
      ['terms', 'later'],
      ['terms'],
      ['credit', '-5'],
    ],
    value: { job, status: 'processing', says: '', content: '' },
  },
]

export const bad: readonly BadSample[] = [
  {
    breaks: 'e',
    says: 'No job.',
    tags: [
      ['status', 'processing'],
      ['p', key],
    ],
  },
  {
    breaks: 'e',
    says: 'Upper-case hex.',
    tags: [
      ['e', job.toUpperCase()],
      ['status', 'processing'],
    ],
  },
  {
    breaks: 'opened',
    says: 'Tags that are no strings.',
    tags: [['encrypted'], ['e', job]],
    content: 'ciphertext',
    opened: '[["status",{}]]',
  },
]
