/**
 * Kind 26803: somebody asks who would do a job, before there is a job: what it is about is not said.
 * @module
 */
import { bad, dialects, good } from './26803-samples.ts'
import { defineKind, ok, present } from './define.ts'
import { list, loose, many, maybe, one } from './fields.ts'
import { LONGEST_MODEL } from './prices.ts'
import { type Privacy, privacyLevel } from './privacy.ts'
import { digest, listOf } from './shapes.ts'
import { type WishedTerms, wishedTerms } from './terms.ts'
import { hex, integer, msats, relayList, seconds, text, type Value, yes } from './values.ts'

/** A request for quotes. */
export interface QuoteRequest {
  readonly kind: number
  readonly model?: string
  /** The most that the job may cost. */
  readonly capMsats?: bigint
  readonly privacy: Privacy
  /** Only these nodes; empty: any. */
  readonly allow: readonly string[]
  /** None of these nodes. */
  readonly deny: readonly string[]
  readonly region?: string
  readonly determinism?: string
  /** From 0 to 100. */
  readonly minScore?: number
  /** A newcomer that nobody has proven may be tried on this job. */
  readonly explore?: boolean
  readonly terms?: WishedTerms
  readonly maxTokens?: number
  /** How long the job may take. */
  readonly deadlineMs?: number
  /** How long answers are waited for. */
  readonly auctionMs: number
  /** Routers or nodes that are asked; empty: anybody. */
  readonly to: readonly string[]
  /** How often routers may still pass it on; each takes one off. */
  readonly hops: number
  /** The first request, where this one was passed on. */
  readonly origin?: string
  readonly relays: readonly string[]
  readonly expiresAt: number
}

/** One that is no key spoils all, so that a list of who may not is never cut short. */
const keys: Value<string[]> = {
  form: '<pubkey> …',
  read: said => (said.length > 0 ? listOf(digest)([...said]) : undefined),
  write: said => said,
}
const unlessNone = (items: readonly string[]): string[] | undefined => (items.length > 0 ? [...items] : undefined)

/** Request for quotes (ephemeral kind 26803). */
export const quoteRequest = defineKind({
  number: 26_803,
  name: 'request for quotes',
  says: 'A customer asks routers or nodes who would take a job, on which conditions. It names no input: what the job says goes to the chosen node alone.',
  source: 'gridstr',
  fields: {
    to: many(
      'p',
      hex('<pubkey>'),
      'A router or node that is asked; none: anybody.',
      'Who is asked is named by 64 lower-case hex digits; at most 64 are.',
    ),
    kind: one('k', integer('<kind>', 0, 65_535), 'The job kind.', 'Exactly one job kind is named.'),
    model: maybe(
      'model',
      text('<name>', LONGEST_MODEL),
      'The wanted model; none: whichever.',
      'A model is named once.',
    ),
    capMsats: maybe(
      'bid',
      msats,
      'The most that the job may cost.',
      'A bid is whole msats in plain digits, said once.',
    ),
    privacy: maybe(
      'privacy',
      privacyLevel,
      'How private the job is to be: 0 public, 1 sealed to the node, 2 and 3 as nodes announce them. Unsaid: 0.',
      'A level of privacy is 0, 1, 2 or 3, said once.',
    ),
    allow: maybe('allow', keys, 'Only these nodes.', 'Allowed nodes are 1 to 64 public keys in one tag.'),
    deny: maybe('deny', keys, 'None of these nodes.', 'Denied nodes are 1 to 64 public keys in one tag.'),
    region: maybe(
      'region',
      text('<word>', 64),
      'Where the node must be.',
      'A region is a word of at most 64 characters.',
    ),
    determinism: maybe(
      'determinism',
      text('<word>', 64),
      'The determinism class that the node must announce.',
      'A determinism class is a word of at most 64 characters.',
    ),
    minScore: maybe(
      'min-score',
      integer('<0…100>', 0, 100),
      'The least score.',
      'A score is a whole number from 0 to 100.',
    ),
    explore: maybe(
      'explore',
      yes,
      'A newcomer that nobody has proven may be tried on this job. Unsaid: no, unless there is nobody else.',
      'Whether to explore is true or false, said once.',
    ),
    terms: loose('terms', wishedTerms, 'How the customer would like to pay. Unknown words are no wish.'),
    maxTokens: maybe(
      'tokens',
      integer('<most>', 1, 1_000_000),
      'The longest wanted answer.',
      'Tokens are a whole number from 1 to 1,000,000.',
    ),
    deadlineMs: maybe(
      'deadline-ms',
      integer('<ms>', 1, 86_400_000),
      'How long the job may take.',
      'A deadline is whole milliseconds within a day.',
    ),
    auctionMs: maybe(
      'auction-ms',
      integer('<ms>', 100, 5_000),
      'How long quotes are waited for. Unsaid: 500.',
      'An auction takes 100 to 5,000 whole milliseconds.',
    ),
    hops: maybe(
      'hops',
      integer('<0…3>', 0, 3),
      'How often routers may still pass it on; each takes one off. Unsaid: 0.',
      'Hops are a whole number from 0 to 3.',
    ),
    origin: maybe(
      'origin',
      hex('<request id>'),
      'The first request, where this one was passed on.',
      'One origin is named.',
    ),
    relays: list('relays', relayList, 'Where answers are expected; at most ten are used.'),
    expiresAt: one(
      'expiration',
      seconds,
      'After this nobody waits for an answer (NIP-40).',
      'A request for quotes ends, at unix seconds.',
    ),
  },
  content: 'Empty.',
  rules: {},
  alt: 'Request for quotes',
  read: ({ privacy: level = 0, allow = [], deny = [], auctionMs = 500, hops = 0, ...rest }) =>
    ok(present({ ...rest, privacy: level, allow, deny, auctionMs, hops })),
  write: ({ allow, deny, to, relays, ...rest }: QuoteRequest) => ({
    fields: { ...rest, to: [...to], allow: unlessNone(allow), deny: unlessNone(deny), relays: [...relays] },
  }),
  good,
  dialects,
  bad,
})
