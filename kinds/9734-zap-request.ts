/**
 * Kind 9734: a customer signs what it is about to pay for.
 * @module
 */
import { defineKind, ok, present } from './define.ts'
import { list, loose, maybe, one } from './fields.ts'
import { hex, integer, msats, relayList, text } from './values.ts'

/** A zap request (NIP-57). Never published: it goes to the payee, whose invoice commits to its bytes. */
export interface ZapRequest {
  readonly recipient: string
  /** What is paid for: the job. */
  readonly event?: string
  readonly msats?: bigint
  /** Where the receipt is expected. */
  readonly relays: readonly string[]
  readonly comment: string
  readonly lnurl?: string
  readonly address?: string
  /** Kind of the event that is paid for. */
  readonly eventKind?: number
  /** The only key that may sign the receipt. */
  readonly zapper?: string
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'

/** Zap request (NIP-57 kind 9734). */
export const zapRequest = defineKind({
  number: 9734,
  name: 'zap request',
  says: 'A payer says whom it pays, how much and what for. An invoice whose description hash is the sha256 of these bytes is bound to it.',
  source: 'NIP-57 appendix D',
  fields: {
    recipient: one(
      'p',
      hex('<payee pubkey>'),
      'Who is paid.',
      'Exactly one payee is named by 64 lower-case hex digits.',
    ),
    event: maybe(
      'e',
      hex('<event id>'),
      'What is paid for.',
      'At most one event is named, by 64 lower-case hex digits.',
    ),
    msats: maybe('amount', msats, 'How much.', 'An amount is whole msats in plain digits, said once.'),
    relays: list('relays', relayList, 'Where the receipt goes.'),
    lnurl: loose('lnurl', text('<lnurl>', 2_048), 'The payee as LNURL.'),
    address: maybe(
      'a',
      text('<kind:pubkey:d>', 512),
      'What is paid for, where it is addressable.',
      'At most one address is named.',
    ),
    eventKind: loose('k', integer('<kind>', 0, 65_535), 'Kind of what is paid for.'),
    zapper: maybe(
      'P',
      hex('<zapper pubkey>'),
      'Who will sign the receipt.',
      'At most one zapper is named, by 64 lower-case hex digits.',
    ),
  },
  content: 'A comment.',
  rules: {},
  read: ({ relays, ...found }, { content }) => ok(present({ ...found, relays, comment: content })),
  write: ({ comment, relays, ...rest }: ZapRequest) => ({ fields: { ...rest, relays: [...relays] }, content: comment }),
  good: [
    {
      says: 'For one job.',
      value: { recipient: key, event: job, msats: 21_000n, relays: ['wss://relay.example'], comment: '' },
    },
    {
      says: 'All there is to say.',
      value: {
        recipient: key,
        event: job,
        msats: 1_000n,
        relays: ['wss://relay.example'],
        comment: 'Thanks',
        lnurl: 'lnurl1dp68gurn8ghj7',
        address: `30023:${key}:a`,
        eventKind: 5050,
        zapper: key,
      },
    },
  ],
  bad: [
    { breaks: 'p', says: 'Nobody is paid.', tags: [['relays', 'wss://relay.example']] },
    {
      breaks: 'p',
      says: 'Two are paid.',
      tags: [
        ['p', key],
        ['p', job],
      ],
    },
    {
      breaks: 'e',
      says: 'For two events.',
      tags: [
        ['p', key],
        ['e', job],
        ['e', key],
      ],
    },
    {
      breaks: 'amount',
      says: 'Money with an underscore.',
      tags: [
        ['p', key],
        ['amount', '1_000'],
      ],
    },
    {
      breaks: 'a',
      says: 'For two addresses.',
      tags: [
        ['p', key],
        ['a', `1:${key}:`],
        ['a', `2:${key}:`],
      ],
    },
    {
      breaks: 'P',
      says: 'A zapper that is no key.',
      tags: [
        ['p', key],
        ['P', 'me'],
      ],
    },
  ],
})
