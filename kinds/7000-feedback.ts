/**
 * Kind 7000: what a provider says about a job while it lasts, above all its bill.
 * @module
 */
import { bad, dialects, good } from './7000-samples.ts'
import { customerField, jobField } from './answers.ts'
import { defineKind, ok, present } from './define.ts'
import { loose } from './fields.ts'
import { type BilledTerms, billedTerms } from './terms.ts'
import { amount, hex, integer, msats, seconds, text, type Value } from './values.ts'

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
  /** What this bill is. Absent: to be paid before the work. */
  readonly terms?: BilledTerms
  /** Money of the customer that the provider keeps: it pays for the next job, or is paid back on a credit claim. */
  readonly creditMsats?: bigint
}

/**
 * Code of the answer to a credit claim (kind 4637) for more than is kept: `creditMsats` is what is left. It travels in a
 * wrap, as the claim did.
 */
export const leftOfCredit = 'credit-left'

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
    terms: loose(
      'terms',
      billedTerms,
      'For a bill: paid before the work, part i of n (1 to 64), or held: until the answer is there, or until a verifier releases it.',
    ),
    creditMsats: loose('credit', msats, 'Money of the customer that the provider keeps for it.'),
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
  write({ status: word, says, content, msats: owed, bolt11: invoice, ...rest }: Feedback) {
    if (word === 'unknown') throw new TypeError('7000.status: `unknown` is for reading only.')
    if (word === 'payment-required' && owed === undefined)
      throw new TypeError('7000.amount: a payment-required without msats cannot be paid.')
    if (invoice !== undefined && owed === undefined)
      throw new TypeError('7000.amount: an invoice needs its msats beside it.')
    const asked = owed === undefined ? undefined : present({ msats: owed, bolt11: invoice })
    return { fields: { ...rest, status: { word, says: content === '' ? says : '' }, amount: asked }, content }
  },
  good,
  dialects,
  bad,
})
