/**
 * Who could read what of one question: computed from the events that were published and heard, never from what was
 * intended.
 * @module
 */
import type { Privacy } from '../../kinds/index.ts'

/** One who could read the plaintext, and why. */
export interface Reader {
  readonly who: 'you' | 'node' | 'everybody'
  /** Of the node. */
  readonly pubkey?: string
  readonly why: string
}

/** What happened, as a person should know it. */
export interface PrivacyReport {
  /** The level that was really kept; at most the one that was wanted. */
  readonly level: Privacy
  readonly wanted: Privacy
  readonly readers: readonly Reader[]
  /** The key that asked: one that made this one job only, or the customer's own. */
  readonly identity: { readonly kind: 'one-job' | 'own'; readonly pubkey: string }
  readonly transport: {
    /** The relays that the job was sent to. */
    readonly relays: readonly string[]
    /** `open`: readable; `sealed`: readable only to the node; `wrapped`: not even kind and author are seen. */
    readonly request: 'open' | 'sealed' | 'wrapped'
    readonly answers: 'open' | 'sealed' | 'wrapped' | 'none'
  }
  /** How long it stays: where relays were asked to forget it, and what the node says of itself. */
  readonly retention: {
    readonly relaysUntil?: number
    readonly nodeSeconds?: number
    readonly says: string
  }
}
