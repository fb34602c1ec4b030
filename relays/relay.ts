/**
 * The contract of this room: how signed events reach other people. A driver carries events over one or many
 * relays; it never signs, never decides, and never trusts a relay.
 * @module
 */
import { type Event, relayUrl as spelling } from '../kinds/index.ts'

/** NIP-01 filter. Exact values only: no prefixes, `since <= created_at <= until`. */
export interface Filter {
  ids?: string[]
  authors?: string[]
  kinds?: number[]
  since?: number
  until?: number
  /** Initial query only. Standing subscriptions are sent without it; `0` there means from now on. */
  limit?: number
  [tag: `#${string}`]: string[] | undefined
}

/** What one relay said about one published event. `ok: false` with an empty `says` means silence until the time-out. */
export interface Ack {
  readonly relay: string
  readonly ok: boolean
  readonly says: string
}

/** Outcome of a publication. `accepted` counts the relays that said OK (a duplicate counts: NIP-01 `duplicate:`). */
export interface Published {
  readonly accepted: number
  /** True when as many relays said OK as were wanted. */
  readonly enough: boolean
  readonly acks: readonly Ack[]
}

/**
 * The door that a driver asks before it hands an event on. Gets the parsed JSON of a stranger; returns a fresh
 * frozen copy that may be trusted to be what its author signed, or `undefined` to drop it. An id enters the
 * driver's seen-set only when this returned an event, so a forged twin never hides the genuine one.
 */
export type Admit = (raw: unknown, relay: string) => Event | undefined

export interface ListenOptions {
  /** Called once for each admitted event, whichever relay brought it first. Must not throw; a throw is counted and dropped. */
  onEvent(event: Event, relay: string): void
  /**
   * An event that was handed on before came again: from a second relay, after an outage, or because its author repeats it.
   * Only the id, unread and unverified: good for saying again what was said, never for acting.
   */
  onAgain?(id: string): void
  /** Called once, when every relay sent EOSE, failed, or had its time. */
  onEose?(): void
  /** Overrides the driver's own door for this subscription. */
  admit?: Admit
  /** `true`: end after EOSE (a query). Default `false`: standing, survives outages. */
  once?: boolean
}

export interface Listening {
  /**
   * Resolves when the subscription is live on at least one relay, or when waiting for one has taken its time: never rejects,
   * and says nothing about relays that are down. Ephemeral answers need it before the question.
   */
  readonly live: Promise<void>
  close(): void
}

export interface RelayState {
  readonly url: string
  readonly state: 'connecting' | 'open' | 'waiting' | 'closed'
  /** Dropped because unverifiable, off-filter or oversized. */
  readonly dropped: number
  readonly reconnects: number
  readonly lastError: string
}

/** Relays as seen by everybody else in the house. */
export interface Relays {
  readonly urls: readonly string[]
  /**
   * Sends to every relay. Resolves as soon as `want` relays said OK (default: 2 where 2 are given, else 1) or all
   * answered or timed out; never rejects for what a relay does. A relay that is down gets the event when it is back,
   * while `keepMs` (default 30,000) lasts.
   */
  publish(event: Event, options?: { want?: number; keepMs?: number; signal?: AbortSignal }): Promise<Published>
  /** Subscribes. The first filter list is kept for ever and asked again after each outage from where it left off. */
  listen(filters: Filter[], options: ListenOptions, signal?: AbortSignal): Listening
  state(): readonly RelayState[]
  /** Ends all sockets and timers. Idempotent. */
  close(): Promise<void>
}

/** Stored events matching the filters, newest first, one per id, from every relay that answers within its time. */
export async function query(relays: Relays, filters: Filter[], signal?: AbortSignal): Promise<Event[]> {
  const found: Event[] = []
  await new Promise<void>(resolve => {
    const done = () => resolve()
    signal?.addEventListener('abort', done, { once: true })
    const sub = relays.listen(filters, { once: true, onEvent: event => found.push(event), onEose: done }, signal)
    if (signal?.aborted) {
      sub.close()
      done()
    }
  })
  return found.sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1))
}

/** One spelling per relay, as `kinds/` spells it. Throws on what is no ws(s) URL. */
export function relayUrl(text: string): string {
  const url = spelling(text)
  if (url === undefined) throw new Error(`"${text}" is no relay address: write ws://… or wss://…`)
  return url
}
