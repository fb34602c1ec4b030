/**
 * What a role is told, and what it is built from.
 * @module
 */
import type { Relays } from '../../relays/index.ts'
import type { Clock } from '../../src/clock.ts'
import type { Journal } from '../../src/journal/index.ts'
import type { Keys } from '../../src/keys.ts'
import type { Pace } from './fast-clock.ts'
import type { Plant } from './plants.ts'
import type { Death, Points } from './points.ts'

export const ROLES = ['payer', 'node', 'wallet'] as const
export type Role = (typeof ROLES)[number]

/** What a role needs to come back as the same one. Secrets are hex. */
export interface Setting {
  readonly role: Role
  readonly folder: string
  readonly url: string
  readonly pace: Pace
  /** Of the payer, of the node, and of both ends of both wallet connections. */
  readonly secrets: Readonly<
    Record<'payer' | 'node' | 'payerWallet' | 'payerClient' | 'nodeWallet' | 'nodeClient', string>
  >
  /** Dies already on its way up. */
  readonly death?: Death
  /** A fault that the harness must find. */
  readonly plant?: Plant
  readonly priceMsats: bigint
  /** That price is the most that the tokens of a job cost, and what is not used stays with the node for the next job. */
  readonly metered?: boolean
}

/** What every role is built from. */
export interface Parts {
  readonly setting: Setting
  readonly clock: Clock
  readonly keys: Keys
  readonly relays: Relays
  readonly journal: Journal
  readonly points: Points
  tell(news: object): void
}

export type Answers = Readonly<Record<string, (ask: Record<string, unknown>) => unknown>>
