/**
 * Answers to requests for quotes (26803): what a job would cost here, signed and remembered. What cannot be served is
 * not answered at all, so that junk brings nothing but silence.
 * @module
 */

import type { TermsWord, TextRequest } from '../../kinds/index.ts'
import {
  type Event,
  type Offered,
  type Privacy,
  present,
  type QuoteRequest,
  quote,
  quoteRequest,
} from '../../kinds/index.ts'
import type { Relays } from '../../relays/relay.ts'
import { type Clock, seconds } from '../clock.ts'
import { openBuckets } from '../intake/buckets.ts'
import type { Journal, Plain } from '../journal/journal.ts'
import type { Keys } from '../keys.ts'
import type { ModelInfo } from '../runners/runner.ts'
import type { NodeLimits } from './limits.ts'
import type { Load } from './load.ts'
import type { NodeEvent } from './node-event.ts'
import type { Pricing } from './pricing.ts'

export interface QuotesOptions {
  readonly relays: Relays
  readonly keys: Keys
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly journal: Journal
  readonly pricing: Pricing
  readonly load: Load
  readonly kinds: readonly number[]
  readonly models: readonly ModelInfo[]
  readonly terms: readonly TermsWord[]
  readonly privacy: readonly Privacy[]
  readonly region?: string
  readonly determinism?: string
  readonly limits: Pick<NodeLimits, 'allQuotesPerMinute' | 'quoteSeconds' | 'firmQuotes' | 'jobs'>
  tell(event: NodeEvent): void
}

export interface Quotes {
  /** A verified request that this node may answer: it is named, or nobody is. Each id is told once. */
  take(event: Event): void
  /**
   * The whole price that was promised to this customer for such a job, where the job names the promise in time. One that
   * was asked for on behalf of another (`origin`) belongs to the customer who names it first.
   */
  msatsFor(job: Event, request: Pick<TextRequest, 'quote' | 'model'>): bigint | undefined
}

interface Promised {
  readonly to: string
  readonly kind: number
  readonly model: string
  readonly msats: bigint
  readonly expiresAt: number
  /** Whoever names it first may have it. */
  readonly open: boolean
}

const keepMs = 5_000
/** Seconds between two looks for promises that have ended, while there is no room. */
const sweepSeconds = 5

export function openQuotes(options: QuotesOptions): Quotes {
  const { relays, keys, secret, clock, pricing, load, limits } = options
  const me = keys.publicKey(secret)
  const shelf = options.journal.shelf('quotes')
  const all = openBuckets(limits.allQuotesPerMinute, limits.allQuotesPerMinute / 5, 1, () => clock.now())

  let sweepAt = 0

  function read(id: string): Promised | undefined {
    const { to, kind, model, msats, expiresAt, open } = (shelf.get(id) ?? {}) as Partial<Record<string, Plain>>
    if (typeof to !== 'string' || typeof kind !== 'number' || typeof model !== 'string') return undefined
    if (typeof msats !== 'bigint' || typeof expiresAt !== 'number') return undefined
    return { to, kind, model, msats, expiresAt, open: open === true }
  }

  /** Room for one more promise, after those that have ended were let go of. None is broken to make room for another. */
  function roomLeft(): boolean {
    const now = seconds(clock)
    if (shelf.size < limits.firmQuotes || now < sweepAt) return shelf.size < limits.firmQuotes
    sweepAt = now + sweepSeconds
    const ended = [...shelf.entries()].flatMap(([id]) => ((read(id)?.expiresAt ?? 0) <= now ? [id] : []))
    for (const id of ended) shelf.delete(id, 'plain')
    return shelf.size < limits.firmQuotes
  }

  /** What is offered for a request, or nothing where it cannot be served. */
  function offerFor(event: Event, asked: QuoteRequest): Offered | undefined {
    const model = asked.model ?? options.models[0]?.name
    const known = options.models.find(({ name }) => name === model)
    const { terms, maxTokens, deadlineMs } = asked
    // Of an unknown prompt only a standard one can be priced: such a quote is an indication.
    const msats = pricing.nowMsats(maxTokens)
    const queueMs = load.queueMs()
    const { total, busy, queued } = load.slots()
    const serves =
      known !== undefined &&
      options.kinds.includes(asked.kind) &&
      (asked.to.length === 0 || asked.to.includes(me)) &&
      (asked.allow.length === 0 || asked.allow.includes(me)) &&
      !asked.deny.includes(me) &&
      (asked.privacy === 0 || options.privacy.includes(asked.privacy)) &&
      (asked.region === undefined || asked.region === options.region) &&
      (asked.determinism === undefined || asked.determinism === options.determinism) &&
      (terms === undefined || msats === 0n || options.terms.includes(terms.word)) &&
      (asked.capMsats === undefined || msats <= asked.capMsats) &&
      (maxTokens === undefined || maxTokens < known.contextTokens) &&
      (deadlineMs === undefined || queueMs < deadlineMs) &&
      busy + queued < limits.jobs
    if (!serves) return undefined
    const now = seconds(clock)
    return present({
      ...{ request: event.id, to: event.pubkey, kind: asked.kind, model, msats, reserve: 'none' as const },
      ...{ firm: !pricing.isMetered && busy < total && roomLeft(), terms: options.terms, free: total - busy },
      queueMs: queueMs > 0 ? Math.min(queueMs, 86_400_000) : undefined,
      expiresAt: now + limits.quoteSeconds,
    })
  }

  return {
    take(event) {
      const found = quoteRequest.read(event)
      if (!found.ok || event.pubkey === me || found.value.expiresAt <= seconds(clock) || !all.has('all')) return
      const offered = offerFor(event, found.value)
      if (!offered) return
      all.take('all')
      const signed = keys.sign(quote.write(offered, seconds(clock)), secret)
      const { to, kind, model = '', msats, expiresAt } = offered
      const open = found.value.origin !== undefined
      // Remembered before it is said.
      if (offered.firm) shelf.set(signed.id, { to, kind, model, msats, expiresAt, open }, 'plain')
      void relays.publish(signed, { want: 1, keepMs })
      options.tell({ event: 'quoted', customer: to, id: signed.id, msats })
    },
    msatsFor(job, request) {
      const id = request.quote
      const promised = id === undefined ? undefined : read(id)
      if (id === undefined || !promised || promised.expiresAt <= seconds(clock)) return undefined
      const { to, kind, model, open, ...rest } = promised
      if (kind !== job.kind || (request.model !== undefined && request.model !== model)) return undefined
      if (!open) return to === job.pubkey ? promised.msats : undefined
      shelf.set(id, { ...rest, kind, model, to: job.pubkey, open: false }, 'plain')
      return promised.msats
    },
  }
}
