/**
 * Every wait and every bound of the pool.
 * @module
 */

export interface PoolLimits {
  /** A connection that is not open by then is given up. */
  readonly connectMs: number
  /** A relay that sent no EOSE by then is counted as if it had. */
  readonly eoseMs: number
  /** Silence after a publication. */
  readonly publishMs: number
  /** Default of `keepMs`: how long an event waits for a relay that is down. */
  readonly keepMs: number
  /** Silence after which a ping is sent, and how long its answer may take. */
  readonly pingMs: number
  readonly pongMs: number
  /** First and longest pause before the next attempt; doubles, and half of each is random. */
  readonly backoffMs: readonly [first: number, longest: number]
  /** A connection or subscription that lived this long starts the pauses again from the first. */
  readonly stableMs: number
  readonly overlapSeconds: number
  readonly backdatedOverlapSeconds: number
  /** Ids that one subscription surely remembers; at most twice as many are held. */
  readonly seenIds: number
  /** Longer messages are dropped unread. The socket ends the connection above 4 MiB. */
  readonly messageChars: number
  /** What one relay may send: characters, and messages of which one that is of no use costs 50. Above it the socket is not read. */
  readonly charsPerSecond: number
  readonly charsBurst: number
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  /** Events that one relay may answer one query with; then it is closed and counted as finished. */
  readonly queryEvents: number
  /** Publications that wait for one relay; the oldest gives way. */
  readonly keptEvents: number
  /** Unsent bytes after which a relay that does not read is hung up on. */
  readonly unsentBytes: number
}

const MIB = 1024 * 1024

export const POOL_LIMITS: PoolLimits = {
  connectMs: 7_000,
  eoseMs: 4_500,
  publishMs: 10_000,
  keepMs: 30_000,
  pingMs: 25_000,
  pongMs: 10_000,
  backoffMs: [250, 15_000],
  stableMs: 60_000,
  overlapSeconds: 120,
  backdatedOverlapSeconds: 2 * 24 * 3600,
  seenIds: 16_384,
  messageChars: 512 * 1024,
  charsPerSecond: 16 * MIB,
  charsBurst: 64 * MIB,
  messagesPerSecond: 10_000,
  messagesBurst: 50_000,
  queryEvents: 5_000,
  keptEvents: 1_000,
  unsentBytes: 8 * MIB,
}
