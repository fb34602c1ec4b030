/**
 * Kind 30382: a scoring service says how it ranks one provider, and by which factors.
 * @module
 */
import { bad, dialects, good } from './30382-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { each, loose, one } from './fields.ts'
import { type Factors, place, sixths } from './records.ts'
import { hex, integer, text, type Value } from './values.ts'

/** How a provider does at one kind of job with one model. */
export interface MarketScore {
  readonly kind: number
  /** Empty: whichever. */
  readonly model: string
  /** 0 to 100, at most six decimals. */
  readonly rank: number
  readonly factors: Factors
  readonly stage: string
  /** How many jobs it rests on, decayed: at most six decimals. */
  readonly jobs: number
}

/** A score. What other NIP-85 services publish has a rank and nothing else of ours. */
export interface NodeScore {
  readonly node: string
  /** Whole number from 0 to 100. */
  readonly rank: number
  readonly markets: readonly MarketScore[]
  /** Sha256 of the parameters of the score. */
  readonly params?: string
  /** The last entry of the router's log that it folds: fold it too and compare. */
  readonly log?: { readonly router: string; readonly seq: number; readonly id: string }
}

const key = hex('')

const rank: Value<number> = {
  form: '<0 to 100>',
  read(said) {
    const number = sixths('', 100).read(said)
    return number === undefined ? undefined : Math.round(number)
  },
  write: number => [String(number)],
}

const share = sixths('', 2)

const market: Value<MarketScore> = {
  form: '<kind> <model?> <rank> <R> <V> <Q> <T> <K> <L> <stage> <jobs>',
  read([of = '', model = '', ranked = '', ...rest]) {
    const [kind, at] = [integer('', 0, 65_535).read([of]), sixths('', 100).read([ranked])]
    const [R, V, Q, T, K, L] = rest.slice(0, 6).map(said => share.read([said]))
    const [stage, jobs] = [text('', 32).read(rest.slice(6)), sixths('', 1e12).read(rest.slice(7))]
    if (kind === undefined || at === undefined || stage === undefined || jobs === undefined || model.length > 256)
      return undefined
    if (R === undefined || V === undefined || Q === undefined || T === undefined || K === undefined || L === undefined)
      return undefined
    return { kind, model, rank: at, factors: { R, V, Q, T, K, L }, stage, jobs }
  },
  write({ kind, model, rank: at, factors: { R, V, Q, T, K, L }, stage, jobs }) {
    return [String(kind), model, ...[at, R, V, Q, T, K, L].map(String), stage, String(jobs)]
  },
}

const logEntry: Value<NonNullable<NodeScore['log']>> = {
  form: '<router pubkey> <seq> <entry id>',
  read(said) {
    const [router, seq, id] = [key.read(said), place.read(said.slice(1)), key.read(said.slice(2))]
    return router === undefined || seq === undefined || id === undefined ? undefined : { router, seq, id }
  },
  write: ({ router, seq, id }) => [router, String(seq), id],
}

/** Node score (NIP-85 kind 30382, addressable). */
export const nodeScore = defineKind({
  number: 30_382,
  name: 'node score',
  says: 'A service key, one for each algorithm, ranks a provider. Ours says the factors, the parameters and the log entry up to which it folded, so that anybody can compute it again. Price is not in it.',
  source: 'NIP-85; gridstr',
  alt: 'Score of a provider',
  fields: {
    node: one(
      'd',
      hex('<provider pubkey>'),
      'Who is ranked.',
      'Exactly one provider is named by 64 lower-case hex digits.',
    ),
    rank: one(
      'rank',
      rank,
      'The best of its markets, as a whole number; from others with decimals it is rounded.',
      'There is exactly one rank from 0 to 100.',
    ),
    markets: each(
      'score',
      market,
      'How it does at one kind of job with one model. From others: what cannot be read is left out.',
    ),
    params: loose('params', hex('<sha256 of the parameters>'), 'By which parameters.'),
    log: loose('log', logEntry, 'Up to which entry of whose log.'),
  },
  content: 'Empty. From others it is ignored.',
  rules: {},
  read: found => ok(present(found)),
  write: ({ markets, ...rest }: NodeScore) => ({ fields: { ...rest, markets: [...markets] } }),
  good,
  dialects,
  bad,
})
