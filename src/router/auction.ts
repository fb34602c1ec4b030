/**
 * One auction: a request is passed on to a few nodes, and their signed quotes are collected until all have answered or
 * its time is over.
 * @module
 */
import { type Event, type Offered, present, type QuoteRequest, quote, quoteRequest } from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, patience, seconds } from '../clock.ts'
import type { Keys } from '../keys.ts'

/** A quote that was asked for by us and came in time from whom it was asked. */
export interface Quoted extends Offered {
  readonly node: string
  /** The 4630. */
  readonly id: string
}

export interface AuctionsOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  /** Measured round trip of a question to a node. */
  onTimed(node: string, ms: number): void
  onAsked(event: Event): void
}

export interface Auctions {
  /** Asks these nodes; resolves with the first quote of each that answered, never rejects. */
  hold(
    request: QuoteRequest,
    origin: string,
    nodes: readonly string[],
    ms: number,
    signal: AbortSignal,
  ): Promise<Quoted[]>
  /** Every 4630 that names us, signature verified. */
  heard(event: Event): void
}

interface Open {
  readonly request: QuoteRequest
  readonly waited: Set<string>
  readonly quotes: Quoted[]
  readonly askedMs: number
  done(): void
}

/** Seconds beyond the auction for which its question is worth reading. */
const spareSeconds = 10

export function openAuctions(options: AuctionsOptions): Auctions {
  const { relays, keys, secret, clock } = options
  const me = keys.publicKey(secret)
  const open = new Map<string, Open>()

  return {
    async hold(request, origin, nodes, ms, signal) {
      if (nodes.length === 0 || ms <= 0 || signal.aborted) return []
      const now = seconds(clock)
      const question = keys.sign(
        quoteRequest.write(
          passedOn(request, {
            ...{ to: [...nodes], hops: 0, origin, relays: [...relays.urls] },
            auctionMs: Math.min(5_000, Math.max(100, ms)),
            expiresAt: Math.min(request.expiresAt, now + Math.ceil(ms / 1_000) + spareSeconds),
          }),
          now,
        ),
        secret,
      )
      const { over, end } = patience(clock, ms, signal)
      const one: Open = { request, waited: new Set(nodes), quotes: [], askedMs: clock.now(), done: end }
      open.set(question.id, one)
      options.onAsked(question)
      void relays.publish(question, { want: 1, keepMs: 0 })
      await over
      open.delete(question.id)
      return one.quotes
    },
    heard(event) {
      const read = quote.read(event)
      if (!read.ok || read.value.to !== me) return
      const one = open.get(read.value.request)
      // The first word of a node counts: a second one would let it see the others' first.
      if (!one?.waited.delete(event.pubkey)) return
      options.onTimed(event.pubkey, Math.max(0, clock.now() - one.askedMs))
      const { kind, model } = one.request
      const meets = read.value.kind === kind && (model === undefined || (read.value.model ?? model) === model)
      if (meets) one.quotes.push({ ...read.value, node: event.pubkey, id: event.id })
      if (one.waited.size === 0) one.done()
    },
  }
}

/** What is passed on of a request: what the job is and may cost, never for whom. Lists of names only where `lists` says so. */
export function passedOn(
  request: QuoteRequest,
  changes: Pick<QuoteRequest, 'to' | 'hops' | 'origin' | 'auctionMs' | 'relays' | 'expiresAt'>,
  lists: Pick<QuoteRequest, 'allow' | 'deny'> = { allow: [], deny: [] },
): QuoteRequest {
  const { kind, model, capMsats, privacy, region, determinism, minScore, terms, maxTokens, deadlineMs } = request
  return present({
    ...{ kind, model, capMsats, privacy, region, determinism, minScore, terms, maxTokens, deadlineMs },
    ...lists,
    ...changes,
  })
}
