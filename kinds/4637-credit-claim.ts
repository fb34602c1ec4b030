/**
 * Kind 4637: a customer wants back what a provider keeps for it.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { one } from './fields.ts'
import { hex, looksLikeInvoice, type Value } from './values.ts'

/** A claim on credit. `bolt11` is an invoice of the customer for at most what is kept. */
export interface CreditClaim {
  /** The job that the money was paid for. */
  readonly job: string
  readonly node: string
  readonly bolt11: string
}

const job = '1b48aa4b4ca33ed778a1effad3672b058b127c075834cbc3743e3e0dcbcd6b6a'
const key = '4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'
const bolt11 = 'lnbcrt210n1pj75judpp5gcag9vwctv2snc08vxa4xxegpvjyjhfn0mn9wg7sj39866vgswvs'

const invoice: Value<string> = {
  form: '<bolt11>',
  read: ([said = '']) => (looksLikeInvoice(said) ? said : undefined),
  write: said => [said],
}

/** Credit claim (regular kind 4637). */
export const creditClaim = defineKind({
  number: 4637,
  name: 'credit claim',
  says: 'The author of a job asks for money back that bought nothing: it came late or twice, or the work failed. Travels in an ephemeral wrap and is paid once, whatever is repeated. Where less is kept, feedback of code `credit-left` says in a wrap how much.',
  source: 'gridstr; NIP-90',
  fields: {
    job: one('e', hex('<job id>'), 'The job.', 'Exactly one job is named by 64 lower-case hex digits.'),
    node: one('p', hex('<provider pubkey>'), 'Who keeps the money.', 'Exactly one provider is named.'),
    bolt11: one('bolt11', invoice, 'Where the money goes.', 'There is exactly one invoice, for at most the credit.'),
  },
  content: 'Empty. From others it is ignored.',
  rules: {},
  read: found => ok(found),
  write: (claim: CreditClaim) => ({ fields: { ...claim } }),
  good: [{ says: 'Pay me back.', value: { job, node: key, bolt11 } }],
  dialects: [
    {
      says: 'A reason that nobody asked for.',
      tags: [
        ['e', job],
        ['p', key],
        ['bolt11', bolt11],
      ],
      content: 'You never answered.',
      value: { job, node: key, bolt11 },
    },
  ],
  bad: [
    {
      breaks: 'e',
      says: 'No job.',
      tags: [
        ['p', key],
        ['bolt11', bolt11],
      ],
    },
    {
      breaks: 'p',
      says: 'Nobody is asked.',
      tags: [
        ['e', job],
        ['bolt11', bolt11],
      ],
    },
    {
      breaks: 'bolt11',
      says: 'Two invoices.',
      tags: [
        ['e', job],
        ['p', key],
        ['bolt11', bolt11],
        ['bolt11', `${bolt11}q`],
      ],
    },
    {
      breaks: 'bolt11',
      says: 'A lightning address.',
      tags: [
        ['e', job],
        ['p', key],
        ['bolt11', 'me@example.com'],
      ],
    },
  ],
})
