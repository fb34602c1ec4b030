/**
 * The moments of a question, as a person or a script may want to know them.
 * @module
 */
import type { BilledTerms, WishedTerms } from '../../kinds/index.ts'
import type { Accusation } from './accuse.ts'
import type { SplitOutcome } from './splits.ts'

/** What a person or a script may want to know while it happens. */
export type AskEvent =
  | { readonly event: 'asked'; readonly request: string; readonly relays: number; readonly sealed: boolean }
  /** A bill that the guard let through. `terms` is what it is, `wished` what was asked for. */
  | {
      readonly event: 'quote'
      readonly by: string
      readonly msats: bigint
      readonly bolt11: string
      readonly terms: BilledTerms
      readonly wished?: WishedTerms
    }
  /** Inputs that are larger than an event go ahead of the request in chunks; answers come so after their result. */
  | { readonly event: 'sending' | 'fetching'; readonly bytes: number; readonly ofBytes: number }
  | { readonly event: 'paying'; readonly msats: bigint; readonly hash: string }
  | { readonly event: 'paid'; readonly preimage: string; readonly feeMsats: bigint }
  | { readonly event: 'unproven'; readonly says: string }
  | { readonly event: 'unknown'; readonly says: string }
  | { readonly event: 'processing'; readonly by: string }
  | { readonly event: 'chunk'; readonly text: string }
  /** The frames told another story than the result: this is the whole text. */
  | { readonly event: 'replaced'; readonly text: string }
  | { readonly event: 'refund'; readonly msats: bigint; readonly state: 'asked' | 'paid' | 'unpaid' }
  /** What became of a share of the price. */
  | ({ readonly event: 'split' } & SplitOutcome)
  /** Evidence of a fault of this node, or of a router, was published. */
  | ({ readonly event: 'accused' } & Accusation)
  | { readonly event: 'receipt'; readonly id: string; readonly ok: boolean; readonly reasons: readonly string[] }
