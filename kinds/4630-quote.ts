/**
 * Kind 4630: a node answers a request for quotes.
 * @module
 */
import { bad, dialects, good } from './4630-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { list, loose, maybe, one } from './fields.ts'
import { LONGEST_MODEL } from './prices.ts'
import { offeredTerms, type TermsWord } from './terms.ts'
import { hex, integer, msats, seconds, text, type Value } from './values.ts'

/** Whether a seat is kept until the quote expires: not, as long as nobody else comes, or for sure. */
export type Reserve = 'none' | 'soft' | 'hard'

/** A quote. */
export interface Offered {
  /** The request for quotes. */
  readonly request: string
  /** Who asked. */
  readonly to: string
  readonly kind: number
  readonly model?: string
  readonly msats: bigint
  /** A job that names this quote before it expires costs no more. */
  readonly firm: boolean
  readonly reserve: Reserve
  readonly terms: readonly TermsWord[]
  /** Free seats. */
  readonly free: number
  /** How long a job would wait for its turn. */
  readonly queueMs?: number
  readonly expiresAt: number
}

const reserves: readonly Reserve[] = ['none', 'soft', 'hard']
const reserve: Value<Reserve> = {
  form: '<none|soft|hard>',
  read: ([said]) => reserves.find(word => word === said),
  write: word => [word],
}
const bit: Value<boolean> = {
  form: '<1|0>',
  read: ([said]) => (said === '1' ? true : said === '0' ? false : undefined),
  write: said => [said ? '1' : '0'],
}

/** Quote (regular kind 4630). */
export const quote = defineKind({
  number: 4630,
  name: 'quote',
  says: 'A node says what it would ask for a job, and how firmly. No bill: the job that follows gets one.',
  source: 'gridstr',
  fields: {
    request: one('e', hex('<request id>'), 'The request for quotes (26803).', 'Exactly one request is named.'),
    to: one('p', hex('<asker pubkey>'), 'Who asked.', 'Exactly one asker is named.'),
    kind: one('k', integer('<kind>', 0, 65_535), 'The job kind.', 'Exactly one job kind is named.'),
    model: maybe('model', text('<name>', LONGEST_MODEL), 'The model that would work.', 'A model is named once.'),
    msats: one(
      'amount',
      msats,
      'What the job would cost; of a price by the token with 1,000 tokens of prompt and the longest answer asked for, else 500.',
      'The amount is whole msats in plain digits, said once.',
    ),
    firm: one(
      'firm',
      bit,
      '1: a job that names this quote in time costs no more. 0: an indication.',
      'A quote is firm, 1, or not, 0.',
    ),
    reserve: maybe(
      'reserve',
      reserve,
      'Whether a seat is kept meanwhile. Unsaid: none.',
      'A seat is kept `none`, `soft` or `hard`.',
    ),
    terms: list('terms', offeredTerms, 'When it lets customers pay. Unknown words are left out.'),
    free: one('slots', integer('<free>', 0, 1_000_000), 'Free seats.', 'Free seats are a whole number, said once.'),
    queueMs: loose('queue-ms', integer('<ms>', 0, 86_400_000), 'How long a job would wait for its turn.'),
    expiresAt: one('expiration', seconds, 'Until when this holds (NIP-40).', 'A quote ends, at unix seconds.'),
  },
  content: 'Empty.',
  rules: {},
  alt: 'Quote for a job',
  read: ({ reserve: kept = 'none', ...rest }) => ok(present({ ...rest, reserve: kept })),
  write: ({ terms, ...rest }: Offered) => ({ fields: { ...rest, terms: [...terms] } }),
  good,
  dialects,
  bad,
})
