/**
 * What a routing event holds beside its tags: the decision, as JSON, complete enough to be made again.
 * @module
 */

import { isRecord } from './json.ts'
import { LONGEST_MODEL } from './prices.ts'
import type { Factors } from './records.ts'
import { digest, listOf, money, number, record, type Shape, string, truth, whole, word } from './shapes.ts'
import type { TermsWord } from './terms.ts'
import { looksLikeInvoice } from './values.ts'

/** Who passed the filters, as the policy saw it. */
export interface Sampled {
  readonly node: string
  readonly msats: number
  readonly score: number
  readonly inflight: number
  /** Measured time to the first word, which some policies order by. */
  readonly firstMs?: number
  /** One of the nodes that the policy's operator prefers. */
  readonly own?: true
  /** Factors of the score that no log holds: stake, where it is not 1, and latency. */
  readonly K?: number
  readonly L?: number
}

/** One named candidate. */
export interface RoutedCandidate {
  readonly node: string
  readonly service: string
  readonly model?: string
  readonly msats: bigint
  readonly terms: readonly TermsWord[]
  readonly score: number
  readonly factors: Factors
  readonly stage: string
  /** Number of the log entry up to which the node's record was folded; -1 before the first. */
  readonly log: number
  /** Id of its announcement (31990). */
  readonly announcement: string
  /** Id of its quote (4630). */
  readonly quote?: string
  readonly firm: boolean
  readonly quoteExpiresAt?: number
  readonly firstMs?: number
  readonly p95FirstMs?: number
  readonly rttMs?: number
  readonly reasons: readonly string[]
  /** The other router that named it. */
  readonly via?: string
}

/** Proven nodes, a newcomer for the experience, or anybody while nobody is proven yet. */
export type Lane = 'proven' | 'exploration' | 'bootstrap'

/** The content of a routing event. */
export interface Routed {
  readonly policy: string
  readonly params: string
  readonly lane: Lane
  /** When it was decided, unix seconds. */
  readonly at: number
  readonly seq: number
  /** Id of the log entry before; empty for the first. */
  readonly prev: string
  /** 32 bytes in hex, whose digest the entry before committed to. */
  readonly seed: string
  /** SHA-256 of the next seed. */
  readonly commit: string
  /** Median price, msats. */
  readonly median: number
  /** Where on the ring the sample starts, from 0 to 1. */
  readonly start: number
  /** Who passed the filters, in the order of the ring, at most 64. */
  readonly sample: readonly Sampled[]
  /** Best first, at most 6; none where the request was refused. */
  readonly candidates: readonly RoutedCandidate[]
  readonly refusal?: { readonly code: string; readonly says: string }
  /** How many fell to which filter. */
  readonly refused: { readonly [code: string]: number }
  readonly fee?: { readonly msats: bigint; readonly bolt11?: string }
  /** Routing events of other routers that were used. */
  readonly via: readonly string[]
}

const MOST_MSATS = 2_100_000_000_000_000_000
const millis = number(0, 86_400_000)
const msats = number(0, MOST_MSATS)
const share = number(0, 10)
const seconds = whole(0, 99_999_999_999)
const code: Shape<string> = value =>
  typeof value === 'string' && /^[a-z][a-z0-9-]{0,31}$/.test(value) ? value : undefined
const own: Shape<true> = value => (value === true ? value : undefined)
const digestOrNone: Shape<string> = value => (value === '' ? value : digest(value))
const invoice: Shape<string> = value => (typeof value === 'string' && looksLikeInvoice(value) ? value : undefined)

const counts: Shape<{ [code: string]: number }> = value => {
  if (!isRecord(value)) return undefined
  const entries = Object.entries(value)
  const sound = entries.every(([key, count]) => code(key) !== undefined && whole(0)(count) !== undefined)
  return sound && entries.length <= 32 ? (Object.fromEntries(entries) as { [code: string]: number }) : undefined
}

const factors: Shape<Factors> = record({ R: share, V: share, Q: share, T: share, K: share, L: share }, {})
const terms = word<TermsWord>('before', 'after', 'parts', 'hold', 'escrow')

const candidate: Shape<RoutedCandidate> = record(
  {
    node: digest,
    service: string(255),
    msats: money,
    terms: listOf(terms, 8),
    score: share,
    factors,
    stage: code,
    log: whole(-1),
    announcement: digest,
    firm: truth,
    reasons: listOf(string(128), 16),
  },
  {
    model: string(LONGEST_MODEL, 1),
    quote: digest,
    quoteExpiresAt: seconds,
    firstMs: millis,
    p95FirstMs: millis,
    rttMs: millis,
    via: digest,
  },
)

/** Reads the parsed content: strict, because what is checked again later must say the same to all. */
export const routed: Shape<Routed> = record(
  {
    policy: string(64, 1),
    params: digest,
    lane: word<Lane>('proven', 'exploration', 'bootstrap'),
    at: seconds,
    seq: whole(0),
    prev: digestOrNone,
    seed: digest,
    commit: digest,
    median: msats,
    start: number(0, 1),
    sample: listOf(
      record({ node: digest, msats, score: share, inflight: whole(0) }, { firstMs: millis, own, K: share, L: share }),
      64,
    ),
    candidates: listOf(candidate, 6),
    refused: counts,
    via: listOf(digest, 16),
  },
  {
    refusal: record({ code, says: string(256) }, {}),
    fee: record({ msats: money }, { bolt11: invoice }),
  },
)
