/**
 * What the router's desk needs of its book: everything that is known about nodes, and the one hash chain of what this
 * router said, in which labels (1985) and routing events (4631) follow each other.
 * @module
 */
import type { Event, Factors, Template } from '../../kinds/index.ts'
import type { Directory, Entry } from '../ledger/directory.ts'
import type { Stage, Track } from '../ledger/track.ts'
import type { Market } from '../routing/market.ts'

/** Where the chain stands: the next entry gets this `seq`, names `prev`, reveals what `commit` is the sha256 of. */
export interface Position {
  readonly seq: number
  /** Id of the entry before; empty for the first. */
  readonly prev: string
  /** sha256 (hex) of the seed that entry `seq` reveals. */
  readonly commit: string
}

/** What the entry being written is given. */
export interface Place {
  readonly seq: number
  readonly prev: string
  /** 32 bytes hex, what the entry before committed to. */
  readonly seed: string
  /** sha256 (hex) of the seed of the entry after this one. */
  readonly commit: string
}

export interface Scored {
  /** 0 to 1, six decimals. */
  readonly score: number
  readonly factors: Factors
  readonly stage: Stage
  /** `seq` of the last entry of the own log that was folded into the track. -1 for an empty log. */
  readonly log: number
  readonly track: Track
}

export interface Book {
  readonly directory: Directory
  /** Folded, judged and attested where that is due. Everything that the router hears, admitted and verified. Never throws. */
  heard(event: Event): void
  entryOf(node: string): Entry | undefined
  /** Kept up to date by the fold. */
  market(kind: number, model?: string): Market
  /** `at` is unix seconds. */
  scored(node: string, kind: number, model: string, at: number): Scored
  /** A round trip to a node that this router measured itself, in milliseconds. */
  timed(node: string, rttMs: number): void
  rttOf(node: string): number | undefined
  /** A customer that paid this router's fee, before or after its answer: its word weighs one. */
  paidFee(customer: string): void
  /** Whether a fault of this key, a node or a router, was proven here. */
  offends(pubkey: string): boolean
  position(): Position
  /**
   * Adds one entry to the chain, one after another: `write` is called once, when its place is certain, inside the
   * `journal.atomically` that keeps the signed entry; what it writes to the journal is kept with it or not at all. A
   * throw of `write` rejects and takes no place. Resolves when the entry is kept and handed to the relays, which get it again
   * after a restart; it does not wait for their word.
   */
  append(write: (at: Place) => Template): Promise<Event>
  /** Waits for entries under way. */
  close(): Promise<void>
}
