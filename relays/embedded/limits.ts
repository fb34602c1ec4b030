/**
 * Every bound that the embedded relay enforces. What NIP-11 can express of it is advertised from the same object.
 * @module
 */

export interface Limits {
  /** One WebSocket message; a longer one ends the connection (close code 1009). */
  readonly messageBytes: number
  /** One event as normalised JSON, UTF-8. */
  readonly eventBytes: number
  readonly tags: number
  /** Nesting of an event's JSON: event, tags, tag, and one to spare for foreign fields, which are dropped. */
  readonly jsonDepth: number
  readonly subscriptions: number
  readonly filters: number
  /** Values of all filters of all subscriptions of one connection. */
  readonly filterValues: number
  /** Stored events answered per filter, and the default where a filter has no limit. */
  readonly limit: number
  /** Rows that one query may look at; a dearer one is closed with `error:`. */
  readonly scanRows: number
  readonly subscriptionIdChars: number
  /** How far `created_at` may lie ahead. */
  readonly aheadSeconds: number
  readonly ephemeralAgeSeconds: number
  readonly connections: number
  readonly connectionsPerAddress: number
  /** Token bucket of each connection: every message takes one token, a question one more per 100 rows looked at. */
  readonly messagesPerSecond: number
  readonly messagesBurst: number
  /** Unsent bytes after which a reader is dropped. */
  readonly unsentBytes: number
  /** Stored rows waiting for one slow reader, over all its queries. */
  readonly unsentRows: number
  /** A connection that answers no ping for this long is ended. */
  readonly pingSeconds: number
  /** How far `created_at` of an AUTH event may lie from now. */
  readonly authAgeSeconds: number
  /** Keys that one connection may prove by NIP-42. */
  readonly authors: number
  /** Beyond these two the events that came first go first. */
  readonly storedEvents: number
  readonly storedBytes: number
  /** How often expired events, hidden already, are removed. */
  readonly reapSeconds: number
}

const MIB = 1024 * 1024

export const DEFAULT_LIMITS: Limits = {
  messageBytes: 256 * 1024,
  eventBytes: 128 * 1024,
  tags: 2_000,
  jsonDepth: 4,
  subscriptions: 200,
  filters: 20,
  filterValues: 20_000,
  limit: 500,
  scanRows: 50_000,
  subscriptionIdChars: 64,
  aheadSeconds: 900,
  ephemeralAgeSeconds: 60,
  connections: 1_000,
  connectionsPerAddress: 1_000,
  messagesPerSecond: 500,
  messagesBurst: 2_000,
  unsentBytes: 8 * MIB,
  unsentRows: 50_000,
  pingSeconds: 55,
  authAgeSeconds: 600,
  authors: 20,
  storedEvents: 100_000,
  storedBytes: 128 * MIB,
  reapSeconds: 600,
}

/** What changes when a file keeps the events instead of memory. */
export const FILE_LIMITS: Limits = { ...DEFAULT_LIMITS, storedEvents: 10_000_000, storedBytes: 64 * 1024 * MIB }
