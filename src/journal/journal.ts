/**
 * The contract of this room: what this process promised, said, ordered, billed and owes, so that a killed one comes back
 * to the same jobs and the same money. Every call writes before it returns. Times are unix seconds, money bigint msats.
 * @module
 */
import type { Event } from '../../kinds/index.ts'

/** Plain data that a row can carry. Bigints survive. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | bigint
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain | undefined }

/**
 * `money` is on the disk when the call returns, whatever happens to the machine, and everything written before it with
 * it; `soon` is there within moments, for what a wallet would tell again; `plain` survives the process only.
 */
export type Weight = 'money' | 'soon' | 'plain'

export type Side = 'client' | 'node'

/** How one job began, and every fact that changed it, in order. */
export interface JobRow {
  readonly side: Side
  readonly id: string
  readonly at: number
  /** What the owner needs to open the job again. */
  readonly opening: Plain
}

export interface JobLog {
  /** Writes a beginning (default `money`). False, and nothing written, when the job is there already. */
  open(row: JobRow, weight?: Weight): boolean
  /** Adds a fact to an open job. Throws for a job that was never opened. */
  fact(side: Side, id: string, fact: Plain, weight: Weight): void
  /** The job will never act again. */
  end(side: Side, id: string, at: number): void
  /** Jobs that have not ended, oldest first, each with its facts in order. */
  unfinished(side: Side): readonly (JobRow & { readonly facts: readonly Plain[] })[]
  /** Jobs that have ended and are not pruned, the last ended first: at most so many. */
  ended(side: Side, limit: number): readonly (JobRow & { readonly facts: readonly Plain[]; readonly endedAt: number })[]
  find(side: Side, id: string): (JobRow & { readonly facts: readonly Plain[]; readonly endedAt?: number }) | undefined
}

/** Signed bytes that were or will be published for a job. */
export interface Said {
  readonly job: string
  /** What it is: at most one event per job and slot. */
  readonly slot: string
  readonly event: Event
  /** Until when it is worth offering to relays. */
  readonly until: number
}

export interface Outbox {
  /** Keeps the bytes before they are published. Where the slot is taken, nothing is written: the event that is there comes back. */
  keep(said: Said, weight: Weight): Event
  of(job: string): readonly Said[]
  /** What no relay has taken yet and is still worth offering. */
  pending(now: number): readonly Said[]
  taken(eventId: string): void
}

/** A payment of ours: the intent is written before anything leaves. */
export interface OrderRow {
  readonly hash: string
  /** The job that is paid, where there is one. */
  readonly job?: string
  /** Nostr key that is paid. */
  readonly peer?: string
  readonly purpose: 'job' | 'split' | 'refund' | 'own'
  readonly bolt11: string
  readonly msats: bigint
  readonly at: number
}

/** `planned` may be anywhere between never sent and paid; only `failed` no longer counts as spent. */
export type OrderState = 'planned' | 'paid' | 'unproven' | 'failed'

export interface Order extends OrderRow {
  readonly state: OrderState
  readonly preimage?: string
  readonly feeMsats?: bigint
  readonly endedAt?: number
}

export interface Orders {
  /**
   * Writes the intent (default `money`; lighter where more `money` is written before anything leaves). False, and nothing
   * written, when this hash was ever ordered.
   */
  plan(row: OrderRow, weight?: Weight): boolean
  /** How it ended (default `money`). A paid order stays paid. Throws for an unknown hash. */
  end(hash: string, end: { state: OrderState; preimage?: string; feeMsats?: bigint; at: number }, weight?: Weight): void
  get(hash: string): Order | undefined
  /** Msats and fees of all orders since then that have not failed, of one peer or job where given. */
  spentMsats(query: { readonly since: number; readonly peer?: string; readonly job?: string }): bigint
  /** Newest first. Default limit 100. */
  list(query?: {
    since?: number
    until?: number
    state?: OrderState
    job?: string
    limit?: number
    offset?: number
  }): readonly Order[]
}

/** An invoice of ours. */
export interface BillRow {
  readonly hash: string
  readonly job?: string
  readonly customer?: string
  readonly purpose: 'job' | 'split' | 'refund' | 'own'
  readonly bolt11: string
  readonly msats: bigint
  readonly at: number
  readonly expiresAt: number
  /** The work was delivered before it was paid. */
  readonly credit?: boolean
}

/** `void`: nothing came and nothing was owed. `defaulted`: work was delivered for it and nothing came. */
export type BillEnd = 'open' | 'paid' | 'void' | 'defaulted'

export interface Billed extends BillRow {
  readonly state: BillEnd
  readonly paidMsats?: bigint
  readonly preimage?: string
  readonly endedAt?: number
}

/** A change of what the node keeps for a customer: `msats` above 0 came and bought nothing, below 0 was used or paid back. */
export interface CreditRow {
  /** Written once, however often it is told. */
  readonly id: string
  readonly customer: string
  readonly job: string
  readonly msats: bigint
  readonly why: string
  readonly at: number
}

export interface Bills {
  /** Writes a bill (`money`). False when the hash is there already. */
  add(row: BillRow): boolean
  /** How it ended (default `money`). A paid bill stays paid; an ended one may still become paid. */
  end(
    hash: string,
    end: { state: Exclude<BillEnd, 'open'>; msats?: bigint; preimage?: string; at: number },
    weight?: Weight,
  ): void
  get(hash: string): Billed | undefined
  /** Newest first. Default limit 100. */
  list(query?: {
    since?: number
    until?: number
    state?: BillEnd
    customer?: string
    job?: string
    limit?: number
    offset?: number
  }): readonly Billed[]
  /** Writes a change (`money`). False when its id is there already, or when it would take more than is kept. */
  credit(row: CreditRow): boolean
  /** What is kept for a customer. */
  creditMsats(customer: string): bigint
  credits(query?: { customer?: string; job?: string; limit?: number; offset?: number }): readonly CreditRow[]
}

/** Named facts of another room: claims of a wallet service, states of channels. */
export interface Shelf {
  get(key: string): Plain | undefined
  /** Writes or replaces. Every weight here is `money` where none is given. */
  set(key: string, value: Plain, weight?: Weight): void
  /** Writes where nothing is. False, and nothing written, when the key is taken. */
  claim(key: string, value: Plain, weight?: Weight): boolean
  delete(key: string, weight?: Weight): void
  /** In order of first writing; with `prefix`, keys that begin so. */
  entries(prefix?: string): IterableIterator<readonly [key: string, value: Plain]>
  readonly size: number
}

export interface Journal {
  /** Where it lies; `:memory:` for one that ends with the process. */
  readonly path: string
  readonly jobs: JobLog
  readonly outbox: Outbox
  readonly orders: Orders
  readonly bills: Bills
  shelf(name: string): Shelf
  /** Everything written inside is kept together or not at all. Nested calls join the outer one. A throw undoes all of it. */
  atomically<T>(write: () => T, weight?: Weight): T
  /** Lets go of ended jobs, their words and facts from before then; money rows stay. Gives how many jobs. */
  prune(before: number): number
  close(): void
}

/** The journal cannot be used. The message says the way out. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly code: 'locked' | 'corrupt' | 'newer' | 'full' | 'unwritable'
  constructor(code: JournalError['code'], says: string, options?: ErrorOptions) {
    super(says, options)
    this.code = code
  }
}
