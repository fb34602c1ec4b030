/**
 * Kind 4638: what provider, verifier and customer say to each other about held money.
 * @module
 */
import { bad, dialects, good } from './4638-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { maybe, one } from './fields.ts'
import { parseEvent } from './json.ts'
import type { Event } from './kind.ts'
import { hex, msats, seconds, type Value } from './values.ts'

/**
 * `open` and `claim` come from the provider, `hash`, `release`, `refund` and `refused` from the verifier, `accept` and
 * `complain` from the customer.
 */
export type EscrowStatus = 'open' | 'hash' | 'claim' | 'release' | 'refund' | 'refused' | 'accept' | 'complain'

/** One word about one case. */
export interface EscrowWord {
  readonly job: string
  /** Who is spoken to. */
  readonly to: string
  readonly status: EscrowStatus
  readonly paymentHash?: string
  /** Only of `release`; whether it opens the hash is for the reader to check. */
  readonly preimage?: string
  /** Open and hash: what is held. */
  readonly msats?: bigint
  /** Open and hash: when the money goes back unless it was released, unix seconds. */
  readonly deadline?: number
  /** Open: the request. Claim: the result. Its shape is checked, its signature is not. Absent: it lies on the relays. */
  readonly event?: Event
  /** Claim: id of the result, where it lies on the relays. */
  readonly result?: string
  /** Open and claim, where the event is sealed: the NIP-44 conversation key of provider and customer, which opens it. */
  readonly conversationKey?: string
  /** For people; empty beside an event. */
  readonly says: string
}

const statuses: readonly EscrowStatus[] = [
  ...(['open', 'hash', 'claim', 'release', 'refund', 'refused', 'accept', 'complain'] as const),
]

const status: Value<EscrowStatus> = {
  form: '<open|hash|claim|release|refund|refused|accept|complain>',
  read: ([said]) => statuses.find(word => word === said),
  write: word => [word],
}

const carries = (word: EscrowStatus): boolean => word === 'open' || word === 'claim'
const offers = (word: EscrowStatus): boolean => word === 'open' || word === 'hash'
const namesHash = (word: EscrowStatus): boolean => word === 'hash' || word === 'release'
const LONGEST_SAYING = 1_024

/** Escrow word (regular kind 4638). */
export const escrowWord = defineKind({
  number: 4638,
  name: 'escrow word',
  says: 'A provider asks a verifier for a payment hash, bills with it, and hands over the result; the verifier, who never has any money, gives the preimage or does not. Travels in an ephemeral wrap; the same word twice is one word.',
  source: 'gridstr; NIP-90',
  fields: {
    job: one('e', hex('<job id>'), 'The job: one case.', 'Exactly one job is named by 64 lower-case hex digits.'),
    to: one('p', hex('<receiver pubkey>'), 'Who is spoken to.', 'Exactly one receiver is named.'),
    status: one('status', status, 'The word.', 'Exactly one of the eight words is said.'),
    paymentHash: maybe(
      'payment_hash',
      hex('<payment hash>'),
      'Of hash and release: what the invoice is made for.',
      'A payment hash is 64 lower-case hex digits, said once.',
    ),
    preimage: maybe(
      'preimage',
      hex('<preimage>'),
      'Of release alone: what settles the invoice.',
      'A preimage is 64 lower-case hex digits, said once.',
    ),
    msats: maybe('msats', msats, 'Of open and hash: what is held.', 'Money is whole msats in plain digits, said once.'),
    deadline: maybe(
      'expiration',
      seconds,
      'Of open and hash: when the money goes back unless it was released.',
      'A deadline is unix seconds, said once.',
    ),
    result: maybe(
      'result',
      hex('<result id>'),
      'Of claim: the result, where it is too long to be in here and lies on the relays.',
      'A result is named by 64 lower-case hex digits, once.',
    ),
    conversationKey: maybe(
      'conversation',
      hex('<conversation key>'),
      'Of open and claim, where the event is sealed: the NIP-44 conversation key that opens it. It opens all that these two ever sealed to each other, so customers use a key for one job.',
      'A conversation key is 64 lower-case hex digits, said once.',
    ),
  },
  content:
    'Of open: the signed request as JSON. Of claim: the signed result as JSON. Empty where that lies on the relays: the job itself, and the result that the claim names. Else a sentence for people of at most 1,024 characters.',
  rules: {
    offer: 'Open and hash say above 0 msats and an expiration.',
    named: 'Hash and release say a payment hash.',
    released: 'Release says a preimage, and no other word does.',
    event: 'The content of open and claim is the JSON of one signed event, or empty; an empty claim names its result.',
  },
  read(found, { content, refuse }) {
    const { status: word } = found
    if (offers(word) && (!found.msats || found.deadline === undefined)) return refuse('offer')
    if (namesHash(word) && found.paymentHash === undefined) return refuse('named')
    if ((word === 'release') !== (found.preimage !== undefined)) return refuse('released')
    if (!carries(word)) return ok(present({ ...found, says: content.slice(0, LONGEST_SAYING) }))
    if (content === '')
      return word === 'claim' && found.result === undefined ? refuse('event') : ok(present({ ...found, says: '' }))
    const event = parseEvent(content)
    return event ? ok(present({ ...found, event, says: '' })) : refuse('event')
  },
  write({ event, says, ...fields }: EscrowWord) {
    if ((event !== undefined && (!carries(fields.status) || says !== '')) || says.length > LONGEST_SAYING)
      throw new TypeError('4638.event: open and claim carry an event, every other word at most 1,024 characters.')
    return { fields, content: event === undefined ? says : JSON.stringify(event) }
  },
  good,
  dialects,
  bad,
})
