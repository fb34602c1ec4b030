/**
 * The contract of the verbs of `gridstr wallet`: each gets its arguments and a `Desk`, which opens wallet and journals.
 * @module
 */
import type { ParseArgsOptionsConfig } from 'node:util'
import type { Journal } from '../../../journal/journal.ts'
import type { Keys } from '../../../keys.ts'
import type { Fields } from '../../../payments/nwc/body.ts'
import type { Wallet } from '../../../payments/payment.ts'
import type { Arguments, Io } from '../../command.ts'
import type { Home } from '../../home.ts'
import type { Screen } from '../../screen.ts'

export interface Verb {
  /** As it is typed after `gridstr wallet`. */
  readonly name: string
  readonly options: ParseArgsOptionsConfig
  /** Resolves with the exit status: 0 done, 1 failed, 2 wrongly called. */
  run(args: Arguments, desk: Desk): Promise<number>
}

/** A wallet, and questions of NIP-47 that the rails have no word for. */
export interface OpenWallet {
  readonly wallet: Wallet
  /** The answer as the wallet wrote it. Rejects with `PaymentError`. */
  ask(method: string, signal?: AbortSignal): Promise<Fields>
  close(): Promise<void>
}

/** What a verb reaches the world through, so that a test can stand in for it. */
export interface Doors {
  /** Throws an `Error` that does not repeat the string. */
  wallet(uri: string, io: Io, keys: Keys): OpenWallet
  /** Throws `JournalError`. */
  journal(path: string, options?: { readonly readOnly?: boolean }): Journal | Promise<Journal>
}

export interface Desk {
  readonly io: Io
  readonly screen: Screen
  readonly json: boolean
  readonly home: Home
  /** Opens a connection. What is opened is closed when the verb ends. */
  open(uri: string): Promise<OpenWallet>
  /** The wallet of the arguments, the environment or the home folder; `undefined` when none is named. */
  findWallet(): Promise<OpenWallet | undefined>
  /** The same. Throws `UsageError` when none is named. */
  wallet(): Promise<OpenWallet>
  /** Opens the journal of own money for as long as `use` runs; waits a while for a process that has it open. */
  write<T>(use: (journal: Journal) => T): Promise<T>
  /** The journals that were named, else all that are there (`own`: that of own money), read-only, for as long as `use` runs. */
  read<T>(which: 'all' | 'own', use: (journals: readonly Journal[]) => T | Promise<T>): Promise<T>
  /** Says why it did not work; gives the exit status. */
  refuse(code: string, says: string, more?: object): number
}
