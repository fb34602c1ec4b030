/**
 * Kind 9735: a payee's zapper says that an invoice was paid.
 * @module
 */
import { bad, dialects, good } from './9735-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { loose, maybe, one } from './fields.ts'
import { parseEvent } from './json.ts'
import type { Event } from './kind.ts'
import { hex, looksLikeInvoice, text, type Value } from './values.ts'

/**
 * A zap receipt (NIP-57): proof of nothing but that its signer says so. `zapRequest` is the description parsed, its
 * signature and hash unchecked; what must agree with what is for a verifier to judge.
 */
export interface ZapReceipt {
  readonly recipient: string
  readonly event?: string
  /** Who paid, where said (`P`). */
  readonly sender?: string
  readonly bolt11: string
  /** The exact bytes to which the invoice commits. */
  readonly description: string
  readonly preimage?: string
  readonly zapRequest: Event
}

const invoice: Value<string> = {
  form: '<bolt11>',
  read: ([value = '']) => (looksLikeInvoice(value) ? value : undefined),
  write: value => [value],
}

/** Zap receipt (NIP-57 kind 9735). */
export const zapReceipt = defineKind({
  number: 9735,
  name: 'zap receipt',
  says: 'The payee, or the zapper it announced, says that an invoice was paid. It proves that somebody fetched an invoice, no more.',
  source: 'NIP-57 appendix E',
  fields: {
    recipient: one(
      'p',
      hex('<payee pubkey>'),
      'Who was paid.',
      'Exactly one payee is named by 64 lower-case hex digits.',
    ),
    event: maybe(
      'e',
      hex('<event id>'),
      'What was paid for.',
      'At most one event is named, by 64 lower-case hex digits.',
    ),
    sender: maybe('P', hex('<payer pubkey>'), 'Who paid.', 'At most one payer is named, by 64 lower-case hex digits.'),
    bolt11: one('bolt11', invoice, 'The invoice.', 'One invoice is there and looks like one.'),
    description: one(
      'description',
      text('<zap request as JSON>', 65_536),
      'The zap request, byte for byte.',
      'The zap request is there, once.',
    ),
    preimage: loose('preimage', hex('<preimage>'), 'What the payee revealed.'),
  },
  content: 'Empty; some zappers repeat the comment.',
  rules: { request: 'The description is the JSON of one event of kind 9734.' },
  read(found, { refuse }) {
    const request = parseEvent(found.description)
    return request?.kind === 9734 ? ok(present({ ...found, zapRequest: request })) : refuse('request')
  },
  write: ({ zapRequest: _, ...fields }: ZapReceipt) => ({ fields }),
  good,
  dialects,
  bad,
})
