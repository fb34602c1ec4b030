/**
 * Kind 38600: how fast a node is at one model: its own claim, or what somebody else measured.
 * @module
 */
import { bad, dialects, good } from './38600-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { loose, maybe, one } from './fields.ts'
import { LONGEST_MODEL } from './prices.ts'
import { decimal, hex, integer, seconds, text } from './values.ts'

/** One measurement. Signed by the node it is a claim, signed by anybody else a measurement by others. */
export interface Benchmark {
  readonly node: string
  readonly kind: number
  readonly model: string
  /** What was run, in a word that stays: `chat-256`. */
  readonly profile: string
  /** Median time to the first token. */
  readonly firstMs: number
  readonly p95FirstMs?: number
  readonly tokensPerSecond: number
  readonly samples: number
  /** When it was measured, unix seconds. */
  readonly at: number
  readonly hardware?: string
  readonly expiresAt?: number
}

const ms = decimal('<ms>', 0, 86_400_000)

/** Benchmark (addressable kind 38600). */
export const benchmark = defineKind({
  number: 38_600,
  name: 'benchmark',
  says: 'How fast a node works on one model. Who signs it tells what it is worth: the node claims, everybody else has measured.',
  source: 'gridstr',
  fields: {
    id: one(
      'd',
      text('<node>:<kind>:<model>', 255),
      'One statement of each author per node, kind and model.',
      'A benchmark has one `d` of at most 255 bytes.',
    ),
    node: one('p', hex('<node pubkey>'), 'Who is measured.', 'Exactly one node is named by 64 lower-case hex digits.'),
    kind: one('k', integer('<kind>', 0, 65_535), 'The job kind.', 'Exactly one job kind is named.'),
    model: one('model', text('<name>', LONGEST_MODEL), 'The model.', 'Exactly one model is named.'),
    profile: one('profile', text('<word>', 64), 'What was run.', 'A profile is one word of at most 64 characters.'),
    firstMs: one(
      'first-ms',
      ms,
      'Median time to the first token.',
      'The time to the first token is milliseconds within a day.',
    ),
    p95FirstMs: loose('p95-first-ms', ms, 'What one run of twenty exceeds.'),
    tokensPerSecond: one(
      'tokens-per-second',
      decimal('<number>', 0, 1_000_000_000),
      'Tokens of the answer per second, from the first one on.',
      'The speed is a number of tokens per second.',
    ),
    samples: one(
      'samples',
      integer('<count>', 1, 1_000_000_000),
      'How many runs this sums up.',
      'At least one run was measured.',
    ),
    at: one('at', seconds, 'When it was measured.', 'The time of the measurement is unix seconds.'),
    hardware: loose('hardware', text('<words>', 256), 'On what it ran.'),
    expiresAt: maybe(
      'expiration',
      seconds,
      'After this it says nothing any more (NIP-40).',
      'An expiration is unix seconds, said once.',
    ),
  },
  content: 'Empty.',
  rules: { market: 'The `d` is node, kind and model as the tags say them, joined by colons, of at most 255 bytes.' },
  alt: 'Benchmark of a node',
  read({ id, ...rest }, { refuse }) {
    const fits = id === marketId(rest) && new TextEncoder().encode(id).length <= 255
    return fits ? ok(present(rest)) : refuse('market')
  },
  write: (value: Benchmark) => ({ fields: { id: marketId(value), ...value } }),
  good,
  dialects,
  bad,
})

const marketId = ({ node, kind, model }: Pick<Benchmark, 'node' | 'kind' | 'model'>): string =>
  `${node}:${kind}:${model}`
