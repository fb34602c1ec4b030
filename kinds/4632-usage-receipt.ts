/**
 * Kind 4632: a provider says what one job took and brought.
 * @module
 */
import { bad, dialects, good } from './4632-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { many, maybe, one } from './fields.ts'
import { marked, place, recordedJob, wholeTiming } from './records.ts'
import { hex, integer, msats, text, type Value } from './values.ts'

/** Metering of one job: no word of its content. Receipts of one provider are a chain: leaving one out shows. */
export interface UsageReceipt {
  readonly job: string
  readonly result?: string
  readonly customer: string
  /** Kind of the request. */
  readonly kind: number
  readonly model?: string
  /** What the job cost in all. */
  readonly msats: bigint
  readonly promptTokens: number
  readonly outputTokens: number
  /** From the first payment, or from the request where nothing was paid before, to the first token. */
  readonly firstMs?: number
  readonly ms: number
  /** Every bill of the job that was settled. The preimage stays with the customer. */
  readonly payments: readonly { readonly hash: string; readonly msats: bigint }[]
  /** The routing event that brought the customer. */
  readonly routing?: string
  /** Place in the provider's chain of receipts, from 0. */
  readonly seq: number
  /** Id of the receipt before. */
  readonly prev?: string
}

const count = integer('', 0, 1_000_000_000)

const counted: Value<{ readonly promptTokens: number; readonly outputTokens: number }> = {
  form: '<prompt tokens> <output tokens>',
  read(said) {
    const [promptTokens, outputTokens] = [count.read(said), count.read(said.slice(1))]
    return promptTokens === undefined || outputTokens === undefined ? undefined : { promptTokens, outputTokens }
  },
  write: ({ promptTokens, outputTokens }) => [String(promptTokens), String(outputTokens)],
}

const settled: Value<{ readonly hash: string; readonly msats: bigint }> = {
  form: '<payment hash> <msats>',
  read(said) {
    const [hash, money] = [hex('').read(said), msats.read(said.slice(1))]
    return hash === undefined || money === undefined ? undefined : { hash, msats: money }
  },
  write: payment => [payment.hash, String(payment.msats)],
}

/** Usage receipt (regular kind 4632). */
export const usageReceipt = defineKind({
  number: 4632,
  name: 'usage receipt',
  says: 'After a job its provider says what it took: tokens, time, money, and nothing of what was said. Each receipt names the one before it, so that anybody can see whether one is missing.',
  source: 'gridstr',
  alt: 'Usage receipt of a job',
  fields: {
    job: recordedJob('A receipt names its job by 64 lower-case hex digits.'),
    result: marked('result', 'The result, where there is one.', 'At most one result is named, by 64 hex digits.'),
    customer: one('p', hex('<customer pubkey>'), 'The author of the job.', 'Exactly one customer is named.'),
    kind: one('k', integer('<kind>', 0, 65_535), 'Kind of the request.', 'Exactly one kind is named.'),
    model: maybe('model', text('<name>'), 'The model that answered.', 'A model has 1 to 256 characters, said once.'),
    msats: one(
      'amount',
      msats,
      'What the job cost; 0 is free.',
      'The price is whole msats in plain digits, said once.',
    ),
    usage: one('tokens', counted, 'Counted in tokens of that model.', 'Tokens are two whole numbers, said once.'),
    timing: one('ms', wholeTiming, 'How long it took.', 'The time in all is whole milliseconds, said once.'),
    payments: many(
      'payment',
      settled,
      'A bill of the job that was settled.',
      'A payment is a payment hash and whole msats; there are at most 64.',
    ),
    routing: maybe(
      'routing',
      hex('<routing id>'),
      'The routing event that brought the customer.',
      'A routing event is named by 64 lower-case hex digits, once.',
    ),
    seq: one('seq', place, 'Place in the chain of receipts, from 0.', 'The place is a whole number, said once.'),
    prev: maybe(
      'prev',
      hex('<receipt id>'),
      'The receipt before.',
      'The receipt before is named once, by 64 hex digits.',
    ),
  },
  content: 'Empty. From others it is ignored.',
  rules: {
    chain: 'The first receipt (0) names none before it, and every other does.',
    twice: 'No payment hash is named twice.',
  },
  read(found, { refuse }) {
    const { payments, seq, prev, usage, timing } = found
    if ((seq === 0) !== (prev === undefined)) return refuse('chain')
    if (payments.length > 1 && new Set(payments.map(payment => payment.hash)).size < payments.length)
      return refuse('twice')
    return ok(
      present({
        job: found.job,
        result: found.result,
        customer: found.customer,
        kind: found.kind,
        model: found.model,
        msats: found.msats,
        promptTokens: usage.promptTokens,
        outputTokens: usage.outputTokens,
        firstMs: timing.firstMs,
        ms: timing.ms,
        payments,
        routing: found.routing,
        seq,
        prev,
      }),
    )
  },
  write: ({ promptTokens, outputTokens, firstMs, ms, payments, ...rest }: UsageReceipt) => ({
    fields: {
      ...rest,
      payments: [...payments],
      usage: { promptTokens, outputTokens },
      timing: { ms, ...(firstMs === undefined ? {} : { firstMs }) },
    },
  }),
  good,
  dialects,
  bad,
})
