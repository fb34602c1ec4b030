/**
 * Kind 7000: what a provider says about a job while it lasts, above all its bill.
 * @module
 */
import { customerField, jobField } from './answers.ts'
import { defineKind, ok, present } from './define.ts'
import { loose } from './fields.ts'
import { amount, hex, integer, seconds, text, type Value } from './values.ts'

/** The five words of NIP-90; everything else is `unknown` and changes nothing. */
export type FeedbackStatus = 'payment-required' | 'processing' | 'partial' | 'success' | 'error' | 'unknown'

/**
 * Feedback on a job. `msats` undefined is unknown money: nothing to pay. `says` is for people: the content, else the
 * third element of `status`; where there is content, that is what is written.
 */
export interface Feedback {
  readonly job: string
  readonly customer?: string
  readonly status: FeedbackStatus
  readonly says: string
  readonly content: string
  readonly msats?: bigint
  readonly bolt11?: string
  /** A word for machines: `busy`, `rate-limited`. */
  readonly code?: string
  readonly retryAfterSeconds?: number
  readonly paymentHash?: string
  readonly expiresAt?: number
}

const known: ReadonlySet<string> = new Set(['payment-required', 'processing', 'partial', 'success', 'error'])
const isKnown = (word: string): word is Exclude<FeedbackStatus, 'unknown'> => known.has(word)

const status: Value<{ readonly word: FeedbackStatus; readonly says: string }> = {
  form: '<payment-required|processing|partial|success|error> <for people?>',
  read([said = '', says = '']) {
    const word = said.toLowerCase().replaceAll('_', '-')
    return { word: isKnown(word) ? word : 'unknown', says }
  },
  write: ({ word, says }) => (says === '' ? [word] : [word, says]),
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const provider = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
const bolt11 = 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs'

/** Job feedback (NIP-90 kind 7000). */
export const feedback = defineKind({
  number: 7000,
  name: 'job feedback',
  says: 'A provider bills, reports progress, shows a part of the text, or gives up. It never ends a job well: only a result does.',
  source: 'NIP-90',
  fields: {
    job: jobField('Feedback names its job by 64 lower-case hex digits.'),
    customer: customerField,
    status: loose(
      'status',
      status,
      'Case and `_` do not matter; other words change nothing. A third element is for people where the content is empty.',
    ),
    amount: loose(
      'amount',
      amount,
      'What is asked for. Unparsable money is unknown money; a third element counts only where it looks like an invoice.',
    ),
    code: loose('code', text('<word>', 64), 'A word for machines.'),
    retryAfterSeconds: loose('retry-after', integer('<seconds>', 0, 31_536_000), 'When asking again makes sense.'),
    paymentHash: loose('payment_hash', hex('<payment hash>'), 'The hash of the invoice.'),
    expiresAt: loose('expiration', seconds, 'For a bill: when the invoice expires (NIP-40).'),
  },
  content:
    'Text for people, or for `partial` the text so far, whole; or the ciphertext of a JSON list of the private tags with `["content", "<text>"]`.',
  rules: {},
  seal: 'tags',
  bare: opened => ['content', opened],
  read({ status: said, amount: asked, ...rest }, { content }) {
    const { word, says } = said ?? { word: 'unknown', says: '' }
    return ok(
      present({
        ...rest,
        status: word,
        says: content === '' ? says : content,
        content,
        msats: asked?.msats,
        bolt11: asked?.bolt11,
      }),
    )
  },
  write({ status: word, says, content, msats, bolt11: invoice, ...rest }: Feedback) {
    if (word === 'unknown') throw new TypeError('7000.status: `unknown` is for reading only.')
    if (word === 'payment-required' && msats === undefined)
      throw new TypeError('7000.amount: a payment-required without msats cannot be paid.')
    if (invoice !== undefined && msats === undefined)
      throw new TypeError('7000.amount: an invoice needs its msats beside it.')
    const asked = msats === undefined ? undefined : present({ msats, bolt11: invoice })
    return { fields: { ...rest, status: { word, says: content === '' ? says : '' }, amount: asked }, content }
  },
  good: [
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
      says: 'The text so far.',
      value: { job, customer: key, status: 'partial', says: 'Rayleigh', content: 'Rayleigh' },
    },
    { says: 'Without a customer.', value: { job, status: 'success', says: '', content: '' } },
  ],
  dialects: [
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
  ],
  bad: [
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
  ],
})
