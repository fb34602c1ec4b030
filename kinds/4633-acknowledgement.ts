/**
 * Kind 4633: a customer says what came of a job.
 * @module
 */
import { bad, dialects, good } from './4633-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { many, maybe, one } from './fields.ts'
import { marked, oneOf, recordedJob, timing, tokens } from './records.ts'
import { hex, msats, type Value } from './values.ts'

/** `ok`: what came is what was asked for. `dispute`: something came and it is not. `failed`: nothing whole came. */
export type AcknowledgedVerdict = 'ok' | 'dispute' | 'failed'

/** A customer's word on one job, signed by the key of that job. */
export interface Acknowledgement {
  readonly job: string
  readonly node: string
  /** The usage receipt that it answers. */
  readonly receipt?: string
  readonly verdict: AcknowledgedVerdict
  /** A word for machines: `timeout`, `empty`. */
  readonly code?: string
  readonly firstMs?: number
  readonly ms?: number
  readonly outputTokens?: number
  /** What was paid in all. */
  readonly msats: bigint
  /** A preimage proves that the bill was paid, not by whom; who publishes it gives up that proof's scarcity. */
  readonly payments: readonly { readonly hash: string; readonly preimage?: string }[]
  readonly routing?: string
}

const verdict: Value<{ readonly word: AcknowledgedVerdict; readonly code?: string }> = {
  form: '<ok|dispute|failed> <code?>',
  read([said, code = '']) {
    const word = oneOf('ok', 'dispute', 'failed').read([said ?? ''])
    return word === undefined || code.length > 64 ? undefined : { word, ...(code === '' ? {} : { code }) }
  },
  write: ({ word, code }) => (code === undefined ? [word] : [word, code]),
}

const payment: Value<{ readonly hash: string; readonly preimage?: string }> = {
  form: '<payment hash> <preimage?>',
  read([said = '', opens = '']) {
    const [hash, preimage] = [hex('').read([said]), opens === '' ? '' : hex('').read([opens])]
    if (hash === undefined || preimage === undefined) return undefined
    return { hash, ...(preimage === '' ? {} : { preimage }) }
  },
  write: ({ hash, preimage }) => (preimage === undefined ? [hash] : [hash, preimage]),
}

/** Acknowledgement (regular kind 4633). */
export const acknowledgement = defineKind({
  number: 4633,
  name: 'acknowledgement',
  says: 'The author of a job says whether it was served, what it measured and what it paid. Only the key that asked can acknowledge; whether it did is for the reader to check.',
  source: 'gridstr',
  alt: 'Acknowledgement of a job',
  fields: {
    job: recordedJob('An acknowledgement names its job by 64 lower-case hex digits.'),
    node: one('p', hex('<provider pubkey>'), 'Who answered, or should have.', 'Exactly one provider is named.'),
    receipt: marked('receipt', 'The usage receipt that it answers.', 'At most one receipt is named, by 64 hex digits.'),
    verdict: one('verdict', verdict, 'What came of it.', 'Exactly one of the three verdicts is given.'),
    timing: maybe('ms', timing, 'As the customer measured it.', 'Times are whole milliseconds, said once.'),
    outputTokens: maybe('tokens', tokens, 'As the customer counted them.', 'Tokens are a whole number, said once.'),
    msats: one('amount', msats, 'What was paid in all.', 'What was paid is whole msats in plain digits, said once.'),
    payments: many(
      'payment',
      payment,
      'A bill that was paid.',
      'A payment is a payment hash and, where it is shown, a preimage; there are at most 64.',
    ),
    routing: maybe(
      'routing',
      hex('<routing id>'),
      'The routing event that led to the provider.',
      'A routing event is named by 64 lower-case hex digits, once.',
    ),
  },
  content: 'Empty. From others it is ignored.',
  rules: { twice: 'No payment hash is named twice.' },
  read({ verdict: said, timing: took, ...found }, { refuse }) {
    if (new Set(found.payments.map(item => item.hash)).size < found.payments.length) return refuse('twice')
    return ok(present({ ...found, verdict: said.word, code: said.code, firstMs: took?.firstMs, ms: took?.ms }))
  },
  write: ({ verdict: word, code, firstMs, ms, payments, ...rest }: Acknowledgement) => ({
    fields: {
      ...rest,
      payments: [...payments],
      verdict: present({ word, code }),
      timing: firstMs === undefined && ms === undefined ? undefined : present({ firstMs, ms }),
    },
  }),
  good,
  dialects,
  bad,
})
