/**
 * Kind 38601: how busy a service is, and what it asks right now: a lease that ends unless it is renewed.
 * @module
 */
import { defineKind, ok } from './define.ts'
import { each, one, some } from './fields.ts'
import { type PostedPrice, postedPrice } from './prices.ts'
import { integer, seconds, text, type Value } from './values.ts'

/** Seats of a service. */
export interface Slots {
  readonly total: number
  readonly busy: number
  readonly queued: number
}

/** A lease. After `expiresAt` nothing is known: the service may live or not. */
export interface NodeState {
  /** `d`: the same as that of the 31990. */
  readonly service: string
  readonly kinds: readonly number[]
  readonly slots: Slots
  readonly prices: readonly PostedPrice[]
  /** When the program was started, unix seconds: what an earlier start said is void. */
  readonly generation: number
  readonly expiresAt: number
}

const count = integer('', 0, 1_000_000)
const seats: Value<Slots> = {
  form: '<total> <busy> <queued>',
  read(said) {
    const [total, busy, queued] = [count.read(said), count.read(said.slice(1)), count.read(said.slice(2))]
    return total === undefined || busy === undefined || queued === undefined ? undefined : { total, busy, queued }
  },
  write: ({ total, busy, queued }) => [total, busy, queued].map(String),
}

const value: NodeState = {
  service: 'text',
  kinds: [5050, 5001],
  slots: { total: 4, busy: 1, queued: 0 },
  prices: [
    { kind: 5050, model: 'nano', msats: 1_500n, unit: 'job' },
    { kind: 5001, model: '', msats: 20n, unit: '1k-tokens' },
    { kind: 5050, model: 'nano', msats: 10n, unit: '1k-in' },
    { kind: 5050, model: 'nano', msats: 90n, unit: '1k-out' },
  ],
  generation: 1_799_990_000,
  expiresAt: 1_800_000_300,
}
const tags = [
  ['d', 'text'],
  ['k', '5050'],
  ['slots', '4', '1', '0'],
  ['generation', '1799990000'],
  ['expiration', '1800000300'],
]
const without = (name: string) => tags.filter(tag => tag[0] !== name)

/** Node state (addressable kind 38601). */
export const nodeState = defineKind({
  number: 38_601,
  name: 'node state',
  says: 'A service is there until this expires, so busy, at these prices. It is renewed well before it ends; who stops renewing is unknown, not dead.',
  source: 'gridstr',
  fields: {
    service: one('d', text('<d of the 31990>', 255), 'Which service.', 'Exactly one service is named.'),
    kinds: some(
      'k',
      integer('<kind>', 0, 65_535),
      'A job kind that it takes now.',
      'At least one kind is named, each a whole number from 0 to 65,535, at most 64.',
    ),
    slots: one(
      'slots',
      seats,
      'Jobs that it can work on at once, works on now, and has waiting.',
      'The seats are three whole numbers.',
    ),
    prices: each('price', postedPrice, 'What it asks now, at most 64 prices. Unknown units are left out.'),
    generation: one(
      'generation',
      seconds,
      'When the program was started: a state with an older one is void.',
      'The generation is unix seconds.',
    ),
    expiresAt: one('expiration', seconds, 'When the lease ends (NIP-40).', 'A lease ends, at unix seconds.'),
  },
  content: 'Empty.',
  rules: {},
  alt: 'State of a node',
  read: found => ok(found),
  write: ({ kinds, prices, ...rest }: NodeState) => ({ fields: { ...rest, kinds: [...kinds], prices: [...prices] } }),
  good: [
    { says: 'Two kinds, four prices.', value },
    {
      says: 'Full, and prices as announced.',
      value: { ...value, slots: { total: 1, busy: 1, queued: 3 }, prices: [] },
    },
  ],
  dialects: [
    {
      says: 'Prices in units that nobody knows are left out.',
      tags: [...tags, ['price', '5050', '', '7', 'hour'], ['price', '5050', '', '9', 'second']],
      value: { ...value, kinds: [5050], prices: [{ kind: 5050, model: '', msats: 9n, unit: 'second' }] },
    },
  ],
  bad: [
    { breaks: 'd', says: 'No service.', tags: without('d') },
    { breaks: 'k', says: 'No kind.', tags: without('k') },
    { breaks: 'slots', says: 'Half of it.', tags: [...without('slots'), ['slots', '4', '1']] },
    { breaks: 'generation', says: 'Two starts.', tags: [...tags, ['generation', '1800000000']] },
    { breaks: 'expiration', says: 'For ever.', tags: without('expiration') },
  ],
})
