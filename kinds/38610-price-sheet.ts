/**
 * Kind 38610: what a router knows about prices, what it takes itself, and how to check it; also how a router is found.
 * @module
 */
import { bad, dialects, good } from './38610-samples.ts'
import { defineKind, ok } from './define.ts'
import { each, list, one } from './fields.ts'
import { type PriceRow, priceRow } from './prices.ts'
import { hex, integer, msats, relayList, seconds, text, type Value } from './values.ts'

/** The sheet of a router. */
export interface PriceSheet {
  /** `d`: name of the sheet. */
  readonly id: string
  readonly rows: readonly PriceRow[]
  /** What the router takes for a route; 0 is nothing. */
  readonly feeMsats: bigint
  /** Name of the routing policy. */
  readonly policy: string
  /** SHA-256 of the parameters of score and policy. */
  readonly params: string
  /** The digest of the seed that entry `seq` of the router's log will reveal. */
  readonly commit: { readonly seq: number; readonly hash: string }
  /** Public key that signs the scores (30382). */
  readonly service: string
  /** Where the router reads requests for quotes. */
  readonly relays: readonly string[]
  readonly expiresAt: number
}

const commitment: Value<PriceSheet['commit']> = {
  form: '<seq> <sha256 of the seed>',
  read(said) {
    const [seq, hash] = [integer('', 0, Number.MAX_SAFE_INTEGER).read(said), hex('').read(said.slice(1))]
    return seq === undefined || hash === undefined ? undefined : { seq, hash }
  },
  write: ({ seq, hash }) => [String(seq), hash],
}

/** Price sheet (addressable kind 38610). */
export const priceSheet = defineKind({
  number: 38_610,
  name: 'price sheet',
  says: 'A router sums up what nodes ask and what was settled, per job kind, model and unit, and says what it takes for a route itself.',
  source: 'gridstr',
  fields: {
    id: one('d', text('<name>', 255), 'Name of the sheet; `gridstr` where there is one only.', 'A sheet has one name.'),
    kinds: each(
      'k',
      integer('<kind>', 0, 65_535),
      'Every job kind in it, for filters; readers take it from the prices.',
    ),
    rows: each(
      'price',
      priceRow,
      'Lowest, median and highest posted price, the median of what was settled, nodes alive, and how far demand lifts the price. Lines that cannot be read are left out, at most 256 are used.',
      256,
    ),
    feeMsats: one(
      'fee',
      msats,
      'What the router takes for a route; 0 is nothing.',
      'The fee is whole msats, said once.',
    ),
    policy: one('policy', text('<name>', 64), 'How it chooses.', 'Exactly one policy is named.'),
    params: one('params', hex('<sha256>'), 'Digest of its parameters.', 'Exactly one digest of parameters is named.'),
    commit: one(
      'commit',
      commitment,
      'What the next entry of its log will reveal: number and digest of the seed.',
      'A sheet commits to one seed: a number and a digest.',
    ),
    service: one(
      'service',
      hex('<pubkey>'),
      'The key that signs its scores (30382).',
      'Exactly one service key is named.',
    ),
    relays: list('relays', relayList, 'Where it reads requests for quotes; at most ten are used.'),
    expiresAt: one('expiration', seconds, 'After this it is stale (NIP-40).', 'A sheet ends, at unix seconds.'),
  },
  content: 'Empty.',
  rules: {},
  alt: 'Price sheet of a router',
  read: ({ kinds: _, ...rest }) => ok(rest),
  write: ({ rows, relays, ...rest }: PriceSheet) => ({
    fields: { ...rest, kinds: [...new Set(rows.map(row => row.kind))], rows: [...rows], relays: [...relays] },
  }),
  good,
  dialects,
  bad,
})
