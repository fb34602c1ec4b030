/**
 * What a router's book is opened with, and what it shows beyond its contract.
 * @module
 */
import type { PriceRow } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import type { Clock } from '../clock.ts'
import type { Journal } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { Params } from '../ledger/index.ts'
import type { Network } from '../payments/payment.ts'
import type { Auditor } from './audits.ts'
import type { Book } from './book-contract.ts'
import type { LabelLimits } from './labels.ts'
import type { Scores } from './scores.ts'
import type { TrialsOptions } from './trials.ts'

/** What the book published, or what is wrong. */
export type BookEvent =
  | {
      readonly event: 'attestation' | 'scores' | 'sheet' | 'evidence' | 'verdict'
      readonly id: string
      readonly says: string
    }
  | { readonly event: 'trouble'; readonly request: string; readonly says: string }

export interface BookLimits extends LabelLimits {
  /** Announced nodes. */
  readonly nodes: number
  /** Jobs in the waiting room: those this router sent somewhere, those of others, and characters of all their papers. */
  readonly ownJobs: number
  readonly otherJobs: number
  readonly chars: number
  /** Seconds between two snapshots. */
  readonly snapshotSeconds: number
}

export interface BookOptions {
  readonly relays: Relays
  readonly keys: Keys
  /** Signs the chain and seeds the dice. */
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly params?: Params
  /** Name of the routing policy, for the sheet. */
  readonly policy: string
  readonly feeMsats: bigint
  /** Coins that payments are made in. */
  readonly network: Network
  /** Computes answers again. Absent: nothing is audited. */
  readonly auditor?: Auditor
  /** Asks nodes for work that can be computed again. Absent: newcomers prove themselves on public jobs of customers only. */
  readonly trier?: TrialsOptions['trier']
  readonly trials?: TrialsOptions['limits']
  /** Customers whose word weighs one, and judges whose verdicts take stake. */
  readonly trusted?: readonly string[]
  /** Stake that earns the whole bonus; 0 where stake counts nothing. */
  readonly stakeRef?: number
  /** Share of other routers’ payment labels whose evidence is fetched and tried. Default 0.05. */
  readonly sampled?: number
  /** Name of the price sheet, and the relays that it names. */
  readonly sheetId?: string
  readonly relayHints?: readonly string[]
  readonly limits?: Partial<BookLimits>
  tell?(event: BookEvent): void
}

export interface OpenBook extends Book {
  /** Public key that signs the scores. */
  readonly service: string
  /** Relays are asked for what came since then, unix seconds; 0 where nothing was ever heard. */
  readonly heardAt: number
  /** Jobs whose papers wait. */
  readonly waiting: number
  readonly scores: Pick<Scores, 'scoreOf'>
  rows(): PriceRow[]
  /** Writes down what was heard and not judged. */
  snapshot(): void
  /** Resolves when all suspicions and accusations that were heard are judged. */
  judged(): Promise<void>
}
