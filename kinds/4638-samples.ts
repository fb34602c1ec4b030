/**
 * Samples of kind 4638.
 * @module
 */
import type { EscrowWord } from './4638-escrow-word.ts'
import type { Event } from './kind.ts'
import type { BadSample, Dialect, GoodSample } from './spec.ts'

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const paymentHash = '66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925'
const preimage = '0'.repeat(64)
const deadline = 1_800_003_600
const request: Event = {
  id: job,
  pubkey: '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
  created_at: 1_800_000_000,
  kind: 5050,
  tags: [['i', 'Why is the sky blue?', 'text']],
  content: '',
  sig: 'c'.repeat(128),
}
const result: Event = {
  id: paymentHash,
  pubkey: key,
  created_at: 1_800_000_010,
  kind: 6050,
  tags: [
    ['e', job],
    ['p', request.pubkey],
    ['amount', '21000'],
  ],
  content: 'Rayleigh scattering.',
  sig: 'd'.repeat(128),
}

export const good: readonly GoodSample<EscrowWord>[] = [
  {
    says: 'A provider asks for a payment hash.',
    value: { job, to: key, status: 'open', msats: 21_000n, deadline, event: request, says: '' },
  },
  {
    says: 'The verifier gives one.',
    value: { job, to: key, status: 'hash', paymentHash, msats: 21_000n, deadline, says: '' },
  },
  {
    says: 'The provider hands over a sealed result and what opens it.',
    value: { job, to: key, status: 'claim', event: result, conversationKey: preimage, says: '' },
  },
  {
    says: 'The result is too long to be in here.',
    value: { job, to: key, status: 'claim', result: paymentHash, says: '' },
  },
  { says: 'The customer is content.', value: { job, to: key, status: 'accept', says: '' } },
  { says: 'The customer is not.', value: { job, to: key, status: 'complain', says: 'It is empty.' } },
  { says: 'Not earned.', value: { job, to: key, status: 'refund', paymentHash, says: 'The texts differ.' } },
  { says: 'No case.', value: { job, to: key, status: 'refused', says: 'You have 64 cases open.' } },
  { says: 'Earned.', value: { job, to: key, status: 'release', paymentHash, preimage, says: 'The texts agree.' } },
]

const named = [
  ['e', job],
  ['p', key],
]
const offer = [
  ['msats', '21000'],
  ['expiration', String(deadline)],
]

export const dialects: readonly Dialect<EscrowWord>[] = [
  {
    says: 'A long complaint is cut.',
    tags: [...named, ['status', 'complain']],
    content: 'no '.repeat(400),
    value: { job, to: key, status: 'complain', says: 'no '.repeat(400).slice(0, 1_024) },
  },
]

export const bad: readonly BadSample[] = [
  {
    breaks: 'e',
    says: 'Two cases.',
    tags: [...named, ['e', key], ['status', 'accept']],
  },
  {
    breaks: 'p',
    says: 'Nobody is spoken to.',
    tags: [
      ['e', job],
      ['status', 'accept'],
    ],
  },
  { breaks: 'status', says: 'An unknown word.', tags: [...named, ['status', 'maybe']] },
  {
    breaks: 'status',
    says: 'Two verdicts.',
    tags: [...named, ['status', 'refund'], ['status', 'release'], ['payment_hash', paymentHash]],
  },
  {
    breaks: 'payment_hash',
    says: 'Upper-case hex.',
    tags: [...named, ['status', 'refund'], ['payment_hash', paymentHash.toUpperCase()]],
  },
  {
    breaks: 'preimage',
    says: 'Half a preimage.',
    tags: [...named, ['status', 'release'], ['payment_hash', paymentHash], ['preimage', '00']],
  },
  { breaks: 'msats', says: 'Negative money.', tags: [...named, ['status', 'accept'], ['msats', '-1']] },
  { breaks: 'expiration', says: 'A date in words.', tags: [...named, ['status', 'accept'], ['expiration', 'soon']] },
  { breaks: 'conversation', says: 'A key in words.', tags: [...named, ['status', 'accept'], ['conversation', 'k']] },
  { breaks: 'offer', says: 'For nothing.', tags: [...named, ['status', 'open'], ['msats', '0'], ...offer.slice(1)] },
  { breaks: 'offer', says: 'For ever.', tags: [...named, ['status', 'open'], ...offer.slice(0, 1)] },
  { breaks: 'named', says: 'A hash without a hash.', tags: [...named, ['status', 'hash'], ...offer] },
  {
    breaks: 'released',
    says: 'A release that releases nothing.',
    tags: [...named, ['status', 'release'], ['payment_hash', paymentHash]],
  },
  {
    breaks: 'released',
    says: 'A refund that gives the preimage away.',
    tags: [...named, ['status', 'refund'], ['preimage', preimage]],
  },
  { breaks: 'result', says: 'Not an id.', tags: [...named, ['status', 'claim'], ['result', 'that one']] },
  { breaks: 'event', says: 'No result at all.', tags: [...named, ['status', 'claim']] },
  { breaks: 'event', says: 'No result.', tags: [...named, ['status', 'claim']], content: 'Trust me.' },
]
